-- Options of zmq sockets. lua/zmq/options.c has the table of all options.

local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local blames_file = places.blames_file

-- Returns the names and numbers of the stable options in libzmq's header,
-- without the drafts and without `blocky`, an option of contexts.
local function options_of_header()
  local file <close> = io.open "/usr/include/zmq.h"
  if not file then
    return nil
  end
  local text = file:read "a"
  local first = text:find("/*  Socket options.", 1, true)
  local last = text:find("/*  Message options", 1, true)
  local found = {}
  for name, number in text:sub(first, last):gmatch
    "#define ZMQ_([A-Z0-9_]+) (%d+)\n" do
    found[name:lower()] = math.tointeger(tonumber(number))
  end
  found.blocky = nil
  return found
end

describe("the table of options", function()
  it("has every stable option of libzmq's header, by number [zmq]", function()
    local header = options_of_header()
    if not header then
      pending "libzmq's header is not installed"
      return
    end
    local ours = {}
    for _, option in ipairs(zmq.options) do
      ours[option.name] = option.number
    end
    local missing = {}
    for name, number in pairs(header) do
      if ours[name] ~= number then
        missing[#missing + 1] = name
      end
    end
    assert.are.same({}, missing)
  end)

  it("has a constant for each option [zmq]", function()
    for _, option in ipairs(zmq.options) do
      assert.are.equal(option.number, zmq[option.name:upper()])
    end
  end)
end)

-- First words of the names of options that this build of libzmq, or this
-- machine, may lack.
local ABSENT <const> = { gssapi = true, vmci = true, use = true,
  multicast = true, bindtodevice = true, thread = true }

local function may_be_absent(option)
  return ABSENT[option.name:match "^[a-z]+"] ~= nil
end

describe("an option", function()
  it("that can be read has a value [zmq]", fact(function()
    local s = zmq.socket "dealer"
    for _, option in ipairs(zmq.options) do
      if option.readable and not may_be_absent(option) then
        assert.is_not_nil(s:get(option.name), option.name)
        if option.number >= 0 and option.name ~= "identity" then
          assert.are.equal(s:get(option.name), s:get(option.number))
        end
      elseif not option.readable then
        blames_file("can only be set", function()
          s:get(option.name)
        end)
      end
    end
    s:close()
  end))

  it("with a number is set and read back [zmq]", fact(function()
    local s = zmq.socket "dealer"
    for name, value in pairs {
      linger = 5, sndhwm = 7, rcvhwm = 8, backlog = 9, maxmsgsize = 1 << 33,
      affinity = 1, reconnect_ivl = 20, reconnect_ivl_max = 200,
      handshake_ivl = 300, heartbeat_ivl = 100, tos = 4, rate = 50,
      tcp_keepalive = 1, tcp_keepalive_idle = 30, connect_timeout = 90,
      max_parts = 3, rcvtimeo = 10, sndbuf = 4096,
    } do
      s:set(name, value)
      assert.are.equal(value, s:get(name), name)
      s[name] = value
      assert.are.equal(value, s[name], name)
    end
    s:close()
  end))

  it("that is a flag takes a boolean, 0 or 1 [zmq]", fact(function()
    local s = zmq.socket "dealer"
    for _, name in ipairs { "immediate", "ipv6", "plain_server" } do
      for _, pair in ipairs { { true, true }, { 0, false }, { 1, true },
        { false, false } } do
        s[name] = pair[1]
        assert.are.equal(pair[2], s[name], name)
      end
    end
    s:close()
  end))

  it("with text or bytes takes a string [zmq]", fact(function()
    local s = zmq.socket("dealer", { identity = "i\0d" })
    assert.are.equal("i\0d", s.routing_id)
    s.zap_domain = "global"
    assert.are.equal("global", s.zap_domain)
    s.plain_username, s.plain_password = "me", "secret"
    assert.are.equal("me", s.plain_username)
    s:close()
  end))

  it("of CURVE takes a key as text [zmq]", fact(function()
    if not zmq.has "curve" then
      pending "libzmq has no CURVE"
      return
    end
    local key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    local s = zmq.socket "dealer"
    s.curve_serverkey = key
    assert.are.equal(key, s.curve_serverkey)
    s.curve_server = true
    assert.are.equal(zmq.CURVE, s.mechanism)
    s:close()
  end))

  it("named hwm sets both high-water marks [zmq]", fact(function()
    local s = zmq.socket("pull", { hwm = 42 })
    assert.are.equal(42, s.sndhwm)
    assert.are.equal(42, s.rcvhwm)
    assert.are.equal(42, s.hwm)
    s:close()
  end))

  it("has the linger that was set, or none [zmq]", fact(function()
    local s = zmq.socket("push", { linger = 0 })
    assert.are.equal(0, s.linger)
    s.linger = -1
    assert.are.equal(-1, s.linger)
    s:close(0)
  end))

  it("has a default that limits memory or exits [SE5, ZQ13]", fact(function()
    local s = zmq.socket "router"
    assert.are.equal(1000, s.linger)
    assert.are.equal(64 * 1024 * 1024, s.maxmsgsize)
    assert.are.equal(1024, s.max_parts)
    assert.are.equal(5000, s.handshake_ivl)
    assert.is_false(s.router_mandatory)
    s:close()
  end))

  it("with an unknown name is refused, with the nearest name [zmq]",
    fact(function()
      local s = zmq.socket "pair"
      blames_file("a zmq socket has no option 'lingr', did you mean 'linger'?",
        function()
          s.lingr = 0
        end)
      blames_file("no option 'rcv_hwm', did you mean 'rcvhwm'?", function()
        return s.rcv_hwm
      end)
      blames_file("no option 'xyzzyxyzzy'", function()
        s:get "xyzzyxyzzy"
      end)
      blames_file("no option '12345'", function()
        s:get(12345)
      end)
      blames_file("the name of an option is a string, got table", function()
        s:set({}, 1)
      end)
      s:close()
    end))

  it("with a bad value is refused, and stays as it was [zmq]",
    fact(function()
      local s = zmq.socket "pair"
      for name, value in pairs { linger = "soon", sndhwm = 1.5,
        rcvhwm = 1 << 40, affinity = -1, maxmsgsize = {} } do
        blames_file(("bad value for option '%s'"):format(name), function()
          s[name] = value
        end)
      end
      blames_file("bad value for option 'ipv6' (boolean expected, got 2)",
        function()
          s.ipv6 = 2
        end)
      blames_file("bad value for option 'linger' (integer expected, got "
        .. "string)", function()
        s.linger = "1"
      end)
      blames_file("bad value for option 'identity' (string expected",
        function()
          s.identity = 5
        end)
      blames_file("bad value for option 'zap_domain' (string without a zero",
        function()
          s.zap_domain = "a\0b"
        end)
      blames_file("cannot set option 'sndhwm' of a PAIR socket", function()
        s.sndhwm = -5
      end)
      assert.are.equal(1000, s.linger)
      s:close()
    end))

  it("for another type of socket is refused [zmq]", fact(function()
    local s = zmq.socket "pair"
    blames_file("cannot set option 'subscribe' of a PAIR socket", function()
      s:set("subscribe", "")
    end)
    blames_file("cannot set option 'router_mandatory' of a PAIR socket",
      function()
        s.router_mandatory = true
      end)
    s:close()
  end))

  it("that can only be read cannot be set [zmq]", fact(function()
    local s = zmq.socket "pair"
    blames_file("option 'last_endpoint' of a zmq socket can only be read",
      function()
        s.last_endpoint = "x"
      end)
    s:close()
  end))

  for name, look in pairs {
    ["reads the option events"] = function(s)
      return s.events
    end,
    ["polls"] = function(s)
      return s:poll("w", 0)
    end,
  } do
    it(("does not hide a message from waiters when code %s [ZQ2]"):format(name),
      fact(function()
        local aw = require "aiowire"
        local a, b = sockets.pair_of("pair", "pair", "tcp")
        local t = aw.start(aw.Recv(a))
        aw.sleep(0.01)
        b:send "x"
        local patience = aw.now() + 0.02
        while aw.now() < patience do
          assert.is_number(look(a)) -- consumes the edge of the descriptor
        end
        assert.are.equal("x", aw.timeout(2, t.wait, t))
        a:close()
        b:close()
      end))
  end
end)
