-- What an authenticator answers to requests at inproc://zeromq.zap.01 (RFC 27),
-- well-formed or not [M11], and arguments that zmq.auth refuses.

local aw = require "aiowire"
local keys = require "spec.support.keys"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq
local fact = sockets.fact

local ADDRESS <const> = "inproc://zeromq.zap.01"

--- Return a DEALER that is connected as libzmq is, and a function that sends a
--- request and returns the reply.
local function asker()
  local s = zmq.socket("dealer"):connect(ADDRESS)
  return s, function(...)
    s:send("", ...)
    local parts = s:recv_multipart()
    assert.are.equal("", table.remove(parts, 1))
    return parts
  end
end

local function request(mechanism, ...)
  return "1.0", "7", "global", "127.0.0.1", "", mechanism, ...
end

describe("an authenticator", function()
  it("replies with a status and a user id [M11]", fact(function()
    local _ <close> = zmq.auth { plain = { u = "p" },
      curve = { keys.client[1] } }
    local s <close>, ask = asker()
    assert.are.same({ "1.0", "7", "200", "OK", "u", "" },
      ask(request("PLAIN", "u", "p")))
    assert.are.same({ "1.0", "7", "200", "OK", keys.client[1], "" },
      ask(request("CURVE", keys.client_bytes)))
    assert.are.same({ "1.0", "7", "400", "denied", "", "" },
      ask(request("PLAIN", "u", "q")))
    assert.are.same({ "1.0", "7", "400", "denied", "", "" },
      ask(request("NULL")))
    assert.are.same({ "1.0", "7", "400", "denied", "", "" },
      ask(request("GSSAPI", "who")))
    assert.is_false(s.closed)
  end))

  it("gives the user id of its handler [M13]", fact(function()
    local _ <close> = zmq.auth { handler = function(r)
      return r.mechanism == "NULL" and "nobody" or "user " .. r.username
    end }
    local s <close>, ask = asker()
    assert.are.equal("nobody", ask(request("NULL"))[5])
    assert.are.equal("user u", ask(request("PLAIN", "u", "p"))[5])
    assert.is_false(s.closed)
  end))

  it("tells nobody a password but its handler [M15]", fact(function()
    local _ <close>, denials = keys.auth { handler = function(r)
      error("no " .. r.username .. ("x"):rep(#r.password))
    end }
    local s <close>, ask = asker()
    assert.are.equal("400", ask(request("PLAIN", "u", "secret"))[3])
    local denial = denials:recv()
    assert.is_nil(denial[1].password)
    assert.is_nil(denial[2]:find "secret")
    assert.is_false(s.closed)
  end))

  local long <const> = ("x"):rep(256)
  local bad <const> = {
    { "1.0" },
    { "1.0", "7" },
    { "1.0", "7", "global", "127.0.0.1", "" },
    { "2.0", select(2, request("PLAIN", "u", "p")) },
    { "1.0\0", select(2, request("PLAIN", "u", "p")) },
    { request "PLAIN" },
    { request("PLAIN", "u") },
    { request("PLAIN", "u", "p", "q") },
    { request("PLAIN", "u", long) },
    { request("CURVE", "short") },
    { request "CURVE" },
    { request("NULL", "x") },
    { request(long) },
    { request("PLAIN", table.unpack(setmetatable({}, { __len = function()
      return 200
    end, __index = function() return "x" end }))) },
  }
  for i, parts in ipairs(bad) do
    it(("refuses a bad request with status 500: case %d [M11]"):format(i),
      fact(function()
        local _ <close> = zmq.auth { handler = function() return true end }
        local s <close>, ask = asker()
        local reply = ask(table.unpack(parts))
        assert.are.equal("500", reply[3])
        assert.are.equal("1.0", reply[1])
        assert.are.equal("200", ask(request("NULL"))[3])
        assert.is_false(s.closed)
      end))
  end

  it("ignores a message without a return address [M11]", fact(function()
    local _ <close> = zmq.auth { deny = {} }
    local s <close>, ask = asker()
    s:send "x"
    s:send("x", request "NULL")
    s:send ""
    assert.are.equal("500", s:recv_multipart()[4])
    assert.are.equal("200", ask(request("NULL"))[3])
  end))

  it("is the only thing at its address that may not be a REP or a ROUTER "
    .. "[M15]", fact(function()
    local ctx <close> = zmq.context()
    for _, type in ipairs { "pair", "dealer", "pull", "pub" } do
      local s <close> = ctx:socket(type)
      assert.is_false((pcall(s.bind, s, ADDRESS)))
      local ok = pcall(s.connect, s, ADDRESS)
      assert.are.equal(type == "dealer", ok)
    end
  end))
end)

describe("zmq.auth refuses", function()
  local cases <const> = {
    { { curve = 1 }, "bad option 'curve'" },
    { { curve = { "short" } }, "bad option 'curve' (element 1 is no public "
      .. "key: 40 characters of Z85 or 32 bytes)" },
    { { curve = { ("~"):rep(40) } }, "bad option 'curve'" },
    { { curve = { 1 } }, "bad option 'curve'" },
    { { curve = "any\0" }, "bad option 'curve'" },
    { { curve = "/nobody/has/this" }, "/nobody/has/this" },
    { { plain = "x" }, "bad option 'plain'" },
    { { plain = { "secret" } }, "bad option 'plain'" },
    { { plain = { u = 1 } }, "bad option 'plain'" },
    { { plain = { u = ("secret"):rep(100) } }, "bad option 'plain'" },
    { { allow = "127.0.0.1" }, "bad option 'allow'" },
    { { allow = { "localhost" } }, "bad option 'allow' (element 1 is no "
      .. "address of IPv4 or IPv6, as numbers)" },
    { { deny = { "127.0.0.1/8" } }, "bad option 'deny'" },
    { { deny = { 1 } }, "bad option 'deny'" },
    { { deny = { "127.0.0.1\0" } }, "bad option 'deny'" },
    { { domain = "" }, "bad option 'domain'" },
    { { domain = ("x"):rep(256) }, "bad option 'domain'" },
    { { handler = 1 }, "bad option 'handler'" },
    { { on_denied = "print" }, "bad option 'on_denied'" },
    { { context = 1 }, "bad option 'context'" },
  }
  for i, case in ipairs(cases) do
    it(("%s: case %d"):format(case[2], i), fact(function()
      local ok, err = pcall(zmq.auth, case[1])
      assert.is_false(ok)
      local text = tostring(err)
      assert.is_truthy(text:find(case[2], 1, true), text)
      assert.is_truthy(text:find "^spec/zmq/zmq_zap_spec.lua:", text)
      assert.is_nil(text:find "secret", text)
      zmq.auth({}):close() -- nothing was left at the address
    end))
  end

  it("a closed context", fact(function()
    local ctx = zmq.context()
    ctx:close()
    local ok, err = pcall(zmq.auth, { context = ctx })
    assert.is_true(not ok and aw.is_closed(err))
  end))

  it("a key that is none, in allow_key and deny_key", fact(function()
    local auth <close> = zmq.auth {}
    for _, name in ipairs { "allow_key", "deny_key" } do
      for _, key in ipairs { "", "short", ("~"):rep(40), ("x"):rep(41) } do
        local ok, err = pcall(auth[name], auth, key)
        assert.is_false(ok)
        assert.is_truthy(tostring(err):find "40 characters")
      end
    end
  end))

  it("a domain of more than 255 bytes, as the option of a socket",
    fact(function()
      local s <close> = zmq.socket "rep"
      assert.is_false((pcall(s.set, s, "zap_domain", ("x"):rep(256))))
      assert.is_false((pcall(s.set, s, "zap_domain", 1)))
      assert.is_false((pcall(s.set, s, "zap_domain", "a\0b")))
      s.zap_domain = ("x"):rep(255)
    end))
end)
