-- zmq.auth: its rules, its handler, its denials, its life [M10-M15].
-- zmq_curve_spec.lua has pyzmq as the peer.

local aw = require "aiowire"
local lfs = require "lfs"
local keys = require "spec.support.keys"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq = sockets.zmq
local fact = sockets.fact

--- Return the reason of the next denial.
local function reason(denials)
  return denials:recv()[2]
end

--- Push `message` with these options, and check that the server receives it.
local function admitted(server, options, message)
  local _ <close> = keys.push(server, options, message)
  assert.are.equal(message, server:recv())
end

--- Push a message with these options, and return the reason of the denial.
local function denied(server, denials, options)
  local _ <close> = keys.push(server, options, "denied")
  return reason(denials)
end

--- Check the output of a script under each interpreter.
local function says(out, code)
  sockets.needed()
  process.each("", code, function(outcome)
    assert.are.equal(out, outcome.out, outcome.err)
    assert.are.equal(0, outcome.code, outcome.err)
  end)
end

local PLAIN <const> = { plain_server = true }

describe("the addresses of an authenticator", function()
  local here <const>, other <const> = "127.0.0.1", "192.0.2.1"

  --- Who is denied, and why; nil: the peer, which is here, gets in.
  local cases <const> = {
    { { deny = { here } }, "its address is denied" },
    { { deny = { here }, allow = { here } }, "its address is denied" },
    { { deny = { other } } },
    { { allow = { other } }, "its address is not allowed" },
    { { allow = { other, here } } },
    { { allow = {} }, "its address is not allowed" },
    { { deny = { "::ffff:127.0.0.1" } }, "its address is denied" },
  }
  for i, case in ipairs(cases) do
    it(("come before its users: case %d [M11]"):format(i), fact(function()
      local options = { plain = { u = "p" } }
      for name, list in pairs(case[1]) do
        options[name] = list
      end
      local _ <close>, denials = keys.auth(options)
      local server <close> = keys.server_of(PLAIN)
      if case[2] then
        assert.are.equal(case[2],
          denied(server, denials, keys.plain("u", "p")))
      else
        admitted(server, keys.plain("u", "p"), "hello")
        assert.are.equal("its user name or password is wrong",
          denied(server, denials, keys.plain("u", "q")))
      end
    end))
  end

  it("find an IPv4 address that comes over IPv6 [M11]", fact(function()
    local _ <close>, denials = keys.auth { plain = { u = "p" },
      deny = { here } }
    local server <close> = zmq.socket("pull", { plain_server = true,
      ipv6 = true }):bind "tcp://*:*"
    local port = server.last_endpoint:match "%d+$"
    local s <close> = zmq.socket("push", keys.plain("u", "p"))
    s:connect("tcp://127.0.0.1:" .. port):send "x"
    assert.are.equal("its address is denied", reason(denials))
  end))

  it("deny all peers over ipc if some are allowed [M11]", fact(function()
    local _ <close>, denials = keys.auth { plain = { u = "p" },
      allow = { here } }
    local server <close> = keys.server_of(PLAIN, "ipc")
    assert.are.equal("its address is not allowed",
      denied(server, denials, keys.plain("u", "p")))
  end))
end)

describe("the domain of an authenticator", function()
  it("shuts out all others [M11]", fact(function()
    local _ <close>, denials = keys.auth { plain = { u = "p" },
      domain = "mine" }
    local others <close> = keys.server_of(PLAIN)
    local mine <close> = keys.server_of { zap_domain = "mine",
      plain_server = true }
    assert.are.equal("global", others.zap_domain)
    assert.are.equal("mine", mine.zap_domain)
    assert.are.equal("its domain is another one",
      denied(others, denials, keys.plain("u", "p")))
    admitted(mine, keys.plain("u", "p"), "hello")
  end))

  it("may be set and unset in any order with the mechanism [M10]",
    fact(function()
      local _ <close>, denials = keys.auth {}
      local server <close> = zmq.socket "pull"
      server.zap_domain = "x"
      server.plain_server = true
      server.zap_domain = ""
      server:bind(sockets.address "tcp")
      assert.are.equal("PLAIN is not configured",
        denied(server, denials, keys.plain("u", "p")))
    end))

  it("leaves no trace on a socket that is no server after all [M10]",
    fact(function()
      local _ <close> = zmq.auth {}
      local server <close> = zmq.socket "pull"
      server.plain_server = true
      server.plain_server = false
      server.zap_domain = "x"
      server.zap_domain = nil
      server:bind(sockets.address "tcp")
      admitted(server, {}, "hello")
    end))
end)

describe("the keys of an authenticator", function()
  it("are text or bytes [M12]", fact(function()
    local auth <close> = zmq.auth { curve = {} }
    local server <close> = keys.server_of(keys.for_server)
    auth:allow_key(keys.client[1])
    admitted(server, keys.for_client(keys.client), "text")
    auth:deny_key(keys.client_bytes)
    auth:allow_key(keys.client_bytes)
    admitted(server, keys.for_client(keys.client), "bytes")
  end))

  it("are exceptions from any [M12]", fact(function()
    local auth <close>, denials = keys.auth { curve = "any" }
    local server <close> = keys.server_of(keys.for_server)
    admitted(server, keys.for_client(keys.client), "any")
    auth:deny_key(keys.client[1])
    assert.are.equal("its key is denied",
      denied(server, denials, keys.for_client(keys.client)))
  end))

  it("are those in the files of a folder, as it is now [M12]", fact(function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(lfs.mkdir(folder))
    local file = folder .. "/client.key"
    local _ <close>, denials = keys.auth { curve = folder }
    local server <close> = keys.server_of(keys.for_server)
    local options = keys.for_client(keys.client)
    assert.are.equal("its key is unknown", denied(server, denials, options))
    local certificate <close> = assert(io.open(file, "w"))
    certificate:write("# a certificate\nmetadata\ncurve\n    public-key = \"",
      keys.client[1], "\"\n")
    certificate:close()
    admitted(server, options, "hello")
    os.remove(file)
    assert.are.equal("its key is unknown", denied(server, denials, options))
    os.remove(folder)
    assert.are.equal("its key is unknown", denied(server, denials, options))
  end))
end)

describe("on_denied of an authenticator", function()
  it("warns of its errors, and is called again [M15]", function()
    sockets.needed()
    local outcome = process.host [[
      local aw = require "aiowire"
      local zmq, denials = aw.zmq, aw.channel(math.huge)
      local unreadable = setmetatable({}, { __tostring = error })
      local auth <close> = zmq.auth { plain = {}, on_denied = function(r)
        denials:send(r.username)
        error(r.username == "a" and "boom" or unreadable)
      end }
      local pull <close> = zmq.socket("pull", { plain_server = true })
        :bind "tcp://127.0.0.1:*"
      for _, name in ipairs { "a", "b" } do
        local push <close> = zmq.socket("push", { linger = 0,
          plain_username = name, plain_password = "x" })
        push:connect(pull.last_endpoint)
        print(denials:recv())
      end
      aw.yield()
    ]]
    process.assert_outcome("a\nb\n", 0, outcome)
    assert.is_truthy(outcome.err:find(
      "on_denied of a zmq authenticator failed: s.lua:6: boom", 1, true),
      outcome.err)
  end)
end)

describe("the handler of an authenticator", function()
  it("has the last word, and may await [M13]", fact(function()
    local seen = {}
    local _ <close>, denials = keys.auth { plain = { u = "p", v = "q" },
      handler = function(r)
        aw.sleep(0)
        seen[#seen + 1] = r.username .. r.password .. r.mechanism .. r.domain
          .. r.address .. r.identity
        return r.username == "u"
      end }
    local server <close> = keys.server_of(PLAIN)
    admitted(server, keys.plain("u", "p"), "hello")
    assert.are.equal("the handler said no",
      denied(server, denials, keys.plain("v", "q")))
    assert.are.equal("its user name or password is wrong",
      denied(server, denials, keys.plain("u", "q")))
    assert.are.same({ "upPLAINglobal127.0.0.1", "vqPLAINglobal127.0.0.1" },
      seen)
  end))

  it("decides alone if there are no other rules [M13]", fact(function()
    local _ <close> = zmq.auth { handler = function(r)
      return r.key == keys.client[1] and "the client"
    end }
    local server <close> = keys.server_of(keys.for_server)
    admitted(server, keys.for_client(keys.client), "hello")
  end))

  it("denies by an error and by other values [M13]", fact(function()
    local answers = { function() error "boom" end, function() return 1 end,
      function() return "a\0b" end, function() return ("x"):rep(256) end,
      function() end }
    local whys = { "the handler failed: .*boom", "the handler said no",
      "the handler returned no user id", "the handler returned no user id",
      "the handler said no" }
    local n = 0
    local _ <close>, denials = keys.auth { handler = function()
      n = n + 1
      return answers[n]()
    end }
    local server <close> = keys.server_of(PLAIN)
    for i = 1, #answers do
      assert.is_truthy(denied(server, denials, keys.plain("u", "p"))
        :find("^" .. whys[i] .. "$"))
    end
  end))

  it("denies if it is cancelled, as by the end of its loop [M13]",
    fact(function()
      local _ <close>, denials = keys.auth { handler = function()
        aw.current():cancel()
        aw.sleep(0)
      end }
      local server <close> = keys.server_of(PLAIN)
      assert.are.equal("the handler was cancelled",
        denied(server, denials, keys.plain("u", "p")))
    end))

  it("denies if it does not answer for 5 s, although others do [M13]",
    fact(function()
      local _ <close>, denials = keys.auth { plain = { u = "p", v = "q" },
        handler = function(r)
          return r.username == "v" or aw.sleep(1000)
        end }
      local server <close> = keys.server_of(PLAIN)
      local _ <close> = keys.push(server, keys.plain("u", "p"), "slow")
      admitted(server, keys.plain("v", "q"), "fast")
      local why = reason(denials)
      assert.is_truthy(why:find "5", why)
    end))

  it("is cancelled when the authenticator closes [M13, M15]", fact(function()
    local asked, cancelled = aw.event(), aw.event()
    local auth = zmq.auth { handler = function()
      asked:set()
      local _ <close> = setmetatable({}, { __close = function()
        cancelled:set()
      end })
      aw.sleep(1000)
    end }
    local server <close> = keys.server_of(PLAIN)
    local _ <close> = keys.push(server, keys.plain("u", "p"), "x")
    asked:wait()
    auth:close()
    cancelled:wait()
  end))

  it("runs in each loop that begins later [M13]", function()
    local code = [[
      local aw, zmq = require "aiowire", require "aiowire.zmq"
      local auth <close> = zmq.auth { handler = function(r)
        return r.password == "p"
      end }
      local server = zmq.socket("pull", { plain_server = true })
        :bind "tcp://127.0.0.1:*"
      for _, clock in ipairs { "real", "real", "virtual" } do
        local ev = aw.EventLoop { clock = clock }
        ev:start(function()
          local client <close> = zmq.socket("push", { plain_username = "u",
            plain_password = "p" }):connect(server.last_endpoint)
          client:send "hello"
          print(server:recv())
        end)
        ev:run()
      end
    ]]
    says("hello\nhello\nhello\n", code)
  end)

  it("keeps no loop alive, and hides no deadlock of a virtual clock [M13, T2]",
    function()
      local code = [[
        local aw, zmq = require "aiowire", require "aiowire.zmq"
        local auth <close> = zmq.auth { handler = print }
        aw.run(aw.Sleep(0))
        print(pcall(aw.test, function() aw.sleep(1e6) end))
        print(aw.is_deadlock(select(2, pcall(aw.test, function()
          aw.channel():recv()
        end))))
      ]]
      says("true\ntrue\n", code)
    end)
end)

describe("an authenticator", function()
  it("works while no loop runs, and while the engine is busy [M14]", function()
    sockets.needed()
    local outcome = process.host [[
      local zmq = require "aiowire.zmq"
      local auth <close> = zmq.auth { plain = { u = "p" } }
      local server = zmq.socket("pull", { plain_server = true })
        :bind "tcp://127.0.0.1:*"
      local client = zmq.socket("push", { plain_username = "u",
        plain_password = "p" }):connect(server.last_endpoint)
      client:send "hello"
      while server:poll("r", 0) == 0 do -- awaits nothing
      end
      print(server:recv())
    ]]
    assert.are.equal("hello\n", outcome.out, outcome.err)
  end)

  it("is alone in its context, and leaves room when it closes [M15]",
    fact(function()
      local ctx <close> = zmq.context()
      for _ = 1, 3 do
        local first <close> = zmq.auth { context = ctx }
        local ok, err = pcall(zmq.auth, { context = ctx, curve = "any" })
        assert.is_false(ok)
        assert.is_true(aw.is_system_error(err))
        assert.are.equal("EADDRINUSE", err.code)
        assert.is_truthy(tostring(first):find "open")
      end
      local other <close> = zmq.auth {}
      assert.is_truthy(tostring(other):find "open")
    end))

  it("is closed for good, also by its context and by the collector [M15]",
    fact(function()
      local ctx = zmq.context()
      local auth = zmq.auth { context = ctx, handler = print }
      ctx:close()
      for _ = 1, 2 do
        assert.are.equal("zmq authenticator (closed)", tostring(auth))
        local ok, err = pcall(auth.allow_key, auth, keys.client[1])
        assert.is_true(not ok and aw.is_closed(err), tostring(err))
        auth:close()
      end
      zmq.auth { handler = print }
      collectgarbage()
      collectgarbage()
      zmq.auth {}:close()
    end))

  it("is nothing to a forked child [M15]", function()
    -- A sanitizer's allocator may be locked by a thread at the fork.
    if not sockets.installed or process.sanitized then
      pending "needs libzmq, and no sanitizer"
      return
    end
    local outcome = process.host [[
      local fork = require "spec_fork"
      local aw, zmq = require "aiowire", require "aiowire.zmq"
      local auth = zmq.auth { curve = "any", handler = print }
      local child = fork.fork()
      if child == 0 then
        print(pcall(auth.deny_key, auth, ("x"):rep(32)))
        auth:close()
        auth = nil
        collectgarbage()
        zmq.auth({}):close()
        os.exit(7, false)
      end
      print(fork.wait(child))
      auth:deny_key(("x"):rep(32))
      auth:close()
      zmq.auth({}):close()
    ]]
    local child, parent = outcome.out:match "^(.-)\n(%d+).-\n$"
    assert.is_truthy(child and child:find "fork", outcome.out .. outcome.err)
    assert.are.equal("7", parent, outcome.err)
    assert.are.equal(0, outcome.code, outcome.err)
  end)
end)

describe("a server without an authenticator", function()
  local function warnings(code)
    sockets.needed()
    return process.host([[
      local aw, zmq = require "aiowire", require "aiowire.zmq"
      local s = zmq.socket("pull", { plain_server = true })
    ]] .. code).err
  end

  it("is warned of at its first use, with the line of its bind [M10, D4]",
    function()
      local text = warnings [[
        s:bind "tcp://127.0.0.1:*"
        s:poll("r", 0)
        s:poll("r", 0)
      ]]
      assert.are.equal("Lua warning: aiowire: s.lua:3: nobody gets in to this "
        .. "PULL socket: its peers must be admitted by an authenticator, and "
        .. "its context has none (make one by zmq.auth{...})\n", text)
    end)

  it("is not warned of if there is one by then, or none is needed [M10, D4]",
    function()
      assert.are.equal("", warnings [[
        s:bind "tcp://127.0.0.1:*"
        local auth <close> = zmq.auth {}
        s:poll("r", 0)
      ]])
      assert.are.equal("", warnings [[
        s = zmq.socket("push", { zap_domain = "x", plain_username = "u",
          plain_password = "p" }):connect "tcp://127.0.0.1:9"
        s:poll("w", 0)
        s:close(0)
      ]])
      assert.are.equal("", warnings [[
        s:bind "inproc://x"
        s:poll("r", 0)
      ]])
      assert.are.equal("", warnings [[
        local zap = zmq.socket("rep"):bind "inproc://zeromq.zap.01"
        s:bind "tcp://127.0.0.1:*"
        s:poll("r", 0)
      ]])
    end)
end)
