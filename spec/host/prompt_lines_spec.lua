-- The prompt: what a line may be, and what is shown of it.

local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks
local test = terminal.test

local MORE <const> = terminal.MORE

--- Returns a function for `it` that enters lines at a prompt and compares what
--- each shows: line, text, line, text, …
local function shows(...)
  local lines = { ... }
  return test({}, function(t)
    for i = 1, #lines, 2 do
      assert.are.equal(lines[i + 1], t:eval(lines[i]), lines[i])
    end
    t:prompt()
  end)
end

describe("the prompt", function()
  it("begins with the version and where to find help [R31]",
    test({}, function(t)
      t:prompt()
      t:match "^aiowire %d[^\n]*Lua 5%.4[^\n]*%.help"
    end))

  it("comes with -i after the script, whose globals it sees [R31]",
    test({ "-i", "s.lua", "word", files = { ["s.lua"] = [[
      x = "of the script: " .. ...
      print(x)
    ]] } }, function(t)
      t:prompt()
      t:match "(of the script: word)"
      assert.are.equal("of the script: word word\n",
        t:eval "print(x, arg[1])":gsub("\t", " "):gsub(" +", " "), nil)
    end))

  it("does not come after a script that fails, as in lua [R31]",
    test({ "-i", "s.lua", files = { ["s.lua"] = "error 'oh no'" } },
      function(t)
        assert.are.same({ ok = false, code = 1 }, t:wait())
        t:match "(oh no)"
      end))

  it("comes with -i on a pipe, too [R42]", test({ command = { "sh", "-c",
    "printf '1 + 1\\nprint(2 * 3)\\n' | $aiowire -i; echo code $?" } },
    function(t)
      t:expect "code 0"
      local text = t:text()
      contains(text, "2\n")
      contains(text, "6\n")
    end))

  it("has aw, the loop as ev, and the last result as _ [R31, R32]", shows(
    "aw == require 'aiowire'", "true\n",
    "ev:now() >= 0", "true\n",
    "40 + 2", "42\n",
    "_ + 1", "43\n",
    "x = 5", "",
    "_", "43\n"))
end)

describe("a line at the prompt", function()
  it("is an expression, whose values are shown, or a statement [R32]", shows(
    "1 + 2", "3\n",
    "x = 7", "",
    "x", "7\n",
    "print(x)", "7\n",
    "nothing", "nil\n",
    "do end", "",
    "return x * 2", "14\n",
    "=x", "7\n",
    "", "",
    "-- only a comment", "",
    "do local y = 1; print(y) end", "1\n",
    "print('a'); print('b')", "a\nb\n"))

  it("may have several results", test({}, function(t)
    assert.are.equal("1 nil 3\n", t:eval "1, nil, 3":gsub(" +", " "), nil)
    assert.are.equal("", t:eval "(function() end)()")
  end))

  it("is a task that awaits [R32]", shows(
    "aw.sleep(0.01); print 'slept'", "slept\n",
    "aw.exec('echo', 'hi').out", "hi\n\n",
    "aw.current() ~= nil", "true\n",
    "c = aw.channel(1)", "",
    "c:send(5)", "",
    "(c:recv())", "5\n",
    "(pcall(aw.timeout, 0.01, aw.sleep, 60))", "false\n"))

  it("cannot be awaited twice by a coroutine of the user", test({},
    function(t)
      t:eval "co = coroutine.wrap(function() aw.sleep(0.01); return 'co' end)"
      t:prompt()
      t:line "co()"
      t:prompt()
      t:eval "1"
    end))

  it("goes on in the next line until it is complete [R33]", test({},
    function(t)
      assert.are.equal("", t:eval("function f(a)", MORE))
      t:line "  return a * 2"
      t:prompt(MORE)
      t:line "end"
      assert.are.equal("42\n", t:eval "f(21)")
      t:eval("s = [[one", MORE)
      t:line "two]]"
      assert.are.equal("one\ntwo\n", t:eval "print(s)")
      t:eval("1 +", MORE)
      t:line "2"
      t:expect "3"
      t:prompt()
    end))

  it("may be wrong: the message tells, and the prompt comes again [R35]",
    test({}, function(t)
      contains(t:eval "error 'boom'", "boom")
      contains(t:eval "x = = 1", "near '='")
      contains(t:eval "end", "near")
      contains(t:eval "nothing.field", "attempt to index a nil value")
      contains(t:eval "error { code = 5 }", "error object is a table value")
      contains(t:eval "error()", "nil")
      contains(t:eval("error(setmetatable({}, { __tostring = function() "
        .. "return 'own text' end }))"), "own text")
      assert.are.equal("2\n", t:eval "1 + 1")
    end))

  it("may be wrong in an awaiting call", test({}, function(t)
    local text = t:eval "aw.exec { 'false', check = true }"
    contains(text, "ended with code 1")
    contains(t:eval "aw.tcp.connect('127.0.0.1', 1)", "connection refused")
  end))

  it("shows a wire and does not run it [R39]", test({}, function(t)
    t:eval "w = aw.Call(print, 'r' .. 'un')"
    local text = t:eval "w"
    contains(text, "Call")
    lacks(text, "run\n")
    contains(t:eval "aw.Sleep(60)", "Sleep")
    lacks(t:eval "aw.Poller()", "error")
    assert.are.equal("run\n", t:eval "aw.run(w)")
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("shows values whose __tostring or __name fails or lies", test({},
    function(t)
      t:eval "setmetatable({}, { __tostring = error })"
      t:eval "setmetatable({}, { __tostring = function() return 1 end })"
      contains(t:eval "setmetatable({}, { __name = 'My.Type' })", "My.Type")
      assert.are.equal("2\n", t:eval "1 + 1")
    end))

  it("may have a print or tostring of the user's that fails", test({},
    function(t)
      t:eval "print = nil"
      contains(t:eval "1 + 1", "2")
      t:eval "tostring, pcall, load = nil"
      contains(t:eval "1 + 2", "3")
      contains(t:eval "error 'boom'", "boom")
      t:eval ".tasks"
      contains(t:eval "1 + 3", "4")
    end))

  it("does not keep a local for the next line", test({}, function(t)
    t:eval "local loc = 5"
    contains(t:eval "loc", "nil")
  end))

  it("has prompts of the user's, _PROMPT and _PROMPT2", test({}, function(t)
    t:prompt()
    t:line "_PROMPT, _PROMPT2 = 'me: ', 'more: '"
    t:prompt "me: "
    t:line "(1"
    t:prompt "more: "
    t:line ")"
    t:prompt "me: "
    t:line "_PROMPT = setmetatable({}, {__tostring = error})"
    t:prompt()
    t:line "_PROMPT = nil"
    t:prompt()
  end))

  it("has wide and combining characters", test({ cols = 40 }, function(t)
    assert.are.equal("日本語 naïve e\u{301}\n",
      t:eval "print('日本語 naïve e\u{301}')")
  end))

  it("may be longer than a row", test({ cols = 40 }, function(t)
    local long = ("x"):rep(100)
    assert.are.equal(long .. "!\n", t:eval("print('" .. long .. "' .. '!')"))
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("may be as long as a terminal takes", test({ term = "dumb" },
    function(t)
      assert.are.equal("3000\n", t:eval("#'" .. ("x"):rep(3000) .. "'"))
    end))
end)

describe("a word with a dot at the prompt", function()
  it("gives help [R41]", test({}, function(t)
    local text = t:eval ".help"
    for _, word in ipairs { ".help", ".tasks", ".tree", ".time", ".load",
      ".exit" } do
      contains(text, word)
    end
  end))

  it("lists the tasks, but not those of the prompt itself [R41]", test({},
    function(t)
      lacks(t:eval ".tasks", "line")
      t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
      local text = t:eval ".tasks"
      contains(text, "long sleeper")
      contains(text, "sleep")
      contains(t:eval ".tree", "long sleeper")
    end))

  it("times a wire or an expression [R41]", test({}, function(t)
    local text = t:eval ".time aw.sleep(0.01)"
    assert.is_truthy(text:find "%d+%.?%d* ?m?s", text)
    text = t:eval ".time aw.Sleep(0.01)"
    assert.is_truthy(text:find "%d+%.?%d* ?m?s", text)
    contains(t:eval ".time error 'boom'", "boom")
    t:eval ".time"
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("loads a file, whose globals stay [R41]", test(
    { files = { ["f.lua"] = "loaded = 'yes'; print 'load' ",
      ["a b.lua"] = "spaced = 1; local aw = require 'aiowire'; aw.sleep(0)",
      ["bad.lua"] = "x = = 1", ["fails.lua"] = "error 'inside'" } },
    function(t)
      contains(t:eval ".load f.lua", "load\n")
      assert.are.equal("yes\n", t:eval "loaded")
      t:eval ".load a b.lua"
      assert.are.equal("1\n", t:eval "spaced")
      contains(t:eval ".load bad.lua", "bad.lua:1:")
      contains(t:eval ".load fails.lua", "fails.lua:1: inside")
      contains(t:eval ".load missing.lua", "missing.lua")
      t:eval ".load"
      assert.are.equal("2\n", t:eval "1 + 1")
    end))

  it("is refused with the nearest name if it is none [R41]", test({},
    function(t)
      contains(t:eval ".taks", ".tasks")
      contains(t:eval ".foo", ".help")
      assert.are.equal("2\n", t:eval "1 + 1")
    end))

  it("may be a number", shows(".5 + 1", "1.5\n"))

  it("ends the program [R41]", test({}, function(t)
    t:prompt()
    t:line ".exit"
    assert.are.same({ ok = true, code = 0 }, t:wait())
  end))
end)
