-- The history file of the prompt.

local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local terminal = require "spec.support.terminal"

local FILE <const> = "state/aiowire/history"

--- Returns a function for `it` that calls f(place, session): session(g) calls
--- g(t) with a prompt, and ends it.
local function in_folder(f)
  return function()
    if not terminal.has_libedit then
      helper.pending "libedit is not installed"
    end
    helper.run(function()
      local place <close> = folder.new()
      f(place, function(g)
        local t <close> = terminal.open { folder = place }
        t:prompt()
        g(t)
      end)
    end)
  end
end

local function leave(t)
  t:prompt()
  t:key "ctrl-d"
  t:wait()
end

local function text_of(place)
  local file <close> = assert(io.open(place.path .. "/" .. FILE))
  return file:read "a"
end

--- Write a history file.
local function write(place, text)
  os.execute("mkdir -p '" .. place.path .. "/state/aiowire'")
  place:file(FILE, text)
end

--- Press Up: the line is `text`.
local function climbs_to(t, text)
  t:mark()
  t:key "up"
  t:prompt("> " .. text)
end

describe("the history file", function()
  it("has a line for each entry, once for repeated ones [R51]", in_folder(
    function(place, session)
      session(function(t)
        t:eval "a = 1"
        t:eval "a = 1"
        t:eval " secret = 2"
        t:eval "b = '\\n'"
        t:prompt()
        t:line "do"
        t:prompt ">> "
        t:line "end"
        leave(t)
      end)
      assert.are.equal("a = 1\nb = '\\\\n'\ndo\\nend\n", text_of(place))
      session(function(t)
        t:mark()
        t:key "up"
        t:expect "> do\nend"
      end)
    end))

  it("may hold what is no text [R51]", in_folder(function(place, session)
    write(place, "a = 1\nb\0c\n\xff\xfe\n\n\\")
    session(function(t)
      climbs_to(t, "\\")
      climbs_to(t, "a = 1")
      t:key("ctrl-a", "ctrl-k")
      t:prompt()
      t:eval "c = 3"
      leave(t)
    end)
    assert.are.equal("a = 1\nb\0c\n\xff\xfe\n\n\\\nc = 3\n", text_of(place))
  end))

  it("is cut to 1000 entries when it has twice as many [R51]", in_folder(
    function(place, session)
      local lines = {}
      for i = 1, 2001 do
        lines[i] = "n = " .. i .. "\n"
      end
      write(place, table.concat(lines, "", 1, 2000))
      session(leave)
      assert.are.equal(table.concat(lines, "", 1, 2000), text_of(place))
      write(place, table.concat(lines))
      session(function(t)
        climbs_to(t, "n = 2001")
        t:key("ctrl-a", "ctrl-k")
        leave(t)
      end)
      assert.are.equal(table.concat(lines, "", 1002), text_of(place))
    end))

  it("of any size is read from its end, and cut to 1 MiB [R51]", in_folder(
    function(place, session)
      local long = ("x"):rep(2 * 1024 * 1024)
      for text, kept in pairs {
        [long .. "\nn = 1\nn = 2\n"] = "n = 1\nn = 2\n",
        [long] = "",
      } do
        write(place, text)
        session(function(t)
          t:eval "n = 3"
          leave(t)
        end)
        assert.are.equal(kept .. "n = 3\n", text_of(place))
      end
    end))

  it("keeps what another program adds while it is cut [R51]", in_folder(
    function(place, session)
      session(function(first)
        local lines = {}
        for i = 1, 2001 do
          lines[i] = "n = " .. i .. "\n"
        end
        write(place, table.concat(lines))
        session(leave)
        first:eval "late = 1"
        assert.are.equal("n = 2001\nlate = 1\n", text_of(place):sub(-18))
      end)
    end))

  it("may be a folder: a note, and the prompt works [R51]", in_folder(
    function(place, session)
      os.execute("mkdir -p '" .. place.path .. "/" .. FILE .. "'")
      session(function(t)
        assert.is_truthy(t.output:find("no history in .*Is a directory"))
        assert.are.equal("2\n", t:eval "1 + 1")
        assert.are.equal("3\n", t:eval "1 + 2")
        climbs_to(t, "1 + 2")
      end)
    end))

  it("is for its owner alone [R51]", in_folder(function(place, session)
    session(leave)
    local pipe <close> = io.popen("cd '" .. place.path
      .. "' && stat -c %a state state/aiowire " .. FILE)
    assert.are.equal("700\n700\n600\n", pipe:read "a")
  end))
end)
