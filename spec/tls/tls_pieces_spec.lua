-- TLS whose bytes come one by one, in records that are cut anywhere, through
-- sockets that buffer little.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local secure = require "spec.support.secure"

local LINES <const> = helper.scale(50)

--- Use a connection in all ways.
local function use(ev, client, accepted)
  assert.is_true(client:tls().established)
  assert.is_true(accepted:tls().established)
  client:write "one\ntwo\n"
  assert.are.equal("one", accepted:read())
  assert.are.equal("two\n", accepted:read "L")
  accepted:write "12345"
  assert.are.equal("123", client:read(3))
  assert.are.equal("45", aw.await(aw.Recv(client)))
  local sending = ev:start(function()
    for i = 1, LINES do
      client:write("line ", i, "\n")
    end
    client:shutdown()
  end)
  for i = 1, LINES do
    assert.are.equal("line " .. i, accepted:read())
  end
  assert.is_nil(accepted:read())
  sending:wait()
  accepted:write "end"
  accepted:close()
  assert.are.equal("end", client:read "a")
end

describe("a connection with TLS whose bytes come in pieces", function()
  for _, size in ipairs { 1, 2, 3, 7, 64 } do
    for _, kind in ipairs { "tcp", "unix" } do
      it(("of %d, over %s, is as another"):format(size, kind),
        secure.parted({ size = size, kind = kind }, use))
    end
  end

  it("of 1, between small buffers, is as another",
    secure.parted({ size = 1, narrow = true }, use))

  it("of 64, between small buffers, takes a large text both ways",
    secure.parted({ narrow = true }, function(ev, client, accepted)
      secure.both_ways(ev, client, accepted, helper.scale(60000))
    end))

  it("may have its records read one byte at a time", secure.parted(
    { size = 1 }, function(_, client, accepted)
      local text <const> = ("0123456789"):rep(50)
      client:write(text)
      for i = 1, #text do
        assert.are.equal(text:sub(i, i), accepted:read(1))
      end
    end))

  it("may have certificates of both sides", secure.fact(function(ev)
    local certificates = require "spec.support.certificates"
    local a, b, relay = secure.apart { size = 1 }
    local _ <close> = secure.closing(relay, a, b)
    secure.start(a, b, certificates.client, { ca = certificates.file "ca" })
    assert.are.equal("CN = client.test", b:tls().certificate.subject)
    use(ev, a, b)
  end))
end)

describe("a connection with TLS that is cut", function()
  --- Returns the error of each side when one way ends after so many bytes.
  local function cut(options)
    local a, b, relay = secure.apart(options)
    local _ <close> = secure.closing(relay, a, b)
    local other = aw.start(aw.Call(function()
      local _ <close> = b
      b:starttls(secure.server { server = true })
      b:write "greeting"
      b:read(100000)
    end), aw.keep)
    local _, mine = aw.pcall(function()
      a:starttls(secure.client { host = "localhost" })
      a:read(100000)
    end)
    a:close()
    local _, theirs = aw.pcall(other.wait, other)
    return mine, theirs
  end

  it("fails anywhere in the server's handshake", secure.fact(function()
    for count = 0, 1300, helper.gc_stress and 500 or 23 do
      local mine = cut { back = count }
      secure.assert_tls("UNEXPECTED_EOF_WHILE_READING", mine)
    end
  end))

  it("fails anywhere in the client's handshake", secure.fact(function()
    for count = 0, 350, helper.gc_stress and 175 or 13 do
      local _, theirs = cut { there = count }
      secure.assert_tls("UNEXPECTED_EOF_WHILE_READING", theirs)
    end
  end))
end)
