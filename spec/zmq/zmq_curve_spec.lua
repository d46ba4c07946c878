-- Who gets in to a server: by CURVE and PLAIN, with pyzmq as the client and as
-- the server, with and without an authenticator [M10].

local aw = require "aiowire"
local keys = require "spec.support.keys"
local process = require "spec.support.process"
local pyzmq = require "spec.support.pyzmq"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq

local PEER <const> = process.root .. "/spec/zmq/zmq_curve_peer.py"

local function fact(f)
  return sockets.installed and zmq.has "curve" and pyzmq.fact(f) or function()
    pending "libzmq has no CURVE"
  end
end

--- Run a peer in Python, and return its first word.
local function run_peer(...)
  local outcome = aw.exec { stderr = "pipe", pyzmq.PYTHON, PEER, ... }
  return outcome.out:match "^(.-)\n" or error(outcome.err)
end

local function credentials(pair)
  return "curve", keys.server[1], pair[1], pair[2]
end

local function try(server, ...)
  return run_peer("client", server.last_endpoint, ...)
end

local function admitted(server, ...)
  assert.are.equal("in", try(server, ...))
  assert.are.equal("hello", server:recv())
end

local function denied(server, denials, ...)
  assert.are.equal("out", try(server, ...))
  return table.unpack(denials:recv())
end

-- The servers of the matrix, and a client that a bare libzmq admits to each.
local servers <const> = {
  { "curve", keys.for_server, { credentials(keys.client) } },
  { "curve with a domain", { curve_server = true, zap_domain = "x",
    curve_publickey = keys.server[1], curve_secretkey = keys.server[2] },
    { credentials(keys.client) } },
  { "plain", { plain_server = true }, { "plain", "u", "p" } },
  { "NULL with a domain", { zap_domain = "x" }, { "null" } },
}

describe("a server", function()
  for _, case in ipairs(servers) do
    local name, options, client = table.unpack(case)

    it(("of %s without an authenticator admits nobody [M10]"):format(name),
      fact(function()
        local server <close> = keys.server_of(options)
        assert.are.equal("out", try(server, table.unpack(client)))
      end))

    it(("of %s admits nobody after its authenticator is closed [M10]"):format(
      name),
      fact(function()
        local server <close> = keys.server_of(options)
        zmq.auth { curve = "any", plain = { u = "p" }, deny = {} }:close()
        assert.are.equal("out", try(server, table.unpack(client)))
      end))

    it(("of %s admits whom its authenticator admits [M10]"):format(name),
      fact(function()
        local auth <close> = zmq.auth { curve = "any", plain = { u = "p" },
          deny = {} }
        local server <close> = keys.server_of(options)
        admitted(server, table.unpack(client))
        assert.is_truthy(tostring(auth):find "open")
      end))

    it(("of %s admits nobody if no rule is about it [M10, M11]"):format(name),
      fact(function()
        local auth <close>, denials = keys.auth {}
        local server <close> = keys.server_of(options)
        local request, why = denied(server, denials, table.unpack(client))
        assert.is_truthy(why:find "not configured", why)
        assert.are.equal("127.0.0.1", request.address)
        assert.is_truthy(tostring(auth):find "open")
      end))
  end

  it("is asked about only by libzmq if it is NULL and has no domain [M10]",
    fact(function()
      local auth <close> = zmq.auth { deny = { "127.0.0.1" } }
      local server <close> = keys.server_of {}
      admitted(server, "null")
      assert.is_truthy(tostring(auth):find "open")
    end))
end)

describe("pyzmq with CURVE", function()
  it("gets in with a key on the list [M11]", fact(function()
    local auth <close>, denials = keys.auth { curve = { keys.client[1] } }
    local server <close> = keys.server_of(keys.for_server)
    admitted(server, credentials(keys.client))
    local request, why = denied(server, denials, credentials(keys.server))
    assert.are.equal("its key is unknown", why)
    assert.are.equal(keys.server[1], request.key)
    assert.are.equal("CURVE", request.mechanism)
    assert.are.equal("global", request.domain)
    assert.is_truthy(tostring(auth):find "open")
  end))

  it("gets in by no other mechanism [M11]", fact(function()
    local auth <close> = zmq.auth { curve = { keys.client[1] } }
    local server <close> = keys.server_of(keys.for_server)
    assert.are.equal("out", try(server, "null"))
    assert.are.equal("out", try(server, "plain", "u", "p"))
    admitted(server, credentials(keys.client))
    assert.is_truthy(tostring(auth):find "open")
  end))

  it("keeps its connection, but gets no new one, when its key is denied [M12]",
    fact(function()
      local auth <close>, denials = keys.auth { curve = { keys.client[1] } }
      local server <close> = keys.server_of(keys.for_server)
      local old <close> = keys.push(server, keys.for_client(keys.client), "1")
      assert.are.equal("1", server:recv())
      auth:deny_key(keys.client[1])
      local _, why = denied(server, denials, credentials(keys.client))
      assert.is_truthy(why:find "key", why)
      old:send "2"
      assert.are.equal("2", server:recv())
      auth:allow_key(keys.client[1])
      admitted(server, credentials(keys.client))
    end))

  it("is a server for our client [M10]", fact(function()
    local address = sockets.address "ipc"
    local peer = aw.start(function()
      return aw.Value(run_peer("server", address, "curve", keys.server[1],
        keys.server[2], keys.client[1]))
    end)
    local server = { last_endpoint = address }
    local bad <close> = keys.push(server, keys.for_client(keys.server), "bad")
    local good <close> = keys.push(server, keys.for_client(keys.client), "good")
    assert.are.equal("good", peer:wait())
    assert.is_false(bad.closed or good.closed)
  end))
end)

describe("pyzmq with PLAIN", function()
  it("gets in with the password of its name [M11]", fact(function()
    local auth <close>, denials = keys.auth { plain = { u = "p", v = "q" } }
    local server <close> = keys.server_of { plain_server = true }
    admitted(server, "plain", "u", "p")
    admitted(server, "plain", "v", "q")
    for _, wrong in ipairs { { "u", "q" }, { "u", "pp" }, { "w", "p" } } do
      local request, why = denied(server, denials, "plain", wrong[1], wrong[2])
      assert.are.equal("its user name or password is wrong", why)
      assert.are.equal(wrong[1], request.username)
      assert.is_nil(request.password)
    end
    assert.is_truthy(tostring(auth):find "open")
  end))

  it("is a server for our client [M10]", fact(function()
    local address = sockets.address "ipc"
    local peer = aw.start(function()
      return aw.Value(run_peer("server", address, "plain", "u", "p"))
    end)
    local server = { last_endpoint = address }
    local bad <close> = keys.push(server, keys.plain("u", "x"), "bad")
    local good <close> = keys.push(server, keys.plain("u", "p"), "good")
    assert.are.equal("good", peer:wait())
    assert.is_false(bad.closed or good.closed)
  end))
end)
