-- A task is cancelled and the object that it uses is closed. Its await raises
-- Cancelled, not Closed, whether the task has begun to wait or not [C2].
--
-- To cover an operation of another object, add a line to OPERATIONS.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

local function socket(type)
  return function()
    local s = zmq.socket(type, { linger = 0 })
    s:bind(sockets.address "inproc")
    return s
  end
end

local function process()
  return aw.spawn { "cat", stderr = "null" }
end

local function method(name, ...)
  local arguments = table.pack(...)
  return function(x)
    return x[name](x, table.unpack(arguments, 1, arguments.n))
  end
end

--- Returns a function that calls a method of a stream of a process.
local function of_stream(stream, name, ...)
  local call = method(name, ...)
  return function(p)
    return call(p[stream])
  end
end

-- For each socket a wire Recv, made while the socket is open.
local wires = setmetatable({}, { __mode = "k" })

local OPERATIONS <const> = {
  ["socket:recv"] = { socket "pull", method "recv" },
  ["socket:recv_multipart"] = { socket "pull", method "recv_multipart" },
  ["socket:send"] = { socket "push", method("send", "a", "b") },
  ["socket:send_multipart"] = { socket "push",
    method("send_multipart", { "a", "b" }) },
  ["socket:poll"] = { socket "pull", method("poll", "r") },
  ["Recv(socket)"] = { function()
    local s = socket "pull"()
    wires[s] = aw.Recv(s)
    return s
  end, function(s)
    return aw.await(wires[s])
  end },
  ["readable(socket)"] = { socket "pull", aw.readable },
  ["stream:read"] = { process, of_stream("stdout", "read") },
  ["stream:read of bytes"] = { process, of_stream("stdout", "read", 5) },
  ["stream:read_some"] = { process, of_stream("stdout", "read_some") },
  ["stream:lines"] = { process, function(p)
    return p.stdout:lines()(p.stdout)
  end },
  ["stream:write"] = { process, of_stream("stdin", "write", "x") },
  ["a large stream:write"] = { process,
    of_stream("stdin", "write", ("x"):rep(1000000)) },
  ["stream:shutdown"] = { process, of_stream("stdin", "shutdown") },
  ["process:wait"] = { process, method "wait" },
  ["channel:recv"] = { aw.channel, method "recv" },
  ["channel:send"] = { aw.channel, method("send", 1) },
  ["Send(channel)"] = { aw.channel, function(ch)
    return aw.await(aw.Send(ch, 1))
  end },
}

--- Await so often that the next await yields to the other tasks.
local function use_up_turn()
  local event = aw.event()
  event:set()
  aw.yield()
  for _ = 1, 63 do
    event:wait()
  end
end

for name, case in pairs(OPERATIONS) do
  local make, call = case[1], case[2]
  describe(name .. " of a task that is cancelled, the object being closed",
    function()
      it("raises Cancelled when it is called after that", fact(function()
        local object = make()
        local err
        local t = aw.start(function()
          aw.current():cancel()
          object:close()
          err = helper.caught(call, object)
          error(err, 0)
        end)
        aw.pcall(t.wait, t)
        assert.is_true(aw.is_cancelled(err), tostring(err))
        assert.are.equal("cancelled", t.status)
        object:close()
      end))

      it("raises Cancelled when it had to let others run first",
        fact(function()
          local object = make()
          local waits = false
          local t = aw.start(function()
            use_up_turn()
            waits = true
            call(object)
          end, helper.nop)
          while not waits do
            aw.yield()
          end
          t:cancel()
          object:close()
          aw.pcall(t.wait, t)
          assert.are.equal("cancelled", t.status)
        end))

      it("raises Cancelled when it waits", fact(function()
        local object = make()
        local t = aw.start(function()
          call(object)
          aw.sleep(60) -- reached if call() need not wait
        end, helper.nop)
        aw.yield()
        t:cancel()
        object:close()
        aw.pcall(t.wait, t)
        assert.are.equal("cancelled", t.status)
      end))
    end)
end

describe("a receiver of a flood", function()
  it("ends as cancelled in any state", fact(function()
    for round = 1, helper.scale(60) do
      local push, pull = sockets.pair_of("push", "pull", "inproc",
        { linger = 0 })
      local t = aw.start(function()
        while true do
          pull:recv()
        end
      end, helper.nop)
      aw.yield()
      for _ = 1, 200 + round do
        push:send "m"
      end
      for _ = 1, round % 4 do
        aw.yield()
      end
      t:cancel()
      pull:close()
      push:close()
      aw.pcall(t.wait, t)
      assert.are.equal("cancelled", t.status)
    end
  end))
end)
