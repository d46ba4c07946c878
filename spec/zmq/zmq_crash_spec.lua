-- Requests to servers that are killed in the middle of one [M19].

local aw = require "aiowire"
local process = require "spec.support.process"
local pyzmq = require "spec.support.pyzmq"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq

local SCRIPT <const> = process.root .. "/spec/zmq/zmq_service_server.lua"

local function ours(type)
  return function(address)
    return { process.binary, SCRIPT, type, address }
  end
end

--- Run a server again and again at this address. It is killed when it has told
--- of `lives` requests, in the middle of the last one, and at the end.
local function serve(command, address, lives)
  local deaths = 0
  return aw.start(function()
    while true do
      local server <close> = aw.spawn(command(address))
      for _ = 1, lives do
        if not server.stdout:read "l" then
          error "the server ended by itself"
        end
      end
      server:kill "KILL"
      server:wait()
      deaths = deaths + 1
    end
  end), function()
    return deaths
  end
end

--- Send requests from several tasks, and check each reply.
local function ask_all(address, tasks, each)
  aw.scope(function(scope)
    for task = 1, tasks do
      scope:start(function()
        for i = 1, each do
          local body = ("%d.%d"):format(task, i)
          assert.are.equal("re:" .. body, zmq.request(address, body,
            { timeout = 0.5, retries = math.huge }))
        end
      end)
    end
  end)
end

--- Returns an address that stays the same when its server starts anew.
local function lasting(transport)
  local address = sockets.address(transport)
  if transport ~= "tcp" then
    return address
  end
  local s <close> = zmq.socket("rep"):bind(address)
  return s.last_endpoint
end

local function survives(command, transport, lives, tasks, each)
  return function()
    local address = lasting(transport)
    local server <close>, deaths = serve(command, address, lives)
    ask_all(address, tasks, each)
    server:cancel_wait()
    assert.is_true(deaths() >= tasks * each // lives - 1)
  end
end

describe("requests survive a server that is killed [M19],", function()
  for _, transport in ipairs { "ipc", "tcp" } do
    for _, type in ipairs { "rep", "router" } do
      it(("a Service of a %s over %s"):format(type, transport),
        sockets.fact(survives(ours(type), transport, 20, 4, 25)))
    end

    it("a REP of pyzmq over " .. transport, pyzmq.fact(survives(
      function(address)
        return pyzmq.command("server worker", address)
      end, transport, 10, 2, 15)))
  end
end)

describe("a server that hangs [M19]", function()
  it("is given up, and its successor answers", sockets.fact(function()
    local address = sockets.address "ipc"
    local first <close> = aw.spawn(ours "rep"(address))
    local task = aw.start(aw.Call(zmq.request, address, "hang",
      { timeout = sockets.PATIENCE }))
    assert.are.equal("hang", first.stdout:read "l")
    task:cancel_wait()
    first:kill "KILL"
    first:wait()
    local second <close> = aw.spawn(ours "rep"(address))
    assert.are.equal("re:x", zmq.request(address, "x",
      { timeout = 0.5, retries = math.huge }))
    assert.are.equal("x", second.stdout:read "l")
  end))
end)

describe("the example of requests", function()
  local EXAMPLE <const> = process.root .. "/examples/26_zmq_requests.lua"

  for _, transport in ipairs { "ipc", "tcp" } do
    it("works in processes over " .. transport .. " [examples]",
      sockets.fact(function()
        local address = lasting(transport)
        local client = aw.start(aw.Exec { process.binary, EXAMPLE, "client",
          address, "40", check = true })
        local server <close> = aw.spawn { process.binary, EXAMPLE,
          "service", address }
        aw.sleep(0.05) -- and then kill it, whatever it does
        server:kill "KILL"
        server:wait()
        local second <close> = aw.spawn { process.binary, EXAMPLE,
          "service", address }
        local out = client:wait().out
        assert.are.equal("LINE 40 OF THE CLIENT\n21\t5\n"
          .. "error\tno function 'nonsense'\n", out:sub(-56), out)
        assert.are.equal(81, select(2, out:gsub("\n", "")))
        second:kill "KILL"
      end))
  end
end)
