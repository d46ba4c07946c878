--- info.lua: tostring of an info, the text of a failure for people [E2]
local aw = ...

local function text_of(err)
  if type(err) == "string" then
    return err
  end
  local meta = getmetatable(err)
  local shown = type(meta) ~= "table" or meta.__tostring
  if type(err) == "number" then
    return tostring(err)
  elseif meta ~= nil and shown then
    local ok, text = pcall(tostring, err)
    if ok then
      return text
    end
  end
  return ("(error object is a %s value)"):format(type(err))
end

--- Add the wire under a `w:timeout()` limit, since that wire's Timeout names no
--- line.
local function add_wire(err, out)
  local wire = aw.is_timeout(err) and err.wire
  if wire then
    out[#out + 1] = "\tout of time: " .. tostring(wire)
  end
end

--- Return the place in a line of a stack, without the name of the function,
--- which not all lines have.
local function place_of(line)
  return line:match "^\t(.-:%d+:) in " or line
end

--- Return the text of a stack, without the outermost lines that are the same in
--- another stack.
local function without_common(lines, others)
  local last, other = #lines, #others
  while last > 1 and other > 1
    and place_of(lines[last]) == place_of(others[other]) do
    last, other = last - 1, other - 1
  end
  return table.concat(lines, "\n", 1, last)
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Add the traceback, unless it only says where the task was started, as the
--- chain does. Add the stack of the wait that a Timeout cut short.
local function add_stacks(info, out)
  local traceback, waited = info.traceback, info.waited
  if traceback and not traceback:find "^stack traceback:\n\tstarted at " then
    out[#out + 1] = traceback
  end
  if waited then
    out[#out + 1] = without_common(lines_of(waited), lines_of(traceback or ""))
  end
end

local function add_chain(info, out)
  local chain = info.chain
  if not chain or (#chain == 0 and not info.started_at) then
    return
  end
  out[#out + 1] = "wire trace (newest first):"
  for i, state in ipairs(chain) do
    out[#out + 1] = "\t" .. state .. (i < #chain and "   returned by" or "")
  end
  if info.started_at then
    out[#out + 1] = "\tstarted at " .. info.started_at
  end
end

local function add_details(info, out)
  add_chain(info, out)
  if info.name then
    out[#out + 1] = ("task %d '%s'"):format(info.id, info.name)
  end
  if info.attempts then
    out[#out + 1] = ("after %d attempts"):format(info.attempts)
  end
end

--- If a handler raised the error of `info`, return the error that was handled,
--- as {err=, info=}; else nil.
local function cause_of(info)
  if info.cause == nil then
    return nil
  end
  for _, later in ipairs(info.suppressed or {}) do
    if rawequal(later.err, info.cause) then
      return later
    end
  end
  return { err = info.cause, info = { err = info.cause } }
end

local function add_error(info, out, plain)
  if not plain then
    out[#out + 1] = text_of(info.err)
  end
  local err = info.err
  add_wire(aw.is_unhandled(err) and err.cause or err, out)
  add_stacks(info, out)
end

--- Add the error of `info`. If a handler raised that error, the handled error
--- comes first, which may come from a handler, too. `details` is the info that
--- names the task.
local function add_errors(info, out, details, plain)
  local cause = cause_of(info)
  if not cause then
    add_error(info, out, plain)
    add_details(details, out)
    return
  end
  add_errors(cause.info, out, details)
  out[#out + 1] = "while that was handled, another error was raised:"
  add_error(info, out)
end

local function add_suppressed(info, out)
  local cause, title = cause_of(info), "failed as well, and set aside for it:"
  for _, later in ipairs(info.suppressed or {}) do
    if not cause or cause.info ~= later.info then
      out[#out + 1] = title
      out[#out + 1] = "\t" .. text_of(later.err)
      title = nil
    end
  end
end

--- Return the text of `info`. With `plain`, leave out the text of the error.
local function tostring_info(info, plain)
  local out = {}
  add_errors(info, out, info, plain)
  add_suppressed(info, out)
  return table.concat(out, "\n")
end

return tostring_info
