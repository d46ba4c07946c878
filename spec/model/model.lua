--- The reference model: the rules of wires as a small interpreter in plain Lua.
---
--- The model has the names and shapes of the library (`model.Sleep(1) >> f`,
--- methods, operators, `model.EventLoop()`). So one program runs on either of
--- them, and spec/model/compare_wires.lua compares what random programs do. The
--- model is written from the rules alone and shares no code with the library.
--- Each part names its rules.
---
---   model_engine.lua   tasks, scopes, cancels, the clock, channels
---   here               what each kind of wire means: meaning[kind](w, begun)
---
--- A meaning runs one step of `w` in the current task. It returns the results,
--- a packed table, and the next wire if the last body returned one. `begun` is
--- given only if `w` is an event among the operands of a race: such an event
--- begins with the race [H3]. A spec may replace entries of `model.meaning` and
--- `model.rule` by wrong ones.

local E = require "spec.model.model_engine"

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

--- Wherever a wire is expected, a function is accepted [V2].
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

Wire.__shr = flat "seq" -- [O1]
Wire.__band = flat "all" -- [O4]
Wire.__bor = flat "race" -- [O5]
Wire.__idiv = flat "fall" -- [O7]

function Wire.__mul(a, b) -- [O2]
  if type(a) == "number" then
    a, b = b, a
  end
  return wire("repeat", { lift(a), times = b })
end

function Wire.map(w, f) -- [O11]
  return wire("map", { lift(w), f = f })
end
Wire.__div = Wire.map

--- For each method, the names of the arguments that the wire keeps.
local methods = {
  bind = { "f" }, -- [O11]
  catch = { "f" }, -- [O9]
  finally = { "f", "grace" }, -- [O9]
  supervise = { "f" }, -- [O14]
  retry = { "opts" }, -- [O10]
  whole = {}, -- [O12]
  shielded = { "grace" }, -- [O13]
  named = { "name" }, -- [O15]
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

function Wire.timeout(w, seconds, opts) -- [O8]
  return wire("timeout", { lift(w), after = seconds,
    grace = opts and opts.grace })
end

function M.Value(...)
  return wire("value", { results = table.pack(...) })
end

function M.Call(f, ...) -- [P9]
  return wire("call", { f = f, args = table.pack(...) })
end

function M.Sleep(seconds)
  return wire("sleep", { seconds = seconds })
end

M.Never = wire("never", {})

function M.Done(task)
  return wire("done", { task = task.inner })
end

function M.Every(period, w, opts)
  return wire("every", { lift(w), period = period,
    missed = opts and opts.missed or "skip" })
end

function M.Forever(w) -- [O3]
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

local function step(w, begun)
  local results, next_wire = meaning[w.kind](w, begun)
  return results, next_wire
end

--- Run a wire, and then each next wire, until no body returns one [N2].
local function whole(w, begun)
  local results, next_wire = step(w, begun)
  while next_wire do
    E.transition() -- [N3]
    results, next_wire = step(next_wire)
  end
  return results
end

--- Start a wire that a body returned while the sequence or loop goes on. The
--- wire runs as a child of the innermost scope [N5].
local function spin_off(w)
  if w then
    E.start(E.current().scope, function()
      return whole(w)
    end, E.child_ended)
  end
end

--- Checks the results of a function that may return a wire or nothing [N1].
local function returned_wire(...)
  if select("#", ...) == 0 or (select("#", ...) == 1 and ... == nil) then
    return NOTHING, nil
  end
  assert(select("#", ...) == 1, "more than a wire was returned")
  return NOTHING, lift((...))
end

function meaning.body(w) -- [N1]
  return returned_wire(w.f(E.current().loop))
end

function meaning.call(w) -- [P9]
  return table.pack(w.f(table.unpack(w.args, 1, w.args.n)))
end

function meaning.value(w) -- [V3]
  return w.results
end

--- For each kind of event, the operation that the event waits for [V3].
local operation = {}

function operation.sleep(w)
  return E.until_time(M.now() + w.seconds)
end

function operation.never()
  return E.never
end

function operation.recv(w)
  return E.receiving(w.ch)
end

function operation.send(w)
  return E.sending(w.ch, w.value)
end

function operation.done(w)
  return E.task_end(w.task)
end

function meaning.sleep(w, begun) -- [O15, K3]
  E.await(operation.sleep(w), begun)
  return NOTHING
end

function meaning.never(w, begun) -- [O15]
  E.await(operation.never(w), begun)
end

--- Returns a received value, or nil and "closed". (No program sends nil here.)
local function received(value)
  if value == nil then
    return nil, "closed"
  end
  return value
end

function meaning.recv(w, begun) -- [H1]
  return table.pack(received(E.await(operation.recv(w), begun)))
end

function meaning.done(w, begun) -- [O15]
  return E.await(operation.done(w), begun)
end

function meaning.send(w, begun) -- [H1]
  E.await(operation.send(w), begun)
  return NOTHING
end

function meaning.seq(w) -- [O1, N4]
  for i = 1, #w - 1 do
    local _, next_wire = step(w[i])
    spin_off(next_wire)
    E.boundary()
  end
  return step(w[#w])
end

meaning["repeat"] = function(w) -- [O2, O3, P8, N4]
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

function meaning.every(w) -- [K4]: tick k is due at start + k * period
  local start, k = M.now(), 0
  while true do
    whole(w[1])
    k = k + 1
    local late = M.now() > start + k * w.period
    if late and w.missed == "skip" then
      k = math.ceil((M.now() - start) / w.period)
    elseif late and w.missed == "delay" then
      start, k = M.now(), 0
    end
    local due = start + k * w.period
    if due > M.now() then
      M.sleep(due - M.now())
    else
      E.boundary()
    end
  end
end

function meaning.named(w, begun) -- [O15]
  return step(w[1], begun)
end

function meaning.whole(w, begun) -- [O12]
  return whole(w[1], begun)
end

function meaning.map(w, begun) -- no boundary before the function [O11, N4]
  local results = whole(w[1], begun)
  return table.pack(w.f(table.unpack(results, 1, results.n)))
end

function meaning.bind(w, begun) -- [O11]
  local results = whole(w[1], begun)
  return returned_wire(w.f(table.unpack(results, 1, results.n)))
end

-- Together --------------------------------------------------------------------

--- Returns one value for each operand, nil included; one table if operands have
--- names [O4, O6].
local function first_results(w, tasks)
  local results, named = { n = #w }, {}
  for i = 1, #w do
    local task = tasks[i]
    if not task or task.status == "cancelled" then -- by an outer scope
      E.raise_cancelled()
    end
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

function meaning.all(w) -- at most `limit` operands run at once [O4, O6]
  local tasks = {}
  E.inside({}, function(scope)
    local function start_next()
      local operand = w[#tasks + 1]
      tasks[#tasks + 1] = E.start(scope, function()
        return whole(operand)
      end, function(task)
        E.child_ended(task, scope)
        if #tasks < #w and not E.rule.cancelled(scope) then
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

--- Returns the event that `w` is or contains, or a false value [H3]. The second
--- result tells whether a function follows the event.
local function event_in(w)
  if w.kind == "map" or w.kind == "bind" then
    return event_in(w[1]), true
  elseif w.kind == "named" then
    return event_in(w[1])
  end
  return E.rule.primitive(w.kind) and w, false
end

--- Is a wire of this kind one operation with a single commit [V3]?
function E.rule.primitive(kind)
  return operation[kind] ~= nil
end

--- Start the operands. The first operand for which `wins(task)` holds wins; an
--- event wins at its commit. The other operands are cancelled and awaited.
--- Returns the task and the index of the winner, or nil [O5]; and all tasks.
--- With `by_success` an event with a function, which may still fail, wins only
--- at the end of its function, like any other wire [O6].
local function race(w, wins, by_success)
  local tasks, begun, winner, clean_up_error = {}, {}, nil, nil
  local choice = {}
  local function decide(i)
    if not winner then
      winner = i
      for k, task in ipairs(tasks) do
        if k ~= i then
          if begun[k] and not begun[k].committed then
            begun[k].give_up()
          end
          E.cancel_task(task)
        end
      end
    end
  end
  local function ended(i, task)
    if not winner and task.status ~= "cancelled" and wins(task) then
      decide(i)
    elseif winner and winner ~= i and task.status == "failed"
      and E.failed_in_clean_up(task) then
      -- An error of clean-up is never dropped; errors that were raised before
      -- the cancel are.
      clean_up_error = clean_up_error or task
    end
  end
  --- Start the i-th operand. If it is an event, it begins at once. If it
  --- commits, the operands to its right need not start [H2].
  local function start(scope, i)
    local event, with_function = event_in(w[i])
    if event and not (by_success and with_function) then
      begun[i] = E.begin(operation[event.kind](event), choice, function(err)
        if not (by_success and err ~= nil) then
          decide(i)
        end
      end)
    end
    tasks[i] = E.start(scope, function()
      return whole(w[i], begun[i])
    end, function(task)
      ended(i, task)
    end)
  end
  E.inside({}, function(scope)
    for i = 1, #w do
      if not winner then
        start(scope, i)
      end
    end
  end)
  local task = tasks[winner]
  if task and task.status == "failed" then
    E.raise_error_of(task)
  elseif clean_up_error then
    E.raise_error_of(clean_up_error)
  elseif task and task.status == "cancelled" then
    E.raise_cancelled()
  end
  return task, winner, tasks
end

--- Returns the winner's results, followed by its key [O5, O6].
local function winners_results(w, task, winner)
  local results = table.move(task.result, 1, task.result.n, 1, {
    n = task.result.n })
  if w.keys then
    results.n = results.n + 1
    results[results.n] = w.keys[winner]
  end
  return results
end

function meaning.race(w) -- [O5]
  local task, winner = race(w, function()
    return true
  end)
  if not task then
    E.raise_cancelled()
  end
  return winners_results(w, task, winner)
end

function meaning.any(w) -- [O6]
  local last
  local task, _, tasks = race(w, function(task)
    if task.status == "failed" then
      last = task
    end
    return task.status == "done"
  end, true)
  if task then
    return task.result
  end
  local clean_up_failed = last and E.failed_in_clean_up(last)
  for _, other in ipairs(tasks) do
    if other.status == "cancelled" and not clean_up_failed then
      E.raise_cancelled() -- only an error of clean-up precedes Cancelled [E3]
    end
  end
  E.raise_error_of(last)
end

-- Instead, again, at the latest, in any case ----------------------------------

local function scoped(w, opts)
  return E.in_scope(opts or {}, function()
    return whole(w)
  end)
end

--- Return or raise the outcome of a scope in the code around it.
local function go_on(how, value)
  if how == "failed" then
    error(value, 0)
  elseif how ~= "done" then
    E.raise_cancelled()
  end
  return value
end

function meaning.fall(w) -- [O7]
  for i = 1, #w - 1 do
    local how, value = scoped(w[i])
    if how ~= "failed" then
      return go_on(how, value)
    end
  end
  return step(w[#w])
end

M.Timeout = { __name = "Timeout" }

function meaning.timeout(w) -- [O8]
  local how, value = scoped(w[1], { timeout = w.after, grace = w.grace })
  if how == "cut" then
    error(setmetatable({ after = w.after }, M.Timeout), 0)
  end
  return go_on(how, value)
end

function meaning.catch(w) -- [O9]
  local how, value = scoped(w[1])
  if how == "failed" then
    return returned_wire(w.f(value, {}))
  end
  return go_on(how, value)
end

function meaning.finally(w) -- [O9]
  local how, value = scoped(w[1])
  local how_f, err = E.in_scope({ shield = true, grace = w.grace },
    function()
      w.f()
    end)
  if how_f == "failed" then
    error(err, 0) -- replaces the error of the first part
  elseif how_f ~= "done" and how == "done" then
    E.raise_cancelled()
  end
  return go_on(how, value)
end

function meaning.shielded(w) -- [O13, C7]
  return go_on(scoped(w[1], { shield = true, grace = w.grace }))
end

function meaning.supervise(w) -- [O14]
  local how, value = scoped(w[1])
  if how == "failed" then
    w.f(E.current().loop, value, {})
    return NOTHING
  end
  return go_on(how, value)
end

--- Run the tries of `retry`, one after another [O10].
local function tries(w, opts, note_error)
  for k = 1, opts.times do
    local how, value = scoped(w)
    if how ~= "failed" then
      return go_on(how, value)
    end
    note_error(value)
    if E.is_late(value) or k == opts.times -- an error of clean-up [E3]
      or (opts.when and not opts.when(value, k)) then
      error(value, 0)
    end
    E.forget(value)
    local delay = (opts.delay or 0) * (opts.factor or 2) ^ (k - 1)
    M.sleep(math.min(opts.max or math.huge, delay))
  end
end

function meaning.retry(w) -- [O10]
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

function M.await(w) -- [N6]
  E.look()
  local results = whole(lift(w))
  return table.unpack(results, 1, results.n)
end

function M.shield(f, grace) -- [C7, C12]
  local results = E.inside({ shield = true, grace = grace }, function()
    return table.pack(f())
  end)
  return table.unpack(results, 1, results.n)
end

function M.timeout(seconds, f, ...) -- the form for functions [O8]
  local arguments = table.pack(...)
  local how, value = E.in_scope({ timeout = seconds }, function()
    return table.pack(f(table.unpack(arguments, 1, arguments.n)))
  end)
  if how == "cut" then
    error(setmetatable({ after = seconds }, M.Timeout), 0)
  end
  local results = go_on(how, value)
  return table.unpack(results, 1, results.n)
end

local Scope = {}
Scope.__index = Scope

function M.scope(opts, f) -- [S1, S3]
  local how, value = E.in_scope({ timeout = opts.timeout }, function(scope)
    return table.pack(f(setmetatable({ inner = scope }, Scope)))
  end)
  if how == "cut" then
    return nil, "cancelled"
  end
  local results = go_on(how, value)
  return table.unpack(results, 1, results.n)
end

--- Start a child. If a handler is given, it gets the failure of the child, and
--- the scope does not fail [E9].
function Scope:start(w, handler)
  w = lift(w)
  E.start(self.inner, function()
    return whole(w)
  end, function(task, scope)
    if handler and task.status == "failed" then
      handler(E.current().loop, task.result)
    else
      E.child_ended(task, scope)
    end
  end)
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
  return received(E.await(E.receiving(self)))
end

function Channel:close()
  E.close(self)
end

-- Errors and loops ------------------------------------------------------------

function M.is_cancelled(err)
  return err == E.CANCELLED
end

function M.is_timeout(err)
  return getmetatable(err) == M.Timeout
end

function M.is_closed(err)
  return err == E.CLOSED
end

function M.is_task_cancelled(err)
  return err == E.TASK_CANCELLED
end

local Task = {}
Task.__index = Task

function Task:cancel() -- [T4]
  E.cancel_task(self.inner)
end

function Task:wait() -- [T5]
  local results = E.await(E.task_end(self.inner))
  return table.unpack(results, 1, results.n)
end

local Loop = {}
Loop.__index = Loop

--- Returns a loop on a virtual clock. `opts` are those of E.new(); and
--- `opts.limit` is the greatest number of turns.
function M.EventLoop(opts)
  M.engine = E.new(opts)
  return setmetatable({ engine = M.engine, limit = opts.limit }, Loop)
end

--- Start a task. Its handler gets the failure after all is cleaned up [E7].
--- Here every task has a handler.
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
