-- The mechanism of a socket, whatever the order of its options, and addresses
-- where it would be without effect [M10].

local keys = require "spec.support.keys"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact

local NULL <const>, PLAIN <const>, CURVE <const> = 0, 1, 2

--- Set options in this order: { name, value, name, value, … }; false is also
--- the way to say nil.
local function set_all(s, list)
  for i = 1, #list, 2 do
    local value = list[i + 1]
    s:set(list[i], value ~= "nil" and value or nil)
  end
end

describe("a server", function()
  local cases <const> = {
    { PLAIN, "plain_server", true, "curve_server", 0 },
    { CURVE, "curve_server", true, "plain_server", 0 },
    { PLAIN, "plain_server", true, "gssapi_server", 0 },
    { PLAIN, "plain_server", true, "plain_username", "u" },
    { PLAIN, "plain_server", true, "plain_username", "nil" },
    { PLAIN, "plain_server", true, "plain_password", "nil" },
    { PLAIN, "plain_server", true, "curve_secretkey", keys.server[2] },
    { CURVE, "curve_server", true, "curve_serverkey", keys.server[1] },
    { CURVE, "curve_server", true, "plain_username", "u" },
  }
  for i, case in ipairs(cases) do
    it(("stays one, whatever other option is set: case %d [M10]"):format(i),
      fact(function()
        local _ <close>, denials = keys.auth {}
        local s <close> = zmq.socket "pull"
        set_all(s, { table.unpack(case, 2) })
        assert.are.equal(case[1], s.mechanism)
        assert.is_true(s[case[2]])
        s:bind(sockets.address "tcp")
        -- A client of PLAIN cannot talk to a server of CURVE.
        if case[1] == PLAIN then
          local _ <close> = keys.push(s, keys.plain("u", "p"), "denied")
          assert.are.equal("PLAIN is not configured", denials:recv()[2])
        end
      end))
  end

  it("has one mechanism [M10]", fact(function()
    local s <close> = zmq.socket("pull", { plain_server = true })
    helper.raises("cannot set option 'curve_server' of a PULL socket: it is a "
      .. "server of another mechanism, and has only one",
      s.set, s, "curve_server", true)
    s.plain_server = true
    s.plain_server = false
    assert.are.equal(NULL, s.mechanism)
    s.curve_server = true
    assert.are.equal(CURVE, s.mechanism)
  end))
end)

describe("a client that knows its server's key", function()
  local cases <const> = {
    { "plain_server", 0 }, { "curve_server", 0 }, { "plain_username", "nil" },
    { "plain_password", "nil" },
    { "plain_username", "u", "plain_password", "p" },
    { "curve_server", true, "curve_server", 0 },
    { "plain_server", true, "plain_server", 0 },
  }
  for i, case in ipairs(cases) do
    it(("encrypts, whatever other option is set: case %d [M10]"):format(i),
      fact(function()
        local s <close> = zmq.socket("push", keys.for_client(keys.client))
        set_all(s, case)
        assert.are.equal(CURVE, s.mechanism)
        local _ <close> = zmq.auth { curve = "any" }
        local server <close> = keys.server_of(keys.for_server)
        s:connect(server.last_endpoint):send "hello"
        assert.are.equal("hello", server:recv())
      end))
  end
end)

describe("an address without a handshake", function()
  local options <const> = {
    { plain_server = true }, { curve_server = true }, { zap_domain = "x" },
    keys.for_client(keys.client), keys.plain("u", "p"),
  }
  local addresses <const> = { "tcp://127.0.0.1:*", "tcp://localhost:*" }

  local function is_refused(s, verb, address)
    helper.raises("peers at '" .. address .. "' would come without a handshake",
      s[verb], s, address)
    assert.are.equal("", s.last_endpoint)
  end

  for i, option in ipairs(options) do
    it(("is refused to a raw socket with a mechanism: case %d [M10]"):format(i),
      fact(function()
        for _, address in ipairs(addresses) do
          local s <close> = zmq.socket("stream", option)
          is_refused(s, "bind", address)
          local r <close> = zmq.socket("router", option)
          r.router_raw = true
          is_refused(r, "bind", address)
        end
        local s <close> = zmq.socket("stream", option)
        is_refused(s, "connect", "tcp://127.0.0.1:9")
        is_refused(s, "connect", "tcp://a.name.invalid:9")
      end))

    it(("is refused if it is of multicast: case %d [M10]"):format(i),
      fact(function()
        for verb, type in pairs { bind = "pub", connect = "sub" } do
          local s <close> = zmq.socket(type, option)
          for _, name in ipairs { "pgm", "epgm", "norm", "udp" } do
            is_refused(s, verb, name .. "://127.0.0.1;239.192.1.1:5555")
          end
        end
      end))
  end

  it("is there for a raw socket without a mechanism", fact(function()
    local s <close> = zmq.socket("stream", { plain_server = false })
    s:bind "tcp://127.0.0.1:*"
  end))
end)
