--- zmq_request.lua: zmq.request(url, msg [, opts]), a request that is repeated
--- until its reply comes
---
---     [id, "", part, ...] ──► DEALER ─ ─ ─► REP, or a ROUTER of a service
---     [id, "", part, ...] ◄── DEALER ◄─ ─ ─
---
--- A REQ whose server has died waits for ever, and refuses the next request. So
--- each try has a DEALER of its own, which is closed before the next try. That
--- leaves a connection whose other end is gone without a word. It also drops a
--- message that libzmq still holds for an absent server, which could otherwise
--- run several tries at once when it comes back.
---
--- An `immediate` DEALER would hold no message at all, but libzmq drops what it
--- has received as soon as the connection ends: the reply of a server that
--- replies and exits would be lost.
---
--- libzmq never ends a connection to an inproc name that nobody has bound yet,
--- not even with its socket. So a try connects there only once the name is
--- bound.
---
--- A try has an id of its own. The id stands before the empty delimiter, where
--- a REP and a Service return it unread. Messages with another id are no
--- replies to this try.
---
--- Neighbour: zmq_service.lua answers.
local aw, inner = ...

local zmq = aw.zmq

local M = {}

local OPTIONS <const> = { "timeout", "retries", "context", "socket" }
local TIMEOUT <const>, RETRIES <const> = 2.5, 2
local LOOK <const> = 0.01 -- seconds between two looks at an inproc name

local made = 0 -- ids

-- ---- checks ----

local function check_part(part, i)
  if type(part) ~= "string" and type(part) ~= "number" then
    inner.bad_argument(2, ("part %d is %s, string expected"):format(i,
      part == nil and "nil" or "a " .. inner.type_name(part)))
  end
end

--- Return the parts of the request as a list of its own.
local function parts_of(msg)
  if type(msg) == "string" or type(msg) == "number" then
    return { msg }
  elseif type(msg) ~= "table" then
    inner.bad_type(2, "string or list of strings", msg)
  elseif #msg == 0 then
    inner.bad_argument(2, "a message has at least one part")
  end
  local parts = {}
  for i = 1, #msg do
    check_part(msg[i], i)
    parts[i] = msg[i]
  end
  return parts
end

--- Check the option `timeout` of a request or of a Service. Returns it; nil if
--- it is not given.
---@return number?
function M.seconds_of(seconds)
  local why = seconds ~= nil and (type(seconds) ~= "number"
    and "a number of seconds expected, got " .. inner.type_name(seconds)
    or inner.seconds_fault(seconds))
  return why and inner.raise("bad option 'timeout' (" .. why .. ")") or seconds
end

local function retries_of(retries)
  if retries == nil or retries == math.huge then
    return retries or RETRIES
  end
  local whole = type(retries) == "number" and math.tointeger(retries)
  return whole and whole >= 0 and whole
    or inner.raise("bad option 'retries' (a whole number, at least 0, "
      .. "expected, got " .. inner.shown(retries) .. ")")
end

--- Return the options of the sockets.
local function options_of(opts)
  local given = opts.socket
  if given ~= nil and type(given) ~= "table" then
    inner.bad_option("socket", "table", given)
  end
  local options = { linger = 0, context = opts.context }
  for name, value in pairs(given or {}) do
    options[name] = value
  end
  return options
end

local function plan_of(url, msg, opts)
  if type(url) ~= "string" then
    inner.bad_type(1, "string", url)
  end
  local parts = parts_of(msg)
  if opts ~= nil then
    inner.check_options(3, opts, OPTIONS)
  end
  opts = opts or {}
  return { url = url, parts = parts, timeout = M.seconds_of(opts.timeout)
    or TIMEOUT,
    tries = retries_of(opts.retries) + 1, options = options_of(opts) }
end

-- ---- errors of the socket are errors of the request ----

--- Raise the error of a call that the program did not write, as one of the
--- request: `tell` gets what `pattern` finds in a text.
local function refuse(err, pattern, tell)
  local why = type(err) == "string" and err:match(pattern)
  if why then
    tell(why)
  end
  error(err, 0)
end

local function refuse_options(err)
  refuse(err, "^[^\n]-:%d+: (.*)$", function(why)
    inner.raise(why:find "^bad option 'context' " and why
      or "bad option 'socket' (" .. why .. ")")
  end)
end

local function refuse_url(err)
  refuse(err, "bad argument #%d+ to 'connect' %((.*)%)$", function(why)
    inner.bad_argument(1, why)
  end)
end

-- ---- trying ----

--- Return a socket, or nil and an error. A context that has no room for one has
--- room soon, when libzmq has disposed of those that were closed.
local function open_socket(plan)
  while true do
    local ok, s = pcall(zmq.socket, "dealer", plan.options)
    plan.shortage = not ok and aw.is_system_error(s) and s.code == "EMFILE"
      and s or nil
    if not plan.shortage then
      return ok and s or nil, s
    end
    aw.sleep(LOOK)
  end
end

--- Connect, an inproc name as soon as it is bound. Returns nil, or the error.
local function connect(s, url)
  local is_inproc = url:find "^inproc://"
  while is_inproc and not inner.zmq_raw.bound(s, url) do
    aw.sleep(LOOK)
  end
  local ok, err = pcall(s.connect, s, url)
  return not ok and err or nil
end

--- Return the reply to the request `id`, with its envelope.
local function reply_to(s, id)
  while true do
    local parts = s:recv_multipart()
    if parts[1] == id and parts[2] == "" and parts[3] then
      return parts
    end
  end
end

--- Return the reply; or nil, an error, and the function that raises it outside
--- of the time limit, as an error of the function that the program called.
local function try(plan)
  local s <close>, fault = open_socket(plan)
  if not s then
    return nil, fault, refuse_options
  end
  inner.zmq_raw.without_watch(s)
  fault = connect(s, plan.url)
  if fault then
    return nil, fault, refuse_url
  end
  made = made + 1
  local id = string.pack(">I8", made)
  s:send(id, "", table.unpack(plan.parts))
  return reply_to(s, id)
end

--- Return the reply, or nil and a Timeout.
local function try_once(plan)
  local ok, reply, fault, refuse_it = aw.pcall(aw.timeout, plan.timeout, try,
    plan)
  if ok and not reply then
    refuse_it(fault)
  elseif ok then
    return reply
  elseif not aw.is_timeout(reply) then
    error(reply, 0)
  end
  return nil, reply
end

--- Raise the Timeout of the last try as that of the request; or, if that try
--- had no socket, why it had none.
local function give_up(plan, timeout)
  if plan.shortage then
    error(plan.shortage, 0)
  end
  local seconds = plan.timeout * plan.tries
  timeout.after = seconds
  timeout.url, timeout.tries = plan.url, plan.tries
  timeout.message = ("timeout after %.14g s: no reply from %s in %d %s"):format(
    seconds, plan.url, plan.tries, plan.tries == 1 and "try" or "tries")
  error(timeout, 0)
end

--- Send `msg`, a string or a list of strings, to `url`, and return the parts of
--- the reply; see meta.lua.
function M.request(url, msg, opts)
  local plan = plan_of(url, msg, opts)
  inner.awaiter "zmq.request"
  local left = plan.tries
  while true do
    local reply, timeout = try_once(plan)
    if reply then
      return table.unpack(reply, 3)
    end
    left = left - 1
    if left <= 0 then
      give_up(plan, timeout)
    end
  end
end

return M
