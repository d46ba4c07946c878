--- A program under inspection that specs make up: it listens where `aiowire
--- --top` looks, and answers with the lines that it is given.
---
---   local p <close> = inspected.open { tasks = { { id = 1, name = "main" } } }
---   -- the environment of --top: XDG_RUNTIME_DIR = p.path; its PID: p.pid
---
--- The process of that PID is a `sleep`, so that a spec can end it. A spec sees
--- that a request has come by p:request(), and each is answered at once by
--- p:answer(), unless `silent` is set.

local aw = require "aiowire"
local folder = require "spec.support.folder"

local M = {}

-- Lines ----------------------------------------------------------------------

local ESCAPES <const> = { ["\t"] = "\\t", ["\n"] = "\\n", ["\\"] = "\\\\" }

-- The line of a record: its fields in the order of their names.
local function line_of(kind, fields)
  local names = {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  local parts = { kind }
  for _, name in ipairs(names) do
    parts[#parts + 1] = name .. "="
      .. tostring(fields[name]):gsub("[\t\n\\]", ESCAPES)
  end
  return table.concat(parts, "\t") .. "\n"
end

local function filled(fields, defaults)
  local all = {}
  for name, value in pairs(defaults) do
    all[name] = value
  end
  for name, value in pairs(fields) do
    all[name] = value
  end
  return all
end

local SECOND <const> = 1000000000

local ENGINE <const> = { id = 1, name = "main", up = 10 * SECOND,
  idle = 9 * SECOND, busy = SECOND, steps = 100, wakeups = 50,
  heap = 2 * 1024 * 1024, answer = "live", busy_for = 0 }
local TASK <const> = { engine = 1, id = 1, name = "main", state = "waiting",
  waits = "sleep 1.0", age = 10 * SECOND, since = SECOND, busy = SECOND // 10,
  steps = 20, longest = 1000000, started = "server.lua:1",
  at = "server.lua:7" }

--- Returns the text of an answer to `tasks`, with its end.
---@param engines table[] fields that differ from those of an engine at rest
---@param tasks table[] fields that differ from those of a task that sleeps
---@return string
function M.text(engines, tasks)
  local parts = {}
  for i, fields in ipairs(engines) do
    parts[i] = line_of("engine", filled(fields, ENGINE))
  end
  for _, fields in ipairs(tasks) do
    parts[#parts + 1] = line_of("task", filled(fields, TASK))
  end
  parts[#parts + 1] = ".\n"
  return table.concat(parts)
end

-- The program ----------------------------------------------------------------

---@class spec.Inspected
---@field pid integer
---@field path string the run-time directory
---@field engines table[]
---@field tasks table[]
---@field raw? string what is sent instead of these
---@field silent boolean requests get no answer
---@field hasty boolean closes each connection after the first line
---@field greeting string the first line
---@field asked aiowire.Channel a value for each request
---@field streams aiowire.Stream[] the connections
local Inspected = {}
Inspected.__index = Inspected

-- Serve a connection.
local function serve(self, stream)
  self.streams[#self.streams + 1] = stream
  if self.greeting ~= "" then
    stream:write(self.greeting)
  end
  if self.hasty then
    return
  end
  for line in stream:lines() do
    self.asked:send(line)
    if not self.silent then
      stream:write(self.raw or M.text(self.engines, self.tasks))
    end
  end
end

--- Start it. Fields of `options`: engines, tasks, raw, silent, greeting, name,
--- folder (a folder of spec.support.folder), socket (false: it does not
--- listen).
---@param options table
---@return spec.Inspected
function M.open(options)
  local place = options.folder or folder.new()
  local child = aw.spawn { "sleep", "1000", stdin = "null", grace = 0 }
  local self = setmetatable({ child = child, pid = child.pid, folder = place,
    path = place.path, own_folder = not options.folder,
    engines = options.engines or { {} }, tasks = options.tasks or { {} },
    raw = options.raw, silent = options.silent or false, hasty = false,
    asked = aw.channel(math.huge), streams = {},
    greeting = options.greeting or ("aiowire 1 %d 0.1.0 %s\n"):format(
      child.pid, options.name or "server.lua") }, Inspected)
  self.sockets = place.path .. "/aiowire"
  aw.exec { "mkdir", "-p", "-m", "700", self.sockets, check = true }
  if options.socket ~= false then
    self:listen()
  end
  return self
end

--- Listen on the socket of the program.
function Inspected:listen()
  self.server = aw.unix.listen(("%s/%d.sock"):format(self.sockets, self.pid))
  self.task = aw.start(aw.Serve(self.server, function(_, stream)
    pcall(serve, self, stream)
  end), nil, { background = true })
end

--- Wait for a request.
function Inspected:request()
  return self.asked:recv()
end

--- Send a text to all that are connected.
function Inspected:send(text)
  for _, stream in ipairs(self.streams) do
    pcall(stream.write, stream, text)
  end
end

--- Send the answer to a request that got none.
function Inspected:answer()
  self:send(self.raw or M.text(self.engines, self.tasks))
end

--- Close all connections; the program lives on.
function Inspected:drop()
  for _, stream in ipairs(self.streams) do
    stream:close()
  end
  self.streams = {}
end

--- Listen no more, and close all connections; the program lives on.
function Inspected:stop_listening()
  self.server:close()
  self:drop()
  self.task:cancel_wait()
  self.server = nil
end

--- End the program: the process first, as its connections close with it.
function Inspected:stop()
  if self.child then
    self.child:kill "KILL"
    self.child:wait()
    self.child:close()
    self.child = nil
  end
  if self.server then
    self:stop_listening()
  end
end

function Inspected:__close()
  self:stop()
  if self.own_folder then
    self.folder:__close()
  end
end

return M
