-- Many requests with cancels at random, and clients that send garbage, to
-- services [M19-M21].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local random = require "spec.support.random"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

local PATIENT <const> = { timeout = sockets.PATIENCE }

local function echo(_, body)
  if #body % 3 == 0 then
    aw.yield()
  end
  return "re:" .. body
end

--- Make `count` requests in `tasks` tasks, each of which cancels one request in
--- three at a random moment, and check the replies. Returns how many had one.
local function ask_with_cancels(address, tasks, count, numbers)
  local replied = 0
  local function ask(body)
    assert.are.equal("re:" .. body, zmq.request(address, body, PATIENT))
    replied = replied + 1
  end
  aw.scope(function(scope)
    for task = 1, tasks do
      scope:start(function()
        for i = 1, count // tasks do
          local body = ("%d.%d"):format(task, i)
          if numbers:chance(33) then
            local one = aw.start(aw.Call(ask, body))
            for _ = 1, numbers:below(6) do
              aw.yield()
            end
            one:cancel_wait()
          else
            ask(body)
          end
        end
      end)
    end
  end)
  return replied
end

describe("many requests with cancels [M19, M20]", function()
  for _, transport in ipairs { "inproc", "ipc", "tcp" } do
    local count <const> = helper.scale(transport == "inproc" and 4000 or 2000)

    it("have their own replies over " .. transport .. ", and leave nothing",
      fact(function()
        local s <close> = zmq.socket("router"):bind(sockets.address(transport))
        local _ <close> = aw.start(zmq.Service(s, echo, { concurrency = 5 }))
        local replied = ask_with_cancels(s.last_endpoint, 10, count,
          random(1))
        assert.is_true(replied >= count // 2, replied)
      end))
  end
end)

local GREETING <const> = "\xff\0\0\0\0\0\0\0\1\x7f\3\0NULL" .. ("\0"):rep(48)
local HANDSHAKE <const> = GREETING
  .. "\4\x29\5READY\x0bSocket-Type\0\0\0\6DEALER\x08Identity\0\0\0\0"

local GARBAGE <const> = {
  HTTP = "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  ["a hello of TLS"] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    .. ("r"):rep(500),
  zeros = ("\0"):rep(1 << 20),
  ["a greeting of ZMTP 3, and no more"] = GREETING,
  ["a greeting of an unknown mechanism"] =
    "\xff\0\0\0\0\0\0\0\1\x7f\3\0HUH" .. ("\0"):rep(49),
  ["a greeting of ZMTP 3, and commands that are none"] =
    GREETING .. ("\4\x10xxxxxxxxxxxxxxxx"):rep(100),
  ["a handshake of ZMTP 3, and frames without an end"] =
    HANDSHAKE .. ("\1\1x"):rep(5000),
  ["a handshake of ZMTP 3, and requests"] =
    HANDSHAKE .. ("\0\2hi\1\0\0\2hi\1\1a\1\0\0\0"):rep(100),
  ["a handshake of ZMTP 3, and a frame of 2^62 bytes"] =
    HANDSHAKE .. "\2\x40\0\0\0\0\0\0\0" .. ("x"):rep(1000),
  ["ZMTP 1, with messages"] = "\1\0" .. ("\3\1ab\1\0"):rep(100),
  ["ZMTP 1, with messages of too many parts"] = "\1\0"
    .. ("\2\1a"):rep(3000) .. "\2\0a",
}

local ENDED <const> = { done = true, failed = true, cancelled = true }

--- Send garbage on a new connection, and end it. libzmq accepts a greeting only
--- if nothing comes with it.
local function attack(port, garbage)
  local stream <close> = aw.tcp.connect("127.0.0.1", port)
  if garbage:sub(1, #GREETING) == GREETING then
    stream:write(GREETING)
    stream:read_some()
    garbage = garbage:sub(#GREETING + 1)
  end
  aw.pcall(stream.write, stream, garbage)
  aw.scope({ timeout = 0.01 }, function()
    aw.pcall(stream.read, stream, "a")
  end)
end

describe("a service that gets garbage [M21]", function()
  for _, type in ipairs { "rep", "router", "dealer" } do
    for what, garbage in pairs(GARBAGE) do
      it(("as %s: a %s goes on"):format(what, type), fact(function()
        local failed
        local s <close> = zmq.socket(type):bind "tcp://127.0.0.1:*"
        local service <close> = aw.start(zmq.Service(s, echo, {
          on_error = function(err)
            failed = err
          end }))
        local address = s.last_endpoint
        local port = math.tointeger(address:match "%d+$")
        for i = 1, 3 do
          attack(port, garbage)
          assert.are.equal("re:x" .. i, zmq.request(address, "x" .. i,
            { timeout = 1, retries = math.huge }))
        end
        assert.is_nil(failed)
        assert.is_nil(ENDED[service.status])
      end))
    end
  end
end)
