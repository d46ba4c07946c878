--- Runs programs on the library and on the reference model, and compares.
---
---   run(lib, source) returns the trace, a list of { at =, text = } in order
---   check(program)   nil, or both traces if no schedule of the model explains
---                    what the library did
---   shrink(program)  makes a program smaller that fails in the same way
---   try(program)     does all of this; returns a report for people on failure
---
--- Events at different times are compared in their order. For events at the
--- same time the rules fix an order in two cases only: one event leads to the
--- other, or both are completions in one queue. The number of rounds that a
--- step takes is left to each implementation.
---
--- So a trace that differs from the model's trace is compared with what the
--- model does under other orders of its ready tasks. One of these schedules
--- must have the same events at each time. For each two events of the trace,
--- one of these schedules must have them in the order of the trace.

local aw = require "aiowire"
local model = require "spec.model.model"
local new_random = require "spec.support.random"
local random_wires = require "spec.model.random_wires"
local sorted = require "spec.support.sorted"
local wire_source = require "spec.model.wire_source"

local M = {}

-- At this time all tasks that still wait are cancelled. All durations are much
-- shorter.
local END_OF_TIME <const> = 10000000
local GRACE <const> = 10 * END_OF_TIME -- of the loop
local TURNS <const> = 4000 -- of the model; longer programs are skipped
local SCHEDULES <const> = 1000 -- to try before a trace counts as wrong
local FEW_SCHEDULES <const> = 10 -- while a program is made smaller

-- Runs ------------------------------------------------------------------------

--- Formats a value; both interpreters give the same text.
local function show(lib, value)
  if type(value) == "number" then
    return ("%.14g"):format(value)
  elseif lib.is_cancelled(value) then
    return "Cancelled"
  elseif lib.is_timeout(value) then
    return ("Timeout(%.14g)"):format(value.after)
  elseif lib.is_task_cancelled(value) then
    return "TaskCancelled"
  elseif lib.is_closed(value) then
    return "Closed"
  elseif type(value) == "table" then
    local parts = {}
    for i, key in ipairs(sorted.keys(value)) do
      parts[i] = key .. "=" .. show(lib, value[key])
    end
    return "{" .. table.concat(parts, " ") .. "}"
  end
  return tostring(value)
end

--- Returns what a program can use: the library, and functions that write notes.
local function surroundings(lib, ev, trace)
  local env, runs = setmetatable({}, { __index = lib }), {}
  local tasks = { n = 0 }

  function env.note(what, ...)
    local parts = { what }
    for i = 1, select("#", ...) do
      parts[i + 1] = show(lib, (select(i, ...)))
    end
    trace[#trace + 1] = { at = ev:now(), text = table.concat(parts, " ") }
  end

  function env.fail(err)
    error(err, 0)
  end

  function env.again(id)
    runs[id] = (runs[id] or 0) + 1
    return runs[id]
  end

  --- Run `try`. If an error or a cancel leaves it, clean up in a shield. Then,
  --- as `after` says, raise the error again, fail, or swallow the error.
  function env.guarded(id, try, clean_up, after, grace)
    local ok, err = pcall(try)
    if ok then
      return
    end
    env.note(id .. " caught", err)
    lib.shield(clean_up, grace)
    if after == "go on up" then
      error(err, 0)
    elseif after == "fail" then
      error("e" .. id, 0)
    end
  end

  --- Run `f` in a scope with a time-out. Before that, start `wires` in the
  --- scope.
  function env.scoped(id, timeout, handled, wires, f)
    local handler = handled and function(_, err)
      env.note(id .. " handles", err)
    end
    local result, how = lib.scope({ timeout = timeout }, function(s)
      for _, w in ipairs(wires) do
        s:start(w, handler)
      end
      f()
      return "left"
    end)
    env.note(id, result, how)
  end

  local function start(i, make)
    tasks[i] = ev:start(make(), function(_, err)
      env.note(("task %d fails"):format(i), err)
    end)
    ev:start(function()
      env.note(("task %d ends"):format(i), pcall(tasks[i].wait, tasks[i]))
    end, error)
  end

  --- At `time`, start the wire that `make()` returns.
  function env.start(time, make)
    tasks.n = tasks.n + 1
    if time == 0 then
      return start(tasks.n, make)
    end
    ev:start(lib.Call(lib.sleep, time) >> lib.Call(start, tasks.n, make), error)
  end

  function env.done(i)
    return tasks[i] and lib.Done(tasks[i]) or lib.Never
  end

  function env.cancel(i, time)
    ev:start(function()
      lib.sleep(time)
      if tasks[i] then
        tasks[i]:cancel()
      end
    end, error)
  end
  return env, tasks
end

--- Run a program, and return its trace. `opts` are options of the loop.
function M.run(lib, source, opts)
  local trace = {}
  local ev = lib.EventLoop(opts)
  local env, tasks = surroundings(lib, ev, trace)
  local ok, how = pcall(function()
    assert(load(source, "=program", "t", env))()
    ev:start(function()
      lib.sleep(END_OF_TIME)
      for i = 1, tasks.n do
        tasks[i]:cancel()
      end
    end, error)
    return ev:run()
  end)
  if not ok or how ~= "done" then
    env.note("the loop ends:", how)
  end
  return trace, how
end

function M.run_library(source, seed)
  return M.run(aw, source, { clock = "virtual", signals = false,
    grace = GRACE, seed = seed })
end

--- Run a program on the model, under the k-th schedule. Schedule 0 resumes
--- tasks first in, first out. The other schedules sometimes take another task,
--- or a further round. A larger `k % 8` makes them do so more often.
function M.run_model(source, k)
  local random = new_random(k)
  local function stray()
    return random:below(8) <= k % 8
  end
  return M.run(model, source, { limit = TURNS, grace = GRACE,
    pause = k > 0 and stray or nil,
    pick = k > 0 and function(ready)
      return stray() and random:between(1, #ready) or 1
    end or nil })
end

-- Comparison ------------------------------------------------------------------

local function same(a, b)
  if #a ~= #b then
    return false
  end
  for i, event in ipairs(a) do
    if event.at ~= b[i].at or event.text ~= b[i].text then
      return false
    end
  end
  return true
end

--- Returns the events of a trace, each with its place. Equal events are
--- numbered. Within one time the order of the result does not depend on the
--- trace.
local function canonical(trace)
  local places, keys, seen = {}, {}, {}
  for i, event in ipairs(trace) do
    local key = ("%020.3f %s"):format(event.at, event.text)
    seen[key] = (seen[key] or 0) + 1
    key = key .. " #" .. seen[key]
    places[key], keys[i] = i, key
  end
  table.sort(keys)
  return { places = places, keys = keys, text = table.concat(keys, "\n") }
end
M.canonical = canonical

--- Returns the pairs of events at one time whose order in `a` and `b` differs.
local function inversions(a, b)
  local pairs_found = {}
  for i, x in ipairs(a.keys) do
    for j = i + 1, #a.keys do
      local y = a.keys[j]
      if x:sub(1, 20) ~= y:sub(1, 20) then
        break
      elseif (a.places[x] < a.places[y]) ~= (b.places[x] < b.places[y]) then
        pairs_found[#pairs_found + 1] = { x, y }
      end
    end
  end
  return pairs_found
end

--- Returns the pairs of `list` whose order in `a` and `b` differs.
local function strike_out(list, a, b)
  local left = {}
  for _, pair in ipairs(list) do
    local x, y = pair[1], pair[2]
    if (a.places[x] < a.places[y]) ~= (b.places[x] < b.places[y]) then
      left[#left + 1] = pair
    end
  end
  return left
end

--- Do the rules allow `trace` as a run of `source`? `first` is the trace of the
--- model under its schedule 0.
local function explained(trace, source, first, schedules)
  if same(trace, first) then
    return true
  end
  local found, open = canonical(trace), nil
  for k = 0, schedules do
    local other = canonical(k == 0 and first or (M.run_model(source, k)))
    if other.text == found.text then
      open = open and strike_out(open, found, other)
        or inversions(found, other)
      if #open == 0 then
        return true
      end
    end
  end
  return false
end

--- Run `program` on both. Returns nil if they agree, "skipped" if the program
--- is too long for the model, else a table with the source and both traces.
--- `opts`:
---   seed       of the library's scheduler
---   exact      the trace must equal the model's trace under schedule 0
---   schedules  how many to try before a trace counts as wrong
function M.check(program, opts)
  opts = opts or {}
  local source = wire_source.render(program)
  local expected, how = M.run_model(source, 0)
  if how == "too long" then
    return "skipped"
  end
  local got = M.run_library(source, opts.seed)
  local schedules = opts.schedules or SCHEDULES
  if opts.exact and same(got, expected)
    or not opts.exact and explained(got, source, expected, schedules) then
    return nil
  end
  return { source = source, expected = expected, got = got }
end

-- Shrinking -------------------------------------------------------------------

local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local new = {}
  for k, v in pairs(value) do
    new[k] = copy(v)
  end
  return new
end

local function is_node(value)
  return type(value) == "table" and value.kind ~= nil
end

--- Call `f(container, key, node)` for each node below `container`.
local function each_slot(container, f)
  for i, node in ipairs(container) do
    if is_node(node) then
      f(container, i, node)
      each_slot(node, f)
    end
  end
  for _, key in ipairs { "try", "clean_up", "fn", "next" } do
    if is_node(container[key]) then
      f(container, key, container[key])
      each_slot(container[key], f)
    end
  end
end

local LISTS <const> = { seq = 1, all = 1, race = 1, fall = 1, All = 1, Any = 1,
  Race = 1, body = 0, block = 0, fn = 0 }
local NUMBERS <const> = { "seconds", "period", "times", "delay", "factor",
  "max", "within", "when", "grace", "limit", "at", "failures" }

--- Append to `edits` all functions that make the node `container[key]`, or a
--- node below it, smaller.
local function node_edits(edits, container, key, node)
  local function edit(f)
    edits[#edits + 1] = f
  end
  local sort = random_wires.sort_of(node)
  each_slot({ node }, function(_, _, below)
    if below ~= node and random_wires.sort_of(below) == sort then
      edit(function()
        container[key] = below
      end)
    end
  end)
  if sort == "wire" and node.kind ~= "value" then
    edit(function()
      container[key] = { kind = "value", id = node.id }
    end)
    if node.kind ~= "sleep" then
      edit(function()
        container[key] = { kind = "sleep", id = node.id, seconds = 1 }
      end)
    end
  end
  if LISTS[node.kind] then
    for i = 1, #node > LISTS[node.kind] and #node or 0 do
      edit(function()
        table.remove(node, i)
      end)
    end
  end
  if node.ending and node.ending ~= "none" then
    edit(function()
      node.ending, node.next = "none", nil
    end)
  end
  if node.after and node.after ~= "go on up" then
    edit(function()
      node.after = "go on up"
    end)
  end
  for _, name in ipairs { "grace", "limit", "factor", "max", "within", "when",
    "keyed", "handled" } do
    if node[name] then
      edit(function()
        node[name] = nil
      end)
    end
  end
end

local function number_edits(edits, node)
  for _, name in ipairs(NUMBERS) do
    local value = node[name]
    local least = name == "times" and node.kind == "repeat" and 0 or 1
    if value and value > least then
      for _, smaller in ipairs { least, value // 10, value // 2, value - 1 } do
        if smaller >= least then
          edits[#edits + 1] = function()
            node[name] = smaller
          end
        end
      end
    end
  end
end

--- Returns functions that make `program` smaller in place. The functions that
--- remove most come first.
local function all_edits(program)
  local edits = {}
  -- A removed task keeps its number, so `done` still names the same tasks.
  edits[1] = function()
    table.remove(program.tasks)
  end
  for i = 1, #program.cancels do
    edits[#edits + 1] = function()
      table.remove(program.cancels, i)
    end
  end
  each_slot(program.tasks, function(container, key, node)
    node_edits(edits, container, key, node)
  end)
  each_slot(program.tasks, function(_, _, node)
    number_edits(edits, node)
  end)
  for _, cancel in ipairs(program.cancels) do
    number_edits(edits, cancel)
  end
  for i, time in ipairs(program.starts) do
    for _, smaller in ipairs(time > 0 and { 0, time // 2 } or {}) do
      edits[#edits + 1] = function()
        program.starts[i] = smaller
      end
    end
  end
  for i, size in ipairs(program.channels) do
    if size > 0 then
      edits[#edits + 1] = function()
        program.channels[i] = size - 1
      end
    end
  end
  return edits
end

--- Make a program smaller while `fails(program)` returns true.
function M.shrink(program, fails, patience)
  patience = patience or 1000
  local i = 1
  while patience > 0 do
    local smaller = copy(program)
    local edits = all_edits(smaller)
    if i > #edits then
      break
    end
    edits[i]()
    patience = patience - 1
    if #smaller.tasks > 0 and fails(smaller) then
      program = smaller
    else
      i = i + 1
    end
  end
  return program
end

--- Formats two traces side by side.
local function side_by_side(expected, got)
  local lines = { ("%-40s | %s"):format("the model", "the library") }
  local function cell(event)
    return event and ("%.14g  %s"):format(event.at, event.text) or ""
  end
  for i = 1, math.max(#expected, #got) do
    local a, b = cell(expected[i]), cell(got[i])
    lines[#lines + 1] = ("%-40s %s %s"):format(a, a == b and "|" or "X", b)
  end
  return table.concat(lines, "\n")
end

--- Compare `program`. Returns nil, "skipped", or a report with the smallest
--- program that still fails. `opts` are those of M.check.
function M.try(program, opts)
  local found = M.check(program, opts)
  if type(found) ~= "table" then
    return found
  end
  local hasty = setmetatable({ schedules = FEW_SCHEDULES }, { __index = opts })
  local small = M.shrink(program, function(candidate)
    return type(M.check(candidate, hasty)) == "table"
  end)
  local smallest = M.check(small, opts)
  found = type(smallest) == "table" and smallest or found
  return found.source .. side_by_side(found.expected, found.got)
end

return M
