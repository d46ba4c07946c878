--- zmq_proxy.lua: zmq.Proxy(front, back [, capture [, control]]), a wire that
--- passes messages between two sockets
---
---     Proxy: steers, or waits for its parts
---       ├─ guard: fails when one of the sockets is closed
---       └─ moving: PAUSE ends it, and RESUME begins it anew
---            ├─ pump front → back
---            └─ pump back → front
---
--- lua/zmq/proxy/proxy.c has the pumps, which move messages without Lua. A pump
--- that waits has no message, so to pause is to cancel it.
---
--- The exception is a copy that the capture has no room for. At the end of the
--- Proxy, finish() sends it in a shield; if it cannot, its error has the parts.
local aw, inner = ...

local CAPTURES <const> = { PUB = true, XPUB = true, DEALER = true, PUSH = true,
  PAIR = true }
local CONTROLS <const> = { PAIR = true, PULL = true, REP = true, SUB = true,
  DEALER = true }

local raw = inner.zmq_raw.proxy

--- So many seconds a copy waits for a full capture after TERMINATE.
local PATIENCE <const> = 1

-- ---- arguments ----

local NAMES <const> = { "front", "back", "capture", "control" }

--- Return the kind of a socket; nil if the argument is nil and may be.
local function kind_at(arg, socket)
  if socket == nil and arg > 2 then
    return nil
  end
  local name, receives, sends = raw.kind(socket)
  if not name then
    inner.bad_type(arg, "zmq socket", socket)
  end
  return { name = name, receives = receives, sends = sends }
end

local function check_type(arg, kind, known, expected)
  if kind and not known[kind.name] then
    inner.bad_argument(arg, ("a %s socket cannot be the %s: %s expected")
      :format(kind.name, NAMES[arg], expected))
  end
end

--- The capture and the control must be sockets of their own.
local function check_own(...)
  local sockets = { ... }
  for arg = 3, 4 do
    for other = 1, arg - 1 do
      if sockets[arg] ~= nil and sockets[arg] == sockets[other] then
        inner.bad_argument(arg, ("the %s is the %s already"):format(
          NAMES[other], NAMES[arg]))
      end
    end
  end
end

local function check_directions(front, back)
  if not (front.receives and back.sends or back.receives and front.sends) then
    inner.raise(("nothing can pass between a %s and a %s socket"):format(
      front.name, back.name))
  end
end

-- ---- moving ----

local function new_run(plan)
  local run = { plan = plan, pumps = {} }
  local front, back = plan.front, plan.back
  if plan.forth then
    run.forth = raw.pump(front, back, plan.capture)
    table.insert(run.pumps, run.forth)
  end
  if plan.back_again then
    run.back = raw.pump(back, front, plan.capture)
    table.insert(run.pumps, run.back)
  end
  return run
end

--- Warnings, each of which is given once for a Proxy.
local ABOUT_COMMAND <const>, ABOUT_REPLY <const>, ABOUT_PARTS <const> = 0, 1, 2

local function warn(run, kind, text)
  raw.warn(run.plan.place, kind, "Proxy: " .. text)
end

local function pump_on(run, pump)
  while true do
    raw.run(pump)
    warn(run, ABOUT_PARTS, "a message has more parts than 'max_parts' of its "
      .. "socket allows, and is dropped")
  end
end

local function moving(run)
  local wires = {}
  for i, pump in ipairs(run.pumps) do
    wires[i] = aw.Wire(function()
      pump_on(run, pump)
    end):named(pump == run.forth and "front to back" or "back to front")
  end
  return inner.combine("All", 0, nil, table.unpack(wires)):named "moving"
end

local function guarded(run)
  local plan = run.plan
  return aw.Wire(function()
    raw.closed(raw.guard(plan.front, plan.back, plan.capture))
  end):named "guard"
end

-- ---- commands ----

local function counts(pump)
  if pump then
    return raw.counts(pump)
  end
  return 0, 0
end

--- Return the parts of the reply to STATISTICS, as zmq_proxy_steerable(3) has
--- them: 64-bit numbers in the order of bytes of this machine.
local function statistics(run)
  local forth, forth_bytes = counts(run.forth)
  local back, back_bytes = counts(run.back)
  local parts = {}
  for i, n in ipairs { forth, forth_bytes, back, back_bytes,
    back, back_bytes, forth, forth_bytes } do
    parts[i] = string.pack("=I8", n)
  end
  return parts
end

local function start_moving(run)
  if not run.task then
    run.task = run.scope:start(moving(run))
  end
end

local function stop_moving(run)
  local task = run.task
  run.task = nil
  if task then
    task:cancel_wait()
  end
end

--- Each command returns the parts of the reply that a REP gives.
local commands <const> = {}

function commands.PAUSE(run)
  stop_moving(run)
  return { "" }
end

function commands.RESUME(run)
  start_moving(run)
  return { "" }
end

function commands.TERMINATE(run)
  stop_moving(run)
  run.over = true
  return { "" }
end

--- Every control that can send gets the statistics.
function commands.STATISTICS(run)
  local plan = run.plan
  if not plan.control_sends then
    warn(run, ABOUT_REPLY, ("a %s socket cannot reply to STATISTICS"):format(
      plan.control_type))
  elseif plan.control_type ~= "REP" then
    plan.control:send_multipart(statistics(run))
  end
  return statistics(run)
end

--- Return the parts of the next command; none if they are too many.
local function next_command(control)
  local ok, parts = aw.pcall(control.recv_multipart, control)
  if ok then
    return parts
  elseif aw.is_system_error(parts) and parts.code == "EMSGSIZE" then
    return {}
  end
  error(parts, 0)
end

--- Anybody may send a command, so the text shows a short and readable part of
--- it.
local function unknown(run, parts)
  local MOST <const> = 40
  local what = #parts == 1
    and "'" .. parts[1]:sub(1, MOST):gsub("[^%g ]", "?") .. "'"
    or ("of %s parts"):format(#parts > 0 and #parts or "too many")
  local text = "unknown command " .. what
  warn(run, ABOUT_COMMAND, text)
  return { text }
end

local function obey(run, parts)
  local command = #parts == 1 and commands[parts[1]] or unknown
  local reply = command(run, parts)
  if run.plan.control_type == "REP" then
    run.plan.control:send_multipart(reply)
  end
end

-- ---- running ----

local function run_until_end(_, run)
  if run.plan.control == nil then
    return inner.combine("All", 0, nil, moving(run), guarded(run))
  end
  aw.scope(function(scope)
    run.scope = scope
    scope:start(guarded(run))
    start_moving(run)
    while not run.over do
      obey(run, next_command(run.plan.control))
    end
    scope:cancel "terminated"
  end)
end

--- Raise an error with the parts of a copy that could not be sent.
local Unsent <const> = {
  __close = function(unsent)
    local err = raw.left(unsent.pump)
    if err then
      error(err, 0)
    end
  end,
}

--- A cancel limits this by its grace. TERMINATE is no cancel, so it has a limit
--- of its own.
local function finish(run)
  for _, pump in ipairs(run.pumps) do
    local _ <close> = setmetatable({ pump = pump }, Unsent)
    if run.over then
      aw.pcall(aw.timeout, PATIENCE, raw.finish, pump)
    else
      raw.finish(pump)
    end
  end
end

local function run_proxy(_, plan)
  local run = new_run(plan)
  local wire = aw.Wire(run_until_end, run):named(plan.title)
  if plan.capture ~= nil then
    wire = wire:finally(function()
      finish(run)
    end)
  end
  aw.await(wire)
end

--- Make a wire that passes messages from `front` to `back` and from `back` to
--- `front`, as far as the types of the sockets can.
local function Proxy(front, back, capture, control)
  local f, b = kind_at(1, front), kind_at(2, back)
  local copies, steers = kind_at(3, capture), kind_at(4, control)
  check_directions(f, b)
  check_type(3, copies, CAPTURES, "PUB, DEALER, PUSH or PAIR")
  check_type(4, steers, CONTROLS, "PAIR, PULL, REP, SUB or DEALER")
  check_own(front, back, capture, control)
  local plan = {
    front = front, back = back, capture = capture, control = control,
    forth = f.receives and b.sends,
    back_again = front ~= back and b.receives and f.sends,
    control_type = steers and steers.name,
    control_sends = steers and steers.sends,
    place = inner.place() or "?",
    title = ("Proxy(%s, %s)"):format(f.name, b.name),
  }
  return aw.Wire(run_proxy, plan):named(plan.title)
end

return { Proxy = Proxy }
