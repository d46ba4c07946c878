--- Sockets under load: no wake-up of a receiver or a sender is lost.
---
--- Each pattern moves `count` messages while several tasks wait on the same
--- sockets, and while tasks and handlers of a Poller send. A run without
--- progress has stalled: a watchdog lets it fail.
---
--- As a script (lua5.4 spec/zmq/zmq_stress.lua COUNT) this file runs all
--- patterns.

local addresses = require "spec.support.addresses"
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local M = {}

M.PATIENCE = 1.5 -- seconds without progress
M.transports = { "inproc", "ipc", "tcp" }

-- The books of a run: its sockets, and the number of received messages. -----

local Books = {}
Books.__index = Books

local function new_books(scope, wanted)
  return setmetatable({ scope = scope, wanted = wanted, come = 0,
    sockets = {} }, Books)
end

function Books:socket(type, options)
  local s = zmq.socket(type, options)
  self.sockets[#self.sockets + 1] = s
  return s
end

--- Opens a bound socket and `n` sockets that are connected to it.
function Books:sockets_of(transport, bound, connected, n, options)
  local server = self:socket(bound, options)
  server:bind(addresses.fresh(transport))
  local address, clients = server.last_endpoint, {}
  for i = 1, n do
    clients[i] = self:socket(connected, options)
    clients[i]:connect(address)
  end
  return server, clients
end

--- Count a received message. The last one ends the run.
function Books:count(message)
  assert(message and #message > 0)
  self.come = self.come + 1
  if self.come >= self.wanted then
    self.scope:cancel "all came"
  end
end

--- Start `n` tasks that receive from `s`.
function Books:receive(s, n, handle)
  for _ = 1, n do
    self.scope:start(function()
      while true do
        self:count(s:recv())
        if handle then
          handle()
        end
      end
    end)
  end
end

function Books:watch()
  self.scope:start(function()
    while true do
      local before = self.come
      aw.sleep(M.PATIENCE)
      if self.come == before then
        error(("stalled after %d of %d"):format(self.come, self.wanted), 0)
      end
    end
  end)
end

--- Compute without an await, for so long that the next send makes libzmq
--- process its commands, which consumes the edge of the descriptor [ZQ1].
local function compute()
  local done = aw.now() + 0.0015
  while aw.now() < done do
    assert(true)
  end
end

--- Send `n` messages by `send(i)`, in bursts. Between the bursts sleep, yield
--- or compute.
local function send_in_moods(n, send)
  local i = 0
  while i < n do
    if i % 200 == 0 then
      compute()
    end
    for _ = 1, math.min(100, n - i) do
      i = i + 1
      send(i)
    end
    if i % 300 == 0 then
      aw.sleep(0.0005)
    elseif i % 200 == 0 then
      aw.yield()
    end
  end
end

-- The patterns --------------------------------------------------------------

M.patterns = {}

--- Both ends send and receive; two tasks wait on each.
function M.patterns.pair(books, transport, count)
  local a, others = books:sockets_of(transport, "pair", "pair", 1)
  for _, s in ipairs { a, others[1] } do
    books:receive(s, 2)
    books.scope:start(function()
      send_in_moods((count + 1) // 2, function(i)
        s:send("m" .. i)
      end)
    end)
  end
end

--- Two dealers send requests. The router answers one request in each call of a
--- handler of a Poller.
function M.patterns.dealer_router(books, transport, count)
  local router, dealers = books:sockets_of(transport, "router", "dealer", 2)
  books.scope:start(aw.Poller { [router] = function()
    local id, body = router:recv()
    router:send(id, body)
  end })
  for _, s in ipairs(dealers) do
    books:receive(s, 2)
    books.scope:start(function()
      send_in_moods((count + 1) // 2, function(i)
        s:send("m" .. i)
      end)
    end)
  end
end

--- Four tasks receive the messages of three senders.
function M.patterns.push_pull(books, transport, count)
  local pull, pushers = books:sockets_of(transport, "pull", "push", 3)
  books:receive(pull, 4)
  for _, s in ipairs(pushers) do
    books.scope:start(function()
      send_in_moods((count + 2) // 3, function(i)
        s:send("m" .. i, "second part")
      end)
    end)
  end
end

--- The only receiver does not wait now and then while messages arrive: it
--- sleeps, or yields for a millisecond.
function M.patterns.paused_pull(books, transport, count)
  local pull, pushers = books:sockets_of(transport, "pull", "push", 1)
  books.scope:start(aw.Recv(books:socket "pull")) -- makes the engine poll
  books.scope:start(function()
    while true do
      books:count(pull:recv())
      if books.come % 20 == 0 then
        aw.sleep(0.0005)
      elseif books.come % 20 == 10 then
        while pull:poll("r", 0) ~= 0 do
          books:count(pull:recv())
        end
        local over = aw.now() + 0.001
        while aw.now() < over do
          aw.yield()
        end
      end
    end
  end)
  books.scope:start(function()
    for i = 1, count do
      pushers[1]:send("m" .. i)
      if i % 20 == 0 then
        aw.sleep(0.0003)
      end
    end
  end)
end

--- Two subscribers get all messages: the sender waits for both subscriptions.
function M.patterns.pub_sub(books, transport, count)
  local xpub, subs = books:sockets_of(transport, "xpub", "sub", 2,
    { sndhwm = 0, rcvhwm = 0 })
  for _, s in ipairs(subs) do
    s:subscribe "m"
    books:receive(s, 2)
  end
  books.scope:start(function()
    xpub.xpub_verbose = true
    for _ = 1, 2 do
      xpub:recv()
    end
    send_in_moods((count + 1) // 2, function(i)
      xpub:send("m" .. i)
    end)
  end)
end

--- Requests and replies take turns, so a lost wake-up stops a client for ever.
function M.patterns.req_rep(books, transport, count)
  local rep, reqs = books:sockets_of(transport, "rep", "req", 3)
  books.scope:start(function()
    while true do
      rep:send(rep:recv())
    end
  end)
  for _, s in ipairs(reqs) do
    books.scope:start(function()
      for i = 1, (count + 2) // 3 do
        s:send("m" .. i)
        books:count(s:recv())
        if i % 100 == 0 then
          aw.sleep(0)
        end
      end
    end)
  end
end

M.names = { "pair", "dealer_router", "push_pull", "paused_pull",
  "pub_sub", "req_rep" }

--- Move `count` messages. Raises an error "stalled …" without progress.
---@param name string one of M.names
---@param transport string one of M.transports
---@param count integer
---@return integer come number of received messages
function M.run(name, transport, count)
  local _ <close> = addresses.scope()
  local come
  aw.run(function()
    local books
    aw.scope(function(scope)
      books = new_books(scope, count)
      M.patterns[name](books, transport, count)
      books:watch()
    end)
    come = books.come
    for _, s in ipairs(books.sockets) do
      s:close(0)
    end
  end)
  return come
end

if ... == "spec.zmq.zmq_stress" then
  return M
end

--- Run all patterns. Returns the number of failed ones.
local function run_all(count)
  local stalled = 0
  for _, name in ipairs(M.names) do
    for _, transport in ipairs(M.transports) do
      local ok, err = pcall(M.run, name, transport, count)
      print(name, transport, ok and "all came" or err)
      stalled = stalled + (ok and 0 or 1)
    end
  end
  return stalled
end

local count = math.tointeger(tonumber(arg[1])) or 1000
if not pcall(zmq.version) then
  print "libzmq is not installed"
  os.exit(77)
end
os.exit(run_all(count) == 0)
