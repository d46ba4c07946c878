-- `aiowire --top` without a terminal: one table, the list of programs, and what
-- the user is told when there is nothing to show.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local host_parts = require "spec.support.host_parts"
local inspected = require "spec.support.inspected"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

local SECOND <const> = 1000000000

local ADVICE <const> = "start it with AIOWIRE_INSPECT=1 in its environment, or "
  .. "let it call aw.inspect()"

--- Run the program in an environment. Returns what it has written, and how it
--- has ended.
local function run(path, ...)
  return aw.exec { "env", "-u", "NO_COLOR", "LC_ALL=C.UTF-8",
    "XDG_RUNTIME_DIR=" .. path, process.binary, ... }
end

--- Returns a function for `it` that calls f(p): a made-up program.
local function test(options, f)
  return function()
    helper.run(function()
      local p <close> = inspected.open(options)
      f(p)
    end)
  end
end

describe("--top without a terminal", function()
  it("prints one table [D45]", test({ tasks = {
    { id = 1, name = "main", waits = "join task 2" },
    { id = 2, parent = 1, name = "fib", state = "running", waits = "",
      busy = 5 * SECOND, longest = SECOND // 1000 },
  } }, function(p)
    for _, words in ipairs { { "--top", tostring(p.pid) },
      { "--top=" .. p.pid }, { "-W", "-E", "--top", tostring(p.pid) } } do
      local outcome = run(p.path, table.unpack(words))
      assert.are.equal(table.concat({
        ("server.lua  pid %d  up 10.0 s  2 tasks: 1 running, 1 waiting")
          :format(p.pid),
        "idle 90.0 %  wake-ups 5.0/s  steps 10.0/s  heap 2.0 MiB",
        "id ! state     name busy % steps/s waits for            age "
          .. "started at",
        " 2   ▶ running fib    50.0     2.0 (at server.lua:7) 10.0 s "
          .. "server.lua:1",
        " 1   ⏸ waiting main    1.0     2.0 join task 2       10.0 s "
          .. "server.lua:1",
        "" }, "\n"), outcome.out)
      assert.are.same({ "", 0 }, { outcome.err, outcome.code })
    end
  end))

  it("prints it in ASCII where the locale has no more", test({ tasks = {
    { name = "日\27[2J" } } }, function(p)
    local out = aw.exec { "env", "LC_ALL=C", "XDG_RUNTIME_DIR=" .. p.path,
      process.binary, "--top", p.pid }.out
    contains(out, "waiting ?\\x1b[2J")
    assert.is_nil(out:find "[\128-\255\27]")
  end))

  it("has colors if they are asked for", test({}, function(p)
    lacks(run(p.path, "--top=" .. p.pid).out, "\27")
    contains(run(p.path, "--color=always", "--top=" .. p.pid).out,
      "\27[38;5;74m⏸ waiting\27[0m")
  end))

  it("says in a line that its output cannot be written", test({},
    function(p)
      for _, words in ipairs { "--top", "--top=" .. p.pid } do
        local outcome = aw.exec { "sh", "-c", 'exec "$0" "$1" >/dev/full',
          process.binary, words, env = { XDG_RUNTIME_DIR = p.path } }
        assert.are.same({ "aiowire: write 'stdout': no space left on device\n",
          1 }, { outcome.err, outcome.code })
      end
    end))

  it("prints 10,000 tasks", test({ tasks = (function()
    local list = {}
    for i = 1, helper.scale(10000) do
      list[i] = { id = i, name = ("n"):rep(i == 1 and 10240 or 5) }
    end
    return list
  end)() }, function(p)
    p.raw = inspected.text(p.engines, p.tasks)
    local out = run(p.path, "--top=" .. p.pid).out
    assert.are.equal(#p.tasks + 3, select(2, out:gsub("\n", "\n")))
  end))
end)

describe("--top of what cannot be shown", function()
  --- Run it with a PID, and check the status and the text on standard error.
  local function fails(path, pid, text)
    local outcome = run(path, "--top", tostring(pid))
    assert.are.same({ "", "aiowire: " .. text .. "\n", 1 },
      { outcome.out, outcome.err, outcome.code })
  end

  it("says that there is no such process [D48]", test({ socket = false },
    function(p)
      fails(p.path, 2147483647, "there is no process 2147483647")
    end))

  it("says that it is another user's [D48]", test({}, function(p)
    local words = { process.binary, "--top", tostring(p.pid) }
    if aw.fs.stat("/proc/self").uid == 0 then
      local ok, outcome = pcall(aw.exec, { "setpriv", "--reuid=65534",
        "--clear-groups", process.binary, "-v" })
      if not ok or outcome.code ~= 0 then
        helper.pending "nobody else can run the program"
      end
      table.move(words, 1, 3, 4)
      words[1], words[2], words[3] = "setpriv", "--reuid=65534",
        "--clear-groups"
    else
      words[3] = "1"
    end
    local outcome = aw.exec(words)
    assert.are.same({ "", ("aiowire: process %s belongs to another user; only "
      .. "that user and root may inspect it\n"):format(words[#words]), 1 },
      { outcome.out, outcome.err, outcome.code })
  end))

  it("says how to make it one that can be shown [D48]", test({
    socket = false }, function(p)
    local text = ("process %d cannot be inspected: %s"):format(p.pid, ADVICE)
    fails(p.path, p.pid, text)
    p:listen() -- and a socket that nobody listens on any more
    local path = ("%s/%d.sock"):format(p.sockets, p.pid)
    aw.exec { "mv", path, path .. ".kept", check = true }
    p.server:close()
    aw.exec { "mv", path .. ".kept", path, check = true }
    fails(p.path, p.pid, text)
  end))

  for name, greeting in pairs { ["something else than a program of aiowire "
    .. "answers"] = "SSH-2.0-x\27[2J\n",
    ["it speaks version 2 of the protocol, and this program version 1: use "
      .. "the aiowire of the same version"] = "aiowire 2 1 9.9 x\n" } do
    it("says what is wrong with the other side: " .. name .. " [D48]", test({
      greeting = greeting }, function(p)
      fails(p.path, p.pid, ("cannot inspect process %d: %s"):format(p.pid,
        name))
    end))
  end

  it("says that the program closes the connection [D48]", test({ silent =
    true, greeting = "" }, function(p)
    p.server:close()
    aw.exec { "rm", "-f", ("%s/%d.sock"):format(p.sockets, p.pid) }
    local server <close> = aw.unix.listen(("%s/%d.sock"):format(p.sockets,
      p.pid))
    local task = aw.start(aw.Accept(server) / function(s)
      s:close()
    end)
    fails(p.path, p.pid, ("cannot inspect process %d: it has closed the "
      .. "connection at once"):format(p.pid))
    task:wait()
  end))

  it("says what the program answers [D48]", test({ raw = "error\tmessage=too "
    .. "many clients\n.\n" }, function(p)
    fails(p.path, p.pid, ("cannot inspect process %d: too many clients")
      :format(p.pid))
  end))

  it("waits for an answer for some seconds only [D48]", test({ silent = true },
    function(p)
      fails(p.path, p.pid, ("cannot inspect process %d: it has not answered "
        .. "for 5 s"):format(p.pid))
    end))

  it("does not use a folder that others can write to [D48]", test({},
    function(p)
      aw.exec { "chmod", "0777", p.sockets, check = true }
      local outcome = run(p.path, "--top", tostring(p.pid))
      assert.are.equal(1, outcome.code)
      contains(outcome.err, p.sockets .. " is not used: others than its owner "
        .. "could have put something there")
      aw.exec { "chmod", "0700", p.sockets, check = true }
      aw.exec { "mv", p.sockets, p.path .. "/real", check = true }
      aw.exec { "ln", "-s", "real", p.sockets, check = true }
      assert.are.equal(1, run(p.path, "--top", tostring(p.pid)).code)
    end))
end)

describe("--top without a PID", function()
  it("lists the programs that can be shown [D45]", function()
    helper.run(function()
      local place <close> = folder.new()
      local a <close> = inspected.open { folder = place, name = "a.lua" }
      local b <close> = inspected.open { folder = place, name = "b\27[2J.lua" }
      local c <close> = inspected.open { folder = place, greeting = "no\n" }
      local outcome = run(place.path, "--top")
      assert.are.equal(0, outcome.code)
      local lines = { ("%8d  0.1.0         a.lua\n"):format(a.pid),
        ("%8d  0.1.0         b\\x1b[2J.lua\n"):format(b.pid),
        ("%8d  -             (something else than a program of aiowire "
          .. "answers)\n"):format(c.pid) }
      for _, line in ipairs(lines) do
        contains(outcome.out, line)
      end
      lacks(outcome.out, "\27")
    end)
  end)

  it("says how to make one if there is none [D48]", function()
    helper.run(function()
      local place <close> = folder.new()
      local outcome = run(place.path, "--top")
      if outcome.code == 0 then -- other programs of this machine
        assert.is_truthy(outcome.out:find "^ +pid.*\n +%d+ ")
      else
        assert.are.same({ "", 1, "aiowire: no program can be inspected; to "
          .. "make one so, " .. ADVICE .. "\n" },
          { outcome.out, outcome.code, outcome.err })
      end
    end)
  end)
end)

describe("the command line of --top", function()
  for words, message in pairs {
    ["--top x"] = "'x' is no process id (the id of a process expected, as "
      .. "--top=1234)",
    ["--top=x"] = "'x' is no process id (the id of a process expected, as "
      .. "--top=1234)",
    ["--top server.lua"] = "'server.lua' is no process id (the id of a process "
      .. "expected, as --top=1234)",
    ["--top 0"] = "'0' is no process id (the id of a process expected, as "
      .. "--top=1234)",
    ["--top=99999999999"] = "'99999999999' is no process id (the id of a "
      .. "process expected, as --top=1234)",
    ["--top=-5"] = "'-5' is no process id (the id of a process expected, as "
      .. "--top=1234)",
    ["--top="] = "'--top=' needs a value, as --top=1234 (the id of a process)",
    ["--top=1 s.lua"] = "'s.lua' cannot be used with --top, which runs nothing",
    ["--top 1 s.lua"] = "'s.lua' cannot be used with --top, which runs nothing",
    ["-e 'x = 1' --top"] = "'-e' cannot be used with --top, which runs nothing",
    ["--top -lsocket"] = "'-l' cannot be used with --top, which runs nothing",
    ["--stats --top 1"] = "'--stats' cannot be used with --top, which runs "
      .. "nothing",
    ["--check --top 1"] = "'--check' cannot be used with --top, which runs "
      .. "nothing",
    ["--trace=t.json --top"] = "'--trace' cannot be used with --top, which "
      .. "runs nothing",
    ["--top --graph=dot"] = "'--graph' cannot be used with --top, which runs "
      .. "nothing",
    ["--record --top"] = "'--record' cannot be used with --top, which runs "
      .. "nothing",
    ["--top -i"] = "'-i' cannot be used with --top, which runs nothing",
    ["--tip"] = "unrecognized option '--tip' (did you mean --top=PID?)",
    ["--tip=7"] = "unrecognized option '--tip=7' (did you mean --top=7?)",
    ["-top"] = "unrecognized option '-top' (did you mean --top=PID?)",
  } do
    it(("refuses what makes no sense: %s [R3]"):format(words), function()
      local outcome = process.run("exec $aiowire " .. words,
        { ["s.lua"] = "print 'ran'" })
      process.assert_outcome("", 2, outcome)
      assert.are.equal("aiowire: " .. message .. "\nusage: aiowire [options] "
        .. "[script [args]]; see aiowire --help\n", outcome.err)
    end)
  end
end)

describe("the keys of --top", function()
  local KEYS <const> = host_parts.part("top.pages").KEYS

  --- Does a text name all keys of a row, such as "<, >"?
  local function named_in(text, key)
    for name in key:gmatch "[^,%s]+" do
      if not text:find(name, 1, true) then
        return false
      end
    end
    return true
  end

  it("all stand in docs/program.md and in the man page [docs]", function()
    local document = process.read "docs/program.md":match
      "\n## The tasks of a running program\n(.-)\n## "
    local man = process.read "docs/aiowire.1":match
      "\n%.Sh TASKS OF ANOTHER PROGRAM\n(.-)\n%.Sh "
    for _, key in ipairs(KEYS) do
      assert.is_true(named_in(document, key[1]), key[1])
      assert.is_true(named_in(man, key[1]), key[1])
    end
  end)
end)
