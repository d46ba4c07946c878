-- Debian's lua-redis runs unchanged on aw.socket, with a real server
-- [X42, X47].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local rocks = require "spec.support.rocks"
local server = require "spec.support.redis"

local redis = rocks.find "redis"
local it = rocks.facts(it, redis and server.installed() or nil,
  "lua-redis or redis-server")

--- As `it`, with a server: `f(ev, connect)`; connect() returns a client and its
--- socket.
local function with_server(what, f)
  it(what, function()
    helper.run(function(ev)
      local running <close> = server.start()
      local sockets = {}
      local function connect()
        local s = assert(aw.socket.connect("127.0.0.1", running.port))
        sockets[#sockets + 1] = s
        return redis.connect { socket = s }, s
      end
      f(ev, connect, running.port)
      for _, s in ipairs(sockets) do
        s:close()
      end
    end)
  end)
end

describe("lua-redis on aw.socket", function()
  with_server("sets, gets, and raises replies that are errors", function(_,
    connect)
    local client = connect()
    assert.is_true(client:ping())
    assert.is_true(client:set("key", "a value\r\nof two lines"))
    assert.are.equal("a value\r\nof two lines", client:get "key")
    assert.is_nil(client:get "nothing")
    assert.are.equal(1, client:incr "count")
    local large = ("x"):rep(1024 * 1024)
    client:set("large", large)
    assert.is_true(client:get "large" == large)
    helper.raises("ERR", client.incr, client, "key")
    client:quit()
  end)

  with_server("connects by itself if `socket` is ours [X48]",
    function(_, _, port)
      local before = package.loaded.socket
      package.loaded.socket = aw.socket
      local client = redis.connect("127.0.0.1", port)
      package.loaded.socket = before
      assert.is_true(client:ping())
      client:quit()
    end)

  with_server("blocks its own task alone [X42]", function(ev, connect)
    local got = {}
    local consumer = ev:start(function()
      local client = connect()
      for i = 1, 3 do
        got[i] = client:blpop("jobs", 0)[2]
      end
    end)
    helper.wait_until(function()
      return consumer.status == "waiting"
    end)
    local producer = connect()
    for i = 1, 3 do
      producer:rpush("jobs", "job " .. i)
    end
    consumer:wait()
    assert.are.same({ "job 1", "job 2", "job 3" }, got)
  end)

  with_server("is cancelled while it blocks, and closed [X47]",
    function(ev, connect)
      local kept
      local consumer = ev:start(function()
        local client, s = connect()
        kept = s
        client:blpop("jobs", 0)
      end)
      helper.wait_until(function()
        return kept ~= nil and consumer.status == "waiting"
      end)
      consumer:cancel_wait()
      assert.are.equal("cancelled", consumer.status)
      assert.are.equal(-1, kept:getfd())
    end)

  with_server("shares nothing between 20 clients at a time [X42]",
    function(_, connect)
      local bodies = {}
      for i = 1, 20 do
        bodies[i] = function()
          local client = connect()
          for n = 1, 20 do
            client:set("key" .. i, i * n)
            assert(client:get("key" .. i) == tostring(i * n))
          end
        end
      end
      aw.timeout(60, aw.all, bodies)
    end)
end)
