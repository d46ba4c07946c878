-- The prompt in a terminal: entries, tasks, Ctrl-C, the end. What needs no
-- terminal is in repl_plain_spec.lua.

local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains = texts.contains

--- Returns the ways to read lines: with libedit, and plainly.
local function each_way(f)
  f("with libedit", terminal.edited, {})
  f("with plain lines", terminal.test, { term = "dumb" })
end

--- Like terminal.test(), with more options.
local function in_terminal(test, way, options, f)
  for name, value in pairs(way) do
    options[name] = value
  end
  return test(options, f)
end

-- A function that makes an object with this __tostring.
local WITH <const> = "with = function(f) return setmetatable({}, "
  .. "{__tostring = f}) end"

-- A body that waits, and then cleans up.
local BODY <const> = [[function body() local x <close> = setmetatable({}, { ]]
  .. [[__close = function() aw.shield(function() aw.sleep(0.01) end, 1000) ]]
  .. [[print "cleaned up" end }) aw.sleep(1000) end]]

--- Leave by Ctrl-D, and check the end.
local function leave(t)
  t:prompt()
  t:key "ctrl-d"
  assert.are.same({ ok = true, code = 0 }, t:wait())
end

each_way(function(name, test, way)
  describe("the prompt in a terminal " .. name, function()
    local function prompt(options, f)
      return in_terminal(test, way, options, f)
    end

    it("comes without a script, and greets [R31]", prompt({}, function(t)
      t:match "^aiowire [%d.]+ %(.-%)  %.help for help\n"
      assert.are.equal("2\n", t:eval "1 + 1")
      assert.are.equal("table userdata\n",
        t:eval "print(type(aw) .. ' ' .. type(ev))")
      leave(t)
    end))

    it("comes after a script with -i [R31]", prompt({ "-i", "s.lua",
      files = { ["s.lua"] = [[
local aw = require "aiowire"
ch = aw.channel(1)
print "script"
return aw.Wire(function() ch:send "the wire" aw.sleep(1000) end)
]] } }, function(t)
      t:expect "script\n"
      assert.are.equal("the wire\n", t:eval "ch:recv()")
      leave(t)
    end))

    it("comes when Ctrl-C cancels the script [R31, R36]", prompt({ "-i",
      "s.lua", files = { ["s.lua"] = [[
local aw = require "aiowire"
aw.start(aw.Sleep(1000), nil, { name = "left behind" })
print "waits"
aw.sleep(1000)
]] } }, function(t)
      t:expect "waits\n"
      t:key "ctrl-c"
      t:expect "cancelled\n"
      contains(t:eval ".tasks", "left behind")
      leave(t)
    end))

    it("does not come after -e or -v alone [R31]", prompt({ "-v", "-e",
      "print 'e'" }, function(t)
      t:expect "e\n"
      assert.are.same({ ok = true, code = 0 }, t:wait())
      assert.is_nil(t:text():find("> ", 1, true))
    end))

    it("lets tasks go on while it waits [R32]", prompt({}, function(t)
      t:eval "go = aw.channel(1)"
      t:prompt()
      t:line "_ = aw.start(function() aw.sleep(0.01) print 'from a task' end)"
      t:expect "from a task\n"
      t:key "ctrl-d"
      assert.are.same({ ok = true, code = 0 }, t:wait())
    end))

    it("awaits in a line [R32]", prompt({}, function(t)
      assert.are.equal("slept\n", t:eval "aw.sleep(0.01) print 'slept'")
      leave(t)
    end))

    it("reads an entry of several lines [R33]", prompt({}, function(t)
      assert.are.equal("", t:eval("x = {", ">> "))
      t:line "1, 2,"
      t:prompt ">> "
      t:line ""
      t:prompt ">> "
      t:line "}"
      t:prompt()
      assert.are.equal("{1, 2}\n", t:eval "x")
      leave(t)
    end))

    it("has prompts of the user [R33]", prompt({}, function(t)
      t:eval(WITH)
      t:eval("_PROMPT, _PROMPT2 = 'one> ', 'two> '", "one> ")
      t:line "x ="
      t:prompt "two> "
      t:line "1"
      t:prompt "one> "
      t:line "_PROMPT = with(function() return 'o> ' end)"
      t:prompt "o> "
      t:line "_PROMPT = with(error)"
      t:prompt "> "
      leave(t)
    end))

    it("reports a task that fails, and goes on [R34]", prompt({}, function(t)
      t:prompt()
      t:line("x = aw.start(aw.Sleep(0.01) >> aw.Call(error, 'boom'), nil, "
        .. "{name = 'bg'})")
      t:match "task %d+ 'bg' failed: boom\n"
      t:line "print 'on'"
      t:expect "on\n"
      leave(t)
    end))

    it("discards a line at Ctrl-C [R36]", prompt({}, function(t)
      t:prompt()
      t:send "print 'never'"
      t:prompt "> print 'never'"
      t:mark()
      t:key "ctrl-c"
      t:wait_until("a new prompt", function()
        return t:before_cursor() == "> "
      end)
      assert.are.equal("1\n", t:eval "1")
      assert.is_nil(t:text():find "Ctrl%-D")
      leave(t)
    end))

    it("discards an entry of several lines at Ctrl-C [R36]",
      prompt({}, function(t)
        t:eval("x = {", ">> ")
        t:key "ctrl-c"
        t:prompt()
        assert.are.equal("nil\n", t:eval "x")
        leave(t)
      end))

    it("tells how to leave at Ctrl-C in an empty line [R36]",
      prompt({}, function(t)
        t:prompt()
        t:mark()
        t:key "ctrl-c"
        t:expect "(Ctrl-D or .exit to leave)\n"
        leave(t)
      end))

    it("cancels a line that waits at Ctrl-C [R36]", prompt({}, function(t)
      t:eval "n = 0 function count() aw.sleep(0.001) n = n + 1 return count end"
      t:eval "_ = ev:start(count)"
      t:prompt()
      t:line "print 'waits' aw.sleep(1000) print 'never'"
      t:expect "waits\n"
      t:key "ctrl-c"
      t:expect "cancelled\n"
      t:prompt()
      assert.are.equal("true\n",
        t:eval "before = n repeat aw.sleep(0.001) until n > before print(true)")
      leave(t)
    end))

    it("cancels a loop inside a line at Ctrl-C [R36]", prompt({}, function(t)
      t:prompt()
      t:line "aw.run(aw.Call(print, 'waits') >> aw.Sleep(1000))"
      t:expect "waits\n"
      t:key "ctrl-c"
      t:expect "cancelled\n"
      leave(t)
    end))

    it("lets a cancelled line clean up [R36]", prompt({}, function(t)
      t:eval(BODY)
      t:prompt()
      t:line "print 'waits' body()"
      t:expect "waits\n"
      t:key "ctrl-c"
      t:expect "cleaned up\n"
      t:expect "cancelled\n"
      leave(t)
    end))

    it("stops a line that never waits at Ctrl-C [R36]", prompt({}, function(t)
      t:prompt()
      t:line "print 'busy' while true do end"
      t:expect "busy\n"
      t:key "ctrl-c"
      t:expect "cancelled\n"
      assert.are.equal("1\n", t:eval "1")
      leave(t)
    end))

    it("stops a __tostring that never ends at Ctrl-C [R36, R38]",
      prompt({}, function(t)
        t:prompt()
        t:eval(WITH)
        t:prompt()
        t:line "with(function() print 'busy' while true do end end)"
        t:expect "busy\n"
        t:key "ctrl-c"
        t:expect "interrupted!"
        assert.are.equal("1\n", t:eval "1")
        leave(t)
      end))

    it("leaves at Ctrl-D, and cancels the tasks [R37]", prompt({}, function(t)
      t:eval(BODY)
      t:eval "_ = aw.start(body)"
      t:prompt()
      t:key "ctrl-d"
      t:expect "cleaned up\n"
      assert.are.same({ ok = true, code = 0 }, t:wait())
    end))

    it("tells of clean-up that takes long [R37]", prompt({}, function(t)
      t:eval "read = function() aw.fs.open('fifo', 'r'):read() end"
      t:eval((BODY:gsub("aw.sleep%(0.01%)", "read()")))
      t:eval "x = aw.exec {'mkfifo', 'fifo'}"
      t:eval "_ = aw.start(body)"
      t:prompt()
      t:line ".exit"
      t:expect "waiting for 1 task to clean up (Ctrl-C: stop now)\n"
      local fifo <close> = assert(io.open(t.folder.path .. "/fifo", "w"))
      fifo:write "\n"
      fifo:close()
      assert.are.same({ ok = true, code = 0 }, t:wait())
    end))

    it("exits with the code of os.exit in a line [R37]",
      prompt({}, function(t)
        t:prompt()
        t:line "os.exit(3)"
        assert.are.same({ ok = false, code = 3 }, t:wait())
      end))

    it("exits with the code of os.exit in a task [R37]",
      prompt({}, function(t)
        t:prompt()
        t:line "_ = aw.start(aw.Sleep(0.01) >> aw.Call(os.exit, 4))"
        assert.are.same({ ok = false, code = 4 }, t:wait())
      end))

    for signal, number in pairs { TERM = 15, HUP = 1 } do
      it("cleans up and dies by SIG" .. signal .. " [R37]",
        prompt({}, function(t)
          t:eval(BODY)
          t:eval "_ = aw.start(body)"
          t:prompt()
          t:kill(signal)
          t:expect "cleaned up\n"
          assert.are.same({ ok = false, signal = number }, t:wait())
        end))
    end

    it("shows a wire and does not run it; says how, once [R38, R39]",
      prompt({}, function(t)
        assert.are.equal('Call(print, "x")\n(not run: aw.run(_) runs it, '
          .. "ev:start(_) starts a task)\n", t:eval "aw.Call(print, 'x')")
        assert.are.equal("x\n", t:eval "aw.run(_)")
        assert.are.equal("Sleep(1)\n", t:eval "aw.Sleep(1)")
        leave(t)
      end))

    it("says that locals do not stay, once [R39]", prompt({}, function(t)
      contains(t:eval "local x = 1", "(a local ends with its line")
      assert.are.equal("", t:eval "local x = 2")
      leave(t)
    end))

    it("has its commands [R41]", prompt({}, function(t)
      assert.are.equal("no tasks\n", t:eval ".tasks")
      t:eval "_ = aw.start(aw.Sleep(1000), nil, {name = 'sleeper'})"
      contains(t:eval ".tree", "'sleeper'  waiting  sleep 1000.0")
      local id = t:eval ".tasks":match "\n(%d+) +sleeper "
      assert.are.equal("", t:eval(".cancel " .. id))
      assert.are.equal("no tasks\n", t:eval ".tasks")
      t:prompt()
      t:line ".exit"
      assert.are.same({ ok = true, code = 0 }, t:wait())
    end))
  end)
end)

describe("the prompt with libedit", function()
  it("completes at Tab [R40]", terminal.edited({}, function(t)
    t:prompt()
    t:send "ev:sto"
    t:key "tab"
    t:prompt "> ev:stop"
    t:key "ctrl-c"
    t:prompt()
    t:send ".loa"
    t:key "tab"
    t:wait_until("the command", function()
      return t:before_cursor():find("> .load", 1, true)
    end)
    t:key "ctrl-c"
    leave(t)
  end))

  it("completes the ids of tasks after .cancel [R40]", terminal.edited({},
    function(t)
      t:prompt()
      t:line "aw.start(aw.Sleep(1000), nil, {name = 'sleeper'}).id"
      local id = t:match "(%d+)\n>"
      t:send ".cancel "
      t:key "tab"
      t:prompt("> .cancel " .. id)
      t:key "enter"
      assert.are.equal("no tasks\n", t:eval ".tasks")
      leave(t)
    end))
end)

describe("the prompt without an option for it", function()
  it("excludes --timeout [R3]", terminal.test({ "--timeout=1" }, function(t)
    assert.are.same({ ok = false, code = 2 }, t:wait())
    assert.are.equal("aiowire: '--timeout' cannot be used with a prompt\n",
      t:text())
  end))
end)

describe("the session in docs/program.md", function()
  local text = process.read(process.root .. "/docs/program.md")
    :match "```text\n%$ aiowire\n(> .-)```\n"

  -- Numbers of tasks and times differ from run to run, and a terminal shows
  -- spaces for a tab.
  local function neutral(lines)
    return (lines:gsub("\t", " "):gsub(" +\n", "\n"):gsub("%d+%.%d s +%d+", "N")
      :gsub("age %d+%.%d s", "age N"):gsub("\n%d+ ( +%S+ +waiting)", "\nN %1")
      :gsub("task %d+", "task N"):gsub(" +", " "))
  end

  it("is what a terminal shows [R31]", terminal.test({ term = "dumb",
    cols = 100, rows = 80 }, function(t)
    t:prompt()
    t:mark()
    for entry in ("\n" .. text):gmatch "\n(>>? [^\n]*)" do
      local mark, line = entry:match "^(>>?) (.*)$"
      t:prompt(mark .. " ")
      t:send(line .. "\r")
      t:expect(line .. "\n")
    end
    t:wait()
    assert.are.equal(neutral(text), neutral(t:text()))
  end))
end)
