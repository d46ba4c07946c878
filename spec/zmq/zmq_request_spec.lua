-- zmq.request: tries, replies, and what is left [M19].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local caught, raises = helper.caught, helper.raises

--- A try of this length ends soon, also on a busy machine; what such a spec
--- says does not depend on it.
local SOON <const> = 0.05
--- Longer than any answer takes.
local LONG <const> = sockets.PATIENCE

--- Start a task that calls `f(socket)` for a bound socket of this type. Returns
--- its address.
local function serving(type, transport, f)
  local s = zmq.socket(type):bind(sockets.address(transport))
  local address = s.last_endpoint
  local task = aw.start(function()
    local _ <close> = s
    f(s)
  end)
  return address, task
end

describe("a request [M19]", function()
  for _, transport in ipairs { "inproc", "ipc", "tcp" } do
    it("is answered by a REP over " .. transport, fact(function()
      local address = serving("rep", transport, function(s)
        local a, b = s:recv()
        s:send("re", a, b)
      end)
      assert.are.same({ "re", "a", "b" },
        { zmq.request(address, { "a", "b" }, { timeout = LONG }) })
    end))

    it("is answered by a ROUTER over " .. transport, fact(function()
      local address = serving("router", transport, function(s)
        local peer, id, empty, body = s:recv()
        assert.are.equal("", empty)
        s:send(peer, id, "", "re", body)
      end)
      assert.are.same({ "re", "a" },
        { zmq.request(address, "a", { timeout = LONG }) })
    end))
  end

  it("may come before its server", fact(function()
    local address = sockets.address "ipc"
    local task = aw.start(aw.Call(zmq.request, address, 12,
      { timeout = LONG }))
    aw.yield()
    local s <close> = zmq.socket("rep"):bind(address)
    s:send(s:recv(), "")
    assert.are.same({ "12", "" }, { task:wait() })
  end))

  it("ignores what is no reply to this try", fact(function()
    local address = serving("router", "tcp", function(s)
      local peer, id = s:recv()
      for _, parts in ipairs { { "" }, { id }, { id, "" }, { id, "x", "y" },
        { "other", "", "late" }, { "", id, "", "x" }, { "", "x" } } do
        s:send(peer, table.unpack(parts))
      end
      s:send(peer, id, "", "right")
    end)
    assert.are.equal("right", zmq.request(address, "a", { timeout = LONG }))
  end))

  it("has an id of its own for each try", fact(function()
    local ids = {}
    local address, server = serving("router", "tcp", function(s)
      while true do
        local peer, id = s:recv()
        assert.is_nil(ids[id])
        ids[#ids + 1], ids[id] = id, true
        for i = 1, #ids >= 3 and #ids or 0 do -- the earlier ids come first
          s:send(peer, ids[i], "", "reply " .. i)
        end
      end
    end)
    local reply = zmq.request(address, "a",
      { timeout = SOON, retries = math.huge })
    assert.are.equal("reply " .. #ids, reply)
    server:cancel_wait()
  end))

  it("raises a Timeout that names the address and the tries", fact(function()
    local address = sockets.address "ipc"
    local line = debug.getinfo(1, "l").currentline + 1
    local err = caught(zmq.request, address, "a",
      { timeout = 0.001, retries = 2 })
    assert.is_true(aw.is_timeout(err))
    assert.are.equal("timeout after 0.003 s: no reply from " .. address
      .. " in 3 tries", err.message)
    assert.are.same({ address, 3 }, { err.url, err.tries })
    assert.is_truthy(err.where:find("request_spec.lua:" .. line, 1, true)
      or err.where:find("helper.lua", 1, true), err.where)
  end))

  it("without retries is one try", fact(function()
    local err = caught(zmq.request, sockets.address "inproc", "a",
      { timeout = 0, retries = 0 })
    assert.is_truthy(err.message:find("in 1 try", 1, true))
  end))

  it("is Cancelled within the limit of the caller", fact(function()
    local address, server = serving("rep", "tcp", function(s)
      s:recv()
      s:poll("r", LONG) -- the second request
    end)
    local err = caught(aw.timeout, SOON, zmq.request, address, "a",
      { timeout = LONG })
    assert.is_true(aw.is_timeout(err))
    assert.is_nil(err.url)
    server:cancel()
  end))

  it("takes options for its socket, and a context", fact(function()
    local context <close> = zmq.context()
    local s <close> = context:socket("router"):bind "inproc://there"
    local task = aw.start(aw.Call(zmq.request, "inproc://there", "a",
      { timeout = LONG, context = context, socket = { identity = "me" } }))
    local peer, id = s:recv()
    assert.are.equal("me", peer)
    s:send(peer, id, "", "yes")
    assert.are.equal("yes", task:wait())
  end))

  it("waits for a socket while its context has none to give", fact(function()
    local context <close> = zmq.context { max_sockets = 3 }
    local s <close> = context:socket("rep"):bind "inproc://there"
    aw.scope(function(scope)
      local server = scope:start(function()
        while true do
          s:send(s:recv())
        end
      end)
      aw.scope(function(clients)
        for i = 1, 20 do
          clients:start(function()
            assert.are.equal("q" .. i, zmq.request("inproc://there", "q" .. i,
              { timeout = LONG, context = context }))
          end)
        end
      end)
      server:cancel()
    end)
  end))

  it("raises EMFILE if it got no socket", fact(function()
    local context <close> = zmq.context { max_sockets = 1 }
    local s <close> = context:socket("rep"):bind "inproc://there"
    local err = caught(zmq.request, "inproc://there", "x",
      { timeout = 0.01, retries = 1, context = context })
    assert.are.equal("EMFILE", err.code)
    assert.is_false(s.closed)
  end))

  it("that waits for an absent server is not sent when it comes",
    fact(function()
      local address = sockets.address "ipc"
      local function open_descriptors()
        local list <close> = io.popen "ls /proc/$PPID/fd | wc -l"
        return list:read "n"
      end
      local before = open_descriptors()
      for i = 1, 3 do
        pcall(zmq.request, address, "old " .. i, { timeout = 0, retries = 0 })
      end
      helper.wait_until(function() -- libzmq has closed the sockets
        return open_descriptors() <= before
      end)
      local s <close> = zmq.socket("rep"):bind(address)
      local task = aw.start(aw.Call(zmq.request, address, "new",
        { timeout = LONG }))
      assert.are.equal("new", s:recv())
      s:send "done"
      assert.are.equal("done", task:wait())
    end))
end)

describe("a bad request [M19]", function()
  local cases <const> = {
    { { 1 }, "bad argument #1 to 'request' (string expected, got number)" },
    { { "tcp://nonsense", "a" }, "bad argument #1 to 'request' (bad address" },
    { { "x", "a" }, "bad argument #1 to 'request' (bad address 'x'" },
    { { "tcp://*:1", "a" }, "bad argument #1 to 'request' (" },
    { { "inproc://x" }, "bad argument #2 to 'request' (string or list of "
      .. "strings expected, got no value)" },
    { { "inproc://x", {} }, "(a message has at least one part)" },
    { { "inproc://x", { true } },
      "(part 1 is a boolean, string expected)" },
    { { "inproc://x", "a", 1 },
      "bad argument #3 to 'request' (table expected" },
    { { "inproc://x", "a", { tiemout = 1 } },
      "unknown option 'tiemout', did you mean 'timeout'?" },
    { { "inproc://x", "a", { timeout = "1" } },
      "bad option 'timeout' (a number of seconds expected, got string)" },
    { { "inproc://x", "a", { timeout = -1 } },
      "bad option 'timeout' (seconds must not be negative)" },
    { { "inproc://x", "a", { retries = 0.5 } },
      "bad option 'retries' (a whole number, at least 0, expected, got 0.5)" },
    { { "inproc://x", "a", { retries = -1 } }, "bad option 'retries'" },
    { { "inproc://x", "a", { socket = 1 } },
      "bad option 'socket' (table expected, got number)" },
    { { "inproc://x", "a", { socket = { nonsense = 1 } } },
      "bad option 'socket' (a zmq socket has no option 'nonsense')" },
    { { "inproc://x", "a", { context = 1 } },
      "bad option 'context' (zmq context expected" },
  }

  for _, case in ipairs(cases) do
    it("raises: " .. case[2], fact(function()
      raises(case[2], zmq.request, table.unpack(case[1]))
    end))
  end

  it("is larger than its socket allows", fact(function()
    raises("over the socket's maxmsgsize", zmq.request, sockets.address "ipc",
      ("x"):rep(100), { socket = { maxmsgsize = 10 } })
  end))

  it("awaits, so it is refused outside of tasks", fact(function()
    helper.outside(function()
      raises("zmq.request", zmq.request, "inproc://x", "a")
    end)
  end))
end)

describe("requests that are cancelled [M19]", function()
  it("at any await leave nothing, and spare the others", fact(function()
    local ended = 0
    local address, server = serving("router", "tcp", function(s)
      while true do
        local peer, id, _, body = s:recv()
        s:send(peer, id, "", body)
      end
    end)
    local tasks = {}
    for i = 1, 100 do
      tasks[i] = aw.start(function()
        assert.are.equal("q" .. i, zmq.request(address, "q" .. i,
          { timeout = LONG }))
        ended = ended + 1
      end)
    end
    for i = 1, 100, 2 do
      if i % 3 == 0 then
        aw.yield()
      end
      tasks[i]:cancel()
    end
    for i = 2, 100, 2 do
      tasks[i]:wait()
    end
    assert.is_true(ended >= 50)
    server:cancel()
  end))
end)
