--- chunks.lua: compiles what is entered, and runs main chunks
---
--- repl.lua and commands.lua use it.
local aw = ...

local getmetatable <const> = debug.getmetatable
local ipairs <const>, load <const>, sub <const> = ipairs, load, string.sub

local M = {}

--- The metatables of Wires, of which there are several, and of Pollers.
local RUNNABLE <const> = {}
for _, value in ipairs { aw.Never, aw.Wire(print), aw.Call(print),
  aw.Poller() } do
  RUNNABLE[getmetatable(value)] = true
end

--- Is the value what a chunk returns for the program to run it?
function M.is_runnable(value)
  return RUNNABLE[getmetatable(value) or false] ~= nil
end

--- Run a main chunk as a script: a Wire or Poller that it returns is started.
--- Runs in a task.
function M.run_main(ev, f, ...)
  local result = f(...)
  if M.is_runnable(result) then
    ev:start(result)
  end
end

local function is_incomplete(message)
  return sub(message, -5) == "<eof>"
end

--- Compile an entry: an expression first, then statements. Return the function;
--- or nil, the message, and whether more lines can complete the entry.
function M.compiled(text)
  local f, about_expression = load("return " .. text, "=stdin", "t")
  if f then
    return f
  end
  local message
  f, message = load(text, "=stdin", "t")
  if f then
    return f
  end
  if is_incomplete(about_expression) then
    message = about_expression
  end
  return nil, message, is_incomplete(message)
end

return M
