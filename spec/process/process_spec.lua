-- aw.spawn: what a child inherits, how the child ends, and that neither a
-- zombie nor a descriptor is left [UV8].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local raises, run = helper.raises, helper.run
local wait_until = helper.wait_until

--- Tells whether all handles of children are closed.
local function nothing_is_open()
  return aw.stats().handles == 0
end
local contains = texts.contains

-- Fewer spawns under AIOWIRE_GCSTRESS: each await runs a full collection.
local SPAWNS <const> = helper.gc_stress and 100
  or tonumber(os.getenv "AIOWIRE_SPAWNS") or 2000

describe("a process", function()
  it("returns from wait how it ended [API]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "exit 7" }
      assert.is_true(math.type(p.pid) == "integer" and p.pid > 1)
      assert.are.same({ ok = false, code = 7 }, p:wait())
      assert.are.same({ ok = false, code = 7 }, p:wait())
      contains(tostring(p), "'sh' (ended with 7)")
      p:close()
      p:close()
    end)
  end)

  it("can be started with plain words [API]", function()
    run(function()
      local p <close> = aw.spawn("printf", "%s-%s", "a b", 3)
      assert.are.equal("a b-3", p.stdout:read "a")
      assert.are.same({ ok = true, code = 0 }, p:wait())
    end)
  end)

  it("may be waited for by several tasks [T5]", function()
    run(function(ev)
      local p = aw.spawn { "cat" }
      local ended = 0
      for _ = 1, 3 do
        ev:start(function()
          assert.is_true(p:wait().ok)
          ended = ended + 1
        end)
      end
      aw.yield()
      p.stdin:shutdown()
      p:wait()
      aw.yield()
      assert.are.equal(3, ended)
      p:close()
    end)
  end)

  it("can be sent signals, by name and number [API]", function()
    run(function()
      local p = aw.spawn { "sleep", "10" }
      assert.is_true(p:kill "CONT")
      assert.is_true(p:kill(0))
      assert.is_true(p:kill "SIGKILL")
      assert.are.same({ ok = false, signal = 9 }, p:wait())
      assert.is_false(p:kill())
      contains(tostring(p), "killed by signal 9")
      raises("no signal of that name", p.kill, p, "NOPE")
      raises("no signal", p.kill, p, -1)
      p:close()
      p = aw.spawn { "sleep", "10" }
      p:kill()
      assert.are.equal(15, p:wait().signal)
      p:close()
    end)
  end)

  it("is ended and reaped when its block is left [API]", function()
    run(function()
      local pid
      do
        local p <close> = aw.spawn { "sleep", "10" }
        pid = p.pid
      end
      assert.is_nil(io.open("/proc/" .. pid .. "/stat"))
    end)
  end)

  it("is killed after its grace if it ignores TERM [API]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "trap '' TERM; echo; exec sleep 10",
        grace = 0.05 }
      p.stdout:read()
      p:close()
      assert.are.equal(9, p:wait().signal)
    end)
  end)

  it("is killed when a hard cancel cuts its grace [C8]", function()
    run(function()
      local p
      local ev = aw.EventLoop { grace = 0.05, signals = false }
      ev:start(function()
        p = aw.spawn { "sh", "-c", "trap '' TERM; echo; exec sleep 10",
          grace = 10 }
        local _ <close> = p
        p.stdout:read()
        ev:stop()
        aw.sleep(10)
      end)
      ev:run()
      ev:close()
      assert.is_nil(io.open("/proc/" .. p.pid .. "/stat"))
      aw.sleep(0.01)
    end)
  end)

  it("is ended when it is garbage [LU11]", function()
    run(function()
      aw.spawn { "sleep", "10" }
      collectgarbage()
      collectgarbage()
      wait_until(nothing_is_open)
    end)
  end)

  it("is not ended while one of its streams is referenced [LU11]", function()
    run(function()
      local out = aw.spawn({ "sh", "-c", "sleep 0.05; echo there" }).stdout
      collectgarbage()
      collectgarbage()
      assert.are.equal("there", out:read())
      out = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      wait_until(nothing_is_open)
    end)
  end)

  it("ends its group when it is closed [API]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "sleep 10 & echo $!; wait",
        group = true }
      local grandchild = p.stdout:read()
      p:close()
      wait_until(function() -- until the grandchild is reaped, or a zombie
        local state = process.read("/proc/" .. grandchild .. "/stat")
          :match "%) (%a)"
        return state == nil or state == "Z"
      end)
    end)
  end)

  it("ends even if other code has reaped it [UV8]", function()
    run(function()
      local p = aw.spawn { "true" }
      require "spec_fork".wait(p.pid)
      assert.are.same({ ok = false, lost = true }, p:wait())
      assert.is_false(p:kill())
      p:close()
    end)
  end)
end)

describe("a process of another engine", function()
  local function elsewhere(f)
    return pcall(aw.run, f, { clock = "virtual" })
  end

  it("cannot be waited for [S6]", function()
    run(function()
      local p <close> = aw.spawn { "cat" }
      local ok, err = elsewhere(function()
        p:wait()
      end)
      assert.is_false(ok)
      contains(err, "process " .. p.pid .. " 'cat' belongs to another engine")
    end)
  end)

  it("can be closed, and ends as soon as its own engine goes on [S6]",
    function()
      run(function()
        local p = aw.spawn { "sleep", "60" }
        assert.is_true(elsewhere(function()
          p:close()
        end))
        contains(tostring(p), "being ended")
        assert.are.same({ ok = false, signal = 15 }, p:wait())
        p:close()
      end)
    end)

  it("raises Closed in its readers when it is closed there [S6]", function()
    run(function(ev)
      local p <close> = aw.spawn { "cat" }
      local closed
      local reader = ev:start(function()
        p.stdout:read "l"
      end, function(_, err)
        closed = aw.is_closed(err)
      end)
      aw.sleep(0.001) -- the engine watches the pipe now
      elsewhere(function()
        p:close()
      end)
      pcall(reader.wait, reader)
      assert.is_true(closed)
    end)
  end)
end)

describe("what a child gets", function()
  local function output(t)
    t.stdin, t.stderr = "null", "inherit"
    local p <close> = aw.spawn(t)
    return p.stdout:read "a"
  end

  it("are the descriptors 0, 1 and 2, and no others [UV8]", function()
    run(function()
      local file <close> = assert(io.open "/proc/self/stat")
      local other <close> = aw.spawn { "sleep", "10" }
      assert.are.equal("0\n1\n2\n", output { "sh", "-c",
        "for f in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do "
        .. "[ -e /proc/$$/fd/$f ] && echo $f; done; true" })
      assert.is_truthy(file and other)
    end)
  end)

  it("are blocking pipes [UV13]", function()
    run(function()
      assert.are.equal("ok\n", output { "sh", "-c",
        "grep -q '^flags:.*04...$' /proc/$$/fdinfo/1 || echo ok" })
    end)
  end)

  it("is a folder and an environment, if given [API]", function()
    run(function()
      assert.are.equal("/\n", output { "pwd", cwd = "/" })
      assert.are.equal("A=1\nB=x y\n", output { "env",
        env = { A = 1, B = "x y" } })
      assert.are.equal("", output { "env", env = {} })
    end)
  end)

  it("can be shared: stderr with stdout [API]", function()
    run(function()
      local p <close> = aw.spawn { "sh", "-c", "echo a; echo b >&2; echo c",
        stderr = "stdout" }
      assert.is_nil(p.stderr)
      assert.are.equal("a\nb\nc\n", p.stdout:read "a")
    end)
  end)

  it("has the usual signals [UV9]", function()
    run(function()
      -- grep reads its own signals: a waiting shell blocks some for a moment.
      assert.are.equal("2\n", output { "grep", "-cE",
        "^Sig(Ign|Blk):.*0000$", "/proc/self/status" })
    end)
  end)

  it("are standard files even if the parent has none [UV13]", function()
    local code = [[
      local aw = require "aiowire"
      aw.run(function()
        local r = aw.exec { "sh", "-c", "read x; echo out; echo err >&2",
          stdin = "inherit" }
        local shown = r.out .. r.err
        r = aw.exec { "true", stdin = "inherit", stdout = "inherit",
          stderr = "inherit" }
        local f = assert(io.open("result", "w"))
        f:write(shown, tostring(r.ok))
        f:close()
      end)
    ]]
    for _, name in ipairs(process.sanitized and { "$aiowire" }
      or { "$aiowire", "$lua" }) do
      local outcome = process.run(
        "(" .. name .. " s.lua <&- >&- 2>&-); echo $? >code; cat code result",
        { ["s.lua"] = code })
      assert.are.equal("0\nout\nerr\ntrue", outcome.out)
    end
  end)
end)

describe("a failing aw.spawn", function()
  local function refused(expected, t)
    run(function()
      local ok, err = aw.pcall(aw.spawn, t)
      assert.is_false(ok)
      assert.is_true(aw.is_system_error(err), tostring(err))
      assert.are.same(expected, { err.code, err.call, err.about })
    end)
  end

  it("raises a SystemError, and the loop goes on [E4]", function()
    process.needs_failed_starts()
    refused({ "ENOENT", "spawn", "no-such-command" }, { "no-such-command" })
    refused({ "ENOENT", "spawn", "" }, { "" })
    refused({ "EACCES", "spawn", "/etc/passwd" }, { "/etc/passwd" })
    refused({ "ENOENT", "chdir", "/no/such" }, { "ls", cwd = "/no/such" })
    refused({ "ENOTDIR", "chdir", "/etc/passwd" },
      { "ls", cwd = "/etc/passwd" })
    refused({ "EINVAL", "spawn", "a (a zero byte in an argument)" },
      { "ls", "a\0b" })
    refused({ "EINVAL", "spawn", "A=1 (a zero byte in the environment)" },
      { "ls", env = { A = "1\0002" } })
    refused({ "EINVAL", "spawn", "/ (a zero byte in cwd)" },
      { "ls", cwd = "/\0etc" })
    refused({ "E2BIG", "spawn", "ls" }, { "ls", ("x"):rep(300000) })
  end)

  it("names errors that libuv does not know [E4]", function()
    process.needs_failed_starts()
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write "\127ELF\2\1\1\0garbage"
    file:close()
    os.execute("chmod 755 " .. path)
    run(function()
      for _, call in ipairs { aw.spawn, aw.exec } do
        local ok, err = aw.pcall(call, path)
        assert.is_false(ok)
        assert.are.same({ "ENOEXEC", 8, "spawn", path },
          { err.code, err.errno, err.call, err.about })
        assert.are.equal(("spawn '%s': exec format error"):format(path),
          err.message)
      end
    end)
    os.remove(path)
  end)

  it("refuses bad arguments [API]", function()
    raises("a command expected", aw.spawn, {})
    raises("table expected", aw.spawn)
    raises("word 2", aw.spawn, { "ls", true })
    raises("unknown option 'cwdd'", aw.spawn, { "ls", cwdd = "/" })
    raises("bad option 'stdin'", aw.spawn, { "ls", stdin = true })
    raises("bad option 'cwd'", aw.spawn, { "ls", cwd = 1 })
    raises("bad option 'env'", aw.spawn, { "ls", env = "A=1" })
    raises("bad option 'env'", aw.spawn, { "ls", env = { ["A=B"] = "x" } })
    raises("bad option 'env'", aw.spawn, { "ls", env = { "A=B" } })
    raises("bad option 'grace'", aw.spawn, { "ls", grace = -1 })
    raises("bad option 'max_line'", aw.spawn, { "ls", max_line = 0 })
    raises("process expected", function()
      run(function()
        local p <close> = aw.spawn { "true" }
        p.wait {}
      end)
    end)
  end)

  local greedy = [[
      local aw = require "aiowire"
      local kept = {}
      for _ = 1, 20 do
        local ok, err = aw.pcall(aw.spawn, { "cat" })
        if not ok then
          assert(aw.is_system_error(err), err)
          assert(err.code == "EMFILE", err)
          break
        end
        kept[#kept + 1] = err
      end
      for _, p in ipairs(kept) do
        p:close()
      end
      if #kept > 0 then
        assert(aw.exec("true").ok)
      end]]

  for first = 0, 48, 7 do
    it(("survives running out of descriptors, limits base+%d on [UV2]")
      :format(first), function()
      local step = process.sanitized and 7 or 1
      local outcome = process.run(([[
        base=$(ls /proc/self/fd | wc -l)
        for i in $(seq %d %d %d); do
          ( ulimit -n $((base + i)); exec $aiowire s.lua ) >out 2>&1
          code=$?
          [ $code -eq 0 ] || grep -qi "too many open files" out ||
            { echo "limit base+$i: $code"; cat out; }
        done
        echo done]]):format(first, step, math.min(first + 6, 48)),
        { ["s.lua"] = greedy })
      assert.are.equal("done\n", outcome.out)
    end)
  end

  it("survives running out of processes [UV8]", function()
    local outcome = process.run([[
      [ $(id -u) = 0 ] || { echo EAGAIN; exit; }
      chmod 755 . && cp $aiowire ./aiowire && chmod 755 aiowire s.lua
      ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --clear-groups \
        prlimit --nproc=1 ./aiowire s.lua 2>&1]], { ["s.lua"] = [[
      local aw = require "aiowire"
      local ok, err = aw.pcall(aw.exec, "true")
      print(ok and "no limit" or err.code)
    ]] })
    assert.are.equal("EAGAIN\n", outcome.out)
  end)
end)

describe("many processes", function()
  it("leave no zombie and no descriptor [UV8]", function()
    run(function()
      local left, ok = SPAWNS, 0
      aw.scope(function(s)
        for _ = 1, 64 do
          s:start(function()
            while left > 0 do
              left = left - 1
              local n = tostring(left)
              local r = aw.exec("echo", n)
              ok = r.out == n .. "\n" and ok + 1 or ok
            end
          end)
        end
      end)
      assert.are.equal(SPAWNS, ok)
    end)
  end)

  it("may fail to start, and be killed at random [UV8]", function()
    process.needs_failed_starts()
    run(function()
      local failed, killed = 0, 0
      aw.scope(function(s)
        for i = 1, SPAWNS // 10 do
          s:start(function()
            if i % 2 == 0 then
              local ok = aw.pcall(aw.spawn, { "no-such-command" })
              failed = failed + (ok and 0 or 1)
              return
            end
            local p <close> = aw.spawn { "sleep", "10" }
            aw.sleep(i % 7 / 1000)
            os.execute("kill -9 " .. p.pid)
            local signal = p:wait().signal
            killed = killed + (signal == 9 and 1 or 0)
          end)
        end
      end)
      assert.are.equal(SPAWNS // 20, failed)
      assert.are.equal(SPAWNS // 20, killed)
    end)
  end)

  it("that still run are ended with the program [UV8]", function()
    local outcome = process.run([[
      $aiowire s.lua >pids
      for pid in $(cat pids); do [ -e /proc/$pid ] && echo "$pid is left"; done
      true]], { ["s.lua"] = [[
      local aw = require "aiowire"
      held = {}
      for i = 1, 5 do
        held[i] = aw.spawn { "sleep", "10" }
        print(held[i].pid)
      end
    ]] })
    assert.are.equal("", outcome.out .. outcome.err)
  end)
end)
