--- broadcast.lua: aw.broadcast([bound [, policy [, opts]]])
---
---     senders ──► turn ──► list ─┬► channel of `bound` ──► subscription
---                                └► channel of `bound` ──► subscription
---
--- A broadcast sends a value to all of its subscribers or to none. `turn` is a
--- semaphore with one permit: only its holder sends. With the policy "wait" the
--- holder first waits until each channel has room; the room stays, since nobody
--- else sends. Then the holder puts the value into all channels without a wait.
--- So a cancelled send has not happened, and all subscribers see the same
--- order.
---
--- The list holds an `entry` for each channel, but no reference to the
--- subscription: a subscription that the program has dropped is collected, and
--- its finalizer closes it. The list is linked, and a removed entry keeps its
--- `next`, because a finalizer may close a subscription during a walk.
local aw, inner = ...

local Broadcast, Subscription = {}, {}

local POLICIES <const> = { wait = true, drop = true, close = true }
local DEFAULT_BOUND <const> = 16

-- [Broadcast] = its private state; [Subscription] = its entry
local books_of = setmetatable({}, { __mode = "k" })
local entry_of = setmetatable({}, { __mode = "k" })

local OPTIONS <const> = { "name" }

local function find(where, object, kind)
  return where[object]
    or inner.bad_type(1, kind, object)
end

-- ---- the list of a broadcast ----

local function link(books, entry)
  entry.prev = books.last
  if books.last then
    books.last.next = entry
  else
    books.first = entry
  end
  books.last = entry
  books.count = books.count + 1
end

local function unlink(books, entry)
  local prev, next_one = entry.prev, entry.next
  if prev then
    prev.next = next_one
  else
    books.first = next_one
  end
  if next_one then
    next_one.prev = prev
  else
    books.last = prev
  end
  books.count = books.count - 1
end

--- Close the channel: its subscriber gets the values that are left, then nil
--- and "closed".
local function close_entry(entry)
  if not entry.closed then
    entry.closed = true
    unlink(entry.books, entry)
    entry.channel:close()
  end
end

-- ---- sending ----

--- Return the channels without room.
local function full_ones(books)
  local full, entry = {}, books.first
  while entry do
    if not entry.closed and not inner.has_room(entry.channel) then
      full[#full + 1] = entry.channel
    end
    entry = entry.next
  end
  return full
end

local function give(entry, value)
  if inner.put(entry.channel, value) then
    return
  end
  if entry.books.policy == "close" then
    close_entry(entry)
    return
  end
  entry.channel:try_recv()
  entry.dropped = entry.dropped + 1
  inner.put(entry.channel, value)
end

local function give_all(books, value)
  local entry = books.first
  while entry do
    if not entry.closed then
      give(entry, value)
    end
    entry = entry.next
  end
end

local function check_open(books)
  if books.closed then
    inner.closed("send", "broadcast " .. books.name)
  end
end

local function check_value(count)
  if count == 0 then
    inner.bad_argument(2, "value expected")
  end
end

Broadcast.send = inner.method("send", function(self, ...)
  local books = find(books_of, self, "broadcast")
  check_value(select("#", ...))
  inner.awaiter "broadcast:send"
  local turn <close> = books.turn:acquire() -- luacheck: ignore
  check_open(books)
  local full = full_ones(books)
  if books.policy == "wait" and #full > 0 then
    for _, channel in ipairs(full) do
      inner.await_room(channel)
    end
    check_open(books)
  end
  give_all(books, (...))
end)

Broadcast.try_send = inner.method("try_send", function(self, ...)
  local books = find(books_of, self, "broadcast")
  check_value(select("#", ...))
  check_open(books)
  local turn <close> = books.turn:try_acquire()
  if not turn or (#full_ones(books) > 0 and books.policy == "wait") then
    return false, "full"
  end
  give_all(books, (...))
  return true
end)

Broadcast.close = inner.method("close", function(self)
  local books = find(books_of, self, "broadcast")
  books.closed = true
  while books.first do
    close_entry(books.first)
  end
end)

-- ---- subscriptions ----

local subscription_meta = { __name = "Subscription", __metatable = false }

Broadcast.subscribe = inner.method("subscribe", function(self)
  local books = find(books_of, self, "broadcast")
  local entry = { books = books, dropped = 0, closed = false,
    channel = aw.channel(books.bound, { name = books.name }) }
  local sub = {}
  entry_of[sub] = entry
  inner.hold(setmetatable(sub, subscription_meta), entry.channel)
  if books.closed then
    entry.closed = true
    entry.channel:close()
  else
    link(books, entry)
  end
  return sub
end)

local function channel_of(sub)
  return find(entry_of, sub, "subscription").channel
end

--- Return the values of a subscription. The subscription is the first argument,
--- so that it is not collected before the values have come.
local function from(_, ...)
  return ...
end

Subscription.recv = inner.method("recv", function(self)
  local channel = channel_of(self)
  inner.awaiter "subscription:recv"
  return from(self, channel:recv())
end)

Subscription.try_recv = inner.method("try_recv", function(self)
  return channel_of(self):try_recv()
end)

Subscription.iter = inner.method("iter", function(self)
  local next_value, channel = channel_of(self):iter()
  return function(sub)
    inner.awaiter "subscription:recv"
    return from(sub, next_value(channel))
  end, self
end)

Subscription.close = inner.method("close", function(self)
  close_entry(find(entry_of, self, "subscription"))
end)

subscription_meta.__index = inner.method("__index", function(self, key)
  if key == "dropped" then
    return entry_of[self].dropped
  end
  return Subscription[key]
end)

function subscription_meta.__newindex(_, key)
  inner.raise(("a subscription's fields are read only (cannot set '%s')")
    :format(inner.shown(key)))
end

subscription_meta.__close = Subscription.close

--- A collected subscription closes: nobody can receive from it, so no sender
--- should wait for it.
function subscription_meta:__gc()
  pcall(close_entry, entry_of[self])
end

function subscription_meta:__tostring()
  return (tostring(channel_of(self)):gsub("^channel",
    "subscription"))
end

-- ---- broadcasts ----

local broadcast_meta = { __name = "Broadcast", __metatable = false,
  __index = Broadcast, __close = Broadcast.close }

function broadcast_meta.__newindex(_, key)
  inner.raise(("a broadcast's fields are read only (cannot set '%s')"):format(
    inner.shown(key)))
end

function broadcast_meta:__tostring()
  local books = find(books_of, self, "broadcast")
  return ("broadcast %s (%s)"):format(books.name, books.closed and "closed"
    or ("%d subscriber%s"):format(books.count, books.count == 1 and "" or "s"))
end

local function check_bound(bound)
  local whole = math.type(bound) and math.tointeger(bound)
  if bound ~= math.huge and not (whole and whole >= 1) then
    inner.bad_argument(1, "bound must be a whole number, at least 1, or "
      .. "math.huge, got " .. inner.shown(bound))
  end
end

local function name_in(opts)
  if opts == nil then
    return nil
  end
  inner.check_options(3, opts, OPTIONS)
  local name = opts.name
  if name ~= nil and type(name) ~= "string" then
    inner.bad_option("name", "string", name)
  end
  return name
end

return function(bound, policy, opts)
  bound = bound == nil and DEFAULT_BOUND or bound
  policy = policy == nil and "wait" or policy
  check_bound(bound)
  if not POLICIES[policy] then
    inner.bad_argument(2, '"wait", "drop" or "close" expected, got '
      .. inner.shown(policy))
  end
  local name = name_in(opts) or inner.place() or "?"
  local broadcast = {}
  books_of[broadcast] = { bound = bound, policy = policy, name = name,
    count = 0, closed = false,
    turn = aw.semaphore(1, { name = "turn of " .. name }) }
  return setmetatable(broadcast, broadcast_meta)
end
