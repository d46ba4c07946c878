-- aw.pipeline runs programs, each of which reads the output of the one before.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local caught, run = helper.caught, helper.run
local contains = texts.contains

describe("aw.pipeline", function()
  it("gives the output of the last program, and all codes [X23]", function()
    run(function()
      assert.are.same({ ok = true, code = 0, codes = { 0, 0, 0 }, err = "",
        out = "2\n" },
        aw.pipeline({ "printf", "b\\na\\nb\\n" }, { "sort", "-u" },
          { "grep", "-c", "" }))
      assert.are.same({ ok = false, code = 0, codes = { 3, 0 }, out = "x\n",
        err = "" }, aw.pipeline({ "sh", "-c", "echo x; exit 3" }, { "cat" }))
      assert.are.same({ ok = false, code = 4, codes = { 0, 4 }, out = "",
        err = "" }, aw.pipeline({ "true" }, { "sh", "-c", "exit 4" }))
    end)
  end)

  it("has 128 + n in codes for a signal, and the last's signal [X23]",
    function()
      run(function()
        local dies = { "sh", "-c", "kill -9 $$" }
        assert.are.same({ ok = false, code = 0, codes = { 137, 0 }, out = "",
          err = "" }, aw.pipeline(dies, { "cat" }))
        assert.are.same({ ok = false, signal = 9, codes = { 0, 137 }, out = "",
          err = "" }, aw.pipeline({ "true" }, dies))
      end)
    end)

  it("ends when a program stops reading its endless input [X23]", function()
    run(function()
      assert.are.same({ ok = false, code = 0, codes = { 141, 0 }, out = "y\n",
        err = "" }, aw.pipeline({ "yes" }, { "head", "-n", "1" }))
      assert.are.same({ 141, 141, 0 },
        aw.pipeline({ "yes" }, { "cat" }, { "true" }).codes)
    end)
  end)

  it("runs one program as aw.exec does", function()
    run(function()
      assert.are.same({ ok = false, code = 3, codes = { 3 }, out = "out\n",
        err = "err\n" },
        aw.pipeline { "sh", "-c", "echo out; echo err >&2; exit 3" })
    end)
  end)

  it("connects programs by pipes that block [X23]", function()
    run(function()
      local look = "grep -h flags: /proc/self/fdinfo/%d"
      local r = aw.pipeline({ "sh", "-c", look:format(1) },
        { "sh", "-c", "cat; " .. look:format(0) })
      local writer, reader = r.out:match "flags:%s+(%d+)\nflags:%s+(%d+)"
      local O_NONBLOCK <const> = 2048
      assert.are.equal(0, tonumber(writer, 8) & O_NONBLOCK)
      assert.are.equal(0, tonumber(reader, 8) & O_NONBLOCK)
    end)
  end)

  it("leaves the bytes between the programs to the kernel [X23]", function()
    run(function()
      -- A limit that the bytes would exceed here does not count them.
      local r = aw.pipeline({ "head", "-c", "3000000", "/dev/zero" },
        { "cat" }, { "wc", "-c" }, { max_output = 20 })
      assert.are.equal(3000000, tonumber(r.out))
    end)
  end)

  it("gives no program a pipe that is not its own [X23]", function()
    run(function()
      -- The descriptor 3 is the folder that ls reads.
      local list = { "sh", "-c", "exec ls /proc/self/fd >&2" }
      local r = aw.pipeline(list, list, list)
      assert.are.equal(("0\n1\n2\n3\n"):rep(3), r.err)
    end)
  end)

  it("can be called as a wire", function()
    run(function()
      local w = aw.Call(aw.pipeline, { "echo", "x" }, { "cat" })
      assert.are.equal("x\n", aw.await(w).out)
      assert.are.equal("x\n", aw.await(w).out)
    end)
  end)

  it("changes none of its arguments", function()
    run(function()
      local a, b, options = { "cat", env = { A = "1" } }, { "cat" },
        { stdin = "x", check = true }
      aw.pipeline(a, b, options)
      assert.are.same({ { "cat", env = { A = "1" } }, { "cat" },
        { stdin = "x", check = true } }, { a, b, options })
    end)
  end)
end)

describe("the errors of programs in a pipeline", function()
  it("come in the order of the programs [X23]", function()
    run(function()
      -- The second program writes first: the other waits for its end.
      local r = aw.pipeline(
        { "sh", "-c", "trap '' PIPE; while echo; do :; done 2>/dev/null; "
          .. "echo first >&2" },
        { "sh", "-c", "echo second >&2" })
      assert.are.equal("first\nsecond\n", r.err)
    end)
  end)

  it("are read while they are written, 1 MB of each", function()
    run(function()
      local loud = { "sh", "-c", "head -c 1000000 /dev/zero >&2; cat" }
      local r = aw.pipeline(loud, loud, loud)
      assert.are.equal(3000000, #r.err)
      assert.is_true(r.ok)
    end)
  end)

  it("lead elsewhere, for all or for one", function()
    run(function()
      local loud = { "sh", "-c", "echo err >&2; cat" }
      local r = aw.pipeline(loud, loud, { stderr = "null" })
      assert.are.same({ ok = true, code = 0, codes = { 0, 0 }, out = "" }, r)
      loud.stderr = "stdout"
      assert.are.equal("err\nerr\n", aw.pipeline(loud, loud).out)
      loud.stderr = "null"
      assert.are.equal("err\n", aw.pipeline(loud,
        { "sh", "-c", "echo err >&2" }).err)
    end)
  end)

  it("share a path only to append", function()
    local path = os.tmpname()
    run(function()
      local loud = { "sh", "-c", "cat; echo err >&2" }
      local options = { stderr = path }
      local err = caught(function()
        aw.pipeline(loud, loud, options)
      end)
      contains(err, "bad option 'stderr' (a path for several programs: only "
        .. "with append = true)")
      options.append = true
      assert.is_true(aw.pipeline(loud, loud, options).ok)
      assert.are.equal("err\nerr\n", process.read(path))
      loud.append = false
      contains(caught(aw.pipeline, loud, loud, options), "bad option 'stderr'")
    end)
    os.remove(path)
  end)

  it("share a Lua file, but no stream", function()
    run(function()
      local loud = { "sh", "-c", "cat; echo err >&2" }
      local file <close> = io.tmpfile()
      aw.pipeline(loud, loud, { stderr = file })
      file:seek "set"
      assert.are.equal("err\nerr\n", file:read "a")
      local cat <close> = aw.spawn "cat"
      contains(caught(aw.pipeline, loud, loud, { stderr = cat.stdin }),
        "bad option 'stderr' (a stream passes to one program: give each its "
        .. "own)")
    end)
  end)
end)

describe("the options of a pipeline", function()
  it("hold for the first or the last program, or for all", function()
    run(function()
      local r = aw.pipeline({ "sh", "-c", "cat; pwd; echo $A" },
        { "sh", "-c", "cat; pwd; echo $A" },
        { stdin = "in\n", cwd = "/", env = { A = "a" } })
      assert.are.equal("in\n/\na\n/\na\n", r.out)
      r = aw.pipeline({ "sh", "-c", "pwd; echo $A" },
        { "sh", "-c", "cat; pwd; echo $A", cwd = "/dev", env = {} },
        { cwd = "/", env = { A = "a" } })
      assert.are.equal("/\na\n/dev\n\n", r.out)
    end)
  end)

  it("take input from a text, a stream, a file or a descriptor", function()
    run(function()
      local long = ("0123456789"):rep(50000)
      assert.are.equal(long,
        aw.pipeline({ "cat" }, { "cat" }, { stdin = long }).out)
      local source <close> = aw.spawn { "seq", "1000", stderr = "inherit" }
      assert.are.equal(1000, tonumber(aw.pipeline({ "cat" }, { "wc", "-l" },
        { stdin = source.stdout }).out))
      local file <close> = io.tmpfile()
      file:write "text"
      file:seek "set"
      assert.are.equal("text",
        aw.pipeline({ "cat" }, { "cat" }, { stdin = file }).out)
      file:seek "set"
      assert.are.equal("text",
        aw.pipeline({ "cat" }, { "cat" }, { stdin = pipes.fd(file) }).out)
      assert.are.equal("", aw.pipeline({ "cat" }, { "cat" }).out)
    end)
  end)

  it("let the last program write to a file", function()
    local path = os.tmpname()
    run(function()
      for _ = 1, 2 do
        local r = aw.pipeline({ "echo", "x" }, { "cat" },
          { stdout = path, append = true })
        assert.is_nil(r.out)
      end
      assert.are.equal("x\nx\n", process.read(path))
    end)
    os.remove(path)
  end)

  it("wait for pipes that others keep open only as long as drain says",
    function()
      run(function()
        local r = aw.pipeline({ "echo", "in" },
          { "sh", "-c", "cat; sleep 60 & echo $! >&2" }, { drain = 0 })
        os.execute("kill " .. r.err)
        assert.are.equal("in\n", r.out)
      end)
    end)

  it("may be inherited, without breaking the pipes", function()
    run(function()
      local defaults = { __index = { cwd = "/", stdout = "null",
        stdin = "null", detach = true, pty = true } }
      local r = aw.pipeline(setmetatable({ "pwd" }, defaults),
        setmetatable({ "sh", "-c", "cat; pwd" }, defaults))
      assert.are.equal("/\n/\n", r.out)
      r = aw.pipeline({ "pwd" }, { "cat" },
        setmetatable({}, { __index = { cwd = "/" } }))
      assert.are.equal("/\n", r.out)
    end)
  end)
end)

describe("aw.pipeline with check", function()
  it("raises an error that names the program that failed [X23]", function()
    run(function()
      local err = caught(aw.pipeline, { "yes" },
        { "sh", "-c", "echo 'the reason' >&2; exit 3" }, { "cat" },
        { check = true })
      contains(tostring(err), "command 2 of 3 'sh -c \"echo 'the reason' >&2; "
        .. "exit 3\"' ended with code 3: the reason")
      assert.are.same({ false, 0, { 141, 3, 0 }, "", "the reason\n" },
        { err.ok, err.code, err.codes, err.out, err.err })
    end)
  end)

  it("blames one that died of SIGPIPE if no other failed", function()
    run(function()
      local err = caught(aw.pipeline, { "yes", "x" }, { "true" },
        { check = true })
      contains(tostring(err), "command 1 of 2 'yes x' ended by signal 13")
      assert.are.equal("yes x", err.command)
    end)
  end)
end)

describe("a failing pipeline", function()
  it("ends the programs that have been started [X23]", function()
    process.needs_failed_starts()
    run(function()
      for _, commands in ipairs {
        { { "sleep", "60" }, { "no-such-command" } },
        { { "no-such-command" }, { "sleep", "60" } },
        { { "sleep", "60" }, { "sleep", "60" }, { "no-such-command" } },
      } do
        local err = caught(function()
          aw.pipeline(table.unpack(commands))
        end)
        local line = debug.getinfo(1, "l").currentline - 2
        assert.are.same({ "ENOENT", "spawn", "no-such-command" },
          { err.code, err.call, err.about })
        contains(tostring(err), "spec/process/pipeline_spec.lua:" .. line)
      end
      local err = caught(aw.pipeline, { "sleep", "60" },
        { "true", cwd = "/no/such" })
      assert.are.same({ "ENOENT", "chdir" }, { err.code, err.call })
    end)
  end)

  it("ends all programs when one writes too much", function()
    run(function()
      local err = caught(aw.pipeline, { "yes" }, { "cat" },
        { max_output = 4 })
      assert.are.same({ "EMSGSIZE", "y\ny\n", "" },
        { err.code, err.out, err.err })
      err = caught(aw.pipeline, { "sh", "-c", "yes >&2" },
        { "sh", "-c", "echo z >&2; sleep 60" }, { max_output = 4 })
      assert.are.equal("EMSGSIZE", err.code)
      contains(err.err, "y\ny\n")
    end)
  end)
end)

describe("a cancelled pipeline", function()
  it("sends TERM to all programs, then KILL to each [X23]", function()
    run(function()
      local _, why = aw.scope({ timeout = 0.2 }, function()
        local deaf = { "sh", "-c", "trap '' TERM; while :; do sleep 0.01; "
          .. "done", grace = 0.1 }
        aw.pipeline({ "sleep", "60" }, deaf, deaf, { "cat" })
      end)
      assert.are.equal("cancelled", why)
    end)
  end)

  it("sends TERM to a program while another one ends [X23]", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    run(function(ev)
      -- After its TERM, each program looks for 20 s for the file that the other
      -- one makes after its own TERM.
      local function meeting(mine, other)
        return { "sh", "-c", [[
          trap 'n=0; echo >told.$0
            while [ ! -e told.$1 ] && [ $n -lt 2000 ]; do
              n=$((n + 1)); sleep 0.01
            done
            [ -e told.$1 ] && echo >met.$0
            exit' TERM
          echo >ready.$0; while :; do sleep 0.01; done]], mine, other }
      end
      local task = ev:start(aw.Call(aw.pipeline, meeting("a", "b"),
        meeting("b", "a"), { cwd = folder, grace = 60 }))
      local function both(name)
        return process.read(folder .. "/" .. name .. ".a")
          .. process.read(folder .. "/" .. name .. ".b") == "\n\n"
      end
      helper.wait_until(function()
        return both "ready"
      end)
      task:cancel_wait()
      assert.is_true(both "met")
    end)
    os.execute("rm -r " .. folder)
  end)

  it("leaves nothing behind, at any await [C3, C10]", function()
    helper.cut_at_each_await(function()
      aw.pipeline({ "cat" }, { "sh", "-c", "cat; echo x >&2" },
        { stdin = ("x"):rep(300000), grace = 1 })
    end)
  end)

  it("leaves nothing behind, at any time [C3, C10]", function()
    helper.cut_at_any_time(function()
      aw.pipeline({ "cat" }, { "cat" }, { "wc", "-c" },
        { stdin = ("x"):rep(100000) })
    end)
  end)
end)

describe("bad arguments of aw.pipeline", function()
  local function refused(expected, ...)
    local given = table.pack(...)
    local _, err = pcall(function()
      aw.pipeline(table.unpack(given, 1, given.n))
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    assert.are.equal(("spec/process/pipeline_spec.lua:%d: bad %s")
      :format(line, expected), err)
  end

  it("are refused at the caller's line [X23]", function()
    local a <const> = { "true" }
    refused "argument #1 to 'pipeline' (a list of words expected, got nothing)"
    refused("argument #1 to 'pipeline' (a list of words expected, got string)",
      "sort", a)
    refused("argument #2 to 'pipeline' (a list of words expected, got "
      .. "function)", a, print)
    refused("argument #2 to 'pipeline' (a list of words expected, got "
      .. "nothing)", a, nil, a)
    refused("argument #1 to 'pipeline' (a list of words expected, got "
      .. "nothing)", { check = true })
    refused("argument #1 to 'pipeline' (command expected, got nothing)", {}, a)
    refused("argument #2 to 'pipeline' (command expected, got nothing)",
      a, {}, a)
    refused("argument #2 to 'pipeline' (command expected, got table)",
      a, { { "sort" } })
    refused("argument #2 to 'pipeline' (string expected as word 2 of the "
      .. "command, got boolean)", a, { "sort", true })
    refused("argument #2 to 'pipeline' (unknown option 'stdin')", a,
      { "sort", stdin = "x" })
    refused("argument #3 to 'pipeline' (unknown option 'chekc', did you mean "
      .. "'check'?)", a, a, { chekc = true })
    refused("option 'drain' (seconds, not negative, expected)", a, a,
      { drain = -1 })
  end)

  it("start no program", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      print(pcall(aw.pipeline, { "touch", "ran" }, { "true" }, { cwd = 1 }))
      aw.run(function()
        print(io.open "ran")
      end)
    ]]
    contains(outcome.out, "bad option 'cwd'")
    contains(outcome.out, "nil\tran: No such file")
  end)
end)
