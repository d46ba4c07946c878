-- zmq.request and zmq.Service with pyzmq on the other side [M19-M21].

local aw = require "aiowire"
local pyzmq = require "spec.support.pyzmq"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq

local PATIENT <const> = { timeout = sockets.PATIENCE }

local function reply(_, body, ...)
  return "re:" .. body, ...
end

--- Returns a fact: a Service runs on a socket of this type, and a peer of this
--- role, which connects to it, writes `out`.
local function served(type, role, out)
  return pyzmq.fact_with("client " .. role, function(address, join)
    local s <close> = zmq.socket(type):bind(address)
    local _ <close> = aw.start(zmq.Service(s, reply))
    assert.are.equal(out, join())
  end)
end

describe("a service of this library, asked by pyzmq,", function()
  for _, type in ipairs { "rep", "router" } do
    it("answers a REQ as a " .. type .. " [M20]",
      served(type, "req", "re:0 x\nre:1 x\nre:2 x\n"))

    it("answers a DEALER with a delimiter as a " .. type .. " [M21]",
      served(type, "delimited", " re:0 x\n re:1 x\n re:2 x\n"))

    it("answers many requests of a DEALER as a " .. type .. " [M21]",
      served(type, "many", "200\n"))
  end

  it("answers as a DEALER behind a broker [M21]", pyzmq.fact(function()
    local address = sockets.address "ipc"
    local broker <close> = aw.spawn(pyzmq.command("server broker", address))
    local s <close> = zmq.socket("dealer"):connect(address .. ".back")
    local _ <close> = aw.start(zmq.Service(s, reply))
    for i = 1, 20 do
      assert.are.same({ "re:" .. i, "x" },
        { zmq.request(address, { i, "x" }, PATIENT) })
    end
    broker:kill "KILL"
    broker:wait()
    os.remove(address:match "^ipc://(.*)$" .. ".back")
  end))
end)

describe("a request of this library, answered by pyzmq,", function()
  it("has the reply of a REP [M19]",
    pyzmq.fact_with("server rep", function(address, join)
      for i = 1, 3 do
        assert.are.same({ "q" .. i, "" },
          { zmq.request(address, { "q" .. i, "" }, PATIENT) })
      end
      join()
    end))

  it("has the reply of a ROUTER [M19]",
    pyzmq.fact_with("server services", function(address, join)
      for i = 1, 3 do
        assert.are.equal("re:q" .. i,
          zmq.request(address, "q" .. i, PATIENT))
      end
      join()
    end))
end)
