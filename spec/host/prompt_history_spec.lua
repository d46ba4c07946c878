-- The history of the prompt.

local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains = texts.contains
local edited, test = terminal.edited, terminal.test

--- Run the program in a folder, and leave it by Ctrl-D.
local function session(place, f, options)
  options = options or {}
  options.folder = place
  local t <close> = terminal.open(options)
  f(t)
  t:prompt()
  t:key "ctrl-d"
  assert.are.same({ ok = true, code = 0 }, t:wait())
end

local function in_folder(f)
  return function()
    if not terminal.has_libedit then
      helper.pending "libedit is not installed"
    end
    helper.run(function()
      local place <close> = folder.new()
      f(place)
    end)
  end
end

describe("the history", function()
  it("has the lines of this run [R51]", edited({}, function(t)
    t:eval "100 + 1"
    t:eval "100 + 2"
    t:prompt()
    t:key "up"
    t:prompt "> 100 + 2"
    t:key "up"
    t:prompt "> 100 + 1"
    t:key "down"
    t:prompt "> 100 + 2"
    t:key "enter"
    t:expect "102"
    t:prompt()
  end))

  it("has the lines of earlier runs, also several as one [R51]", in_folder(
    function(place)
      session(place, function(t)
        t:eval "'a line ' .. 'of run 1'"
        t:eval("function f()", terminal.MORE)
        t:line "  return 5"
        t:prompt(terminal.MORE)
        t:line "end"
        t:prompt()
      end)
      session(place, function(t)
        t:prompt()
        t:key "up"
        t:expect "function f()"
        t:key "enter"
        assert.are.equal("5\n", t:eval "f()")
        t:prompt()
        t:key("up", "up", "up")
        t:expect "a line"
        t:key "ctrl-c"
      end)
      local path = place.path .. "/state/aiowire/history"
      contains(process.read(path), "of run 1")
    end))

  it("is for its owner alone [R51]", in_folder(function(place)
    session(place, function(t)
      t:eval "1 + 1"
    end)
    assert.are.equal("600\n", place:shell "stat -c %a state/aiowire/history")
  end))

  it("is in ~/.local/state without XDG_STATE_HOME [R51]", in_folder(
    function(place)
      session(place, function(t)
        t:eval "1 + 1"
      end, { env = { XDG_STATE_HOME = false } })
      contains(process.read(place.path .. "/.local/state/aiowire/history"),
        "1 + 1")
    end))

  it("survives a death by a signal [R51]", in_folder(function(place)
    local t <close> = terminal.open { folder = place }
    t:eval "100 + 1"
    t:prompt()
    t:kill "TERM"
    t:wait()
    session(place, function(second)
      second:prompt()
      second:key "up"
      second:prompt "> 100 + 1"
      second:key "ctrl-c"
    end)
  end))

  it("of two programs at a time loses no line", in_folder(function(place)
    local a <close> = terminal.open { folder = place }
    local b <close> = terminal.open { folder = place }
    a:eval "'of ' .. 'a'"
    b:eval "'of ' .. 'b'"
    for _, t in ipairs { a, b } do
      t:prompt()
      t:key "ctrl-d"
      t:wait()
    end
    local text = process.read(place.path .. "/state/aiowire/history")
    contains(text, "'a'")
    contains(text, "'b'")
  end))

  it("has no line that begins with a space [R51]", edited({}, function(t)
    t:eval "100 + 1"
    t:eval " 100 + 2"
    t:prompt()
    t:key "up"
    t:prompt "> 100 + 1"
  end))

  it("may be impossible: the prompt works [R51]", test({ env = {
    XDG_STATE_HOME = "/proc/nothing", HOME = "/proc/nothing" } }, function(t)
    t:prompt()
    t:line "print(1 + 1)"
    t:expect "2\n"
    t:prompt()
    t:key "ctrl-d"
    assert.are.same({ ok = true, code = 0 }, t:wait())
  end))
end)
