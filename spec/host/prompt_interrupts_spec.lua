-- The prompt and the keys that send signals: Ctrl-C and Ctrl-\.

local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks
local edited, test = terminal.edited, terminal.test

--- Types half a line, and waits until it is shown.
local function type_half(t, text)
  t:prompt()
  t:send(text)
  t:prompt(terminal.PROMPT .. text)
end

--- Press Ctrl-\ until the program has ended. On a busy machine, more than a
--- second may pass between two of them.
local function quit(t)
  repeat
    t:mark(1)
    t:key "ctrl-\\"
  until not t:shows_before_its_end "long sleeper"
end

describe("Ctrl-C at the prompt", function()
  it("discards what is typed [R36]", test({}, function(t)
    type_half(t, "this is wrong (")
    t:mark(1)
    t:key "ctrl-c"
    t:prompt()
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("discards the lines before, too [R36]", test({}, function(t)
    t:eval("function f(", terminal.MORE)
    t:mark(1)
    t:key "ctrl-c"
    t:prompt()
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("tells how to leave, at an empty prompt", test({}, function(t)
    t:prompt()
    t:mark(0)
    t:key "ctrl-c"
    t:expect "Ctrl-D"
    t:prompt()
    for _ = 1, 5 do
      t:mark(1)
      t:key "ctrl-c"
      t:prompt()
    end
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("leaves tasks alone [R36]", test({}, function(t)
    t:eval "k = aw.start(function() aw.sleep(600) end)"
    t:prompt()
    t:mark(1)
    t:key "ctrl-c"
    t:prompt()
    assert.are.equal("waiting\n", t:eval "k.status")
  end))
end)

describe("Ctrl-C in a line", function()
  it("cancels it, after its clean-up, and not the program [R36]", test({},
    function(t)
      t:eval "k = aw.start(function() aw.sleep(600) end)"
      t:prompt()
      t:line("local _ <close> = setmetatable({}, {__close = function() "
        .. "aw.shield(function() aw.sleep(0.01) end); "
        .. "print('cl' .. 'ean') end}); print('be' .. 'gin'); aw.sleep(600)")
      t:expect "begin"
      t:key "ctrl-c"
      t:expect "clean"
      t:prompt()
      assert.are.equal("waiting\n", t:eval "k.status")
    end))

  it("cancels what it waits for [R36]", test({}, function(t)
    t:prompt()
    t:line("aw.scope(function(s) s:start(function() local _ <close> = "
      .. "setmetatable({}, {__close = function() print('chi' .. 'ld') end}); "
      .. "print('be' .. 'gin'); aw.sleep(600) end) end)")
    t:expect "begin"
    t:key "ctrl-c"
    t:expect "child"
    t:prompt()
  end))

  local LOOPS <const> = {
    ["a busy loop"] = "while true do end",
    ["a busy loop that catches errors"] =
      "while true do pcall(function() while true do end end) end",
    ["a busy coroutine"] =
      "coroutine.wrap(function() while true do end end)()",
    ["a busy loop in a string function"] =
      "(('x'):rep(50)):gsub('.', function() while true do end end)",
    ["a busy sort"] = "table.sort({1,2,3}, function() while true do end end)",
    ["a busy metamethod"] =
      "x = setmetatable({}, {__index = function() while true do end end}).y",
    ["a busy result"] = "setmetatable({}, {__tostring = function() "
      .. "print('be' .. 'gin'); while true do end end})",
    ["a loop of yields"] = "while true do aw.yield() end",
  }
  for name, loop in pairs(LOOPS) do
    it("stops " .. name .. " [R36]", test({}, function(t)
      t:prompt()
      if name == "a busy result" then
        t:line(loop)
      else
        t:line("print('be' .. 'gin'); " .. loop)
      end
      t:expect "begin"
      t:key "ctrl-c"
      t:prompt()
      assert.are.equal("2\n", t:eval "1 + 1")
    end))
  end

  it("tells where a busy loop was [R49]", test({ files = { ["busy.lua"] =
    "function spin()\n  print('be' .. 'gin')\n  while true do end\nend" } },
    function(t)
      t:eval ".load busy.lua"
      t:prompt()
      t:line "spin()"
      t:expect "begin"
      t:key "ctrl-c"
      t:expect "busy.lua:3"
      t:prompt()
    end))

  it("stops a busy task in the background, so that the prompt comes back",
    test({ files = { ["busy.lua"] = [[
function spin()
  print('be' .. 'gin')
  while true do end
end]] } }, function(t)
      t:eval ".load busy.lua"
      t:eval("aw.start(aw.Wire(function() while not io.open 'go' do "
        .. "aw.sleep(0.001) end spin() end):named 'spinner')")
      t:prompt()
      t:mark()
      t.folder:file("go", "")
      t:expect "begin"
      t:key "ctrl-c"
      t:expect "busy.lua:3" -- above the prompt of before
      t:expect "to leave"
      contains(t:eval "1 + 1", "2\n")
      lacks(t:eval ".tasks", "spinner")
    end))

  it("stops a line whose clean-up hangs, at the second time", test({},
    function(t)
      t:prompt()
      t:line("local _ <close> = setmetatable({}, {__close = function() "
        .. "print('cl' .. 'ean'); aw.shield(function() aw.sleep(600) end, 600)"
        .. " end}); print('be' .. 'gin'); aw.sleep(600)")
      t:expect "begin"
      t:key "ctrl-c"
      t:expect "clean"
      t:key "ctrl-c"
      t:prompt()
      assert.are.equal("2\n", t:eval "1 + 1")
    end))
end)

describe("Ctrl-\\ at the prompt", function()
  it("prints the tree of tasks, and the half line stays [R45]", edited({},
    function(t)
      t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
      type_half(t, "1 + 1")
      t:key "ctrl-\\"
      t:expect "long sleeper"
      t:prompt "> 1 + 1"
      t:key "enter"
      t:expect "\n2\n"
      t:prompt()
    end))

  it("prints it in a line that waits [R45]", test({}, function(t)
    t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
    t:prompt()
    t:line "print('be' .. 'gin'); aw.sleep(600)"
    t:expect "begin"
    t:key "ctrl-\\"
    t:expect "long sleeper"
    t:key "ctrl-c"
    t:prompt()
  end))

  it("prints it in a line that is busy [R45]", test({}, function(t)
    t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
    t:prompt()
    t:line "print('be' .. 'gin'); while true do end"
    t:expect "begin"
    t:key "ctrl-\\"
    t:expect "long sleeper"
    t:key "ctrl-c"
    t:prompt()
  end))

  it("ends the program when it comes twice within a second [R47]", test({},
    function(t)
      t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
      t:prompt()
      quit(t)
      assert.are.equal(3, t:wait().signal)
    end))

  it("ends it in a busy line, too [R47]", test({}, function(t)
    t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
    t:prompt()
    t:line "print('be' .. 'gin'); while true do end"
    t:expect "begin"
    quit(t)
    assert.are.equal(3, t:wait().signal)
  end))
end)
