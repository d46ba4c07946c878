--- zmq_service.lua: zmq.Service(socket, f [, opts]), a wire that answers each
--- request in a task of its own
---
---     Service: receives, and starts a task in the scope of "requests"
---       └─ requests: a shielded scope
---            ├─ request 1: f(ev, part, ...), then its reply is sent
---            └─ ...
---
--- A cancel of the Service ends its receive at once. The shield hides the
--- cancel from the requests until the cancel turns hard [C8], as serve.lua does
--- it for connections. A permit of the semaphore `room` belongs to a request
--- from before it is received until its reply is sent: messages for which there
--- is no permit stay in libzmq, whose senders wait in the end. All runs on one
--- REP share a permit: a REP receives no request before it has replied.
---
--- A request has an envelope, which its reply begins with:
---
---     REP      none: libzmq keeps it
---     ROUTER   the routing id, and what follows up to the empty delimiter
---     DEALER   what comes up to the empty delimiter
---
---     REQ            id, "" │ body          zmq.request    id, key, "" │ body
---     plain DEALER   id     │ body          through a broker
---                                           id, id, key, "" │ body
---
--- The delimiter is the first empty part among the first REACH after the
--- routing id, if a part follows it. Without it, all that follows is the body.
---
--- Neighbours: serve.lua does this for connections; zmq_request.lua asks.
local aw, inner = ...

local forms = inner.part "aiowire.forms"
local request_part = inner.part "aiowire.zmq_request"
local serve_part = inner.part "aiowire.serve"

local zmq = aw.zmq

local M = {}

local OPTIONS <const> = { "concurrency", "timeout", "on_error" }
local CONCURRENCY <const> = 64
local REACH <const> = 8
--- Seconds that a reply waits for a client that reads nothing, and a further
--- reply for the same client.
local PATIENCE <const>, HASTE <const> = 1, 0.001
local MOST_STUCK <const> = 1000 -- such clients that a run knows
local LONGEST <const> = 1000 -- bytes of the text of an error reply
local ERROR_PARTS <const> = 2

--- The place of the first part behind the routing id, for each type of socket;
--- 0 means that a message has no envelope.
local FIRST <const> = { [zmq.REP] = 0, [zmq.DEALER] = 1, [zmq.ROUTER] = 2 }

-- ---- errors as replies ----

--- Types of values that tostring() shows by their address.
local ADDRESSED <const> = { table = true, ["function"] = true, userdata = true,
  thread = true }

--- Return the text of an error value. A plain table or a function says nothing
--- but its address, which is no business of a client.
local function plain_text(err)
  if aw.is_timeout(err) then
    return err.message
  end
  local meta = getmetatable(err)
  local is_plain = ADDRESSED[type(err)] and (meta == nil
    or type(meta) == "table" and not meta.__tostring)
  local ok, text = pcall(tostring, err)
  return ok and not is_plain and text or "an error that is a " .. type(err)
end

--- Return the text without the place that begins it, in the code of this
--- program.
local function without_place(text, err, info)
  local place = type(err) == "table" and rawget(err, "where")
    or text:match "^[^\n]-:%d+"
  local known = place and (type(err) == "table"
    or info.traceback and info.traceback:find(place .. ":", 1, true))
  if known and text:sub(1, #place + 2) == place .. ": " then
    return text:sub(#place + 3)
  end
  return text
end

--- Return the text for the client, without traceback and line of code.
local function text_of(err, info, longest)
  local text = without_place(plain_text(err), err, info)
  local cut = text:find("\nstack traceback:", 1, true)
  return text:sub(1, math.min(cut and cut - 1 or longest, longest))
end

-- ---- replies ----

--- Check what the function returned, and return it as a list of parts.
local function reply_of(request, ...)
  local count = select("#", ...)
  if count == 0 or count == 1 and (...) == nil then
    return { "" }
  end
  local run, parts = request.run, { ... }
  for i = 1, count do
    local kind = type(parts[i])
    if kind ~= "string" and kind ~= "number" then
      error(("part %d of the reply is %s, string expected"):format(i,
        kind == "nil" and kind or "a " .. inner.type_name(parts[i])), 0)
    elseif run.max_size >= 0 and #tostring(parts[i]) > run.max_size then
      error(("part %d of the reply is over the socket's maxmsgsize"):format(i),
        0)
    end
  end
  if count + request.envelope > run.max_parts then
    error(("too many parts in the reply: %d"):format(count), 0)
  end
  return parts
end

--- A client that is gone, or that reads nothing, gets no reply; neither does
--- one of a socket that is closed meanwhile.
local function is_loss(err)
  return aw.is_timeout(err) or aw.is_closed(err)
    or aw.is_system_error(err) and err.code == "EHOSTUNREACH"
end

--- Send the reply of a ROUTER. A client that has let one reply wait in vain
--- gets the next ones only if it has room: it must not keep the others waiting.
local function send_routed(run, message)
  local peer, socket = message[1], run.plan.socket
  local ok, err = aw.pcall(aw.timeout, run.stuck[peer] and HASTE or PATIENCE,
    socket.send_multipart, socket, message)
  local is_stuck = not ok and aw.is_timeout(err)
  if is_stuck ~= (run.stuck[peer] or false) then
    if run.stuck_count >= MOST_STUCK then
      run.stuck, run.stuck_count = {}, 0
    end
    run.stuck[peer] = is_stuck or nil
    run.stuck_count = math.max(run.stuck_count + (is_stuck and 1 or -1), 0)
  end
  return ok, err
end

local function send(request)
  local run, message = request.run, {}
  table.move(request.parts, 1, request.envelope, 1, message)
  table.move(request.reply, 1, #request.reply, #message + 1, message)
  local ok, err
  if run.first == FIRST[zmq.ROUTER] then
    ok, err = send_routed(run, message)
  else
    ok, err = aw.pcall(run.plan.socket.send_multipart, run.plan.socket, message)
  end
  if not ok and not is_loss(err) then
    error(err, 0)
  end
  request.sent = true
end

-- ---- requests ----

--- Run the function, then send the reply, however it has ended.
local function perform(ev, request)
  local plan = request.run.plan
  local work = aw.Call(plan.f, ev,
    table.unpack(request.parts, request.envelope + 1)):map(function(...)
    request.reply = reply_of(request, ...)
  end)
  if plan.timeout then
    work = work:timeout(plan.timeout)
  end
  aw.await(work:catch(function(err, info)
    request.reply = { "error", text_of(err, info, request.run.longest) }
    request.info = info
    error(err, 0)
  end):finally(function()
    request.reply = request.reply or { "error", "cancelled" }
    send(request)
  end))
end

--- The body of the task of a request. It fails with the error of the function,
--- after the reply that says so. Without the memory for all of that, the client
--- gets an error at least.
local function answer(ev, request)
  local _ <close> = request.permit
  request.begun = true
  local ok, err = aw.pcall(perform, ev, request)
  if ok then
    return
  elseif not request.sent then
    request.reply = { "error", "no reply" }
    send(request)
  end
  error(err, 0)
end

--- Return the number of parts of the envelope.
local function envelope_of(parts, first)
  local last = math.min(#parts - 1, first + REACH - 1)
  for i = math.max(first, 1), first > 0 and last or 0 do
    if parts[i] == "" then
      return i
    end
  end
  return math.max(first - 1, 0)
end

local function start(run, permit, parts)
  run.holds = false
  local plan = run.plan
  local request = { run = run, permit = permit, parts = parts,
    envelope = envelope_of(parts, run.first) }
  local room = run.max_parts - request.envelope
  if request.envelope == #parts or run.first > 0 and room < ERROR_PARTS then
    run.room:release()
    return
  end
  run.count = run.count + 1
  local ok, err = pcall(inner.start, run.scope, aw.Wire(answer, request),
    function(_, e, info)
      if not request.begun then -- no memory for the task; the client waits
        run.room:release()
      end
      plan.on_error(e, request.info or info)
    end, "request " .. run.count, plan.where)
  if not ok then
    run.room:release()
    error(err, 0)
  end
end

--- Return the next request; false for a message over the limits of the socket,
--- which is dropped; nil if the socket is closed.
local function receive(run)
  local socket = run.plan.socket
  local ok, parts = aw.pcall(socket.recv_multipart, socket)
  if ok then
    return parts
  elseif aw.is_closed(parts) then
    return nil
  elseif not (aw.is_system_error(parts) and parts.code == "EMSGSIZE") then
    error(parts, 0)
  end
  if run.first == FIRST[zmq.REP] then -- it owes a reply to receive again
    send { run = run, parts = {}, envelope = 0,
      reply = { "error", "too many parts" } }
  end
  return false
end

local function release(run)
  if run.holds then
    run.holds = false
    run.room:release()
  end
end

local function receive_all(run)
  while true do
    local permit = run.room:acquire()
    run.holds = true
    local parts = receive(run)
    if parts then
      start(run, permit, parts)
    elseif parts == nil then
      return
    else
      release(run)
    end
  end
end

-- ---- the run ----

local turns <const> = setmetatable({}, { __mode = "k" }) -- of REP sockets

--- The body of the task "requests": the scope that requests start in. It ends
--- when no more are received and all of them have ended.
local function hold_requests(_, run)
  aw.scope(function(scope)
    run.scope = scope
    run.begun:set()
    run.over:wait()
  end)
end

local Running <const> = {
  __close = function(run)
    release(run)
    run.over:set()
  end,
}

--- Return the permits of a run. A REP has one request at a time, so its runs
--- take turns.
local function room_of(plan)
  if plan.socket.type ~= zmq.REP then
    return aw.semaphore(plan.most, { name = "room for requests" })
  end
  local turn = turns[plan.socket]
  if not turn then
    turn = aw.semaphore(1, { name = "turn of a REP" })
    turns[plan.socket] = turn
  end
  return turn
end

local function new_run(plan)
  local socket = plan.socket
  local max_size = socket.maxmsgsize
  return setmetatable({ plan = plan, count = 0, stuck = {}, stuck_count = 0,
    first = FIRST[socket.type], max_size = max_size,
    longest = max_size < 0 and LONGEST or math.min(LONGEST, max_size),
    max_parts = socket.max_parts, room = room_of(plan),
    begun = aw.event { name = "requests" },
    over = aw.event { name = "end of Service" } }, Running)
end

local function serve(_, plan)
  if plan.socket.closed then
    return
  end
  aw.scope(function(scope)
    local run <close> = new_run(plan)
    scope:start(aw.Wire(hold_requests, run):shielded(math.huge)
      :named "requests")
    run.begun:wait()
    receive_all(run)
  end)
end

-- ---- the wire ----

local function check_socket(socket)
  if inner.type_name(socket) ~= "zmq socket" then
    inner.bad_type(1, "zmq socket", socket)
  elseif socket.closed then
    inner.bad_argument(1, "the socket is closed")
  elseif not FIRST[socket.type] then
    inner.bad_argument(1, "a REP, ROUTER or DEALER socket expected, got "
      .. tostring(socket))
  end
end

local function most_of(most, is_rep)
  local limit = most == nil and CONCURRENCY or forms.limit(most)
    or inner.raise("bad option 'concurrency' (a whole number, at least 1, "
      .. "expected, got " .. inner.shown(most) .. ")")
  if is_rep then
    return 1
  end
  return limit == 0 and 0x7fffffff or limit
end

local function check_on_error(on_error)
  if on_error == aw.keep then
    inner.raise("bad option 'on_error' (aw.keep is for start(): no task is "
      .. "left to keep the failure)")
  elseif on_error ~= nil and not forms.callable(on_error) then
    inner.bad_option("on_error", "function", on_error)
  end
end

--- Return an on_error that warns once for each place of a failure [D4].
local function teller(title, place)
  local tell = serve_part.teller("a request of " .. title, place)
  return function(err)
    tell(nil, err)
  end
end

--- Return a name such as "Service(REP bound to tcp://127.0.0.1:5555)".
local function title_of(socket)
  return "Service(" .. tostring(socket):gsub("^zmq (.-) socket %((.*)%)$",
    "%1 %2") .. ")"
end

--- Make the wire that answers the requests of a socket; see meta.lua.
function M.Service(socket, f, opts)
  check_socket(socket)
  if not forms.callable(f) then
    inner.bad_type(2, "function", f)
  end
  if opts ~= nil then
    inner.check_options(3, opts, OPTIONS)
  end
  opts = opts or {}
  check_on_error(opts.on_error)
  local title = title_of(socket)
  local plan = { socket = socket, f = f, where = inner.where(),
    most = most_of(opts.concurrency, socket.type == zmq.REP),
    timeout = request_part.seconds_of(opts.timeout),
    on_error = opts.on_error or teller(title, inner.place() or "?") }
  return aw.Wire(serve, plan):named(title)
end

return M
