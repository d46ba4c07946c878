--- The engine of the reference model (spec/model/model.lua): tasks, scopes, a
--- clock and channels. The code follows the rules alone, and is for reading
--- rather than speed.
---
---   task    a coroutine; ready, or parked on one wait, or ended
---   scope   a frame of a task, or a task's own; owns the tasks started in it
---   clock   virtual: jumps to the next deadline when no task is ready [K6]
---
--- The rules do not fix the order of tasks that become ready at the same
--- moment. Here this order is a parameter: `pick` chooses the next of the ready
--- tasks; the default is the first one [F1]. A fact that holds with every
--- `pick` does not depend on the number of rounds that a step takes.
---
--- One engine runs at a time. `E.rule` holds the rules that a spec may replace
--- by wrong ones. A comparison with the library must then fail.

local E = {}

E.CANCELLED = setmetatable({}, { __name = "Cancelled" }) -- [C1]
E.TASK_CANCELLED = setmetatable({}, { __name = "TaskCancelled" }) -- [T5]
E.CLOSED = setmetatable({}, { __name = "Closed" }) -- [E4]

local engine, current -- the engine that runs, and its running task
local rule = {}
E.rule = rule

-- Clock -----------------------------------------------------------------------

--- Does a new deadline at `time` come before the older deadline at `earlier`
--- [K1]?
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

--- Jump to the next deadline, and call all functions that are due then [K2].
--- Returns false if there is no deadline.
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

--- Returns the index of the ready task that is resumed next. The first task in
--- is the first out [F1].
function rule.next_ready()
  return 1
end

--- Make `task` ready. Its wait has ended with `value`, or with the error `err`.
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

--- Raise Cancelled in the running task. Errors that the task raises later,
--- inside the outermost cancelled scope, are errors of clean-up.
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

--- Go to the back of the queue, then raise Cancelled if the task is cancelled.
--- So a boundary is a scheduling point and a cancellation point [N4].
function E.boundary()
  wake(current)
  park()
  if rule.cancelled(current.scope) then
    E.raise_cancelled()
  end
end

--- A scheduling point. A cancelled task passes the first one after an await,
--- and gets Cancelled at the second one [N3].
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

--- Marks a place where an implementation may take a further round, or may not.
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

--- Does `scope` see a cancel: its own, or one of an outer scope that no shield
--- between them hides [C2]? A shield hides soft cancels only [C7, C8].
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

--- Does `scope` absorb a Cancelled that leaves it [C5]?
function rule.absorbs(scope)
  return scope.cancelled and not rule.cancelled(scope.parent, scope.hides)
end

--- End the abortable waits of all tasks that are cancelled by now, in the order
--- of their creation. Each task raises the error when its turn comes [C3].
local function deliver()
  for _, task in ipairs(engine.tasks) do
    if task.abort and rule.cancelled(task.scope) then
      task.abort()
      wake(task, E.CANCELLED)
    end
  end
end

--- Cancel a scope for good [C2]. After `grace` seconds, by default the loop's
--- grace, the cancel turns hard: shields hide it no more [C8].
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

--- Store the first real error of a scope, and cancel all tasks in it [S3, E3].
--- If `err` is an error of clean-up, `cleans_up` is the cancelled scope.
local function fail(scope, err, cleans_up)
  if scope.err == nil then
    scope.err, scope.err_cleans_up = err, cleans_up
  end
  cancel(scope)
end

--- Note in the running task that `err` reaches it from another task, or from an
--- inner scope.
local function pass_on(err, cleans_up)
  if err ~= nil then
    current.passed[err] = cleans_up or false
  end
end

--- The running task has handled `err`. If `err` is raised again, it counts as
--- new.
function E.forget(err)
  current.passed[err] = nil
end

--- Is `err` an error of clean-up, while the running task is still cancelled?
function E.is_late(err)
  return current.passed[err] and rule.cancelled(current.scope)
end

--- Raise the error of a task that has failed.
function E.raise_error_of(task)
  pass_on(task.result, task.own.err_cleans_up)
  error(task.result, 0)
end

--- Wait for all tasks of the scope, even after an error or a cancel [S2].
local function join(scope)
  while scope.live > 0 do
    scope.joiner = current
    park()
  end
end

--- Returns how `scope` was left. `out` is what pcall() returned for its body,
--- and all tasks of the scope have ended [S3]:
---   "done", results
---   "failed", err
---   "cut"        the scope absorbs its own cancel
---   "cancelled"  an outer cancel is seen, so Cancelled goes on
local function outcome(scope, out)
  if scope.err ~= nil then
    return "failed", scope.err
  elseif out[1] and not scope.cut_short then
    return "done", out[2]
  end
  return rule.absorbs(scope) and "cut" or "cancelled"
end

--- Run `f` in a scope inside the current task [S2]. `opts`:
---   timeout   cancel the scope after so many seconds, with the grace `grace`
---   shield    hide outer cancels for `grace` seconds [C7]
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
    if cleans_up == nil then -- a new error
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

--- Run `f` in a scope as in_scope() does. Returns its results, or raises its
--- error.
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

--- Handle the end of a child that no task awaits. If the child fails, its scope
--- fails [N5, S3].
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
  task.on_end(task, scope) -- before the tasks that wait for this one [T5]
  if scope.live == 0 and scope.joiner then
    wake(scope.joiner)
    scope.joiner = nil
  end
  while task.waiters[1] do
    table.remove(task.waiters, 1)()
  end
end

--- A task that returns is done, even if it is cancelled [T7]. Cancelled in a
--- task that is not cancelled is a failure [E5].
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

--- Start `f` as a task of `scope`. The task always runs to its first await
--- [T3]. `on_end(task, scope)` is called at its end.
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

--- Cancel a task and all tasks below it [T4].
function E.cancel_task(task)
  if not task.ended_at and not task.own.cancelled then
    task.own.told = true
    cancel(task.own)
  end
end

--- Did a task fail in the clean-up after task:cancel(), or after a cancel of an
--- outer scope? False if its own failure or time-out came before the clean-up.
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

--- Every await begins with this check. If the task is cancelled, it goes
--- through the queue and raises Cancelled, and the operation is not tried [C2].
function E.look()
  current.let_through = false
  if rule.cancelled(current.scope) then
    wake(current, E.CANCELLED)
    park()
  end
end

--- Returns the value, or raises the error, with which an operation committed.
local function delivered(value, err)
  if err ~= nil then
    error(err, 0)
  end
  return value
end

--- Await `op`. Check for a cancel, try the operation, else park the task until
--- the operation commits [C2, H2].
---
---   op.try()          returns true, and a value or nil and an error, if the
---                     operation commits at once
---   op.block(commit)  registers the wait; returns a function that unregisters
---                     it. `commit` takes a value or nil and an error, and is
---                     called once
---   begun             the result of E.begin(), if the operation is under way
function E.await(op, begun)
  if begun and begun.committed then -- delivered even if cancelled [C6]
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

--- Begin an operation that a task will await later. The operation is one of a
--- choice of several. At its commit `decide(err)` is called before any other
--- code runs [H3].
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

--- Returns the operation that ends at `time` [K3].
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

--- An operation that never ends.
E.never = {
  try = function()
    return false
  end,
  block = function()
    return function() end
  end,
}

--- Returns the result of a wait for a task that has ended [T5].
local function how_ended(task)
  if task.status == "failed" then
    return nil, task.result
  elseif task.status == "cancelled" then
    return nil, E.TASK_CANCELLED
  end
  return task.result
end

--- Returns the operation that ends when a task ends, with its results or its
--- error.
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

--- Returns a channel that holds up to `size` values [H1].
function E.channel(size)
  return { size = size, held = {}, senders = {}, receivers = {} }
end

--- Remove and return the first entry that does not belong to `choice`. Exactly
--- one event of a choice commits, so one of them cannot serve another [H3].
local function take_first(queue, choice)
  for i, entry in ipairs(queue) do
    if not choice or entry.choice ~= choice then
      return table.remove(queue, i)
    end
  end
end

--- Append a wait to `queue`, which is first in, first out [F5].
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

--- Close a channel. Later senders get Closed. Later receivers get the values
--- that are left, then nil and "closed" [H1]. Tasks that wait now are woken in
--- the order in which they began to wait. So the leftmost event of a choice is
--- woken [O5].
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
        if sender then -- the channel has room for its value now
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

--- Returns an engine. `opts`:
---   pick(ready)   returns the index of the task to resume next
---   pause()       tells whether to take a further round here
---   grace         default of cancels and shields [C7, C8]
function E.new(opts)
  local new = { now = 0, ready = {}, deadlines = {}, tasks = {}, turns = 0,
    waits = 0, grace = opts.grace or 5, pick = opts.pick or rule.next_ready,
    pause = opts.pause }
  new.root = new_scope(nil)
  engine, current = new, nil
  return new
end

--- Run until no task is ready and no deadline is left. Returns "done",
--- "deadlock" if tasks are left, or "too long" after `limit` turns.
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
