-- TLS in several loops, in several threads, and in programs that end.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local jobs = require "spec.support.jobs"
local process = require "spec.support.process"
local secure = require "spec.support.secure"
local texts = require "spec.support.texts"

describe("a stream with TLS in a loop inside another", function()
  it("is used in each of them", secure.connected(
    function(ev, client, accepted)
      client:write "outer\n"
      assert.are.equal("outer", accepted:read())
      local inner = aw.EventLoop { clock = "real", signals = false }
      inner:start(function()
        client:write "inner\n"
        assert.are.equal("inner", accepted:read())
        accepted:write "back\n"
        assert.are.equal("back", client:read())
      end)
      inner:run()
      accepted:write "outer again\n"
      assert.are.equal("outer again", client:read())
      assert.is_truthy(ev)
    end))

  it("is made in the inner one", secure.served(nil, function(_, server)
    local inner = aw.EventLoop { clock = "real", signals = false }
    inner:start(function()
      assert.is_nil((secure.try(server)))
    end)
    inner:run()
    assert.is_nil((secure.try(server)))
  end))

  it("lives longer than the loop that made it", function()
    secure.needed()
    helper.leak_checked(function()
      local server, client, accepted
      aw.run(function()
        server = secure.listen()
        client, accepted = secure.meet(server)
      end)
      aw.run(function()
        client:write "later\n"
        assert.are.equal("later", accepted:read())
        client:close()
        assert.is_nil(accepted:read())
        accepted:close()
        server:close()
      end)
    end)
  end)
end)

describe("worker threads with TLS", function()
  --- A worker: connects several times, and returns what it has seen.
  local client = jobs.plain(function(port, ca)
    local aw = require "aiowire"
    local list = {}
    for i = 1, 5 do
      local s <close> = aw.tls.connect("localhost", port, { ca = ca })
      s:write("line ", i, "\n")
      list[i] = s:read() .. (s:tls().resumed and " again" or "")
    end
    return table.concat(list, ", ")
  end)

  --- A worker: serves on a free port until it is cancelled.
  local server = jobs.plain(function(cert, key)
    local aw = require "aiowire"
    local listener <close> = aw.tls.listen("127.0.0.1", 0, { cert = cert,
      key = key })
    aw.parent:send((select(2, listener:name())))
    aw.await(aw.Serve(listener, function(_, s)
      for line in s:lines() do
        s:write(line, "\n")
      end
    end))
  end)

  it("are clients, each with sessions of its own", secure.served(nil,
    function(ev, listener, port)
      local serving <close> = ev:start(aw.Serve(listener, function(_, s)
        for line in s:lines() do
          s:write(line, "\n")
        end
      end, helper.nop), nil, { grace = 0.001 })
      local threads = {}
      for i = 1, 3 do
        threads[i] = aw.thread(client, port, certificates.file "ca")
      end
      for _, t in ipairs(threads) do
        assert.are.equal("line 1, line 2 again, line 3 again, line 4 again, "
          .. "line 5 again", t:wait())
        t:close()
      end
      assert.are.equal("waiting", serving.status)
    end))

  it("are servers", secure.fact(function()
    local t <close> = aw.thread(server, certificates.server.cert,
      certificates.server.key)
    local port = t:recv()
    local s <close> = aw.tls.connect("localhost", port, secure.client())
    s:write "hello\n"
    assert.are.equal("hello", s:read())
    t:cancel()
  end))
end)

describe("a program that uses TLS", function()
  local function run(code)
    return process.host(([[
      local aw = require "aiowire"
      local server = aw.tls.listen("127.0.0.1", 0, { cert = %q, key = %q })
      local _, port = server:name()
      local client = { ca = %q }
    ]]):format(certificates.server.cert, certificates.server.key,
      certificates.file "ca") .. code)
  end

  it("may end in the middle of a handshake", secure.fact(function()
    process.assert_outcome("bye\n", 0, run [[
      aw.start(function()
        local s = server:accept()
        aw.sleep(1000)
        s:close()
      end, nil, { background = true })
      aw.start(function()
        aw.tls.connect("localhost", port, client)
      end, nil, { background = true })
      aw.sleep(0.01)
      print "bye"
    ]])
  end))

  it("may exit with open connections", secure.fact(function()
    process.assert_outcome("hello\n", 3, run [[
      aw.start(function()
        local s = server:accept()
        s:write "hello\n"
        aw.sleep(1000)
      end)
      local s = aw.tls.connect("localhost", port, client)
      print(s:read())
      os.exit(3)
    ]])
  end))

  it("tells a failure at the line of its call", secure.fact(function()
    local outcome = run [[
      aw.start(function()
        server:accept():handshake()
      end, aw.keep, { background = true })
      aw.tls.connect("127.0.0.2", port, client)
    ]]
    assert.are.equal(1, outcome.code)
    texts.contains(outcome.err, "s.lua:")
    certificates.assert_hidden(outcome.err)
  end))

  it("has opened no OpenSSL if it does not", function()
    secure.needed()
    process.assert_outcome("false\n", 0, process.host [[
      local aw = require "aiowire"
      local server <close> = aw.tcp.listen("127.0.0.1", 0)
      local s <close> = aw.tcp.connect(server:name())
      local maps <close> = io.open "/proc/self/maps"
      print(maps:read "a":find "libssl" ~= nil)
    ]])
  end)
end)
