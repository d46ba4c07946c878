-- The editor of the prompt: characters, narrow terminals, output above the
-- line, what comes in at once, and how the terminal is left.

local process = require "spec.support.process"
local terminal = require "spec.support.terminal"

local edited = terminal.edited

--- Start a task that waits until start(t) is called, and then runs a block.
local function prepare(t, block)
  t:prompt()
  t:line("aw.start(function() repeat aw.sleep(0.001) until io.open 'go' "
    .. block .. " end) and nil")
  t:prompt()
end

local function start(t)
  t.folder:file("go", "")
end

describe("a line that is edited", function()
  it("has characters of several bytes and columns [R52]", edited(
    { cols = 20 }, function(t)
      t:prompt()
      t:send "#'ä日本😀é'"
      t:expect "> #'ä日本😀é'"
      t:key("left", "left", "backspace")
      t:expect "> #'ä日本é'"
      t:key "enter"
      t:expect "10\n"
    end))

  it("has them without variables for the locale, too [R52]", edited(
    { env = { LANG = false } }, function(t)
      assert.are.equal("4\n", t:eval "#'日' + 1")
    end))

  it("leaves Lua's own locale alone [R52]", edited({}, function(t)
    assert.are.equal("CC\n", t:eval
      "os.setlocale(nil) .. os.setlocale(nil, 'ctype')")
  end))

  it("drops bytes that are no characters", edited({}, function(t)
    t:prompt()
    t:send "1\xff + \xc3 1\xe6\x97"
    t:prompt "> 1 +  1"
    t:key "enter"
    t:expect "2\n"
  end))

  it("has a prompt with colors [R52]", edited({ cols = 20, "-i", "-e",
    [[_PROMPT = "\27[1;32mlua\27[0m> \27[0m"]] }, function(t)
      t:prompt "lua> "
      t:expect_output "\27[1;32ml"
      t:send "0123456789abcdefghij"
      t:prompt "fghij"
      t:key("home", "right")
      t:send "x"
      t:prompt "lua> 0x"
    end))

  it("has a prompt of one row, below all output [R43]", edited({ "-i", "-e",
    [[_PROMPT = "a\nb\1\a> "]] }, function(t)
      t:prompt "a b> "
      t:line "ev:start(function() while not go do aw.sleep(0.001) end \z
        for i = 1, 3 do print('n' .. i); aw.sleep(0.03) end end) and nil"
      t:expect "nil\n"
      t:prompt "a b> "
      t:mark(1)
      t:line "go = true"
      t:expect "n1\nn2\nn3\n"
      t:prompt "a b> "
    end))

  it("begins in an empty row, whatever was written before", edited({},
    function(t)
      t:eval "io.write 'no newline'"
      t:expect "no newlinefile ("
      t:prompt()
      t:line "io.write('no newline') and nil"
      t:expect "no newline"
      t:prompt()
    end))

  it("takes the lines of a paste one by one [R52]", edited({}, function(t)
    t:prompt()
    t:mark()
    t:send "a = 1\rb = io.read()\rthis is read\ra .. b\r"
    t:expect "1this is read\n"
    t:prompt()
  end))

  it("finds earlier lines at Ctrl-R [R52]", edited({}, function(t)
    t:eval "needle = 1"
    t:eval "other = 2"
    t:key "ctrl-r"
    t:send "need"
    t:expect "bck:need"
    t:key "enter"
    t:prompt()
    t:mark()
    t:key "up"
    t:prompt "> needle = 1"
  end))

  it("is discarded at Ctrl-C in a search", edited({}, function(t)
    t:eval "needle = 1"
    t:key "ctrl-r"
    t:send "need"
    t:expect "bck:need"
    t:key "ctrl-c"
    t:expect "^C"
    t:prompt()
    assert.are.equal("2\n", t:eval "1 + 1")
  end))

  it("has an entry of several lines from the history [R52]", edited({},
    function(t)
      t:prompt()
      t:line "for i = 1, 2 do"
      t:prompt ">> "
      t:line "print('i' .. i) end"
      t:expect "i1\ni2\n"
      t:prompt()
      t:mark()
      t:key "up"
      t:prompt "print('i' .. i) end"
      t:key "enter"
      t:expect "i1\ni2\n"
      t:prompt()
    end))

  it("lists at most a screen of candidates at Tab [R52]", edited({ rows = 8,
    cols = 30 }, function(t)
      t:eval "many = {} for i = 1, 300 do many['key' .. i] = i end"
      t:send "many.k"
      t:key "tab"
      t:prompt "> many.key"
      t:key "tab"
      t:match "… and %d+ more\n> many.key"
      t:prompt "> many.key"
    end))

  it("completes the path of a file for .load [R40]", edited({ files = {
    ["first.lua"] = "print 'the first'\n" } }, function(t)
      t:prompt()
      t:line "os.execute 'mkdir folder && echo print [[42]] >folder/inner.lua'"
      t:prompt()
      t:send ".load fi"
      t:key "tab"
      t:prompt "> .load first.lua"
      t:key "enter"
      t:expect "the first\n"
      t:send ".load fo"
      t:key "tab"
      t:prompt "> .load folder/"
      t:key "tab"
      t:prompt "> .load folder/inner.lua"
      t:key "enter"
      t:expect "42\n"
      t:send ".load none/"
      t:key "tab" -- there is no such folder
      t:send "x"
      t:prompt "> .load none/x"
    end))

  it("heeds ~/.editrc [R52]", edited({ files = { [".editrc"] =
    "aiowire:bind ^X ed-move-to-beg\n" } }, function(t)
      t:prompt()
      t:send "23"
      t:key "ctrl-x"
      t:send "1"
      t:prompt "> 1"
      t:key "enter"
      t:expect "123\n"
    end))

  it("completes with the keys of vi, too [R52]", edited({ files = {
    [".editrc"] = "bind -v\n" } }, function(t)
      t:eval "number_of_things = 40"
      t:send "1number_of"
      t:key("escape")
      t:send "0xA"
      t:key("tab")
      t:send " + 2\r"
      t:expect "42\n"
    end))

  it("is plain if ~/.editrc says so", terminal.test({ files = { [".editrc"] =
    "edit off\n" } }, function(t)
      assert.are.equal("2\n", t:eval "1 + 1")
    end))
end)

describe("output while a line is edited", function()
  it("comes above a line that is higher than the screen [R43]", edited(
    { rows = 6, cols = 20 }, function(t)
      prepare(t, "print 'above'")
      t:send("#'" .. ("x"):rep(200) .. "' + 1")
      t:prompt "xxxx' + 1"
      start(t)
      t:expect "above\n"
      t:prompt "xxxx' + 1"
      t:key "enter"
      t:expect "201\n"
    end))

  it("lets a user type below a task that prints for ever [R43]", edited({},
    function(t)
      t:prompt()
      t:line "t = aw.start(aw.Forever(aw.Call(print, 'again')))"
      t:expect "again\n"
      t:send "t:cancel() done = 'it is ' .. 'done'"
      t:expect_output "> t:cancel() done = 'it is ' .. 'done'"
      t:key "enter"
      t:line "done"
      t:expect "it is done\n"
    end))

  it("comes from threads and children, in order [R43]", edited({}, function(t)
    prepare(t, "for i = 1, 20 do print('p' .. i) "
      .. "os.execute('echo c' .. i .. ' >&2') end")
    t:send "half"
    start(t)
    t:expect "c20\n"
    t:prompt "> half"
    local wanted = {}
    for i = 1, 20 do
      wanted[i] = ("p%d\nc%d\n"):format(i, i)
    end
    assert.is_truthy(t:text():find(table.concat(wanted), 1, true))
  end))

  it("is not touched where standard error is a file", edited({ command = { "sh",
    "-c", "exec \"$aiowire\" 2>err" } }, function(t)
      t:eval "aw.start(function() io.stderr:write 'to the file' end) and nil"
      t:prompt()
      t:line "print(io.open 'err':read 'a')"
      t:expect "to the file\n"
    end))
end)

describe("the terminal of a prompt", function()
  --- Runs a block in a task while a line is half typed. The block ends the
  --- program.
  local function keeps_modes(block)
    return edited({ command = { "sh", "-c", "before=$(stty -g); \"$aiowire\"; "
      .. "test \"$before\" = \"$(stty -g)\" && echo sa''me; exec cat" } },
      function(t)
        prepare(t, block)
        t:send "half"
        t:prompt "> half"
        start(t)
        t:expect "same\n"
      end)
  end

  for _, name in ipairs { "TERM", "HUP", "USR1", "ALRM", "ABRT", "SEGV", "PROF",
    "IO" } do
    if name ~= "SEGV" or not process.sanitized then -- ASan handles it
      it("is restored when SIG" .. name .. " ends the program [R44]",
        keeps_modes(("os.execute 'kill -%s $PPID'"):format(name)))
    end
  end

  it("is restored when a task exits without clean-up [R44]",
    keeps_modes "os.exit(0, false)")

  it("is in the editor's modes again after SIGSTOP and SIGCONT [R44]", edited(
    {}, function(t)
      t:prompt()
      t:send "1 + 1"
      t:prompt "> 1 + 1"
      t:mark(1)
      t:kill "STOP"
      t:kill "CONT"
      t:key "enter"
      t:expect "2\n"
    end))
end)
