-- Streams over the pipes of a child: the same reads and writes as Lua's files
-- have [C10, UV11].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local raises, run = helper.raises, helper.run
local wait_until = helper.wait_until
local contains = texts.contains

--- Runs a line of shell. Returns the stream of its output, and the process.
local function output_of(line, opts)
  local command = { "sh", "-c", line, stdin = "null", stderr = "inherit" }
  for key, value in pairs(opts or {}) do
    command[key] = value
  end
  local proc = aw.spawn(command)
  return proc.stdout, proc
end

describe("a stream that is read", function()
  it("gives lines, without and with their ends, and nil at the end [API]",
    function()
      run(function()
        local s, p = output_of "printf 'a\\n\\nlast'"
        assert.are.equal("a", s:read())
        assert.are.equal("\n", s:read "L")
        assert.are.equal("last", s:read "l")
        assert.is_nil(s:read "l")
        assert.is_nil(s:read(1))
        assert.are.equal("", s:read "a")
        p:close()
      end)
    end)

  it("reads several formats at once, up to the first nil [API]", function()
    run(function()
      local s, p = output_of "printf '12345one\\ntwo\\nrest'"
      local list = table.pack(s:read(2, 3, "l", "*L", "a"))
      assert.are.same({ "12", "345", "one", "two\n", "rest", n = 5 }, list)
      list = table.pack(s:read("l", "a"))
      assert.are.same({ n = 1 }, list)
      p:close()
    end)
  end)

  it("waits until the requested number of bytes is there [API]", function()
    run(function()
      local s, p = output_of [[printf ab; sleep 0.02; printf cd
        sleep 0.02; printf e]]
      assert.are.equal("abc", s:read(3))
      assert.are.equal("de", s:read(10))
      assert.is_nil(s:read(10))
      p:close()
    end)
  end)

  it("answers read(0) with whether there is more [API]", function()
    run(function()
      local s, p = output_of "printf x"
      assert.are.equal("", s:read(0))
      assert.are.equal("x", s:read "a")
      assert.is_nil(s:read(0))
      p:close()
    end)
  end)

  it("gives the available bytes with read_some [API]", function()
    run(function()
      local s, p = output_of "printf hello"
      assert.are.equal("he", s:read_some(2))
      assert.are.equal("llo", s:read_some())
      assert.is_nil(s:read_some())
      p:close()
    end)
  end)

  it("is read in a `for` loop by lines, with formats too [API]", function()
    run(function()
      local s, p = output_of "seq 1000"
      local sum = 0
      for line in s:lines() do
        sum = sum + line
      end
      assert.are.equal(500500, sum)
      p:close()
      s, p = output_of "printf abcdef"
      local pairs_read = {}
      for a, b in s:lines(1, 2) do
        pairs_read[#pairs_read + 1] = a .. "-" .. b
      end
      assert.are.same({ "a-bc", "d-ef" }, pairs_read)
      p:close()
    end)
  end)

  it("carries zero bytes and large chunks [API]", function()
    run(function()
      local s, p = output_of
        "printf 'a\\0b\\n'; head -c 3000000 /dev/zero; printf '\\nend\\n'"
      assert.are.equal("a\0b", s:read())
      s:configure { max_line = 4000000 }
      assert.are.equal(("\0"):rep(3000000), s:read())
      assert.are.equal("end", s:read())
      p:close()
    end)
  end)

  it("refuses a line over max_line, and keeps it [SE5]", function()
    run(function()
      local s, p = output_of("printf 'short\\n'; head -c 5000 /dev/zero",
        { max_line = 100 })
      assert.are.equal("short", s:read())
      local err = raises("max_line, 100 bytes", s.read, s)
      assert.are.equal("EMSGSIZE", err.code)
      assert.are.equal(5000, #s:read(5000))
      p:close()
    end)
  end)

  it("refuses unknown formats at the caller's line [API]", function()
    run(function()
      local s, p = output_of "printf x"
      raises("invalid format", s.read, s, "n")
      raises("invalid format", s.lines, s, "x")
      raises("not negative", s.read, s, -1)
      raises("number has no integer", s.read, s, 1.5)
      raises("positive", s.read_some, s, 0)
      raises("stream expected", s.read, {})
      raises("stream expected", s.read, io.stdin)
      p:close()
    end)
  end)

  it("cannot be read outside a task [C11]", function()
    helper.outside(raises, "cannot await outside a task", aw.stdin.read,
      aw.stdin)
  end)

  it("lets other tasks run while there are lines [F3]", function()
    run(function(ev)
      local s, p = output_of "seq 2000"
      p:wait() -- the whole output is in the pipe
      local turns, over = 0, false
      ev:start(function()
        while not over do
          turns = turns + 1
          aw.yield()
        end
      end)
      for _ in s:lines() do end
      over = true
      assert.is_true(turns >= 2000 // 64, turns)
      p:close()
    end)
  end)
end)

describe("a cancelled read", function()
  it("leaves the bytes that have come in the stream [C10]", function()
    run(function()
      local p = aw.spawn { "sh", "-c",
        "printf half; read x; printf ' line\\n'" }
      local s = p.stdout
      local _, why = aw.scope({ timeout = 0.1 }, function()
        s:read()
      end)
      assert.are.equal("cancelled", why)
      aw.scope({ timeout = 0.02 }, function()
        s:read(100)
      end)
      p.stdin:write "go\n"
      assert.are.equal("half line", s:read())
      p:close()
    end)
  end)

  it("of several formats takes nothing [C10]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "printf 'a\\nb'; read x; printf 'c\\n'" }
      aw.scope({ timeout = 0.1 }, function()
        p.stdout:read("l", "l", "l")
      end)
      p.stdin:write "\n"
      assert.are.equal("a", p.stdout:read())
      assert.are.equal("bc", p.stdout:read())
      p:close()
    end)
  end)
end)

describe("a stream that is written", function()
  it("returns itself, and takes strings and numbers [API]", function()
    run(function()
      local p = aw.spawn { "cat" }
      assert.are.equal(p.stdin, p.stdin:write("a", 1, 2.5))
      p.stdin:write():write("\n"):shutdown()
      assert.are.equal("a12.5\n", p.stdout:read "a")
      raises("string expected", p.stdin.write, p.stdin, {})
      p:close()
    end)
  end)

  it("does not wait below high_water [UV11]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "read x; cat" }
      p.stdin:write(("x"):rep(200 * 1024) .. "\n")
      p.stdin:write "second\n"
      p.stdin:shutdown()
      assert.are.equal("second\n", p.stdout:read "a")
      p:close()
    end)
  end)

  it("waits above high_water until the reader reads [UV11]", function()
    run(function(ev)
      local p = aw.spawn { "sleep", "10" }
      local written = 0
      local writer = ev:start(function()
        while true do
          p.stdin:write(("x"):rep(10000))
          written = written + 10000
        end
      end)
      aw.sleep(0.05)
      local before = written
      aw.sleep(0.02)
      assert.are.equal(before, written)
      assert.is_true(written <= 64 * 1024 + 256 * 1024 + 10000, written)
      writer:cancel_wait()
      p:close()
    end)
  end)

  it("keeps the order of its writers, also of large writes [C10]", function()
    run(function(ev)
      local p = aw.spawn { "cat" }
      for i = 1, 4 do
        ev:start(function()
          p.stdin:write((tostring(i)):rep(700000))
        end)
      end
      ev:start(function()
        aw.yield()
        p.stdin:shutdown()
      end)
      local text = p.stdout:read "a"
      assert.are.equal(2800000, #text)
      for i = 1, 4 do
        local one = (tostring(i)):rep(700000)
        assert.are.equal(one, text:match(i .. "+"))
      end
      p:close()
    end)
  end)

  it("sends nothing before what is queued, though there is room [C10]",
    function()
      run(function()
        local taken = os.tmpname()
        os.remove(taken)
        local p = aw.spawn { "sh", "-c",
          "head -c 65536 >/dev/null; touch " .. taken .. "; cat" }
        p.stdin:write(("x"):rep(100000)) -- more than a pipe takes
        local file
        repeat -- without an await, so that the data stays in the queue
          file = io.open(taken)
        until file
        file:close()
        os.remove(taken)
        p.stdin:write "tail"
        p.stdin:shutdown()
        assert.are.equal("xtail", (p.stdout:read "a"):sub(-5))
        p:close()
      end)
    end)

  it("mixes nothing into a large write that waits [C10]", function()
    run(function(ev)
      local p = aw.spawn { "cat" }
      ev:start(function()
        p.stdin:write(("x"):rep(700000))
        p.stdin:shutdown()
      end)
      for turns = 1, 300 do
        ev:start(function()
          for _ = 1, turns do
            aw.yield()
          end
          pcall(p.stdin.write, p.stdin, "y")
        end)
      end
      local text = p.stdout:read "a"
      assert.are.equal(700000, #text:match "x+")
      p:close()
    end)
  end)

  it("is broken by a large write that is cancelled half-way [C10]", function()
    run(function()
      local p = aw.spawn { "sleep", "10" }
      local _, why = aw.scope({ timeout = 0.03 }, function()
        p.stdin:write(("x"):rep(1000000))
      end)
      assert.are.equal("cancelled", why)
      local err = raises("cancelled half way", p.stdin.write, p.stdin, "y")
      assert.are.equal("ECANCELED", err.code)
      contains(tostring(p.stdin), "broken")
      p:close()
    end)
  end)

  it("is not broken by a write cancelled before it began [C10]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", [[
        trap go=1 USR1; echo ready
        while [ -z "$go" ]; do sleep 0.01; done
        wc -c]] }
      assert.are.equal("ready", p.stdout:read())
      p.stdin:write(("x"):rep(64 * 1024 + 256 * 1024)) -- fills pipe and queue
      aw.scope({ timeout = 0.01 }, function()
        p.stdin:write "never"
      end)
      p:kill "USR1"
      p.stdin:write "tail"
      p.stdin:shutdown()
      assert.are.equal(320 * 1024 + 4, math.tointeger(
        tonumber((p.stdout:read "a"))))
      p:close()
    end)
  end)

  it("raises EPIPE, and no signal, if there is no reader [UV9]", function()
    run(function()
      local p = aw.spawn { "true" }
      p:wait()
      local err = raises("broken pipe", p.stdin.write, p.stdin, "x")
      assert.are.equal("EPIPE", err.code)
      assert.are.equal("write", err.call)
      assert.are.equal("stdin of true", err.about)
      p:close()
    end)
  end)

  it("raises the error of a queued write at a later write [UV11]", function()
    run(function()
      local p = aw.spawn { "sleep", "10" }
      p.stdin:write(("x"):rep(200 * 1024))
      p:kill()
      p:wait()
      aw.sleep(0.01) -- the queued data fails in one turn of the loop
      raises("broken pipe", p.stdin.write, p.stdin, "x")
      p:close()
    end)
  end)

  it("refuses the direction that it does not have [API]", function()
    run(function()
      local p = aw.spawn { "cat" }
      raises("write", p.stdout.write, p.stdout, "x")
      raises("read", p.stdin.read, p.stdin)
      raises("read", p.stdin.lines, p.stdin)
      p.stdin:shutdown()
      p.stdin:shutdown()
      raises("broken pipe", p.stdin.write, p.stdin, "x")
      p:close()
    end)
  end)
end)

describe("a closed stream", function()
  it("ends all waits with Closed [API]", function()
    run(function(ev)
      local p = aw.spawn { "sleep", "10" }
      local errors = {}
      local function noted(f, ...)
        local _, err = aw.pcall(f, ...)
        errors[#errors + 1] = aw.is_closed(err)
      end
      ev:start(function()
        noted(p.stdout.read, p.stdout)
      end)
      ev:start(function()
        noted(p.stdout.read_some, p.stdout)
      end)
      ev:start(function()
        noted(p.stdin.write, p.stdin, ("x"):rep(1000000))
      end)
      ev:start(function()
        noted(p.stdin.write, p.stdin, "x")
      end)
      aw.sleep(0.02)
      p.stdout:close()
      p.stdin:close()
      wait_until(function()
        return #errors == 4
      end)
      assert.are.same({ true, true, true, true }, errors)
      p:close()
    end)
  end)

  it("says that it is closed, and may be closed again [API]", function()
    run(function()
      local p = aw.spawn { "cat" }
      do
        local s <close> = p.stdout
        contains(tostring(s), "stdout of cat' (open)")
      end
      p.stdout:close()
      contains(tostring(p.stdout), "(closed)")
      assert.is_true(aw.is_closed(raises("Closed", p.stdout.read, p.stdout)))
      assert.is_true(aw.is_closed(raises("Closed", function()
        for _ in p.stdout:lines() do end
      end)))
      raises("Closed", p.stdout.getfd, p.stdout)
      p.stdin:close()
      raises("Closed", p.stdin.write, p.stdin, "x")
      p:close()
    end)
  end)

  it("still sends its written bytes [UV11]", function()
    run(function()
      local p = aw.spawn { "sh", "-c", "sleep 0.05; wc -c" }
      p.stdin:write(("x"):rep(300000))
      p.stdin:close()
      assert.are.equal(300000, math.tointeger(tonumber(p.stdout:read "a")))
      p:close()
    end)
  end)

  it("is closed when it is garbage [LU11]", function()
    run(function()
      local s = output_of "printf x; exec sleep 10"
      assert.are.equal("x", s:read(1))
      s = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      wait_until(function() -- until the process has ended and is reaped
        return aw.stats().handles == 0
      end)
    end)
  end)
end)

describe("a wait for a stream or a process", function()
  it("names its method and its object [D1]", function()
    run(function(ev)
      local p <close> = aw.spawn { "cat", stderr = "inherit", grace = 0 }
      local long = ("x"):rep(400000)
      local bodies = {
        ["stream:read stdout of cat"] = function() p.stdout:read() end,
        ["stream:read_some stdout of cat"] = function()
          p.stdout:read_some()
        end,
        ["stream:lines stdout of cat"] = function()
          for _ in p.stdout:lines() do end
        end,
        ["process:wait " .. p.pid .. " 'cat'"] = function() p:wait() end,
      }
      for label, body in pairs(bodies) do
        local task = ev:start(body)
        aw.yield()
        assert.are.equal(label, task.waiting)
        contains(ev:dump(), label)
        task:cancel_wait()
      end
      p:kill "STOP"
      -- The order matters: a write that is cancelled half way breaks the
      -- stream.
      local writers = { { "stream:shutdown stdin of cat", function()
        p.stdin:shutdown()
      end }, { "stream:write stdin of cat", function()
        p.stdin:write(long, long)
      end } }
      p.stdin:write(long:sub(1, 300000))
      for _, writer in ipairs(writers) do
        local label, task = writer[1], ev:start(writer[2])
        aw.yield()
        assert.are.equal(label, task.waiting)
        task:cancel_wait()
      end
    end)
  end)

  it("names its method where no await is possible [C11]", function()
    run(function()
      local p <close> = aw.spawn { "cat", stderr = "inherit" }
      local calls = {
        ["stream:read"] = function() p.stdout:read() end,
        ["stream:read_some"] = function() p.stdout:read_some() end,
        ["stream:lines"] = p.stdout:lines(),
        ["stream:write"] = function() p.stdin:write "x" end,
        ["stream:shutdown"] = function() p.stdin:shutdown() end,
        ["process:wait"] = function() p:wait() end,
      }
      for name, call in pairs(calls) do
        raises("cannot await inside 'sort' (" .. name .. ")", function()
          table.sort({ 1, 2 }, function()
            call(p.stdout)
          end)
        end)
      end
    end)
  end)
end)

describe("an operation on a stream or a process", function()
  local function cat(f)
    return function()
      local p <close> = aw.spawn { "cat" }
      f(p)
    end
  end
  local long = ("x"):rep(1000000)

  local operations = {
    ["read a line"] = cat(function(p)
      p.stdin:write "no end"
      p.stdout:read()
    end),
    ["read bytes"] = cat(function(p)
      p.stdin:write "abc"
      p.stdout:read(10)
    end),
    ["read_some"] = cat(function(p)
      p.stdout:read_some()
    end),
    ["lines"] = cat(function(p)
      p.stdin:write "a\nb\n"
      for _ in p.stdout:lines() do end
    end),
    ["write"] = cat(function(p)
      p.stdin:write(long, long)
    end),
    ["write, and read what comes back"] = cat(function(p)
      aw.scope(function(s)
        s:start(function()
          p.stdin:write(long):shutdown()
        end)
        p.stdout:read "a"
      end)
    end),
    ["shutdown"] = cat(function(p)
      p.stdin:write(long:sub(1, 300000))
      p.stdin:shutdown()
    end),
    ["wait"] = cat(function(p)
      p:wait()
    end),
    ["close"] = cat(function(p)
      p:close()
    end),
  }

  for name, operation in pairs(operations) do
    it("leaves nothing behind when cancelled at any moment: " .. name
      .. " [C3, C10, L3]", function()
      for k = 0, helper.gc_stress and 4 or 24 do
        run(function(ev)
          local task = ev:start(operation)
          for _ = 1, k % 12 do
            aw.yield()
          end
          if k >= 12 then
            aw.sleep((k - 12) / 2000)
          end
          task:cancel_wait()
        end)
      end
    end)
  end
end)

describe("a stream in a race", function()
  it("is an event, and may be an operand of Select [V3, H4]", function()
    run(function()
      local s, p = output_of "echo a; exec cat"
      local key = aw.await(aw.Select { out = aw.Readable(s), late = aw.Never })
      assert.are.equal("out", key)
      assert.are.equal("a", s:read())
      p:close()
    end)
  end)

  it("is readable while its buffer holds bytes [Q6]", function()
    run(function()
      local s, p = output_of "printf 'a\\nb\\n'; exec sleep 60"
      assert.are.equal("a", s:read())
      local key = aw.await(aw.Race { aw.Readable(s), aw.Sleep(0) })
      assert.are.equal(1, key)
      assert.are.equal("b", s:read())
      p:close()
    end)
  end)

  it("takes no data when it loses [H3]", function()
    run(function()
      local p <close> = aw.spawn { "cat", grace = 0 }
      local key = aw.await(aw.Select { aw.Readable(p.stdout), aw.Sleep(0.01) })
      assert.are.equal(2, key)
      p.stdin:write "later\n"
      assert.are.equal("later", p.stdout:read())
    end)
  end)

  it("is writable at once while its queue is empty [Q6]", function()
    run(function()
      local p <close> = aw.spawn { "cat", grace = 0 }
      local key = aw.await(aw.Select { aw.Writable(p.stdin), aw.Never })
      assert.are.equal(1, key)
    end)
  end)

  it("fails with Closed when it is closed [Q3]", function()
    run(function(ev)
      local p <close> = aw.spawn { "cat", grace = 0 }
      local waiter = ev:start(aw.Readable(p.stdout) | aw.Never,
        function(_, err)
          assert.is_true(aw.is_closed(err))
        end)
      aw.yield()
      aw.yield()
      p.stdout:close()
      pcall(waiter.wait, waiter)
      assert.are.equal("failed", waiter.status)
    end)
  end)
end)
