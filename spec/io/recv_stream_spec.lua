-- aw.Recv of a stream: an event that reads what is there [X9].

local aw = require "aiowire"
local d = require "spec_descriptors"
local helper = require "spec.support.helper"
local socketpairs = require "spec.support.socketpairs"
local texts = require "spec.support.texts"

local run, wait_until = helper.run, helper.wait_until

local function with_pair(f)
  return socketpairs.connected("tcp", f)
end

describe("Recv(stream)", function()
  it("gives what has come, now or later, and nil at the end [X9]",
    with_pair(function(ev, a, b)
      local task = helper.waiting(ev, aw.Recv(b))
      a:write "later"
      assert.are.equal("later", task:wait())
      assert.are.equal("later", task:wait())
      a:write "one\ntwo"
      assert.are.equal("one", b:read())
      assert.are.equal("two", aw.await(aw.Recv(b)))
      a:close()
      assert.are.same({ n = 1 }, table.pack(aw.await(aw.Recv(b))))
      assert.are.same({ n = 1 }, table.pack(aw.await(aw.Recv(b))))
    end))

  it("is an event of a choice, and takes nothing if it loses [X9, H3]",
    with_pair(function(_, a, b)
      assert.are.equal("timer", aw.select { data = aw.Recv(b),
        timer = aw.Sleep(0.001) })
      a:write "x"
      local key, text = aw.select { data = aw.Recv(b), never = aw.Never }
      assert.are.same({ "data", "x" }, { key, text })
      a:write "y"
      assert.are.equal(1, (aw.race { aw.Readable(b), aw.Never }))
      local set = aw.event()
      set:set()
      aw.await(aw.Wait(set) | aw.Recv(b) / error)
      assert.are.equal("Y", aw.await(aw.Recv(b) / string.upper | aw.Never))
    end))

  it("leaves the bytes if its result is not taken [X9]",
    with_pair(function(ev, a, b)
      a:write "kept"
      aw.await(aw.Recv(b) >> aw.Value(1))
      ev:start(aw.Recv(b))
      aw.yield()
      assert.are.equal("kept", b:read_some())
    end))

  it("leaves the bytes of a killed task [X9, C9]", function()
    helper.leak_checked(function()
      local a, b = socketpairs.pair()
      do
        local ev <close> = aw.EventLoop { grace = 0 }
        ev:start(function()
          a:write "kept"
          local task = ev:start(aw.Recv(b))
          wait_until(function()
            return b:dirty()
          end)
          task:cancel()
        end)
        ev:run()
      end
      assert.are.equal("kept", aw.run(aw.Call(b.read_some, b)))
      a:close()
      b:close()
    end)
  end)

  it("gives an empty string if another task was quicker [X9]",
    with_pair(function(ev, a, b)
      local list = {}
      for i = 1, 2 do
        ev:start(function()
          list[i] = aw.await(aw.Recv(b))
        end)
      end
      aw.yield()
      a:write "one"
      wait_until(function()
        return list[1] and list[2]
      end)
      assert.are.same({ "one", "" }, list)
    end))

  it("fails as a read does [X9]", function()
    run(function(ev)
      local s, peer = socketpairs.half "tcp"
      local _ <close> = s
      local task = helper.waiting(ev, aw.Recv(s), aw.keep)
      texts.contains(task.waiting_for or tostring(task), "127.0.0.1")
      d.reset(peer)
      local err = helper.caught(task.wait, task)
      assert.are.equal("ECONNRESET", err.code)
      assert.are.equal("recv", err.call)
      assert.matches("^tcp 127", err.about)
      task = ev:start(aw.Recv(aw.stdout), aw.keep)
      assert.are.equal("EBADF", helper.caught(task.wait, task).code)
      task = ev:start(aw.Recv(s), aw.keep)
      s:close()
      assert.is_true(aw.is_closed(helper.caught(task.wait, task)))
    end)
  end)

  it("reads the output of a child, too [X9]", function()
    run(function()
      local p <close> = aw.spawn { "seq", "3" }
      local all = ""
      for _ = 1, 100 do
        local part = aw.await(aw.Recv(p.stdout):timeout(60))
        if not part then
          break
        end
        all = all .. part
      end
      assert.are.equal("1\n2\n3\n", all)
    end)
  end)

  it("is not Send: a stream takes bytes by write [X9]", function()
    run(function()
      helper.raises("cannot send", aw.Send, aw.stdout, "x")
    end)
  end)
end)
