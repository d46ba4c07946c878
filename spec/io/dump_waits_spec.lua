-- What a dump says about tasks that wait for the world outside [D1].

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local contains, run = texts.contains, helper.run

--- Returns the dump while a task runs `f` and waits in it. Cancels the task
--- then.
local function dump_in(ev, f, ...)
  local task = helper.waiting(ev, aw.Call(f, ...))
  local text = ev:dump()
  task:cancel_wait()
  return text
end

describe("the dump of a task that waits", function()
  it("for a datagram names the socket", function()
    run(function(ev)
      local socket <close> = aw.udp.bind("127.0.0.1", 0)
      local _, port = socket:name()
      contains(dump_in(ev, socket.recv, socket),
        "waiting  recv 127.0.0.1:" .. port)
    end)
  end)

  it("for a thread or its message names the thread", function()
    run(function(ev)
      local thread <close> = aw.thread(function()
        require "aiowire".parent:recv()
      end)
      local name = ("%d '%s'"):format(thread.id, thread.name)
      contains(dump_in(ev, thread.wait, thread),
        "waiting  thread:wait " .. name)
      contains(dump_in(ev, aw.await, aw.Recv(thread)),
        "waiting  recv thread " .. name)
    end)
  end)

  it("for a watch of all below a folder names the folder", function()
    local d <close> = folder.new()
    run(function(ev)
      local text
      ev:start(function()
        aw.fs.watch(d.path, { recursive = true }):close()
      end)
      ev:start(function()
        text = ev:dump()
      end)
      helper.wait_until(function()
        return text
      end)
      contains(text, "waiting  fs.watch " .. d.path)
    end)
  end)
end)

describe("a dump of a stream that sends", function()
  it("does not hold up what is written later", function()
    local much = ("x"):rep(16 * 1024 * 1024)
    run(function(ev)
      local server <close> = aw.tcp.listen("127.0.0.1", 0)
      local s <close> = aw.tcp.connect(server:name())
      local peer <close> = server:accept()
      collectgarbage "stop"
      local _ <close> = setmetatable({}, {
        __close = function()
          collectgarbage "restart"
        end,
      })
      local writer = ev:start(function()
        s:write(much)
        s:write(much)
      end)
      helper.wait_until(function()
        return ev:dump():find("'write'  waiting  stream:write", 1, true)
      end)
      assert.are.equal(#much, #peer:read(#much))
      assert.are.equal(#much, #peer:read(#much))
      writer:wait()
    end)
  end)
end)
