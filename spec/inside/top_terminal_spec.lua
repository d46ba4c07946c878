-- `aiowire --top` in a terminal, with a program that the spec makes up.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local inspected = require "spec.support.inspected"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

local SECOND <const> = 1000000000

local TASKS <const> = {
  { id = 1, name = "main", waits = "join task 3" },
  { id = 2, parent = 1, name = "fib", state = "running", waits = "",
    busy = 9 * SECOND },
  { id = 3, parent = 1, name = "reader", state = "ready", waits = "" },
}

--- Returns a function for `it` that calls f(t, p): a terminal with --top, and
--- the program that it shows. Options: those of both.
local function test(options, f)
  return function()
    helper.run(function()
      options.tasks = options.tasks or TASKS
      local p <close> = inspected.open(options)
      local env = { XDG_RUNTIME_DIR = p.path }
      for name, value in pairs(options.env or {}) do
        env[name] = value
      end
      local t <close> = terminal.open { options.limit or "-W", "--top",
        tostring(p.pid), command = options.command, env = env }
      f(t, p)
    end)
  end
end

--- Wait until the screen is that of --top with a text in a row.
local function shows(t, text)
  t:wait_until(("%q on the screen"):format(text), function()
    return t.screen.main and t.screen:picture():find(text, 1, true)
  end)
end

--- The screen is the normal one, with a cursor.
local function is_normal(t)
  assert.is_nil(t.screen.main)
  assert.is_true(t.screen.modes["?25"])
  assert.is_true(t.screen.autowrap)
  assert.are.same({}, t.screen.unknown)
end

describe("--top in a terminal", function()
  it("shows the tasks, and leaves nothing [D45]", test({}, function(t)
    shows(t, " 2   ▶ running fib")
    shows(t, "3 tasks: 1 running, 1 ready, 1 waiting")
    t:send "q"
    assert.are.same({ ok = true, code = 0 }, t:wait())
    is_normal(t)
    assert.are.equal("\n", t.screen:transcript())
  end))

  it("shows what has changed [D45]", test({}, function(t, p)
    shows(t, "fib")
    p.tasks = { { id = 4, name = "newcomer" } }
    shows(t, "newcomer")
    lacks(t.screen:picture(), "fib")
    p:request()
    assert.are.equal("tasks", p:request())
    t:send "q"
    t:wait()
  end))

  it("does what keys say [D45]", test({}, function(t)
    shows(t, "fib")
    t:send "t"
    shows(t, "├─ fib")
    t:send "/rea\r"
    shows(t, "filter 'rea'")
    lacks(t.screen:picture(), "fib")
    t:key("down", "enter")
    shows(t, "started at      server.lua:1")
    t:key "escape" -- alone: nothing follows
    shows(t, "steps/s")
    t:key "escape"
    shows(t, "├─ fib")
    t:send "?"
    shows(t, "show this list")
    t:send "q"
    shows(t, "├─ fib")
    t:send "p"
    shows(t, "paused")
    t:send "q"
    assert.are.equal(0, t:wait().code)
  end))

  it("asks no more while it is paused, and goes on", test({}, function(t, p)
    shows(t, "fib")
    t:send "p"
    shows(t, "paused")
    p.tasks = { { id = 4, name = "newcomer" } }
    t:send "t" -- the screen is drawn anew, from the old snapshot
    shows(t, "╰─ reader")
    lacks(t.screen:picture(), "newcomer")
    t:send "p"
    shows(t, "newcomer")
  end))

  it("colors states as dumps are colored", test({}, function(t)
    shows(t, "main")
    t:key "down"
    t:wait_until("the colors", function()
      return t.screen:style_of "▶ running" == "38;5;36"
    end)
    assert.are.equal("38;5;227", t.screen:style_of "⏫")
    t:send "q"
    t:wait()
  end))

  it("has no colors with NO_COLOR", test({ env = { NO_COLOR = "1" } },
    function(t)
      shows(t, "main")
      t:send "q"
      t:wait()
      assert.is_nil(t.output:find "\27%[[%d;]*[34]8;")
      assert.is_nil(t.output:find "\27%[1m")
    end))

  it("is ASCII where the locale has no more", test({ tasks = {
    { id = 1, name = "main" }, { id = 2, parent = 1, name = "日本" } },
    env = { LC_ALL = "C" } }, function(t)
    shows(t, "main")
    t:send "t"
    shows(t, "`- ??")
    t:send "q"
    t:wait()
    assert.is_nil(t.output:find "[\128-\255]")
  end))

  for _, size in ipairs { { 3, 10 }, { 10, 3 }, { 1, 1 }, { 2, 200 },
    { 60, 300 } } do
    it(("takes the size %d x %d [D49]"):format(size[1], size[2]), test({},
      function(t)
        shows(t, "fib")
        t:mark()
        t:resize(size[1], size[2])
        t:wait_until("the new size", function()
          return t.output:find("\27[2J", t.from, true)
        end)
        t:resize(24, 80)
        shows(t, "started at")
        t:send "q"
        assert.are.equal(0, t:wait().code)
        is_normal(t)
      end))
  end

  it("lets no name do anything to the terminal [D46]", test({ tasks = {
    { id = 1, name = "\27]0;title\7\27[2J\27[31mx" },
    { id = 2, name = "\u{9b}31m\x9b7m", waits = "recv \27c" },
    { id = 3, name = "y", started = "\27[?1049l.lua:1" } },
    name = "\27[5mz" }, function(t)
    shows(t, "\\x1b]0;title\\x07")
    shows(t, "\\u{9b}31m\\x9b7m")
    t:send "q"
    assert.are.equal(0, t:wait().code)
    is_normal(t)
    assert.are.equal(0, t.screen.bells)
    for _, text in ipairs { "\27]", "\27c", "\27[5m", "\u{9b}", "\x9b7" } do
      lacks(t.output, text)
    end
  end))

  it("takes 10,000 tasks, and names of 10 kB [D49]", test({ tasks =
    (function()
      local list = {}
      for i = 1, helper.scale(10000) do
        list[i] = { id = i, name = "task" .. i, busy = i }
      end
      list[1].name = ("長い"):rep(1700)
      return list
    end)() }, function(t, p)
    shows(t, ("%d tasks"):format(#p.tasks))
    t:key "end"
    shows(t, "長い長い")
    t:key "enter"
    shows(t, "Down: more")
    t:send "qq"
    assert.are.equal(0, t:wait().code)
    is_normal(t)
  end))
end)

describe("--top of a program that", function()
  it("ends: says so, and its last table stays [D48]", test({}, function(t, p)
    shows(t, "fib")
    p:stop()
    assert.are.same({ ok = true, code = 0 }, t:wait())
    is_normal(t)
    local left = t.screen:transcript()
    for _, text in ipairs { "fib", "reader",
      ("aiowire: process %d has ended\n"):format(p.pid) } do
      contains(left, text)
    end
  end))

  it("stalls: says so, and takes keys [D48]", test({ silent = true },
    function(t, p)
      shows(t, "waiting for an answer")
      shows(t, "no answer for")
      p.silent = false
      p:answer()
      shows(t, "fib")
      p.silent = true
      shows(t, "no answer for")
      t:send "t"
      shows(t, "├─ fib")
      t:send "q"
      assert.are.equal(0, t:wait().code)
      is_normal(t)
    end))

  it("closes the connection: connects again [D48]", test({}, function(t, p)
    shows(t, "fib")
    p.tasks = { { id = 4, name = "newcomer" } }
    p:drop()
    shows(t, "newcomer")
    t:send "q"
    assert.are.equal(0, t:wait().code)
  end))

  it("closes each connection: fails [D48]", test({}, function(t, p)
    shows(t, "fib")
    p.hasty = true
    p:drop()
    assert.are.same({ ok = false, code = 1 }, t:wait())
    is_normal(t)
    local left = t.screen:transcript()
    contains(left, "it closes each connection")
  end))

  it("closes it for another version: fails [D48]", test({}, function(t, p)
    shows(t, "fib")
    p.greeting = "aiowire 9 1 9.0 x\n"
    p:drop()
    assert.are.same({ ok = false, code = 1 }, t:wait())
    local left = t.screen:transcript()
    contains(left, "version 9 of the protocol")
  end))

  it("listens no more: says so [D48]", test({}, function(t, p)
    shows(t, "fib")
    p:stop_listening()
    assert.are.same({ ok = true, code = 0 }, t:wait())
    local left = t.screen:transcript()
    contains(left, ("process %d can no longer be inspected"):format(p.pid))
  end))

  for name, text in pairs { ["sends garbage"] = "\0\27[2J\n",
    ["answers an error"] = "error\tmessage=too many \27clients\n.\n" } do
    it(name .. ": gives the terminal back, and fails [D48]", test({},
      function(t, p)
        shows(t, "fib")
        p.raw = text
        assert.are.same({ ok = false, code = 1 }, t:wait())
        is_normal(t)
        local left = t.screen:transcript()
        contains(left, ("cannot inspect process %d: "):format(p.pid))
        lacks(t.output, "\27c")
      end))
  end
end)

describe("the terminal after --top", function()
  --- In a shell that compares the modes of before and after.
  local function in_shell(f)
    return test({ command = { "sh", "-i" }, env = { PS1 = "$ ", ENV = false } },
      function(t, p)
        t:prompt "$ "
        t:line(("stty -g >before; %s --top %d; echo st''atus $?; "
          .. "stty -g >after"):format(process.quoted(process.binary), p.pid))
        shows(t, "fib")
        f(t, p)
        t:expect "status "
        is_normal(t)
        t:prompt "$ "
        t:line "cmp before after && echo sa''me"
        t:expect "same"
      end)
  end

  it("is as it was: q [D49]", in_shell(function(t)
    t:send "q"
    t:expect "status 0"
  end))

  it("is as it was: Ctrl-C, and the shell sees the signal [D49]", in_shell(
    function(t)
      t:key "ctrl-c"
      t:prompt "$ "
      t:line "echo status 130; stty -g >after"
    end))

  it("is as it was: the end of the program [D49]", in_shell(function(_, p)
    p:stop()
  end))

  for _, name in ipairs { "TERM", "ABRT", "USR1" } do
    it(("is as it was: SIG%s [D49]"):format(name), in_shell(function(t)
      local children = process.read(("/proc/%d/task/%d/children"):format(t.pid,
        t.pid))
      aw.exec { "kill", "-" .. name, children:match "%d+", check = true }
    end))
  end

  it("is as it was while it is stopped; the screen is back at fg [D49]",
    in_shell(function(t)
      t:stop()
      is_normal(t)
      t:line "stty -g >after; cmp before after && echo sto''pped"
      t:expect "stopped"
      t:prompt "$ "
      t:line "fg"
      shows(t, "fib")
      t:key "down"
      t:send "q"
      t:prompt "$ "
      t:line "echo st''atus 0"
    end))

  it("is as it was after the limit of --timeout [D49]", test({
    limit = "--timeout=0.5" }, function(t)
    assert.are.same({ ok = false, code = 124 }, t:wait())
    assert.is_nil(t.screen.main)
    assert.is_true(t.screen.autowrap)
    contains(t.screen:transcript(), "timeout after 0.5 s")
  end))

  it("is gone: so is the program [D49]", test({}, function(t)
    shows(t, "fib")
    t:hangup()
    assert.are.same({ ok = false, signal = 1 }, t:wait())
  end))
end)
