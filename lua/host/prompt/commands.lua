--- commands.lua: the commands of the prompt, as .tasks [R41]
---
--- A line that begins with a dot and a letter is no Lua, so such lines are free
--- for commands. A command is an entry of LIST:
---
---   name      without the dot
---   argument  shown by .help; nil: it takes none
---   help      one line
---   run       called with the prompt (see repl.lua) and the argument, "" if
---             there is none; outside of tasks
---
--- Neighbours: repl.lua finds such lines, complete.lua completes the names.
local aw, part = ...

local chunks <const> = part "host.prompt.chunks"

local pack <const>, unpack <const> = table.pack, table.unpack
local await <const> = aw.await

local M = {}

local LIST

local function find(name)
  for _, command in ipairs(LIST) do
    if command.name == name then
      return command
    end
  end
end

-- .help ----------------------------------------------------------------------

local ABOUT <const> = [[
A line is a task: it may await, as in aw.sleep(1). Tasks that it starts go on.
aw is the library, ev the loop of this session, _ the last result.
Tab completes. Ctrl-C clears or cancels the line, Ctrl-D leaves.
]]

local function help(self)
  local lines = {}
  for _, command in ipairs(LIST) do
    lines[#lines + 1] = ("%-14s %s"):format("." .. command.name
      .. (command.argument and " " .. command.argument or ""), command.help)
  end
  self.term.write(table.concat(lines, "\n") .. "\n\n" .. ABOUT)
end

-- .tasks ---------------------------------------------------------------------

local TITLES <const> = { "id", "name", "state", "waits for", "age", "steps",
  "started at" }
local WIDEST <const> = 32 -- characters of a cell
local MOST_ROWS <const> = 200

--- Return a text on one line of at most WIDEST characters.
local function cell(text)
  text = text:gsub("%c", " ")
  local last = utf8.len(text) and utf8.offset(text, WIDEST)
  if last and last < #text then
    return text:sub(1, last - 1) .. "…"
  end
  return text
end

local function row_of(task)
  local age = task.age
  return { tostring(task.id), cell(task.name), task.status,
    cell(task.waiting or "-"), age and ("%.1f s"):format(age) or "-",
    tostring(task.steps), cell(task.started_at or "-") }
end

--- Return rows of cells as lines, each column as wide as its widest cell.
local function table_text(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(text) or #text)
    end
  end
  local lines = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      local space = widths[i] - (utf8.len(text) or #text)
      row[i] = i < #row and text .. (" "):rep(space) or text
    end
    lines[#lines + 1] = table.concat(row, "  ")
  end
  return table.concat(lines, "\n")
end

local function tasks(self)
  local list = self.ev:tasks()
  if #list == 0 then
    self.term.write "no tasks\n"
    return
  end
  table.sort(list, function(a, b)
    return a.id < b.id
  end)
  local rows = { { unpack(TITLES) } }
  for i = 1, math.min(#list, MOST_ROWS) do
    rows[#rows + 1] = row_of(list[i])
  end
  self.term.write(table_text(rows) .. "\n")
  if #list > MOST_ROWS then
    self.term.write(("… %d more\n"):format(#list - MOST_ROWS))
  end
end

local function tree(self)
  self.term.dump(self.ev:dump())
end

local function cancel(self, argument)
  local id = math.tointeger(argument)
  for _, task in ipairs(self.ev:tasks()) do
    if task.id == id then
      task:cancel "by .cancel"
      return
    end
  end
  self.term.fail(("no task '%s' (.tasks lists them)"):format(argument))
end

-- .time ----------------------------------------------------------------------

local function duration(seconds)
  if seconds >= 1 then
    return ("%.3f s"):format(seconds)
  elseif seconds >= 0.001 then
    return ("%.1f ms"):format(seconds * 1e3)
  end
  return ("%.1f µs"):format(seconds * 1e6)
end

--- Call a compiled expression, and run the Wire or Poller that is its result.
--- Return the text about it, and its results. Runs in a task.
local function timed(f, figures)
  local wall, processor, steps = figures()
  local results = pack(f())
  if chunks.is_runnable(results[1]) then
    results = pack(await(results[1]))
  end
  local wall_after, processor_after, steps_after = figures()
  steps = steps_after - steps
  local text = ("%s, %s of processor time, %d step%s"):format(
    duration(wall_after - wall), duration(processor_after - processor),
    steps, steps == 1 and "" or "s")
  return text, unpack(results, 1, results.n)
end

local function time(self, argument)
  local f, message = chunks.compiled(argument)
  if not f then
    self.term.fail(message)
    return
  end
  local outcome = pack(self:call(timed, f, self.term.figures))
  if outcome[1] then
    self:show(pack(unpack(outcome, 3, outcome.n)))
    self.term.write(outcome[2] .. "\n")
  end
end

-- .graph ----------------------------------------------------------------------

--- Call a compiled expression, and return the picture of its result.
local function pictured(f)
  return aw.graph((f()))
end

local function graph(self, argument)
  local f, message = chunks.compiled(argument)
  if not f then
    self.term.fail(message)
    return
  end
  local outcome = pack(self:call(pictured, f))
  if outcome[1] then
    self.term.write(outcome[2])
  end
end

-- .load, .exit ---------------------------------------------------------------

local function load_file(self, argument)
  local f, message = loadfile(argument, "t")
  if not f then
    self.term.fail(message)
    return
  end
  self:call(chunks.run_main, self.ev, f)
end

local function exit(self)
  self.leaving = true
end

-- Running them ---------------------------------------------------------------

LIST = {
  { name = "help", run = help, help = "print this" },
  { name = "tasks", run = tasks, help = "list the tasks" },
  { name = "tree", run = tree,
    help = "print the tree of tasks, and what each one waits for" },
  { name = "cancel", argument = "ID", run = cancel, help = "cancel a task" },
  { name = "time", argument = "W", run = time,
    help = "run a wire or an expression, and print how long it took" },
  { name = "graph", argument = "W", run = graph,
    help = "draw a wire, or ev, as a flowchart of Mermaid" },
  { name = "load", argument = "FILE", run = load_file,
    help = "run a file, whose tasks stay" },
  { name = "exit", run = exit, help = "leave, as Ctrl-D does" },
}

--- The names of all commands, with their dots.
M.names = {}
for i, command in ipairs(LIST) do
  M.names[i] = "." .. command.name
end

local function unknown(self, name)
  local meant = self.term.nearest(name, M.names)
  self.term.fail(("no command '%s' (%s)"):format(name,
    meant and "did you mean " .. meant .. "?" or ".help lists them"))
end

--- Run the command of a line.
function M.run(self, line)
  local name, argument = line:match "^%s*%.([%w_]+)%s*(.-)%s*$"
  local command = find(name)
  if not command then
    unknown(self, "." .. name)
  elseif (command.argument ~= nil) ~= (argument ~= "") then
    self.term.fail(("usage: .%s%s"):format(name,
      command.argument and " " .. command.argument or ""))
  else
    command.run(self, argument)
  end
end

return M
