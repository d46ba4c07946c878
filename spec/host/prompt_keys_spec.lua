-- The prompt and a terminal: stopping, the state of the terminal, the key Tab,
-- the size, terminals that cannot edit.

local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local lacks = texts.lacks
local edited, test = terminal.edited, terminal.test

--- Types half a line, and waits until it is shown.
local function type_half(t, text)
  t:prompt()
  t:send(text)
  t:prompt(terminal.PROMPT .. text)
end

--- Calls f(t) for a terminal with a shell that runs a command.
local function in_shell(line, f)
  return edited({ command = { "sh", "-i" }, env = { PS1 = "$ ",
    ENV = false } }, function(t)
    t:prompt "$ "
    t:line((line:gsub("%$aiowire", process.quoted(process.binary))))
    f(t)
  end)
end

describe("Ctrl-Z at the prompt", function()
  it("stops the program, which goes on at fg with its line [R44]",
    in_shell("$aiowire", function(t)
      type_half(t, "1 + 1")
      t:mark(1)
      t:stop()
      t:line("echo sh''ell; stty -a | tr ' ' '\\n' "
        .. "| grep -x -e -icanon -e -echo")
      t:expect "shell"
      t:prompt "$ "
      lacks(t:text(), "-icanon\n")
      t:line "fg"
      t:prompt "> 1 + 1"
      t:mark(1)
      t:key "enter"
      t:expect "2\n"
      t:prompt()
      t:key "ctrl-d"
      t:prompt "$ "
    end))

  it("stops it in a line, which goes on at fg", in_shell("$aiowire",
    function(t)
      t:prompt()
      t:line("print('be' .. 'gin'); while not io.open 'go' do "
        .. "aw.sleep(0.001) end print('do' .. 'ne')")
      t:expect "begin"
      t:mark(1)
      t:stop()
      t.folder:file("go", "")
      t:line "fg"
      t:expect "done"
      t:prompt()
      t:key "ctrl-d"
      t:prompt "$ "
    end))
end)

describe("the prompt of a program in the background", function()
  it("waits for fg [R44]", in_shell("$aiowire &", function(t)
    t:expect "help"
    t:wait_until("the stop", function()
      t:send "\r"
      return t:text():find("Stopped", 1, true)
    end)
    t:line "fg"
    t:prompt()
    assert.are.equal("2\n", t:eval "1 + 1")
    t:prompt()
    t:key "ctrl-d"
    t:prompt "$ "
  end))
end)

describe("the terminal after the program", function()
  for name, how in pairs {
    ["Ctrl-D"] = function(t)
      t:key "ctrl-d"
    end,
    ["os.exit()"] = function(t)
      t:line "os.exit(0)"
    end,
    ["os.exit(0, false)"] = function(t)
      t:line "os.exit(0, false)"
    end,
    ["TERM"] = function(t)
      t:line "os.execute('kill -TERM $PPID')"
    end,
    ["Ctrl-\\ twice"] = function(t)
      t:eval "aw.start(aw.Sleep(600):named 'long sleeper')"
      t:prompt()
      repeat
        t:mark(1)
        t:key "ctrl-\\"
        t:wait_until("the dump, or the shell", function()
          return t:text():find("long sleeper", 1, true)
            or t:before_cursor() == "$ "
        end)
      until t:before_cursor() == "$ "
    end,
    ["a background task's os.exit()"] = function(t)
      t:line "aw.start(function() aw.sleep(0.01); os.exit(0) end)"
    end,
  } do
    it("is as it was before: " .. name .. " [R44]", in_shell(
      "stty -g >before; $aiowire; stty -g >after", function(t)
        t:prompt()
        how(t)
        t:prompt "$ "
        t:line "cmp before after && echo sa''me"
        t:expect "same"
      end))
  end
end)

describe("the key Tab", function()
  it("completes globals, fields and methods [R40]", edited({}, function(t)
    t:eval "config = { port = 80, portable = true, host = 1 }"
    t:eval "chan = aw.channel()"
    for typed, shown in pairs {
      ["con"] = "> config",
      ["config.h"] = "> config.host",
      ["config.po"] = "> config.port",
      ["print(config.h"] = "> print(config.host",
      ["string.rev"] = "> string.reverse",
      ["chan:cl"] = "> chan:close",
      ["('x'):rev"] = "> ('x'):rev",
      ["aw.sle"] = "> aw.sleep",
      ["ev:dum"] = "> ev:dump",
      [".hel"] = "> .help",
    } do
      t:prompt()
      t:send(typed)
      t:prompt("> " .. typed)
      t:key "tab"
      t:wait_until(shown, function()
        return t:before_cursor():sub(1, #shown) == shown
      end)
      t:mark(1)
      t:key "ctrl-c"
      t:prompt()
    end
  end))

  it("lists what is possible [R40]", edited({}, function(t)
    t:eval "config = { port = 80, portable = true, host = 1 }"
    type_half(t, "config.po")
    t:key("tab", "tab")
    t:expect "portable"
    t:prompt "> config.port"
  end))

  it("calls no code of the user that fails or never ends", edited({},
    function(t)
      t:eval("bad = setmetatable({}, {__index = function() error 'ind' end, "
        .. "__pairs = function() while true do end end})")
      type_half(t, "bad.x")
      t:key "tab"
      t:send "y"
      t:prompt "> bad.xy"
      lacks(t:text(), "ind\n")
    end))

  it("does nothing where nothing fits", edited({}, function(t)
    type_half(t, "nosuchname.x")
    t:key "tab"
    t:send "y"
    t:prompt "> nosuchname.xy"
  end))
end)

describe("a change of the terminal's size", function()
  it("keeps the half line", edited({}, function(t)
    type_half(t, "10 + 5")
    t:resize(30, 50)
    t:send " + 1"
    t:wait_until("the line", function()
      return t:before_cursor():find("10 + 5 + 1", 1, true)
    end)
    t:key "enter"
    t:expect "16"
    t:prompt()
    local long = ("x"):rep(70)
    t:mark(1)
    t:send("#'" .. long .. "'")
    t:key "enter"
    t:expect "70\n"
    t:prompt()
  end))
end)

describe("a terminal that cannot move its cursor", function()
  it("has plain lines [R52]", test({ term = "dumb" }, function(t)
    assert.are.equal("2\n", t:eval "1 + 1")
    t:eval("aw.start(function() while not io.open 'go' do aw.sleep(0.001) end "
      .. "print('back' .. 'ground') end)")
    t:prompt()
    t.folder:file("go", "")
    t:expect "background"
    t:line "3 + 4"
    t:expect "7"
    lacks(t.output, "\27")
    t:key "ctrl-d"
    assert.are.same({ ok = true, code = 0 }, t:wait())
  end))

  it("lets io.read in a line read the next line", test({ term = "dumb" },
    function(t)
      t:prompt()
      t:line "x = io.read()"
      t:line "what I type"
      t:prompt()
      assert.are.equal("what I type\n", t:eval "x")
    end))
end)
