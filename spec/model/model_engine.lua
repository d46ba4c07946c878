--- The machine under the reference model (spec/model/model.lua): tasks,
--- scopes, a clock and channels, written from the rules alone, and for reading
--- rather than speed.
---
---   task    a coroutine; ready, or parked on one wait, or ended
---   scope   a frame of a task, or a task's own; owns the tasks started in it
---   clock   virtual: jumps to the next deadline when no task is ready [K6]
---
--- What the rules leave open, the order of tasks that are ready at the same
--- moment, is a parameter: `pick` chooses the next of the ready tasks, the
--- first one if it is left out [F1]. Whatever holds with every `pick` does not
--- depend on how many rounds an implementation takes for a step.
---
--- One engine runs at a time. `E.rule` holds the rules that a spec may replace
--- by wrong ones, to see that somebody notices.

local E = {}

E.CANCELLED = setmetatable({}, { __name = "Cancelled" }) -- [C1]
E.TASK_CANCELLED = setmetatable({}, { __name = "TaskCancelled" }) -- [T5]
E.CLOSED = setmetatable({}, { __name = "Closed" }) -- [E4]

local engine, current -- the engine that runs, and its running task
local rule = {}
E.rule = rule

-- Clock -----------------------------------------------------------------------

--- Does a deadline at `time` come before one that was made earlier [K1]?
function rule.overtakes(time, earlier)
  return time < earlier
end

--- Call `f` when the clock shows `time`. Deadlines are in order of (time,
--- creation) [K1].
local function at(time, f)
  local deadlines, i = engine.deadlines, #engine.deadlines
  while i > 0 and rule.overtakes(time, deadlines[i].time) do
    i = i - 1
  end
  local node = { time = time, f = f }
  table.insert(deadlines, i + 1, node)
  return node
end

local function forget(node)
  if node then
    node.f = nil
  end
end

--- Jump to the next deadline, and to all that are due with it [K2]. False if
--- there is none.
local function advance()
  local deadlines = engine.deadlines
  while deadlines[1] and not deadlines[1].f do
    table.remove(deadlines, 1)
  end
  if not deadlines[1] then
    return false
  end
  engine.now = math.max(engine.now, deadlines[1].time)
  while deadlines[1] and deadlines[1].time <= engine.now do
    local node = table.remove(deadlines, 1)
    if node.f then
      node.f()
    end
  end
  return true
end

-- Ready tasks -----------------------------------------------------------------

--- Which of the ready tasks is next: the first one in [F1].
function rule.next_ready()
  return 1
end

--- Make `task` ready: its wait ended with `value`, or with the error `err`.
local function wake(task, err, value)
  task.abort = nil
  task.err, task.value = err, value
  table.insert(engine.ready, task)
end

--- The outermost cancelled scope that is visible from `scope` [C7].
local function cause(scope)
  local hidden, found = false, nil
  while scope do
    if scope.cancelled and (scope.hard or not hidden) then
      found = scope
    end
    hidden = hidden or scope.hides
    scope = scope.parent
  end
  return found
end

--- Raise Cancelled in the running task; what it raises from now on inside the
--- cause is an error of clean-up.
function E.raise_cancelled()
  local scope, outermost = current.scope, cause(current.scope)
  repeat
    scope.cleans_up = outermost
    local last = scope == outermost or scope == current.own
    scope = scope.parent
  until last
  error(E.CANCELLED, 0)
end

local function park()
  local task = current
  coroutine.yield()
  if task.err == E.CANCELLED then
    E.raise_cancelled()
  elseif task.err ~= nil then
    error(task.err, 0)
  end
  return task.value
end

--- Go to the back of the queue, and give up there if cancelled: a scheduling
--- point and a cancellation point [N4].
function E.boundary()
  wake(current)
  park()
  if rule.cancelled(current.scope) then
    E.raise_cancelled()
  end
end

--- A scheduling point that lets the first step through, cancelled or not; the
--- second one that comes while cancelled, without an await, only if not [N3].
function E.transition()
  local cancelled = rule.cancelled(current.scope)
  local stop = cancelled and current.let_through
  current.let_through = cancelled
  wake(current)
  park()
  if stop then
    E.raise_cancelled()
  end
end

--- Where an implementation may take a further round, or may not.
local function pause()
  if engine.pause and engine.pause() then
    wake(current)
    park()
  end
end

-- Scopes ----------------------------------------------------------------------

local function new_scope(parent)
  return { parent = parent, live = 0, timers = {} }
end

--- Is a cancel visible from `scope`: one of its own, or one from further out
--- that no shield on the way hides [C2]? A shield hides soft cancels only
--- [C7, C8].
function rule.cancelled(scope, hidden)
  while scope do
    if scope.cancelled and (scope.hard or not hidden) then
      return true
    end
    hidden = hidden or scope.hides
    scope = scope.parent
  end
  return false
end

--- Does `scope` keep to itself the Cancelled that it is left with [C5]?
function rule.absorbs(scope)
  return scope.cancelled and not rule.cancelled(scope.parent, scope.hides)
end

--- End the abortable waits of all who are cancelled by now, in order of
--- creation; the error is raised when their turn comes [C3].
local function deliver()
  for _, task in ipairs(engine.tasks) do
    if task.abort and rule.cancelled(task.scope) then
      task.abort()
      wake(task, E.CANCELLED)
    end
  end
end

--- Cancel a scope, for good [C2]; after `grace`, by default the loop's, shields
--- hide it no more [C8].
local function cancel(scope, grace)
  if scope.cancelled then
    return
  end
  scope.cancelled = true
  table.insert(scope.timers, at(engine.now + (grace or engine.grace),
    function()
      scope.hard = true
      deliver()
    end))
  deliver()
end

--- Note the first real error of a scope, and cancel all in it [S3, E3].
--- `cleans_up` is the scope whose cancel it is a clean-up's error of, if any.
local function fail(scope, err, cleans_up)
  if scope.err == nil then
    scope.err, scope.err_cleans_up = err, cleans_up
  end
  cancel(scope)
end

--- An error passes from a task to the running one, or from scope to scope.
local function pass_on(err, cleans_up)
  if err ~= nil then
    current.passed[err] = cleans_up or false
  end
end

--- `err` has been dealt with; should it be raised again, it is a new one.
function E.forget(err)
  current.passed[err] = nil
end

--- Is `err` one of clean-up, while the running task is still cancelled?
function E.is_late(err)
  return current.passed[err] and rule.cancelled(current.scope)
end

--- Raise the error of a task that has failed.
function E.raise_error_of(task)
  pass_on(task.result, task.own.err_cleans_up)
  error(task.result, 0)
end

--- Wait for the tasks of the scope, whatever happens [S2].
local function join(scope)
  while scope.live > 0 do
    scope.joiner = current
    park()
  end
end

--- How `scope` was left, when its body gave `out` (as pcall does) and all its
--- tasks have ended [S3]:
---   "done", results · "failed", err
---   "cut"        cancelled itself, and nobody further out is
---   "cancelled"  from further out
local function outcome(scope, out)
  if scope.err ~= nil then
    return "failed", scope.err
  elseif out[1] and not scope.cut_short then
    return "done", out[2]
  end
  return rule.absorbs(scope) and "cut" or "cancelled"
end

--- Run `f` in a scope inside the current task [S2]. `opts`:
---   timeout   cancelled after so many seconds, with the grace `grace`
---   shield    hide what comes from outside, for `grace` seconds [C7]
local function in_scope(opts, f)
  local task = current
  local scope = opts.scope or new_scope(task.scope)
  if scope ~= task.own then
    scope.cleans_up = scope.parent.cleans_up
  end
  task.scope = scope
  if opts.timeout then
    table.insert(scope.timers, at(engine.now + opts.timeout, function()
      cancel(scope, opts.grace)
    end))
  end
  if opts.shield then
    scope.hides = true
    table.insert(scope.timers, at(engine.now + (opts.grace or engine.grace),
      function()
        scope.hides = false
        deliver()
      end))
  end
  local out = table.pack(pcall(f, scope))
  if not out[1] and out[2] ~= E.CANCELLED then
    local cleans_up = task.passed[out[2]]
    if cleans_up == nil then -- it is new
      cleans_up = scope.cleans_up
    end
    pause()
    fail(scope, out[2], cleans_up)
  end
  join(scope)
  pause()
  pass_on(scope.err, scope.err_cleans_up)
  task.scope = scope.parent
  for _, node in ipairs(scope.timers) do
    forget(node)
  end
  return outcome(scope, out)
end
E.in_scope = in_scope

--- The same, and go on as it ended: its results, or its error.
function E.inside(opts, f)
  local how, value = in_scope(opts, f)
  if how == "failed" then
    error(value, 0)
  elseif how ~= "done" then
    E.raise_cancelled()
  end
  return value
end

-- Tasks -----------------------------------------------------------------------

--- A child nobody waits for in particular: its failure is its scope's [N5, S3].
function E.child_ended(task, scope)
  if task.status == "failed" then
    fail(scope, task.result, task.own.err_cleans_up)
  elseif task.status == "cancelled" then
    scope.cut_short = true
  end
end

local function end_task(task, how, result)
  task.status, task.result = how, result
  task.ended_at = engine.now
  for i, other in ipairs(engine.tasks) do
    if other == task then
      table.remove(engine.tasks, i)
      break
    end
  end
  local scope = task.parent
  scope.live = scope.live - 1
  task.on_end(task, scope) -- before those who wait for it [T5]
  if scope.live == 0 and scope.joiner then
    wake(scope.joiner)
    scope.joiner = nil
  end
  while task.waiters[1] do
    table.remove(task.waiters, 1)()
  end
end

--- A task that returns is done, cancelled or not [T7]; Cancelled without a
--- cancel is a failure [E5].
local function run_task(task, f)
  local returned, result = false, nil
  local how, err = in_scope({ scope = task.own }, function()
    result = f()
    returned = true
  end)
  if how == "failed" then
    return end_task(task, "failed", err)
  elseif returned then
    return end_task(task, "done", result)
  elseif not rule.cancelled(task.own) then
    return end_task(task, "failed", "stray Cancelled")
  end
  return end_task(task, "cancelled")
end

--- Start `f` as a task of `scope`. It will run to its first await whatever
--- happens [T3]. `on_end(task, scope)` hears how it ended.
function E.start(scope, f, on_end)
  local task = { status = "ready", parent = scope, scope = scope,
    own = new_scope(scope), on_end = on_end, waiters = {},
    passed = {} }
  task.co = coroutine.create(function()
    run_task(task, f)
  end)
  scope.live = scope.live + 1
  table.insert(engine.tasks, task)
  wake(task)
  return task
end

--- Cancel a task and all below it [T4].
function E.cancel_task(task)
  if not task.ended_at and not task.own.cancelled then
    task.own.told = true
    cancel(task.own)
  end
end

--- Did a task fail while it cleaned up after a cancel that was told to it, or
--- to what is further out? Not after a failure or a time-out of its own.
function E.failed_in_clean_up(task)
  local cleans_up, scope = task.own.err_cleans_up, task.own.parent
  if cleans_up == task.own then
    return task.own.told
  end
  while scope and scope ~= cleans_up do
    scope = scope.parent
  end
  return cleans_up and scope == cleans_up
end

function E.current()
  return current
end

-- Waiting ---------------------------------------------------------------------

--- What every await begins with: raise if cancelled, before anything is tried,
--- and through the queue [C2].
function E.look()
  current.let_through = false
  if rule.cancelled(current.scope) then
    wake(current, E.CANCELLED)
    park()
  end
end

--- What an operation committed with: a value, or an error.
local function delivered(value, err)
  if err ~= nil then
    error(err, 0)
  end
  return value
end

--- Await `op`: look for a cancel, try, else park until it commits [C2, H2].
---
---   op.try()          true, and value or nil and error, if it commits at once
---   op.block(commit)  register; gives a function that unregisters. `commit`
---                     takes value or nil and error, and is called once
---   begun             what E.begin() gave, if the operation is under way
function E.await(op, begun)
  if begun and begun.committed then -- is delivered, cancelled or not [C6]
    return delivered(table.unpack(begun.committed, 1, 2))
  elseif begun and rule.cancelled(current.scope) then
    begun.give_up()
  end
  E.look()
  local task = current
  if begun then
    begun.task, task.abort = task, begun.give_up
    return park()
  end
  local committed, value, err = op.try()
  if committed then
    return delivered(value, err)
  end
  task.abort = op.block(function(result, failure)
    wake(task, failure, result) -- no longer abortable [C6]
  end)
  return park()
end

--- Begin an operation for an await that is still to come, one of a choice of
--- several. `decide(err)` is called at its commit, before anything else runs
--- [H3].
function E.begin(op, choice, decide)
  local begun = { give_up = function() end }
  if rule.cancelled(current.scope) then
    return begun
  end
  local function commit(value, err)
    begun.committed = { value, err }
    if begun.task then
      wake(begun.task, err, value)
    end
    decide(err)
  end
  local committed, value, err = op.try(choice)
  if committed then
    commit(value, err)
  else
    begun.give_up = op.block(commit, choice)
  end
  return begun
end

--- The operation that ends at `time` [K3].
function E.until_time(time)
  return {
    try = function()
      return false
    end,
    block = function(commit)
      local node = at(time, commit)
      return function()
        forget(node)
      end
    end,
  }
end

--- The operation that never ends.
E.never = {
  try = function()
    return false
  end,
  block = function()
    return function() end
  end,
}

--- What waiting for an ended task gives [T5].
local function how_ended(task)
  if task.status == "failed" then
    return nil, task.result
  elseif task.status == "cancelled" then
    return nil, E.TASK_CANCELLED
  end
  return task.result
end

--- The operation that ends with a task, with its results or its error.
function E.task_end(task)
  return {
    try = function()
      if task.ended_at then
        return true, how_ended(task)
      end
      return false
    end,
    block = function(commit)
      local function ended()
        commit(how_ended(task))
      end
      table.insert(task.waiters, ended)
      return function()
        for i, waiter in ipairs(task.waiters) do
          if waiter == ended then
            table.remove(task.waiters, i)
            return
          end
        end
      end
    end,
  }
end

-- Channels --------------------------------------------------------------------

--- A channel that holds up to `size` values [H1].
function E.channel(size)
  return { size = size, held = {}, senders = {}, receivers = {} }
end

--- The first in the queue that is not of the same choice: exactly one event of
--- a choice commits, so it cannot serve itself [H3].
local function take_first(queue, choice)
  for i, entry in ipairs(queue) do
    if not choice or entry.choice ~= choice then
      return table.remove(queue, i)
    end
  end
end

--- Wait in `queue`, first in, first out [F5].
local function line_up(queue, commit, choice, value)
  engine.waits = engine.waits + 1
  local entry = { commit = commit, value = value, choice = choice,
    number = engine.waits }
  table.insert(queue, entry)
  return function()
    for i, other in ipairs(queue) do
      if other == entry then
        table.remove(queue, i)
        return
      end
    end
  end
end

--- After the end senders get Closed, receivers what is left, then nil and
--- "closed" [H1]. Those who wait hear it in the order they came in, so of the
--- events of one choice the leftmost [O5].
function E.close(ch)
  ch.closed = true
  while ch.senders[1] or ch.receivers[1] do
    local sender, receiver = ch.senders[1], ch.receivers[1]
    if sender and (not receiver or sender.number < receiver.number) then
      table.remove(ch.senders, 1).commit(nil, E.CLOSED)
    else
      table.remove(ch.receivers, 1).commit(nil)
    end
  end
end

function E.sending(ch, value)
  return {
    try = function(choice)
      if ch.closed then
        return true, nil, E.CLOSED
      end
      local receiver = take_first(ch.receivers, choice)
      if receiver then
        receiver.commit(value)
        return true
      elseif #ch.held < ch.size then
        table.insert(ch.held, value)
        return true
      end
      return false
    end,
    block = function(commit, choice)
      return line_up(ch.senders, commit, choice, value)
    end,
  }
end

function E.receiving(ch)
  return {
    try = function(choice)
      if #ch.held > 0 then
        local value = table.remove(ch.held, 1)
        local sender = take_first(ch.senders, choice)
        if sender then -- its value has room now
          table.insert(ch.held, sender.value)
          sender.commit()
        end
        return true, value
      end
      local sender = take_first(ch.senders, choice)
      if sender then
        sender.commit()
        return true, sender.value
      end
      return ch.closed, nil
    end,
    block = function(commit, choice)
      return line_up(ch.receivers, commit, choice)
    end,
  }
end

-- Running ---------------------------------------------------------------------

--- An engine. `opts`:
---   pick(ready)   the index of the task to resume next
---   pause()       whether to take a further round here
---   grace         of cancels and shields if nothing else is said [C7, C8]
function E.new(opts)
  local new = { now = 0, ready = {}, deadlines = {}, tasks = {}, turns = 0,
    waits = 0, grace = opts.grace or 5, pick = opts.pick or rule.next_ready,
    pause = opts.pause }
  new.root = new_scope(nil)
  engine, current = new, nil
  return new
end

--- Run until nothing is ready and nothing is due. Gives "done", or "too long"
--- after `limit` turns.
function E.run(self, limit)
  engine = self
  repeat
    while #self.ready > 0 do
      self.turns = self.turns + 1
      if self.turns > limit then
        return "too long"
      end
      current = table.remove(self.ready, self.pick(self.ready))
      local ok, err = coroutine.resume(current.co)
      current = nil
      assert(ok, err)
    end
  until not advance()
  return #self.tasks == 0 and "done" or "deadlock"
end

return E
