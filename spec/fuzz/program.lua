--- Makes a program from a seed.
---
--- Each program uses a few random classes of objects in a few random places. If
--- it used all, two given classes would seldom meet. Its blocks are, in this
--- order: one object of each class; the main function of a loop; perhaps a
--- second loop or further statements; and an end. The end either closes
--- everything and checks that nothing is left, or leaves the objects to the end
--- of the process.

local expand = require "spec.fuzz.expand"
local new_random = require "spec.support.random"
local objects = require "spec.fuzz.objects"
local tree = require "spec.fuzz.tree"

local M = {}

-- The folder of this file, with a slash.
local HERE <const> = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"

local DEPTH <const> = 20

-- Other rules that may be off, besides classes.
local PLACES <const> = { "finalizer", "hook", "coroutine_", "shape", "signal",
  "command", "ending", "modified", "composed" }

local grammar = {}

local function add_rules(rules)
  for rule, productions in pairs(rules) do
    assert(not grammar[rule], rule)
    grammar[rule] = productions
  end
end

for _, part in ipairs { "values", "wires", "places", "statements" } do
  add_rules(require("spec.fuzz." .. part))
end
add_rules(objects.rules)

-- Classes and places that a program with a virtual clock may not use: that
-- clock stands still while a task waits for something external.
local REAL <const> = { socket = true, context = true, auth = true,
  poller = true, file = true, stream = true, server = true, process = true,
  command = true, udp = true, watch = true }

--- Returns the favoured rules: those of one or two classes, and a place.
local function drawn_favoured(random)
  local favoured = { [random:pick(PLACES)] = true }
  for _ = 1, random:between(1, 2) do
    local class = random:pick(objects.classes)
    for _, rule in ipairs(objects.rules_of(class)) do
      favoured[rule] = true
    end
  end
  favoured.ending = nil -- one `ending` ends the program
  return favoured
end

--- Returns the rules that are off. Favoured rules stay on if possible.
local function drawn_off(random, virtual, favoured)
  local off = { [virtual and "real" or "virtual"] = true }
  local chance = random:pick { 30, 60, 80 }
  for _, class in ipairs(objects.classes) do
    -- Tasks are seldom off, since little happens without tasks.
    off[class] = random:chance(class == "task" and 5 or chance)
      or virtual and REAL[class] or nil
  end
  for _, place in ipairs(PLACES) do
    off[place] = random:chance(40) or virtual and REAL[place] or nil
  end
  for rule in pairs(favoured) do
    off[rule] = virtual and REAL[rule] or nil
  end
  for _, class in ipairs(objects.classes) do
    for _, rule in ipairs(off[class] and objects.rules_of(class) or {}) do
      off[rule] = true
    end
  end
  return off
end

--- Makes one object of each class that is not off.
local function first_objects(expander, protect)
  local list = { list = true }
  for _, class in ipairs(objects.classes) do
    if expander:knows("make_" .. class .. "_") then
      list[#list + 1] = { protect .. "(function() ",
        expander:node("make_" .. class .. "_", 4), " end)" }
    end
  end
  return list
end

local function options(random, virtual)
  return "{ timeout = 0.1, grace = 0.02" .. (virtual and ", clock = 'virtual'"
    or random:chance(15) and ", seed = 7" or "") .. " }"
end

--- Appends tasks that share the objects, and the statements of the main
--- function.
local function tasks(random, expander, list)
  for _ = 1, random:between(0, 4) do
    list[#list + 1] = { "O.task1 = ev:start(fn(function(...)",
      expander:block(DEPTH, 6),
      random:chance(70) and "end), fn(keep))" or "end))" }
  end
  local main = expander:block(DEPTH, 8)
  return table.move(main, 1, #main, #list + 1, list)
end

--- Makes the blocks of the program.
local function blocks(random, expander, virtual)
  local list = { list = true }
  local function loop(block)
    list[#list + 1] = { "run(function(ev) keep(ev)", block, "end, ",
      options(random, virtual), ")" }
  end
  local first = { list = true }
  if random:chance(50) then
    first = first_objects(expander, "try")
  else -- outside of the loop
    list = first_objects(expander, "top")
  end
  loop(tasks(random, expander, first))
  if random:chance(50) then
    loop(tasks(random, expander, { list = true }))
  elseif random:chance(50) then
    list[#list + 1] = { "top(function()", expander:block(DEPTH, 6), "end)" }
  end
  return list
end

local COLLECTOR <const> = { "", "", "collectgarbage('generational')\n",
  "collectgarbage('incremental', 10, 400, 1)\n" }
local CLEAN <const> = "clean(base, root)"
local ENDS <const> = { CLEAN, CLEAN,
  "if root then root:stop() end", "exit(3)", "exit(3, true)",
  "exits = false error('the end', 0)" }

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

---@class fuzz.Program
---@field seed integer
---@field head string text before the blocks
---@field blocks table the tree, which may be shrunk
---@field foot string
---@field gc_stress boolean run with AIOWIRE_GCSTRESS=1
---@field stock boolean run by a stock lua5.4
---@field leaks boolean report memory that is not freed at the end

--- Make the program of a seed.
---@param seed integer
---@return fuzz.Program
function M.make(seed)
  local random = new_random(seed)
  local virtual = random:chance(30)
  local favoured = drawn_favoured(random)
  local off = drawn_off(random, virtual, favoured)
  local prepared = expand.prepare(grammar, off, favoured)
  local expander = expand.new(prepared, random, random:between(10, 60))
  local foot = random:pick(ENDS)
  return {
    seed = seed,
    gc_stress = random:chance(25),
    stock = random:chance(40),
    head = ("local PLAN <const> = { fuel = %d, fifo = 'fifo' }\n\n")
      :format(random:pick { 50, 200, 1000 }) .. read(HERE .. "prelude.lua")
      .. "\n-- The program " .. ("-"):rep(63) .. "\n\n"
      .. random:pick(COLLECTOR),
    blocks = blocks(random, expander, virtual),
    foot = foot .. "\n",
    leaks = true,
  }
end

--- Returns the text of the program.
---@param program fuzz.Program
---@return string
function M.text(program)
  return program.head .. tree.text(program.blocks) .. program.foot
end

return M
