-- Turning aw.inspect on and off, its socket, and the end of the program
-- [D40, D42].

local helper = require "spec.support.helper"
local looked_into = require "spec.support.looked_into"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, writes = texts.contains, looked_into.writes
local assert_exit, assert_outcome = process.assert_exit, process.assert_outcome

-- For scripts: names_in(folder) lists it.
local list_folder = [[
local function names_in(folder)
  local pipe <close> = io.popen("ls " .. folder)
  return pipe:read "a":gsub("\n", " ")
end
]]

describe("aw.inspect", function()
  it("returns the path of a socket of the process [D42]", function()
    writes("true srw------- drwx------\n", [[
local path = aw.inspect()
local pipe <close> = io.popen(
  "echo $PPID; ls -ld " .. path .. " aiowire | cut -c 1-10")
local pid, socket, folder = pipe:read("l", "l", "l")
if socket:sub(1, 1) == "d" then
  socket, folder = folder, socket
end
say(path == os.getenv "XDG_RUNTIME_DIR" .. "/aiowire/" .. pid .. ".sock",
  socket, folder)
]])
  end)

  it("returns the same path again [D40]", function()
    writes("true\n", "say(aw.inspect() == aw.inspect(true))")
  end)

  it("ends with false, and can begin again [D40]", function()
    writes("nil false\ntrue live\n", list_folder .. [[
local path = aw.inspect()
say(aw.inspect(false), exists(path))
say(path == aw.inspect(), ask(path, "tasks")[1].answer)
]])
  end)

  it("does nothing with false if it is not on [D40]", function()
    writes("\n", "say(aw.inspect(false))")
  end)

  it("refuses what is no boolean [D40]", function()
    local script = "say(select(2, pcall(aw.inspect, 1))) -- HERE\n"
    writes(("%s: bad argument #1 to 'inspect' (boolean expected, got number)\n")
      :format(looked_into.place_of(script, "HERE")), script)
  end)

  it("says the script's name and the versions in the first line [D43]",
    function()
      writes("true s.lua\n", [[
local hello = connect(aw.inspect()).hello
local version, pid, release, name = hello:match
  "^aiowire (%d+) (%d+) (%d+%.%d+%.%d+) (.*)$"
say(version == "1" and ("aiowire " .. release) == aw._VERSION, name)
]])
    end)

  it("works while a worker ends and another begins [D40]", function()
    writes("20\n", [[
local path = aw.inspect()
local answers = 0
for _ = 1, 20 do
  local worker = aw.thread(function() end)
  answers = answers + (ask(path, "tasks")[1].answer == "live" and 1 or 0)
  worker:wait()
end
say(answers)
]])
  end)

  it("serves two programs at once, each on its own socket [D42]", function()
    writes("s.lua other.lua\n", [[
local path = aw.inspect()
local other = aw.spawn { os.getenv "AIOWIRE", "other.lua", stdin = "pipe",
  stdout = "pipe" }
local theirs = other.stdout:read "l"
say(connect(path).hello:match "%S+$", connect(theirs).hello:match "%S+$")
other.stdin:close()
other:wait()
]], [[
cat >other.lua <<'END'
local aw = require "aiowire"
print(aw.inspect())
io.stdout:flush()
aw.stdin:read "a"
END
exec $aiowire s.lua]])
  end)
end)

describe("AIOWIRE_INSPECT=1", function()
  local command = "export AIOWIRE_INSPECT=1; exec $aiowire "

  it("inspects a program from its start [D40]", function()
    writes("1\n", [[
local pipe <close> = io.popen "ls aiowire | wc -l"
say(tonumber(pipe:read "a"))
]], command .. "s.lua")
  end)

  it("is ignored with -E [D40]", function()
    writes("false\n", "say(exists 'aiowire')", command .. "-E s.lua")
  end)

  it("means nothing with another value [D40]", function()
    writes("false\n", "say(exists 'aiowire')",
      "export AIOWIRE_INSPECT=0; exec $aiowire s.lua")
  end)

  it("lets a program go on that cannot be inspected [D40]", function()
    local outcome = looked_into.run("say 'went on'",
      "ln -s . aiowire; " .. command .. "s.lua")
    assert_outcome("went on\n", 0, outcome)
    contains(outcome.err, "aiowire: nobody can look into this program: ")
    contains(outcome.err, "is a symbolic link")
  end)

  it("works in a stock lua5.4 [D40]", process.under_stock(function()
    writes("live true\n", [[
aw.run(function()
  local path = aw.inspect()
  say(ask(path, "tasks")[1].answer, exists(path) == false)
end)
]], "export AIOWIRE_INSPECT=1; exec $lua s.lua")
  end))
end)

describe("the folder of the sockets", function()
  -- aw.inspect() must fail so.
  local function refused(why, setup)
    local outcome = looked_into.run([[
local ok, e = pcall(aw.inspect)
say(ok, aw.is_system_error(e), e)
]], setup .. "; exec $aiowire s.lua")
    assert_exit(0, outcome)
    contains(outcome.out, "false true s.lua:")
    contains(outcome.out, why)
  end

  it("is refused if it is a link [D42]", function()
    refused("is a symbolic link", "mkdir -m 700 there; ln -s there aiowire")
  end)

  it("is refused if it is open to others [D42]", function()
    refused("is open to other users", "mkdir -m 750 aiowire")
  end)

  it("is refused if it belongs to somebody else [D42]", function()
    if not os.execute "test $(id -u) = 0" then
      helper.pending "only root can give a folder away"
    end
    refused("belongs to another user",
      "mkdir -m 700 aiowire; chown 65534 aiowire")
  end)

  it("is refused if it is a file [D42]", function()
    refused("not a directory", "touch aiowire")
  end)

  it("is refused if its path is too long for a socket [D42]", function()
    local name = ("x"):rep(100)
    refused(name .. "/aiowire': name too long", "l=" .. name .. [[;
      mkdir $l; export XDG_RUNTIME_DIR=$PWD/$l]])
  end)

  it("is not that of a relative XDG_RUNTIME_DIR [D42]", function()
    local outcome = looked_into.run([[
local path = aw.inspect()
say(path:sub(1, 1), exists "aiowire")
]], "export XDG_RUNTIME_DIR=.; exec $aiowire s.lua")
    assert_outcome("/ false\n", 0, outcome)
  end)
end)

describe("the socket of a program", function()
  -- The script ends in this way; then its socket must be gone.
  local function leaves_nothing(code, script)
    local outcome = looked_into.run(script, [[
$aiowire s.lua >&2
code=$?
ls aiowire
exit $code]])
    assert_outcome("", code, outcome)
    return outcome
  end

  it("is gone after a normal end [D40]", function()
    leaves_nothing(0, "aw.inspect()")
  end)

  it("is gone after a Deadlock, which is found [D40, L4]", function()
    contains(leaves_nothing(13, "aw.inspect() aw.channel():recv()").err,
      "Deadlock")
  end)

  it("is gone after os.exit with and without clean-up [D40]", function()
    leaves_nothing(3, "aw.inspect() os.exit(3)")
    leaves_nothing(4, "aw.inspect() os.exit(4, false)")
  end)

  it("is gone after an end with a client and a busy worker [D40]", function()
    leaves_nothing(0, [[
local path = aw.inspect()
c = connect(path)
local worker = aw.thread(function()
  local aw = require "aiowire"
  aw.parent:send "ready"
  while true do
  end
end)
worker:recv()
]])
  end)

  it("is replaced and removed if a killed process has left it [D42]", function()
    writes("1 true 1\n", list_folder .. [[
local killed = aw.spawn { os.getenv "AIOWIRE", "killed.lua", stdout = "pipe" }
local theirs = killed.stdout:read "l"
killed:kill "KILL"
killed:wait()
local _, left = names_in "aiowire"
local path = aw.inspect()
local _, now = names_in "aiowire"
say(left, exists(theirs) == false, now)
]], [[
cat >killed.lua <<'END'
local aw = require "aiowire"
print(aw.inspect())
io.stdout:flush()
aw.sleep(60)
END
exec $aiowire s.lua]])
  end)

  it("stays with a program that another one is started from [D40]", function()
    writes("true nil\n", [[
local path = aw.inspect()
local c <close> = connect(path)
local out = aw.exec { "sh", "-c", "ls -l /proc/self/fd | grep socket" }.out
say(ask(path, "tasks") ~= nil, out:match "socket")
]])
  end)

  it("stays the parent's in a forked process [D40]", function()
    if process.sanitized then
      helper.pending "LeakSanitizer stops no thread of a forked process"
    end
    writes("child: false\nparent: live\n", [[
local fork = require "spec_fork"
local path = aw.inspect()
local c <close> = connect(path)
local pid = fork.fork()
if pid == 0 then
  local own = aw.inspect()
  say("child:", own == path)
  os.exit(0)
end
fork.wait(pid)
say("parent:", ask(path, "tasks")[1].answer)
]])
  end)
end)
