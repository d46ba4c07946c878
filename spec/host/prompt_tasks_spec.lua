-- The prompt and the tasks in its background.

local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks
local edited, test = terminal.edited, terminal.test

-- A function for lines: waits until the spec has made a file.
local HEAD <const> = [[
local aw = require "aiowire"
function appears(name)
  while not io.open(name) do
    aw.sleep(0.001)
  end
end
function say_when(name, text)
  return aw.start(function()
    appears(name)
    print(text)
  end)
end
]]

local function with(options)
  options[1], options[2] = "-i", "head.lua"
  options.files = { ["head.lua"] = HEAD }
  return options
end

describe("a task that a line has started", function()
  it("runs while the prompt waits [R32]", test(with {}, function(t)
    t:eval "say_when('go', 'here' .. ' I am')"
    t:prompt()
    t.folder:file("go", "")
    t:expect "here I am"
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("runs while a line waits", test(with {}, function(t)
    t:eval "say_when('go', 'here' .. ' I am')"
    t:prompt()
    t:line "print('be' .. 'gin'); appears 'end'"
    t:expect "begin"
    t.folder:file("go", "")
    t:expect "here I am"
    t.folder:file("end", "")
    t:prompt()
  end))

  it("prints above a line that is half typed [R43]", edited(with {},
    function(t)
      t:eval "say_when('go', 'here' .. ' I am')"
      t:prompt()
      t:mark()
      t:send "20 + "
      t:prompt "> 20 + "
      t.folder:file("go", "")
      t:expect "here I am"
      t:prompt "> 20 + "
      assert.are.equal("here I am\n> 20 +\n", t:text())
      t:send "1\r"
      t:expect "\n21\n"
      t:prompt()
    end))

  it("prints above with the cursor inside of the line [R43]", edited(with {},
    function(t)
      t:eval "say_when('go', 'here' .. ' I am')"
      t:prompt()
      t:mark()
      t:send "10 + 5"
      t:prompt "> 10 + 5"
      t:key("left", "left", "left")
      t:prompt "> 10 "
      t.folder:file("go", "")
      t:expect "here I am"
      t:prompt "> 10 "
      t:send "- 2 "
      t:prompt "> 10 - 2 "
      t:key "enter"
      t:expect "\n13\n"
      t:prompt()
      assert.are.equal("here I am\n> 10 - 2 + 5\n13\n>\n", t:text())
    end))

  it("prints above a line of several rows, at the foot of the screen [R43]",
    edited(with { rows = 6, cols = 20 }, function(t)
      t:eval "say_when('go', 'here' .. ' I am')"
      t:eval "for i = 1, 9 do print(i) end"
      t:prompt()
      t:mark()
      local long = "print('abcdefghijklmnopqrstuvwxyz' .. '!')"
      t:send(long)
      local function shows(what, text)
        t:wait_until(what, function()
          return t:text():gsub("%s", ""):find((text:gsub("%s", "")), 1, true)
        end)
      end
      shows("the whole line", "'!')")
      t.folder:file("go", "")
      t:expect "here I am"
      shows("the whole line again", "here I am > " .. long)
      t:key "enter"
      shows("the result", "abcdefghijklmnopqrstuvwxyz! >")
    end))

  it("writes half a line above the prompt, which another one completes",
    edited(with {}, function(t)
      t:eval("aw.start(function() appears 'one'; io.write('ha' .. 'lf '); "
        .. "io.flush(); appears 'two'; print('who' .. 'le') end)")
      t:prompt()
      t:send "1 + 1"
      t:prompt "> 1 + 1"
      t.folder:file("one", "")
      t.folder:file("two", "")
      t:expect "half whole"
      t:prompt "> 1 + 1"
      t:key "enter"
      t:expect "\n2\n"
      t:prompt()
    end))

  it("may be a program that writes to the terminal", edited(with {},
    function(t)
      t:eval("aw.start(function() appears 'go'; aw.exec { 'sh', '-c', "
        .. "'echo of a child; echo of its errors >&2', stdout = 'inherit', "
        .. "stderr = 'inherit' } end)")
      t:prompt()
      t:mark()
      t:send "1 + 1"
      t:prompt "> 1 + 1"
      t.folder:file("go", "")
      t:expect "of a child"
      t:expect "of its errors"
      t:prompt "> 1 + 1"
      assert.are.equal("of a child\nof its errors\n> 1 + 1\n", t:text())
    end))

  it("may print megabytes [R43]", test(with {}, function(t)
    t:eval("aw.start(function() appears 'go'; for i = 1, 20000 do print(i, "
      .. "('x'):rep(60)) end print('all' .. ' printed') end)")
    t:prompt()
    t:mark()
    t.folder:file("go", "")
    t:expect "all printed"
    assert.are.equal("2\n", t:eval "1 + 1")
    local numbers, expected = {}, {}
    for number in t.screen:transcript():gmatch "(%d+) +xxx" do
      numbers[#numbers + 1] = tonumber(number)
    end
    for i = 1, 20000 do
      expected[i] = i
    end
    assert.are.same(expected, numbers)
  end))

  it("may print a lot in one write", test(with {}, function(t)
    t:eval("aw.start(function() appears 'go'; io.write(('x'):rep(300000)); "
      .. "print('all' .. ' printed') end)")
    t:prompt()
    t:mark()
    t.folder:file("go", "")
    t:expect "all printed"
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("is told when it fails, and the prompt goes on [R34]", edited(with {},
    function(t)
      t:eval("aw.start(aw.Wire(function() appears 'go'; error('bo' .. 'om') "
        .. "end):named 'worker one')")
      t:prompt()
      t:mark()
      t:send "1 + 1"
      t:prompt "> 1 + 1"
      t.folder:file("go", "")
      t:expect "boom"
      t:prompt "> 1 + 1"
      contains(t:text(), "worker one")
      t:key "enter"
      t:expect "\n2\n"
      lacks(t:eval ".tasks", "worker one")
    end))

  it("is told when it fails while a line runs [R34]", test(with {},
    function(t)
      t:eval "aw.start(function() appears 'go'; error('bo' .. 'om') end)"
      t:prompt()
      t:line "appears('end'); 'line ' .. 'done'"
      t.folder:file("go", "")
      t:expect "boom"
      t.folder:file("end", "")
      t:prompt()
      assert.are.equal("2\n", t:eval "1 + 1")
    end))

  it("keeps its failure for the handler of start", test(with {}, function(t)
    t:eval("aw.start(function() error('bo' .. 'om') end, "
      .. "function(e) seen = e end); aw.sleep(0.01)")
    lacks(t:eval "type(seen)", "nil")
  end))

  it("ends the program by os.exit, after clean-up [R37]", test(with {},
    function(t)
      t:eval("aw.start(function() local _ <close> = setmetatable({}, "
        .. "{__close = function() aw.shield(function() aw.sleep(0.01) end); "
        .. "print('cl' .. 'ean') end}); "
        .. "aw.sleep(600) end)")
      t:eval "aw.start(function() appears 'go'; os.exit(7) end)"
      t:prompt()
      t.folder:file("go", "")
      assert.are.same({ ok = false, code = 7 }, t:wait())
      contains(t:text(), "clean\n")
    end))
end)

describe("a line that cannot go on", function()
  it("fails as a deadlock, alone [R35]", test({}, function(t)
    local text = t:eval "aw.channel():recv()"
    contains(text, "eadlock")
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("fails as a deadlock among tasks that wait for it [R35]", test({},
    function(t)
      t:eval "c, d = aw.channel(), aw.channel()"
      t:eval "k = aw.start(function() print('got ' .. c:recv()) end)"
      contains(t:eval "d:recv()", "eadlock")
      contains(t:eval ".tasks", "recv")
      contains(t:eval "c:send('news'); aw.yield(); aw.yield()", "got news")
    end))

  it("is no deadlock while a task sleeps [R35]", test({}, function(t)
    t:eval "c = aw.channel()"
    t:eval "aw.start(function() aw.sleep(0.01); c:send 'late' end)"
    lacks(t:eval "(c:recv())", "eadlock")
  end))

  it("is cancelled with its children, when they are in a scope", test({},
    function(t)
      local text = t:eval("aw.scope(function(s) s:start(function() "
        .. "local _ <close> = setmetatable({}, {__close = function() "
        .. "print('chi' .. 'ld') end}); aw.channel():recv() end) end)")
      contains(text, "eadlock")
      contains(text, "child\n")
    end))
end)

describe("tasks at the end of the prompt", function()
  local SWEEPER <const> = "k = aw.start(function() local _ <close> = "
    .. "setmetatable({}, { __close = function() aw.shield(function() "
    .. "aw.sleep(0.01) end); local f = io.open('log', 'a'); "
    .. "f:write 'clean\\n'; f:close() end }); "
    .. "aw.sleep(600) end); aw.yield(); aw.yield()"

  local function ends(name, how, expected)
    it("clean up: " .. name .. " [R37]", test({}, function(t)
      t:eval(SWEEPER)
      t:prompt()
      how(t)
      assert.are.same(expected, t:wait())
      assert.are.equal("clean\n", process.read(t.folder.path .. "/log"))
    end))
  end

  local function sends(name)
    return function(t)
      t:kill(name)
    end
  end

  local function enters(line)
    return function(t)
      t:line(line)
    end
  end

  ends("Ctrl-D", function(t)
    t:key "ctrl-d"
  end, { ok = true, code = 0 })
  ends(".exit", enters ".exit", { ok = true, code = 0 })
  ends("os.exit()", enters "os.exit()", { ok = true, code = 0 })
  ends("os.exit(5)", enters "os.exit(5)", { ok = false, code = 5 })
  ends("os.exit(false)", enters "os.exit(false)", { ok = false, code = 1 })
  ends("SIGTERM", sends "TERM", { ok = false, signal = 15 })
  ends("SIGHUP", sends "HUP", { ok = false, signal = 1 })
  ends("a closed terminal", function(t)
    t:hangup()
  end, { ok = false, signal = 1 })
  ends("SIGTERM in a line", function(t)
    t:line "print('be' .. 'gin'); aw.sleep(600)"
    t:expect "begin"
    t:kill "TERM"
  end, { ok = false, signal = 15 })
  ends("a closed terminal in a line", function(t)
    t:line "print('be' .. 'gin'); aw.sleep(600)"
    t:expect "begin"
    t:hangup()
  end, { ok = false, signal = 1 })
  ends("a closed terminal in a busy line", function(t)
    t:line "print('be' .. 'gin'); while true do end"
    t:expect "begin"
    t:hangup()
  end, { ok = false, signal = 1 })
  ends("SIGTERM in a busy line", function(t)
    t:line "print('be' .. 'gin'); while true do end"
    t:expect "begin"
    t:kill "TERM"
  end, { ok = false, signal = 15 })
end)
