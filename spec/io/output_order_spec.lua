-- aw.stdout and aw.stderr beside print, io.write and child processes: output
-- appears in the order of the writes, and lines stay whole.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local raises, run = helper.raises, helper.run

--- Check the output of a script under each interpreter. `through` is appended
--- to the command, as a pipe or a redirection.
local function writes(expected, code, through)
  for _, name in ipairs(process.sanitized and { "$aiowire" }
    or { "$aiowire", "$lua" }) do
    local outcome = process.run(("%s s.lua%s"):format(name, through or ""),
      { ["s.lua"] = process.prelude .. code })
    assert.are.equal("", outcome.err)
    if expected ~= outcome.out then
      assert.are.equal(expected:sub(1, 1000), outcome.out:sub(1, 1000))
      error("it differs after 1000 bytes", 0)
    end
  end
end

describe("the output of print, io.write and aw.stdout", function()
  it("keeps the order of the calls in a pipe", function()
    writes("1\n2 3\n4 5\n6\n", [[
      print "1"
      io.write "2 "
      aw.run(function()
        aw.stdout:write "3\n"
        io.write "4 "
        aw.stdout:write "5\n"
        print "6"
      end)
    ]])
  end)

  it("keeps the order of the calls in a file", function()
    writes("1 2\n3\n", [[
      io.write "1 "
      aw.run(function()
        aw.stdout:write "2\n"
        print "3"
      end)
    ]], " >out; cat out")
  end)

  it("keeps the order of the calls when the reader is slow", function()
    local x, y = ("x"):rep(300000), ("y"):rep(300000)
    writes(("%s\nab\n%s\nc\n"):format(x, y), [[
      aw.run(function()
        aw.stdout:write(("x"):rep(300000), "\n")
        print "ab"
        io.write(("y"):rep(300000), "\n")
        aw.stdout:write "c\n"
      end)
    ]], " | (sleep 0.1; cat)")
  end)

  it("has whole lines when tasks write at the same time", function()
    writes("", [[
      local line = ("x"):rep(99)
      aw.run(function()
        aw.scope(function(s)
          s:start(function()
            aw.stdout:write((line .. "\n"):rep(3000))
          end)
          s:start(function()
            for _ = 1, 300 do
              print(line)
              aw.yield()
            end
          end)
        end)
      end)
    ]], " | (sleep 0.1; grep -vx 'x\\{99\\}')")
  end)

  it("keeps its order with the output of children", function()
    writes("1 2 3 4 5 6", [[
      io.write "1 "
      aw.run(function()
        aw.exec { "printf", "2 ", stdout = "inherit" }
        io.write "3 "
        aw.exec { "printf", "4 ", stdout = io.stdout }
        io.write "5 "
        aw.exec { "printf", "6", stdout = aw.stdout }
      end)
    ]])
  end)

  it("keeps the order of the calls on standard error, too", function()
    writes("a b c", [[
      io.stderr:setvbuf "full"
      aw.run(function()
        io.stderr:write "a "
        aw.stderr:write "b "
        io.stderr:write "c"
      end)
    ]], " 2>&1")
  end)
end)

describe("aw.stdout:flush", function()
  it("sends the buffer of io.write, and returns the stream", function()
    writes("kept 4\n", [[
      aw.run(function()
        io.write "kept"
        assert(aw.stdout:flush() == aw.stdout)
        local n = #aw.exec { "cat", "out" }.out
        io.write(" ", n, "\n")
      end)
    ]], " >out; cat out")
  end)

  it("cannot be called outside a task [C11]", function()
    helper.outside(raises, "cannot await outside a task", aw.stdout.flush,
      aw.stdout)
  end)
end)

describe("the flush of a stream", function()
  it("waits until the kernel has all data", function()
    run(function(ev)
      local cat <close> = process.stopped "cat >/dev/null"
      cat.stdin:write(("x"):rep(200 * 1024))
      local flushed = false
      local task = ev:start(function()
        cat.stdin:flush()
        flushed = true
      end)
      aw.sleep(0.005)
      assert.is_false(flushed)
      cat:kill "CONT"
      task:wait()
      assert.is_true(flushed)
      cat.stdin:shutdown()
    end)
  end)

  it("ends at once if nothing waits to be sent", function()
    run(function(ev)
      local cat <close> = aw.spawn { "cat" }
      local turned = false
      ev:start(function() turned = true end)
      assert.are.equal(cat.stdin, cat.stdin:flush())
      assert.is_false(turned)
    end)
  end)

  it("changes nothing when it is cancelled [C10]", function()
    run(function()
      local cat <close> = process.stopped "read x; cat"
      local text = ("x"):rep(200 * 1024)
      cat.stdin:write(text)
      local _, why = aw.scope({ timeout = 0.005 }, function()
        cat.stdin:flush()
      end)
      assert.are.equal("cancelled", why)
      cat:kill "CONT"
      cat.stdin:write("\n", "rest")
      cat.stdin:shutdown()
      assert.are.equal("rest", cat.stdout:read "a")
    end)
  end)

  it("raises the error of a broken stream", function()
    run(function()
      local cat <close> = aw.spawn { "cat" }
      local err = helper.caught(cat.stdout.flush, cat.stdout)
      assert.are.equal("EBADF", err.code)
      assert.are.equal("flush", err.call)
      cat.stdin:close()
      err = helper.caught(cat.stdin.flush, cat.stdin)
      assert.is_true(aw.is_closed(err))
      assert.are.equal("Closed: flush of stdin of cat", err.message)
    end)
  end)
end)
