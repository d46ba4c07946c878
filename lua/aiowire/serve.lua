--- serve.lua: aw.Serve(server, body [, handler [, opts]]), a wire that runs
--- `body` for each connection, in a task of its own
---
---     Serve: accepts, and starts a task in the scope of "connections"
---       └─ connections: a shielded scope
---            ├─ tcp 127.0.0.1:51234: body(ev, stream), then the stream closes
---            └─ ...
---
--- A cancel of the Serve ends its accept at once. The shield hides the cancel
--- from the connections until the cancel turns hard [C8]. The shield has no
--- grace of its own, since that would count from the start of the Serve. All
--- connections share one shield, so that each of them costs little.
---
--- connections.c has the wire of a connection and the count of open ones.
local aw, inner = ...

local forms = inner.part "aiowire.forms"

local M = {}

local OPTIONS <const> = { "max_connections" }
local MOST_PLACES <const> = 100 -- of failures, with a warning for each

-- ---- failures ----

--- Return the handler of a Serve or of a Service that was given none. It warns
--- once for each place of a failure [D4]. `what` says what has failed; `where`
--- stands for the place of an error that has none.
function M.teller(what, where)
  local told, count = {}, 0
  return function(_, err)
    local ok, text = pcall(tostring, err)
    text = ok and text or "(an error whose text cannot be made)"
    local place, rest = text:match "^([^\n]-:%d+): (.*)$"
    if place and not told[place] and count < MOST_PLACES then
      told[place], count = true, count + 1
    end
    if not told[place] then
      place, rest = where, text
    end
    inner.connection_failed(place, what .. " failed: " .. rest)
  end
end

-- ---- running ----

--- The body of the task "connections": a scope that the Serve starts tasks in.
--- It ends when no more are accepted and all of them have ended. (The Serve may
--- not wait for it by start_ready(): a cancel would join the shielded task.)
local function hold_connections(_, run)
  aw.scope(function(scope)
    run.scope = scope
    inner.hold_serving(run.serving)
  end)
end

--- Start the task of a connection.
local function start(run, stream)
  local plan = run.plan
  local wire, name = inner.connection(run.serving, aw.Wire(plan.body, stream),
    stream)
  local ok, err = pcall(inner.start, run.scope, wire, plan.handler, name,
    plan.where)
  if not ok then
    stream:close()
    inner.not_started(run.serving)
    error(err, 0)
  end
end

local function accept_all(run)
  local serving, server = run.serving, run.plan.server
  while true do
    inner.room(serving)
    local stream = inner.accept(server)
    if not stream then
      return
    end
    start(run, stream)
  end
end

local Running <const> = {
  __close = function(run)
    inner.stopping(run.serving)
  end,
}

local function serve(_, plan)
  aw.scope(function(scope)
    local run <close> = setmetatable({ plan = plan,
      serving = inner.serving(plan.most) }, Running)
    scope:start(aw.Wire(hold_connections, run):shielded(math.huge)
      :named "connections")
    accept_all(run)
  end)
end

-- ---- the wire ----

local function check_handler(handler)
  if handler ~= nil and not forms.callable(handler) then
    inner.bad_type(3, "function", handler)
  elseif handler == aw.keep then
    inner.bad_argument(3, "aw.keep is for start(): no task is left to keep the "
      .. "failure")
  end
end

local function most_of(opts)
  if opts == nil then
    return nil
  end
  inner.check_options(4, opts, OPTIONS)
  local most = opts.max_connections
  return most ~= nil and (forms.limit(most)
    or inner.raise("bad option 'max_connections' (a whole number, at least 1, "
      .. "expected, got " .. inner.shown(most) .. ")")) or nil
end

function M.Serve(server, body, handler, opts)
  local title = inner.server_title(server)
  if not title then
    inner.bad_type(1, "server", server)
  elseif not forms.callable(body) then
    inner.bad_type(2, "function", body)
  end
  check_handler(handler)
  local where = inner.where()
  title = "Serve(" .. title .. ")"
  local plan = { server = server, body = body, most = most_of(opts),
    where = where, handler = handler
      or M.teller("a connection of " .. title, inner.place() or "?") }
  return aw.Wire(serve, plan):named(title)
end

return M
