--- The reference model: the rules of wires as a small interpreter in plain Lua.
---
--- It has the names and shapes of the library (`model.Sleep(1) >> f`, methods,
--- operators, `model.EventLoop()`), so the same program runs on either one, and
--- spec/random_wires.lua makes such programs and compares what they did.
--- It is written from the rules alone, each part names those it stands for,
--- and it shares no code with the library.
---
---   model_engine.lua   tasks, scopes, cancels, the clock, channels
---   here               what each kind of wire means: meaning[kind](w, decide)
---
--- A meaning runs one step of `w` in the current task and gives its results,
--- a packed table, and the next wire, if the last body returned one. `decide`
--- is there if `w` is an event among the operands of a race: called at the
--- commit [H3]. `model.meaning` and `model.rule` may be replaced by wrong ones.

local E = require "spec.model_engine"

local M = {}

local meaning = {}
M.meaning, M.rule = meaning, E.rule

local Wire = { __name = "model wire" }
Wire.__index = Wire

local NOTHING <const> = { n = 0 }

-- Building ------------------------------------------------------------------

local function wire(kind, fields)
  fields.kind = kind
  return setmetatable(fields, Wire)
end

--- Functions are accepted wherever wires are [V2].
local function lift(w)
  if type(w) == "function" then
    return wire("body", { f = w })
  end
  assert(getmetatable(w) == Wire, "wire expected")
  return w
end

M.Wire = lift

--- Operators flatten: a >> b >> c is one sequence of three [V4].
local function flat(kind)
  return function(a, b)
    local list = {}
    for _, w in ipairs { lift(a), lift(b) } do
      if w.kind == kind and not w.keys then
        table.move(w, 1, #w, #list + 1, list)
      else
        list[#list + 1] = w
      end
    end
    return wire(kind, list)
  end
end

Wire.__shr = flat "seq" -- O1
Wire.__band = flat "all" -- O4
Wire.__bor = flat "race" -- O5
Wire.__idiv = flat "fall" -- O7

function Wire.__mul(a, b) -- O2
  if type(a) == "number" then
    a, b = b, a
  end
  return wire("repeat", { lift(a), times = b })
end

function Wire.map(w, f) -- O11
  return wire("map", { lift(w), f = f })
end
Wire.__div = Wire.map

--- The methods: what each keeps of its arguments.
local methods = {
  bind = { "f" }, -- O11
  catch = { "f" }, -- O9
  finally = { "f", "grace" }, -- O9
  supervise = { "f" }, -- O14
  retry = { "opts" }, -- O10
  whole = {}, -- O12
  shielded = { "grace" }, -- O13
  named = { "name" }, -- O15
}
for name, fields in pairs(methods) do
  Wire[name] = function(w, ...)
    local new = { lift(w) }
    for i, field in ipairs(fields) do
      new[field] = (select(i, ...))
    end
    return wire(name, new)
  end
end

function Wire.timeout(w, seconds, opts) -- O8
  return wire("timeout", { lift(w), after = seconds,
    grace = opts and opts.grace })
end

function M.Value(...)
  return wire("value", { results = table.pack(...) })
end

function M.Call(f, ...) -- P9
  return wire("call", { f = f, args = table.pack(...) })
end

function M.Sleep(seconds)
  return wire("sleep", { seconds = seconds })
end

M.Never = wire("never", {})

function M.Forever(w) -- O3
  return wire("repeat", { lift(w), times = math.huge })
end

function M.Recv(ch)
  return wire("recv", { ch = ch })
end

function M.Send(ch, value)
  return wire("send", { ch = ch, value = value })
end

--- The array part first, then string keys in byte order [O6].
local function with_keys(kind)
  return function(t)
    local list = { keys = {}, limit = t.limit }
    for i, w in ipairs(t) do
      list[i], list.keys[i] = lift(w), i
    end
    local names = {}
    for key in pairs(t) do
      if type(key) == "string" and key ~= "limit" then
        names[#names + 1] = key
      end
    end
    table.sort(names)
    for _, key in ipairs(names) do
      list[#list + 1] = lift(t[key])
      list.keys[#list] = key
    end
    return wire(kind, list)
  end
end

M.All, M.Any, M.Race = with_keys "all", with_keys "any", with_keys "race"

-- Steps -----------------------------------------------------------------------

local function step(w, decide)
  local results, next_wire = meaning[w.kind](w, decide)
  return results, next_wire
end

--- A step, and all that it leads to [N2].
local function whole(w, decide)
  local results, next_wire = step(w, decide)
  while next_wire do
    E.transition() -- N3
    results, next_wire = step(next_wire)
  end
  return results
end

--- A wire that a body returned where something else follows runs beside it,
--- as a child of the innermost scope [N5].
local function spin_off(w)
  if w then
    E.start(E.current().scope, function()
      return whole(w)
    end, E.child_ended)
  end
end

--- What a function that may go on returned: nothing, or a wire [N1].
local function returned_wire(...)
  if select("#", ...) == 0 or (select("#", ...) == 1 and ... == nil) then
    return NOTHING, nil
  end
  assert(select("#", ...) == 1, "more than a wire was returned")
  return NOTHING, lift((...))
end

function meaning.body(w) -- N1
  return returned_wire(w.f(E.current().loop))
end

function meaning.call(w) -- P9
  return table.pack(w.f(table.unpack(w.args, 1, w.args.n)))
end

function meaning.value(w) -- V3
  return w.results
end

function meaning.sleep(w, decide) -- O15, K3
  E.await(E.until_time(M.now() + w.seconds), decide)
  return NOTHING
end

function meaning.never(_, decide) -- O15
  E.await(E.never, decide)
end

function meaning.recv(w, decide) -- H1
  return table.pack(E.await(E.receiving(w.ch), decide))
end

function meaning.send(w, decide) -- H1
  E.await(E.sending(w.ch, w.value), decide)
  return NOTHING
end

function meaning.seq(w) -- O1, N4
  for i = 1, #w - 1 do
    local _, next_wire = step(w[i])
    spin_off(next_wire)
    E.boundary()
  end
  return step(w[#w])
end

meaning["repeat"] = function(w) -- O2, O3, P8, N4
  local results, next_wire = NOTHING, nil
  for i = 1, w.times do
    if i > 1 then
      spin_off(next_wire)
      E.boundary()
    end
    results, next_wire = step(w[1])
  end
  return results, next_wire
end

function meaning.named(w, decide) -- O15
  return step(w[1], decide)
end

function meaning.whole(w, decide) -- O12
  return whole(w[1], decide)
end

function meaning.map(w, decide) -- O11; no boundary before the function [N4]
  local results = whole(w[1], decide)
  return table.pack(w.f(table.unpack(results, 1, results.n)))
end

function meaning.bind(w, decide) -- O11
  local results = whole(w[1], decide)
  return returned_wire(w.f(table.unpack(results, 1, results.n)))
end

-- Together --------------------------------------------------------------------

--- One value for each operand, nil kept; one table if there are names [O4, O6].
local function first_results(w, tasks)
  local results, named = { n = #w }, {}
  for i, task in ipairs(tasks) do
    results[i] = task.result[1]
    if w.keys then
      named[w.keys[i]] = task.result[1]
    end
  end
  if w.keys and type(w.keys[#w]) == "string" then
    return { n = 1, named }
  end
  return results
end

function meaning.all(w) -- O4; `limit` of them at once [O6]
  local tasks = {}
  E.inside({}, function(scope)
    local function start_next()
      local operand = w[#tasks + 1]
      tasks[#tasks + 1] = E.start(scope, function()
        return whole(operand)
      end, function(task)
        E.child_ended(task, scope)
        if #tasks < #w and not scope.cut_short and not scope.err then
          start_next()
        end
      end)
    end
    for _ = 1, math.min(w.limit or #w, #w) do
      start_next()
    end
  end)
  return first_results(w, tasks)
end

--- Is `w` one primitive operation with a single commit [V3, H3]?
local function is_event(w)
  if w.kind == "map" or w.kind == "bind" or w.kind == "named" then
    return is_event(w[1])
  end
  return w.kind == "sleep" or w.kind == "never" or w.kind == "recv"
    or w.kind == "send"
end

--- Start the operands; the first for which `wins(task)` holds decides, events
--- at their commit; the others are cancelled and awaited. Gives the winner, or
--- nil [O5].
local function race(w, wins)
  local tasks, winner, decided_at, clean_up_error = {}, nil, nil, nil
  local choice = {}
  local function decide(i)
    if not winner then
      winner, decided_at = i, M.now()
      for k, task in ipairs(tasks) do
        if k ~= i then
          E.cancel_task(task)
        end
      end
    end
  end
  local function ended(i, task)
    if not winner and task.status ~= "cancelled" and wins(task) then
      decide(i)
    elseif winner and winner ~= i and task.status == "failed"
      and (task.was_cancelled or task.ended_at > decided_at) then
      -- What was in flight already is dropped, an error of clean-up never.
      clean_up_error = clean_up_error or { task.result }
    end
  end
  E.inside({}, function(scope)
    for i, operand in ipairs(w) do
      local at_commit = is_event(operand) and setmetatable({ choice = choice },
        { __call = function()
          decide(i)
        end })
      tasks[i] = E.start(scope, function()
        return whole(operand, at_commit or nil)
      end, function(task)
        ended(i, task)
      end)
    end
  end)
  local task = tasks[winner]
  if task and task.status == "failed" then
    error(task.result, 0)
  elseif clean_up_error then
    error(clean_up_error[1], 0)
  elseif task and task.status == "cancelled" then
    error(E.CANCELLED, 0)
  end
  return task, winner, tasks
end

--- The winner's results, and its key [O5, O6].
local function winners_results(w, task, winner)
  local results = table.move(task.result, 1, task.result.n, 1, {
    n = task.result.n })
  if w.keys then
    results.n = results.n + 1
    results[results.n] = w.keys[winner]
  end
  return results
end

function meaning.race(w) -- O5
  local task, winner = race(w, function()
    return true
  end)
  if not task then
    error(E.CANCELLED, 0)
  end
  return winners_results(w, task, winner)
end

function meaning.any(w) -- O6
  local last
  local task, _, tasks = race(w, function(task)
    if task.status == "failed" then
      last = task
    end
    return task.status == "done"
  end)
  if task then
    return task.result
  end
  for _, other in ipairs(tasks) do
    if other.status == "cancelled" then
      error(E.CANCELLED, 0)
    end
  end
  error(last.result, 0)
end

-- Instead, again, at the latest, in any case ----------------------------------

local function scoped(w, opts)
  return E.in_scope(opts or {}, function()
    return whole(w)
  end)
end

--- What a scope ended with, outside it.
local function go_on(how, value)
  if how == "failed" then
    error(value, 0)
  elseif how ~= "done" then
    error(E.CANCELLED, 0)
  end
  return value
end

function meaning.fall(w) -- O7
  for i = 1, #w - 1 do
    local how, value = scoped(w[i])
    if how ~= "failed" then
      return go_on(how, value)
    end
  end
  return step(w[#w])
end

M.Timeout = { __name = "Timeout" }

function meaning.timeout(w) -- O8
  local how, value = scoped(w[1], { timeout = w.after, grace = w.grace })
  if how == "cut" then
    error(setmetatable({ after = w.after }, M.Timeout), 0)
  end
  return go_on(how, value)
end

function meaning.catch(w) -- O9
  local how, value = scoped(w[1])
  if how == "failed" then
    return returned_wire(w.f(value, {}))
  end
  return go_on(how, value)
end

function meaning.finally(w) -- O9
  local how, value = scoped(w[1])
  local how_f, err = E.in_scope({ shield = true, grace = w.grace },
    function()
      w.f()
    end)
  if how_f == "failed" then
    error(err, 0) -- replaces the first
  elseif how_f ~= "done" and how == "done" then
    error(E.CANCELLED, 0)
  end
  return go_on(how, value)
end

function meaning.shielded(w) -- O13, C7
  return go_on(scoped(w[1], { shield = true, grace = w.grace }))
end

function meaning.supervise(w) -- O14
  local how, value = scoped(w[1])
  if how == "failed" then
    w.f(E.current().loop, value, {})
    return NOTHING
  end
  return go_on(how, value)
end

--- The tries, one after another [O10].
local function tries(w, opts, note_error)
  for k = 1, opts.times do
    local how, value = scoped(w)
    if how ~= "failed" then
      return go_on(how, value)
    end
    note_error(value)
    if k == opts.times or (opts.when and not opts.when(value, k)) then
      error(value, 0)
    end
    local delay = (opts.delay or 0) * (opts.factor or 2) ^ (k - 1)
    M.sleep(math.min(opts.max or math.huge, delay))
  end
end

function meaning.retry(w) -- O10
  local last
  local how, value = E.in_scope({ timeout = w.opts.within }, function()
    return tries(w[1], w.opts, function(err)
      last = { err }
    end)
  end)
  if how == "cut" then
    error(last and last[1]
      or setmetatable({ after = w.opts.within }, M.Timeout), 0)
  end
  return go_on(how, value)
end

-- Acting ----------------------------------------------------------------------

function M.now()
  return M.engine.now
end

function M.sleep(seconds)
  E.await(E.until_time(M.now() + seconds))
end

function M.await(w) -- N6
  E.look()
  local results = whole(lift(w))
  return table.unpack(results, 1, results.n)
end

function M.shield(f, grace) -- C7, C12
  local results = E.inside({ shield = true, grace = grace }, function()
    return table.pack(f())
  end)
  return table.unpack(results, 1, results.n)
end

local Channel = {}
Channel.__index = Channel

function M.channel(size)
  return setmetatable(E.channel(size or 0), Channel)
end

function Channel:send(value)
  E.await(E.sending(self, value))
end

function Channel:recv()
  return E.await(E.receiving(self))
end

-- Errors and loops ------------------------------------------------------------

local TaskCancelled = { __name = "TaskCancelled" }

function M.is_cancelled(err)
  return err == E.CANCELLED
end

function M.is_timeout(err)
  return getmetatable(err) == M.Timeout
end

function M.is_task_cancelled(err)
  return getmetatable(err) == TaskCancelled
end

local Task = {}
Task.__index = Task

function Task:cancel() -- T4
  E.cancel_task(self.inner)
end

function Task:wait() -- T5
  local task = E.await(E.task_end(self.inner))
  if task.status == "failed" then
    error(task.result, 0)
  elseif task.status == "cancelled" then
    error(setmetatable({}, TaskCancelled), 0)
  end
  return table.unpack(task.result, 1, task.result.n)
end

local Loop = {}
Loop.__index = Loop

--- A loop on a virtual clock. `opts.pick` chooses among ready tasks, see
--- model_engine.lua; `opts.limit` bounds the turns it takes.
function M.EventLoop(opts)
  M.engine = E.new(opts.pick, opts.grace)
  return setmetatable({ engine = M.engine, limit = opts.limit }, Loop)
end

--- A failure goes to the handler, once all is cleaned up [E7]. Every task here
--- has one.
function Loop:start(w, handler)
  w = lift(w)
  local inner = E.start(self.engine.root, function()
    return whole(w)
  end, function(task)
    if task.status == "failed" then
      handler(self, task.result)
    end
  end)
  return setmetatable({ inner = inner }, Task)
end

function Loop:now()
  return self.engine.now
end

function Loop:run()
  return E.run(self.engine, self.limit or 1000000)
end

return M
