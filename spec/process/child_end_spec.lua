-- How the library notices the end of a child [UV8], whatever the program does
-- with SIGCHLD, and even if other code reaps the child.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local CHLD <const>, EPERM <const>, ENOSYS <const> = 17, 1, 38

local function assert_ok(outcome, interpreter)
  if outcome.code ~= 0 or outcome.out ~= "ok\n" then
    texts.contains(interpreter .. ": " .. outcome.out .. outcome.err, "ok\n")
  end
end

--- A script: exec, wait and close in several orders. Nothing may be left.
local ends = process.prelude .. [[
  aw.run(function()
    local r = aw.exec("sh", "-c", "echo out; exit 3")
    assert(r.out == "out\n" and r.code == 3)
    local p <close> = aw.spawn { "cat" }
    local q <close> = aw.spawn { "true" }
    assert(q:wait().ok)
    p.stdin:shutdown()
    assert(p:wait().ok)
    local group <close> = aw.spawn { "sh", "-c", "exit 4", group = true }
    assert(group:wait().code == 4)
    local k <close> = aw.spawn { "sleep", "30" }
    k:kill "KILL"
    assert(k:wait().signal == 9)
    aw.spawn({ "sleep", "30" }):close()
  end)
  assert(require "spec_fork".reap_any() == 0, "a zombie is left")
  say "ok"
]]

describe("the end of a child", function()
  it("is noticed with SIGCHLD blocked [UV8]", function()
    process.each("block=" .. CHLD, ends, assert_ok)
  end)

  it("is noticed where the kernel has no pidfd [UV8]", function()
    process.each("forbid_pidfd=" .. ENOSYS, ends, assert_ok)
  end)

  it("is noticed where a filter forbids pidfds, and SIGCHLD is blocked [UV8]",
    function()
      process.each(("forbid_pidfd=%d block=%d"):format(EPERM, CHLD), ends,
        assert_ok)
    end)

  it("is noticed while a task waits for SIGCHLD, too [H5]", function()
    for _, state in ipairs { "", "forbid_pidfd=" .. EPERM } do
      process.each(state, process.prelude .. [[
        aw.run(function()
          local told = aw.start(function() aw.signal "CHLD" end)
          aw.yield()
          assert(aw.exec("true").ok)
          told:wait()
        end)
        say "ok"
      ]], assert_ok)
    end
  end)

  it("is reported without a status when SIGCHLD is ignored [UV8]", function()
    process.each("ignore=" .. CHLD, process.prelude .. [[
      aw.run(function()
        local r = aw.exec("echo", "out")
        assert(r.out == "out\n" and r.lost and not r.ok)
        local p = aw.spawn { "cat" }
        p.stdin:shutdown()
        assert(p:wait().lost)
        assert(not p:kill())
        p:close()
        local many = {}
        for i = 1, 20 do
          many[i] = aw.spawn { "true" }
        end
        for _, q in ipairs(many) do
          assert(q:wait().lost)
          q:close()
        end
        aw.spawn({ "sleep", "30" }):close()
        aw.spawn({ "sleep", "30", group = true }):close()
      end)
      say "ok"
    ]], assert_ok)
  end)

  it("ends the wait even if another library reaps all children [UV8]",
    function()
      process.each("", process.prelude .. [[
        local fork = require "spec_fork"
        aw.run(function()
          local p <close> = aw.spawn { "cat" }
          local q <close> = aw.spawn { "cat", group = true }
          p:kill "KILL"
          q:kill "KILL"
          local count = 0
          repeat
            count = count + fork.reap_any()
          until count == 2
          assert(p:wait().lost and q:wait().lost)
          assert(not p:kill())
        end)
        say "ok"
      ]], assert_ok)
    end)

  it("does not change the signals of the process [EM6]", function()
    process.each("block=" .. CHLD, process.prelude .. [[
      local function signals()
        local file <close> = io.open "/proc/self/status"
        local text = file:read "a"
        local caught = tonumber(text:match "SigCgt:%s*(%x+)", 16)
        return text:match "SigBlk:%s*(%x+)", caught & 1 << 16
      end
      local blocked, caught = signals()
      assert(tonumber(blocked, 16) & 1 << 16 ~= 0 and caught == 0)
      aw.run(function()
        local p <close> = aw.spawn { "cat" }
        aw.yield()
        local now, handler = signals()
        assert(now == blocked and handler == 0)
      end)
      assert(signals() == blocked)
      say "ok"
    ]], assert_ok)
  end)
end)

describe("a child", function()
  it("has no blocked or ignored signal, even if its parent has [UV9]",
    function()
      process.each("block=2 block=10 block=17 ignore=1 ignore=17 ignore=20",
        process.prelude .. [[
          aw.run(function()
            local p <close> = aw.spawn { "grep", "-cE",
              "^Sig(Ign|Blk):.*0{7}$", "/proc/self/status" }
            assert(p.stdout:read() == "2")
          end)
          say "ok"
        ]], assert_ok)
    end)

  it("is not started if it could not be watched [UV2]", function()
    process.each("", process.prelude .. [[
      local function count()
        local n = 0
        local file <close> = io.open "/proc/thread-self/children"
        for _ in file:read "a":gmatch "%d+" do
          n = n + 1
        end
        return n
      end
      aw.run(function()
        assert(aw.exec("true").ok)
        io.popen("prlimit --nofile=64:64 --pid $PPID"):close()
        local hold = {}
        repeat
          local file = io.open "/dev/null"
          hold[#hold + 1] = file
        until not file
        local ok, err = aw.pcall(aw.spawn, { "touch", "started",
          stdin = "null", stdout = "null", stderr = "null" })
        assert(not ok and aw.is_system_error(err) and err.code == "EMFILE",
          tostring(err))
        table.remove(hold):close()
        assert(count() == 0)
        table.remove(hold):close()
        local p <close> = aw.spawn { "true", stdin = "null", stdout = "null",
          stderr = "null" }
        assert(p:wait().ok)
      end)
      assert(not io.open "started")
      say "ok"
    ]], assert_ok)
  end)

  it("of a program that forks is not touched by the forked child [UV16]",
    process.under_stock(function()
      assert_ok(process.stock(process.prelude .. [[
        local fork = require "spec_fork"
        local p
        aw.run(function()
          p = aw.spawn { "cat" }
          p.stdin:write "still\n"
        end)
        local pid = fork.fork()
        if pid == 0 then
          assert(not p:kill())
          p = nil
          collectgarbage()
          collectgarbage()
          os.exit(0, true)
        end
        assert(fork.wait(pid) == 0)
        aw.run(function()
          assert(p.stdout:read() == "still")
          p.stdin:shutdown()
          assert(p:wait().ok)
        end)
        say "ok"
      ]]), "lua")
    end))
end)

describe("a wait for a child", function()
  it("is woken only by the end of the child [UV8]", function()
    helper.run(function()
      local p <close> = aw.spawn { "cat" }
      local other <close> = aw.spawn { "cat" }
      other.stdin:shutdown()
      assert.is_true(other:wait().ok)
      assert.is_true(aw.is_timeout(helper.raises("", aw.timeout, 0.01, p.wait,
        p)))
    end)
  end)
end)
