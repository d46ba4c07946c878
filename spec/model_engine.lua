--- The machine under the reference model (spec/model.lua): tasks, scopes, a
--- clock and channels, written from the rules alone and for reading, not speed.
---
---   task    a coroutine; ready, or parked on one wait, or ended
---   scope   a frame of a task, or a task's own; owns the tasks started in it
---   clock   virtual: jumps to the next deadline when no task is ready (K6)
---
--- What the rules leave open, the order of tasks that are ready at the same
--- moment, is a parameter: `pick` chooses the next of the ready tasks, the
--- first one if it is left out (F1). Whatever holds with every `pick` does not
--- depend on how many rounds an implementation takes for a step.
---
--- One engine runs at a time. `E.rule` holds the rules that a spec may replace
--- by wrong ones, to see that somebody notices.

local E = {}

E.CANCELLED = setmetatable({}, { __name = "Cancelled" }) -- C1

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

local function park()
  local task = current
  coroutine.yield()
  if task.err ~= nil then
    if task.err == E.CANCELLED then
      task.was_cancelled = true
    end
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
    current.was_cancelled = true
    error(E.CANCELLED, 0)
  end
end

--- A scheduling point that lets the first step through, cancelled or not; the
--- second one without an await between them only if not cancelled [N3].
function E.transition()
  wake(current)
  park()
  if rule.cancelled(current.scope) then
    if current.let_through then
      current.was_cancelled = true
      error(E.CANCELLED, 0)
    end
    current.let_through = true
  end
end

-- Scopes ----------------------------------------------------------------------

local function new_scope(parent)
  return { parent = parent, live = 0, timers = {} }
end

--- Is a cancel visible from `scope`: one of its own, or one from further out
--- that no shield on the way hides [C2]? A shield hides soft cancels only [C7,
--- C8].
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
local function fail(scope, err)
  if scope.err == nil then
    scope.err = err
  end
  cancel(scope)
end
E.fail = fail

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
  local scope = opts.scope or new_scope(current.scope)
  local task = current
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
    fail(scope, out[2])
  end
  join(scope)
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
    error(E.CANCELLED, 0)
  end
  return value
end

-- Tasks -----------------------------------------------------------------------

--- A child nobody waits for in particular: its failure is its scope's [N5, S3].
function E.child_ended(task, scope)
  if task.status == "failed" then
    fail(scope, task.result)
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
  for _, waiter in ipairs(task.waiters) do
    waiter()
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
    own = new_scope(scope), on_end = on_end, waiters = {} }
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
  if not task.ended_at then
    cancel(task.own)
  end
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

--- Await `op`: look for a cancel, try, else park until it commits [C2, H2].
---
---   op.try()            true and the value if it commits at once
---   op.block(commit)    register; gives a function that unregisters. `commit`
---                       takes the value, and is called once
---   decide              called at the commit, before anything else runs [H3]
function E.await(op, decide)
  E.look()
  local task = current
  local committed, value = op.try(decide)
  if committed then
    if decide then
      decide()
    end
    return value
  end
  task.abort = op.block(function(result)
    wake(task, nil, result) -- no longer abortable [C6]
    if decide then
      decide()
    end
  end, decide)
  return park()
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

--- The operation that ends with a task [T5]; its value is the task.
function E.task_end(task)
  return {
    try = function()
      return task.ended_at ~= nil, task
    end,
    block = function(commit)
      local function ended()
        commit(task)
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
local function take_first(queue, decide)
  for i, entry in ipairs(queue) do
    if not (decide and entry.choice == decide.choice) then
      return table.remove(queue, i)
    end
  end
end

--- Wait in `queue`, first in, first out [F5].
local function line_up(queue, commit, decide, value)
  local entry = { commit = commit, value = value,
    choice = decide and decide.choice }
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

function E.sending(ch, value)
  return {
    try = function(decide)
      local receiver = take_first(ch.receivers, decide)
      if receiver then
        receiver.commit(value)
        return true
      elseif #ch.held < ch.size then
        table.insert(ch.held, value)
        return true
      end
      return false
    end,
    block = function(commit, decide)
      return line_up(ch.senders, commit, decide, value)
    end,
  }
end

function E.receiving(ch)
  return {
    try = function(decide)
      if #ch.held > 0 then
        local value = table.remove(ch.held, 1)
        local sender = take_first(ch.senders, decide)
        if sender then -- its value has room now
          table.insert(ch.held, sender.value)
          sender.commit()
        end
        return true, value
      end
      local sender = take_first(ch.senders, decide)
      if sender then
        sender.commit()
        return true, sender.value
      end
      return false
    end,
    block = function(commit, decide)
      return line_up(ch.receivers, commit, decide)
    end,
  }
end

-- Running ---------------------------------------------------------------------

--- An engine. `pick(ready)` gives the index of the task to resume next; `grace`
--- is what cancels and shields have if nothing else is said [C7, C8].
function E.new(pick, grace)
  local new = { now = 0, ready = {}, deadlines = {}, tasks = {}, turns = 0,
    grace = grace or 5, pick = pick or rule.next_ready }
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
