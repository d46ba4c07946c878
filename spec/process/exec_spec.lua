-- aw.exec and aw.Exec run a program to its end and collect its output.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local raises, run = helper.raises, helper.run
local contains = texts.contains

describe("aw.exec", function()
  it("gives the output of the program, and how it ended [API]", function()
    run(function()
      assert.are.same({ ok = true, code = 0, out = "a b\n", err = "" },
        aw.exec("echo", "a b"))
      assert.are.same({ ok = false, code = 3, out = "out\n", err = "err\n" },
        aw.exec { "sh", "-c", "echo out; echo err >&2; exit 3" })
      assert.are.same({ ok = false, signal = 9, out = "", err = "" },
        aw.exec("sh", "-c", "kill -9 $$"))
    end)
  end)

  it("uses no shell [SE3]", function()
    run(function()
      assert.are.equal("$HOME; `ls` *\n", aw.exec("echo", "$HOME; `ls` *").out)
    end)
  end)

  it("takes a text or a stream as input [API]", function()
    run(function()
      local text = "some\0text"
      assert.are.equal(text, aw.exec { "cat", stdin = text }.out)
      assert.are.equal("", aw.exec { "cat", stdin = "" }.out)
      local long = ("0123456789"):rep(200000)
      assert.are.equal(long, aw.exec { "cat", stdin = long }.out)
      local source <close> = aw.spawn { "seq", "100000", stderr = "inherit" }
      assert.are.equal(100000, tonumber(
        aw.exec { "wc", "-l", stdin = source.stdout }.out))
      assert.are.equal("", aw.exec { "cat", stdin = "null" }.out)
      assert.are.equal("", aw.exec("cat").out)
    end)
  end)

  it("accepts a program that reads nothing [UV9]", function()
    run(function()
      assert.is_true(aw.exec { "true", stdin = ("x"):rep(1000000) }.ok)
      local endless <close> = aw.spawn { "yes", stderr = "inherit" }
      assert.is_true(aw.exec { "true", stdin = endless.stdout }.ok)
    end)
  end)

  it("reads both pipes at once, 5 MB of each [API]", function()
    run(function()
      local r = aw.exec("sh", "-c",
        "head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero; "
        .. "head -c 7 /dev/zero >&2")
      assert.are.equal(5000000, #r.out)
      assert.are.equal(5000007, #r.err)
    end)
  end)

  it("leaves out files that are not piped [API]", function()
    run(function()
      local r = aw.exec { "sh", "-c", "echo a; echo b >&2", stdout = "null" }
      assert.are.same({ ok = true, code = 0, err = "b\n" }, r)
      r = aw.exec { "sh", "-c", "echo a; echo b >&2", stderr = "stdout" }
      assert.are.same({ ok = true, code = 0, out = "a\nb\n" }, r)
      r = aw.exec { "true", stdout = "null", stderr = "null" }
      assert.are.same({ ok = true, code = 0 }, r)
    end)
  end)

  it("ends after both pipes have ended, too [API]", function()
    run(function()
      local r = aw.exec("sh", "-c", "(sleep 0.05; echo late) & echo early")
      assert.are.equal("early\nlate\n", r.out)
    end)
  end)

  it("lets other tasks run meanwhile [F1]", function()
    run(function(ev)
      local order = {}
      local task = ev:start(function()
        aw.exec("sleep", "0.05")
        order[#order + 1] = "program"
      end)
      aw.sleep(0.01)
      order[#order + 1] = "sleeper"
      task:wait()
      assert.are.same({ "sleeper", "program" }, order)
    end)
  end)

  it("runs on a virtual clock as well [K6]", function()
    helper.leak_checked(aw.test, function()
      assert.are.equal("x\n", aw.exec("echo", "x").out)
    end)
  end)
end)

describe("aw.exec with check", function()
  it("raises an error with the tail of stderr [API]", function()
    run(function()
      local ok, err = aw.pcall(aw.exec, { "sh", "-c",
        "echo first >&2; echo 'the reason' >&2; exit 4", check = true })
      assert.is_false(ok)
      assert.are.equal(4, err.code)
      contains(tostring(err), "sh -c")
      contains(tostring(err), "with code 4")
      contains(tostring(err), "the reason")
      ok, err = aw.pcall(aw.exec, { "sh", "-c", "kill -9 $$", check = true })
      assert.is_false(ok)
      contains(tostring(err), "by signal 9")
      assert.is_true(aw.exec { "true", check = true }.ok)
    end)
  end)
end)

describe("aw.exec with drain", function()
  it("gives the output up to the end of the program [API]", function()
    run(function()
      local r = aw.exec { "sh", "-c", "sleep 60 & echo out; echo err >&2; "
        .. "echo $!; exit 3", drain = 0 }
      local pid = r.out:match "%d+"
      assert.are.same({ ok = false, code = 3, out = "out\n" .. pid .. "\n",
        err = "err\n" }, r)
      os.execute("kill " .. pid)
    end)
  end)

  it("gives all output of the program itself", function()
    run(function()
      for _ = 1, 20 do
        local r = aw.exec { "sh", "-c",
          "sleep 60 & kid=$!; head -c 50000 /dev/zero; echo $kid >&2",
          drain = 0 }
        os.execute("kill " .. r.err)
        assert.are.equal(50000, #r.out)
      end
    end)
  end)

  it("waits for output of other programs for so long [API]", function()
    run(function()
      local r = aw.exec { "sh", "-c",
        "(sleep 0.02; echo late) & echo early", drain = 60 }
      assert.are.equal("early\nlate\n", r.out)
    end)
  end)

  it("ends at the end of the pipes, if that comes earlier", function()
    run(function()
      assert.are.same({ ok = true, code = 0, out = "x\n", err = "" },
        aw.exec { "echo", "x", drain = math.huge })
      assert.are.same({ ok = true, code = 0, out = "x" },
        aw.exec { "cat", stdin = "x", drain = 60, stderr = "null" })
      assert.are.same({ ok = true, code = 0 },
        aw.exec { "true", drain = 1, stdout = "null", stderr = "null" })
    end)
  end)

  it("ends the rest of its group", function()
    run(function()
      local r = aw.exec { "sh", "-c", "sleep 60 & echo $!", drain = 0,
        group = true }
      local state = process.read(("/proc/%d/stat"):format(
        tonumber(r.out))):match "%) (%a)"
      assert.is_true(state == nil or state == "Z")
    end)
  end)
end)

describe("output before an error of aw.exec", function()
  it("is in the error, when there is too much [API]", function()
    run(function()
      for _, name in ipairs { "out", "err" } do
        local other = name == "out" and "err" or "out"
        local err = helper.caught(aw.exec, { "sh", "-c",
          ("echo the other >&%d; echo begin >&%d; yes >&%d")
            :format(name == "out" and 2 or 1, name == "out" and 1 or 2,
              name == "out" and 1 or 2), max_output = 1000 })
        assert.are.equal("EMSGSIZE", err.code)
        assert.are.equal(1000, #err[name])
        contains(err[name], "begin\ny\ny\n")
        assert.are.equal("the other\n", err[other])
      end
    end)
  end)

  it("is in the error of a pipe that is read alone", function()
    run(function()
      local err = helper.caught(aw.exec, { "yes", max_output = 4,
        stderr = "stdout" })
      assert.are.equal("y\ny\n", err.out)
      assert.is_nil(err.err)
    end)
  end)

  it("is in the error with drain, too", function()
    run(function()
      local err = helper.caught(aw.exec, { "sh", "-c", "echo first; exec yes",
        max_output = 10, drain = 60 })
      assert.are.equal("first\ny\ny\n", err.out)
    end)
  end)

  it("is in the error of a failed check", function()
    run(function()
      local err = helper.caught(aw.exec, { "sh", "-c",
        "echo out; echo err >&2; exit 2", check = true })
      assert.are.same({ "out\n", "err\n", 2 },
        { err.out, err.err, err.code })
    end)
  end)
end)

describe("the input of aw.exec", function()
  it("is a Lua file, or a descriptor [API]", function()
    run(function()
      local file = io.tmpfile()
      file:write "12345"
      file:seek "set"
      assert.are.equal("12345", aw.exec { "cat", stdin = file }.out)
      file:seek("set", 2)
      assert.are.equal("345", aw.exec { "cat",
        stdin = require "spec.support.pipes".fd(file) }.out)
      file:close()
    end)
  end)

  it("is a text, also if it is the word of an option [API]", function()
    run(function()
      assert.are.equal("pipe", aw.exec { "cat", stdin = "pipe" }.out)
      assert.are.equal("in.txt", aw.exec { "cat", stdin = "in.txt" }.out)
    end)
  end)
end)

describe("bad options of aw.exec", function()
  it("are refused at the caller's line [API]", function()
    local function refused(expected, options)
      for _, form in ipairs { "exec", "Exec" } do
        options[1] = "cat"
        local _, err = pcall(function()
          aw[form](options)
        end)
        local line = debug.getinfo(1, "l").currentline - 2
        assert.are.equal(("spec/process/exec_spec.lua:%d: bad option %s")
          :format(line, expected), err)
      end
    end
    for got, value in pairs { boolean = true, table = {}, ["function"] = print }
    do
      refused("'stdin' (text, a stream, a Lua file, a descriptor, "
        .. '"inherit" or "null" expected, got ' .. got .. ")",
        { stdin = value })
    end
    refused("'drain' (seconds, not negative, expected)", { drain = -1 })
    refused("'drain' (number of seconds expected, got string)", { drain = "1" })
    refused("'drain' (seconds, not negative, expected)", { drain = 0 / 0 })
    refused("'detach' (exec waits for the end of its program: "
      .. "use aw.spawn)", { detach = true })
  end)
end)

describe("a failing aw.exec", function()
  it("raises a SystemError in the calling task [E4]", function()
    process.needs_failed_starts()
    run(function()
      for _, case in ipairs {
        { "ENOENT", { "no-such-command" } },
        { "EACCES", { "/etc/passwd" } },
        { "ENOENT", { "ls", cwd = "/no/such" } },
        { "EINVAL", { "ls", "a\0b" } },
      } do
        local ok, err = aw.pcall(aw.exec, case[2])
        assert.is_false(ok)
        assert.is_true(aw.is_system_error(err), tostring(err))
        assert.are.equal(case[1], err.code)
      end
    end)
  end)

  it("ends a program that writes too much [API]", function()
    run(function()
      for _, line in ipairs { "yes", "yes >&2" } do
        local ok, err = aw.pcall(aw.exec, { "sh", "-c", "exec " .. line,
          max_output = 100000 })
        assert.is_false(ok)
        assert.is_true(aw.is_system_error(err), tostring(err))
        assert.are.equal("EMSGSIZE", err.code)
        contains(err.message, "max_output, 100000")
      end
      assert.are.equal(10, #aw.exec { "printf", "0123456789",
        max_output = 10 }.out)
    end)
  end)

  it("refuses bad arguments at the caller's line [API]", function()
    local err = raises("bad argument #1 to 'exec'", aw.exec)
    raises("bad argument #1 to 'exec'", aw.exec, {})
    raises("bad argument #1 to 'Exec'", aw.Exec, { cwd = "/" })
    raises("bad option 'stdin'", aw.Exec, { "ls", stdin = true })
    local _, at = pcall(function()
      aw.exec(nil) -- the line to blame
    end)
    contains(at, "spec/process/exec_spec.lua:")
    assert.is_truthy(err)
    run(function()
      raises("unknown option 'chekc'", aw.exec, { "ls", chekc = true })
    end)
  end)
end)

describe("a cancelled exec", function()
  it("sends TERM to the program, and waits for its end [API]", function()
    run(function()
      local ok, err = aw.pcall(aw.timeout, 0.05, aw.exec, "sleep", "10")
      assert.is_false(ok)
      assert.is_true(aw.is_timeout(err))
    end)
  end)

  it("sends KILL to a program that ignores TERM [API]", function()
    run(function()
      local _, why = aw.scope({ timeout = 0.2 }, function()
        aw.exec { "sh", "-c", "trap '' TERM; while :; do sleep 0.01; done",
          grace = 0.1 }
      end)
      assert.are.equal("cancelled", why)
    end)
  end)

  it("leaves nothing behind, at any await [C3, C10]", function()
    for _, size in ipairs { 3, 300000 } do
      helper.cut_at_each_await(function()
        aw.exec { "sh", "-c", "cat; echo x >&2", grace = 1,
          stdin = ("x"):rep(size) }
      end)
    end
  end)

  it("leaves nothing behind, at any time [C3, C10]", function()
    helper.cut_at_any_time(function()
      aw.exec { "sh", "-c", "cat; echo x >&2", stdin = ("x"):rep(100000) }
    end)
  end)
end)

describe("aw.Exec", function()
  it("is a wire, which can be run any number of times [V1]", function()
    run(function()
      local options = { "sh", "-c", "echo $A", env = { A = "1" } }
      local w = aw.Exec(options)
      options[3] = "echo changed"
      options.env.A = "2"
      assert.are.equal("1\n", aw.await(w).out)
      assert.are.equal("1\n", aw.await(w).out)
      assert.are.equal([[Exec(sh -c "echo $A")]], tostring(w))
      aw.await(aw.Exec "true" >> aw.Exec("true") * 2)
    end)
  end)
end)

describe("the tasks of an Exec", function()
  it("have the location of its start [E2]", function()
    run(function(ev)
      local task = ev:start(aw.Exec { "cat", stdin = "inherit" })
      local line = debug.getinfo(1, "l").currentline - 1
      aw.yield()
      local where = ev:dump():match "'stderr'[^\n]*exec_spec%.lua:(%d+)"
      assert.are.equal(tostring(line), where)
      task:cancel_wait()
    end)
  end)
end)

describe("a pipe and a subprocess in one loop", function()
  -- The Python package has the same test. The program ends after the Poller has
  -- read from the pipe.
  it("work at the same time [seed]", function()
    run(function(ev)
      local order = {}
      local cat = aw.spawn { "cat", stderr = "inherit" }
      local poller
      poller = aw.Poller { [cat.stdout] = function()
        local line = cat.stdout:read()
        if not line then
          return poller:shutdown()
        end
        order[#order + 1] = line
      end }
      local program = aw.spawn { "sh", "-c", "read _; echo done",
        stderr = "inherit" }
      ev:start(function()
        local said = program.stdout:read()
        order[#order + 1] = said
        cat.stdin:write "line 3\n":shutdown()
      end)
      ev:start(function()
        for i = 1, 2 do
          cat.stdin:write("line ", i, "\n")
          while #order < i do
            aw.yield()
          end
        end
        program.stdin:write "go on\n":shutdown()
      end)
      aw.await(poller)
      assert.are.same({ "line 1", "line 2", "done", "line 3" }, order)
      assert.are.equal(0, program:wait().code)
      program:close()
      cat:close()
    end)
  end)
end)
