--- repl.lua: the prompt [R31-R39]
---
--- An entry is a line, or the lines that make one chunk. Each entry is compiled
--- outside of tasks (see chunks.lua) and called as a task of the session. Other
--- tasks go on meanwhile, and while the prompt waits.
---
---   read ─► entry ─► "chunk"    run_chunk ─► term.call ─► show
---                 ─► "command"  commands.lua
---                 ─► "bad"      a syntax error
---                 ─► "interrupted", "end", "stopped"
---
--- What may run code of a user, such as __tostring for the text of a result, is
--- called as a task, too, so that Ctrl-C ends it. After "stopped" nothing may
--- be called: a signal or os.exit has ended the session.
---
--- Neighbours: repl.c has the session and the editor, as the table `term`:
---
---   term.read(prompt)    "line" and a text; "interrupted" and whether the line
---                        was empty; "end"; "stopped"
---   term.call(f, ...)    "ok" and results; "error", an error and its info;
---                        "cancelled"; "stopped"
---   term.write(text)     to standard output
---   term.note(text)      to standard error, for people
---   term.fail(text)      the same for the text of an error
---   term.dump(text)      the tree of tasks, to standard output
---   term.remember(text)  into the history
---   term.figures()       seconds on a clock, seconds of processor time, steps
---   term.nearest(name, list)   the nearest name, or nil
---   term.entries(folder) the names in a folder, or nil
---   term.terminal        there is somebody to give hints to
local aw, part = ...

local chunks <const> = part "host.prompt.chunks"
local show <const> = part "host.prompt.show"
local commands <const> = part "host.prompt.commands"
local complete <const> = part "host.prompt.complete"

local GLOBALS <const> = _G
local getmetatable <const> = debug.getmetatable
local pcall <const>, tostring <const> = pcall, tostring
local rawget <const>, rawset <const>, type <const> = rawget, rawset, type
local find <const>, gsub <const> = string.find, string.gsub
local pack <const>, unpack <const> = table.pack, table.unpack
local timeout <const> = aw.timeout

--- So many seconds may the clean-up at the end last before it is mentioned.
local PATIENCE <const> = 0.5

local M = {}

-- Texts of errors ------------------------------------------------------------

--- Return the text of an error, without what says no more than that a line or a
--- main chunk has failed.
local function error_text(err, info)
  if info == nil then
    local meta = getmetatable(err)
    local has_text = type(meta) == "table" and rawget(meta, "__tostring")
    return (type(err) == "string" or type(err) == "number" or has_text)
      and tostring(err) or ("(error object is a %s value)"):format(type(err))
  end
  local text = tostring(info)
  local task = info.name and ("\ntask %d '%s'"):format(info.id, info.name)
  if task and text:sub(-#task) == task then
    text = text:sub(1, -#task - 1)
  end
  return text
end

function M.entry_error_text(err, info)
  local text = error_text(err, info)
  return (text:gsub("\nwire trace %(newest first%):\n\tline$", "")
    :gsub("\n\t%[C%]: in %?$", ""))
end

--- Return the text about a task of the session that has failed without a
--- handler. Runs outside of tasks, so it does not raise.
function M.failure_text(err, info)
  local ok, text = pcall(error_text, err, info)
  text = ok and text or "(an error whose text cannot be made)"
  local id, name = info and info.id, info and info.name
  if not id then
    return "a task failed: " .. text
  end
  return ("task %d '%s' failed: %s"):format(id, name, text)
end

-- A session ------------------------------------------------------------------

---@class host.Prompt
---@field term table see above
---@field ev aiowire.EventLoop
---@field hinted table<string, true> the hints that have been given
---@field stopped boolean a signal or os.exit has ended the session
---@field leaving boolean .exit was entered
local Prompt = {}
Prompt.__index = Prompt

--- Call `f` as a task. Report an error or a cancel. Return true and the results
--- if it ended normally.
function Prompt:call(f, ...)
  local outcome = pack(self.term.call(f, ...))
  local status = outcome[1]
  if status == "ok" then
    return true, unpack(outcome, 2, outcome.n)
  elseif status == "error" then
    self:fail(outcome[2], outcome[3])
  elseif status == "cancelled" then
    if self.term.terminal then
      self.term.write "\n" -- the terminal shows "^C"
    end
    self.term.note "cancelled"
  else
    self.stopped = true
  end
  return false
end

--- Print an error.
function Prompt:fail(err, info)
  local status, text = self.term.call(M.entry_error_text, err, info)
  if status == "stopped" then
    self.stopped = true
  else
    self.term.fail(status == "ok" and text
      or "(an error whose text cannot be made)")
  end
end

--- Tell a user who sits at a terminal something, once.
function Prompt:hint(text)
  if self.term.terminal and not self.hinted[text] then
    self.hinted[text] = true
    self.term.note(text)
  end
end

--- Show the results of an entry, and keep the first one in `_`.
function Prompt:show(results)
  if results.n == 0 then
    return
  end
  rawset(GLOBALS, "_", results[1])
  local ok, text = self:call(show, results, results.n)
  if not ok then
    return
  end
  self.term.write(text .. "\n")
  if chunks.is_runnable(results[1]) then
    self:hint "(not run: aw.run(_) runs it, ev:start(_) starts a task)"
  end
end

--- Call a compiled entry, and show its results.
function Prompt:run_chunk(f)
  local outcome = pack(self:call(f))
  if outcome[1] then
    self:show(pack(unpack(outcome, 2, outcome.n)))
  end
end

-- Reading --------------------------------------------------------------------

local DEFAULTS <const> = { _PROMPT = "> ", _PROMPT2 = ">> " }

--- Return the text of a prompt: the global `name`, as in lua.
function Prompt:prompt(name)
  local value = rawget(GLOBALS, name)
  if value == nil then
    return DEFAULTS[name]
  elseif type(value) == "string" then
    return value
  end
  local status, text = self.term.call(tostring, value)
  self.stopped = status == "stopped"
  return status == "ok" and text or DEFAULTS[name]
end

function Prompt:read(name)
  local prompt = self:prompt(name)
  if self.stopped then
    return "stopped"
  end
  return self.term.read(prompt)
end

--- Read the lines of a chunk that begins with `text`. Return "chunk", a
--- function and the text; "bad", a message and the text; or another outcome of
--- a read.
function Prompt:read_chunk(text)
  local code = gsub(text, "^=", "return ", 1)
  while true do
    local f, message, incomplete = chunks.compiled(code)
    if f then
      return "chunk", f, text
    elseif not incomplete then
      return "bad", message, text
    end
    local kind, line = self:read "_PROMPT2"
    if kind == "end" then
      return "bad", message, text
    elseif kind == "interrupted" then
      return kind, false
    elseif kind ~= "line" then
      return kind
    end
    code, text = code .. "\n" .. line, text .. "\n" .. line
  end
end

--- Tell what an entry is that begins with this outcome of a read.
function Prompt:entry(kind, line)
  if kind ~= "line" then
    return kind, line
  elseif find(line, "^%s*%.%a") then
    return "command", line, line
  end
  return self:read_chunk(line)
end

-- The loop -------------------------------------------------------------------

local LOCALS <const> = "(a local ends with its line; a global stays)"

local entries = {}

function entries.chunk(self, f, text)
  if find(text, "^%s*local%s") then
    self:hint(LOCALS)
  end
  self:run_chunk(f)
end

function entries.bad(self, message)
  self.term.fail(message)
end

function entries.command(self, line)
  commands.run(self, line)
end

function entries.interrupted(self, was_empty)
  if was_empty then
    self.term.note "(Ctrl-D or .exit to leave)"
  end
end

entries["end"] = function(self)
  self.leaving = true
end

function entries.stopped(self)
  self.stopped = true
end

local function wait_for(tasks)
  for _, task in ipairs(tasks) do
    task:cancel_wait()
  end
end

--- Cancel the tasks, and wait for their clean-up, but not for ever. Returns how
--- many still clean up. Runs in a task.
local function cancel_all(tasks)
  for _, task in ipairs(tasks) do
    task:cancel "the session has ended"
  end
  pcall(timeout, PATIENCE, wait_for, tasks)
  local left = 0
  for _, task in ipairs(tasks) do
    left = left + (task.age and 1 or 0)
  end
  return left
end

--- End the tasks of the session. What is left, repl.c ends.
function Prompt:finish()
  local tasks = self.ev:tasks()
  if #tasks == 0 then
    return
  end
  local status, left = self.term.call(cancel_all, tasks)
  if status == "ok" and left > 0 then
    self.term.note(("waiting for %d task%s to clean up (Ctrl-C: stop now)")
      :format(left, left == 1 and "" or "s"))
  end
end

local function set_global(name, value)
  if rawget(GLOBALS, name) == nil then
    rawset(GLOBALS, name, value)
  end
end

--- Run the entry that begins with this outcome of a read.
function Prompt:run_entry(...)
  local kind, value, text = self:entry(...)
  if text and find(text, "%S") then
    self.term.remember(text)
  end
  entries[kind](self, value, text)
end

--- Run the prompt until it ends. Only a failure of the input ends it otherwise:
--- errors in here, as without memory or after `string.format = nil`, are those
--- of an entry.
function M.run(term, ev)
  local self = setmetatable({ term = term, ev = ev, hinted = {} }, Prompt)
  set_global("aw", aw)
  set_global("ev", ev)
  repeat
    local ok, message = pcall(self.run_entry, self, self:read "_PROMPT")
    if not ok then
      term.fail(tostring(message))
    end
  until self.leaving or self.stopped
  if not self.stopped then
    self:finish()
  end
end

-- Completion -----------------------------------------------------------------

--- Return the length of the word at the end of `text` and a list of words that
--- may replace it.
function M.complete(term, ev, text)
  return complete(text, {
    commands = commands.names,
    entries = term.entries,
    ids = function()
      local ids = {}
      for i, task in ipairs(ev:tasks()) do
        ids[i] = tostring(task.id)
      end
      return ids
    end,
  })
end

M.Prompt = Prompt
M.main_chunk = chunks.run_main

return M
