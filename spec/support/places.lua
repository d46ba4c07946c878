--- Lines of a spec, and checks of errors that blame them. The failure of a
--- check blames the line that calls it.

local busted = require "busted"

local M = {}

--- Returns the line number of the caller.
---@return integer
function M.line()
  return debug.getinfo(2, "l").currentline
end

--- Returns the place of a function, or of a line in the file of the caller, as
--- "x_spec.lua:LINE".
---@param what function|integer
---@return string
function M.place(what)
  local at = debug.getinfo(type(what) == "function" and what or 2, "S")
  local line = type(what) == "function" and at.linedefined or what
  return at.short_src:match "[^/]*$" .. ":" .. line
end

--- Returns nil if `err` blames a line of `f`, else a message.
local function misplaced(err, f)
  if type(err) ~= "string" then
    return "the error is no text: " .. tostring(err)
  end
  local span = debug.getinfo(f, "S")
  local file, line = err:match "^(.-):(%d+): "
  line = tonumber(line)
  if file == span.short_src and span.linedefined <= line
    and line <= span.lastlinedefined then
    return nil
  end
  return ("blamed is no line of %s:%d-%d: %s"):format(span.short_src,
    span.linedefined, span.lastlinedefined, err)
end

--- Check that the error `err`, a string, blames a line of `f`.
---@param err any
---@param f function
function M.blamed(err, f)
  local wrong = misplaced(err, f)
  if wrong then
    busted.fail(wrong, 2)
  end
end

--- Check that `f` raises an error that contains `message` and blames a line of
--- `f`, or of the function `at`.
---@param message string
---@param f function
---@param at? function
---@return string err
function M.blames(message, f, at)
  local ok, err = pcall(f)
  if ok then
    busted.fail(("no error was raised; expected one with %q"):format(message),
      2)
  end
  local wrong = misplaced(err, at or f)
  if not wrong and not err:find(message, 1, true) then
    wrong = ("expected an error with %q, got: %s"):format(message, err)
  end
  if wrong then
    busted.fail(wrong, 2)
  end
  return err
end

--- `f(...)` raises an error that holds `message` and blames a line of the
--- caller's file.
---@param message string
---@param f function
function M.blames_file(message, f, ...)
  local ok, err = pcall(f, ...)
  local file = debug.getinfo(2, "S").short_src
  if ok or not tostring(err):find(file .. ":%d+: ")
    or not tostring(err):find(message, 1, true) then
    busted.fail(("expected an error with %q at a line of %s, got: %s"):format(
      message, file, ok and "none" or tostring(err)), 2)
  end
end

--- Check that `f` raises an error whose whole text is the place of a line of
--- `f`, ": " and `message`.
---@param message string
---@param f function
function M.says(message, f)
  local ok, err = pcall(f)
  local wrong = ok and ("no error was raised; expected %q"):format(message)
    or misplaced(tostring(err), f)
  if not wrong then
    local said = tostring(err):match "^.-:%d+: (.*)$"
    wrong = said ~= message and ("expected %q, got %q"):format(message, said)
  end
  if wrong then
    busted.fail(wrong, 2)
  end
end

return M
