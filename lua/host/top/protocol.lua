--- protocol.lua: what a program under inspection says; see docs/program.md
---
--- A connection begins with the line `aiowire 1 PID VERSION NAME`. An answer is
--- lines of fields and a line `.`. What does not look like that is an error
--- with a text, never a Lua error: the other side may be anything.
---
---   bytes ─► Reader:feed ─► lines ─► hello, or records ─► an answer
---
--- Bounds: a line has MOST_LINE bytes at most, a text of it is kept up to
--- MOST_TEXT bytes, and an answer has MOST_RECORDS records at most.

local concat <const> = table.concat
local find <const>, gmatch <const>, gsub <const>, sub <const> = string.find,
  string.gmatch, string.gsub, string.sub

local MOST_LINE <const> = 4 * 1024 * 1024
local MOST_TEXT <const> = 16 * 1024
local MOST_RECORDS <const> = 1000 * 1000

--- Fields that are integers from 0 up.
local NUMBERS <const> = {}
for name in ("up idle busy steps wakeups heap busy_for age since longest "
  .. "tasks"):gmatch "%S+" do
  NUMBERS[name] = true
end

local UNESCAPED <const> = { ["\\t"] = "\t", ["\\r"] = "\r",
  ["\\n"] = "\n", ["\\\\"] = "\\" }

--- The version of the protocol that this program speaks.
local VERSION <const> = 1

local M = {}

-- Lines ----------------------------------------------------------------------

--- Read the first line of a connection.
---@param line string
---@return table? hello { pid, version, name }
---@return string? why it is none
function M.hello(line)
  local protocol, rest = line:match "^aiowire (%d+)(.*)$"
  if not protocol then
    return nil, "something else than a program of aiowire answers"
  elseif tonumber(protocol) ~= VERSION then
    return nil, ("it speaks version %s of the protocol, and this program "
      .. "version %d: use the aiowire of the same version"):format(
      protocol:sub(1, 9), VERSION)
  end
  local pid, version, name = rest:match "^ (%d+) (%S+) ?(.*)$"
  if not pid then
    return nil, "its first line is not one of this protocol"
  end
  return { pid = pid, version = version, name = gsub(name, "\\.", UNESCAPED) }
end

local function number_of(text)
  if not find(text, "^%d+$") then
    return nil
  end
  return math.tointeger(tonumber(text)) or math.maxinteger
end

local function value_of(key, text)
  if NUMBERS[key] then
    return number_of(text)
  end
  text = #text > MOST_TEXT and sub(text, 1, MOST_TEXT) or text
  return find(text, "\\", 1, true) and gsub(text, "\\.", UNESCAPED) or text
end

--- Read a line of an answer: its kind and its fields.
---@param line string
---@return table? record { kind, fields in `names`, in order }; nil: it is none
function M.record(line)
  local kind = line:match "^(%l+)%f[\t\0]"
  if not kind then
    return nil
  end
  local record = { kind = kind, names = {} }
  for key, text in gmatch(sub(line, #kind + 1), "\t([%w_]+)=([^\t]*)") do
    if record[key] == nil then
      record.names[#record.names + 1] = key
      record[key] = value_of(key, (text))
    end
  end
  return record
end

-- Answers --------------------------------------------------------------------

---@class host.TopReader
---@field parts string[] the bytes of a line whose end is still to come
---@field size integer of `parts`
---@field greeting? table the first line, once it has come
---@field answer table the records so far
local Reader = {}
Reader.__index = Reader

function M.reader()
  return setmetatable({ parts = {}, size = 0, answer = {} }, Reader)
end

-- Take a line. Returns an event, or nil; or false and a text.
local function take(self, line)
  if not self.greeting then
    local hello, why = M.hello(line)
    self.greeting = hello
    if not hello then
      return false, why
    end
    return { kind = "hello", hello = hello }
  elseif line == "." then
    local answer = self.answer
    self.answer = {}
    return { kind = "answer", records = answer }
  end
  local record = M.record(line)
  if not record or #self.answer >= MOST_RECORDS then
    return false, record and "its answer does not end"
      or "it sent a line that is not one of this protocol"
  end
  self.answer[#self.answer + 1] = record
  return nil
end

--- Take what has been received.
---@param bytes string
---@return table[]? events { kind = "hello", hello }, { kind = "answer",
--- records }; nil: this is not the protocol
---@return string? why
function Reader:feed(bytes)
  local events, at = {}, 1
  while true do
    local stop = find(bytes, "\n", at, true)
    local piece = sub(bytes, at, stop and stop - 1)
    self.size = self.size + #piece
    if self.size > MOST_LINE then
      return nil, "it sent a line that does not end"
    end
    self.parts[#self.parts + 1] = piece
    if not stop then
      return events
    end
    local line = concat(self.parts)
    self.parts, self.size = {}, 0
    local event, why = take(self, line)
    if why then
      return nil, why
    end
    events[#events + 1] = event
    at = stop + 1
  end
end

-- Snapshots ------------------------------------------------------------------

-- A task whose fields are such as the rest of top expects.
local function add_task(snapshot, record, engines)
  if not record.id then
    return
  end
  local engine = record.engine or ""
  record.key = engine .. ":" .. record.id
  record.parent_key = record.parent and record.parent ~= ""
    and engine .. ":" .. record.parent or nil
  record.of = engines[engine]
  local loop, number = record.id:match "^(%d+):(%d+)$"
  record.loop = tonumber(loop) or 0
  record.number = tonumber(number or record.id) or 0
  record.name = record.name or ""
  record.waits = record.waits or ""
  record.state = record.state or "?"
  snapshot.tasks[#snapshot.tasks + 1] = record
  snapshot.by_key[record.key] = record
end

--- Make a snapshot of the answer to `tasks`.
---@param records table[]
---@return table? snapshot { engines, tasks, by_key, more = tasks left out }
---@return string? why there is none: the server answered with an error
function M.snapshot(records)
  local snapshot = { engines = {}, tasks = {}, by_key = {}, more = 0 }
  local engines = {}
  for _, record in ipairs(records) do
    if record.kind == "engine" then
      record.id = record.id or ""
      snapshot.engines[#snapshot.engines + 1] = record
      engines[record.id] = record
    elseif record.kind == "task" then
      add_task(snapshot, record, engines)
    elseif record.kind == "more" then
      snapshot.more = snapshot.more + (record.tasks or 0)
    elseif record.kind == "error" and not record.engine then
      return nil, record.message or "the program answers with an error"
    end
  end
  if #snapshot.engines > 1 then -- ids are unique in an engine only
    for _, task in ipairs(snapshot.tasks) do
      task.label = task.engine and task.engine .. "/" .. task.id
    end
  end
  return snapshot
end

--- Split a list such as "starves,swallows" into a set.
---@param text string?
---@return table<string, true>
function M.set(text)
  local set = {}
  for word in gmatch(text or "", "[^,]+") do
    set[word] = true
  end
  return set
end

return M
