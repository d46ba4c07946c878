--- find.lua: programs under inspection, and connections to them
---
--- A program that can be inspected listens on PID.sock, in a folder that only
--- its user can use; see docs/program.md. A folder of another owner, or one
--- that others can write to, is left alone: what listens there could be
--- anybody.
---
---   PID ─► owner of the process ─► folders ─► socket ─► Connection
---
--- Functions give nil and a text instead of raising: most failures concern the
--- other program, and the user is told the text.
local aw, part = ...

local protocol <const> = part "host.top.protocol"

local fs <const>, unix <const> = aw.fs, aw.unix
local getenv <const> = os.getenv

--- So many seconds may a program take for its first line, or for an answer
--- that somebody waits for.
local PATIENCE <const> = 5

local M = {}

M.PATIENCE = PATIENCE

--- How to make a program one that can be inspected.
M.ADVICE = "start it with AIOWIRE_INSPECT=1 in its environment, or let it "
  .. "call aw.inspect()"

-- Folders --------------------------------------------------------------------

local function status_of(path)
  local ok, status = aw.pcall(fs.stat, path, { follow = false })
  return ok and status or nil
end

--- The user that owns a process, or this one; nil: there is no such process.
---@param pid string? default: this process
---@return integer? uid
local function owner(pid)
  local ok, status = aw.pcall(fs.stat, "/proc/" .. (pid or "self"))
  return ok and status.uid or nil
end

-- Where programs of a user may have their sockets.
local function candidates(uid, own)
  local list = {}
  local runtime = getenv "XDG_RUNTIME_DIR"
  if own and runtime and runtime:sub(1, 1) == "/" then
    list[1] = runtime .. "/aiowire"
  end
  list[#list + 1] = ("/run/user/%d/aiowire"):format(uid)
  list[#list + 1] = ("/tmp/aiowire-%d"):format(uid)
  return list
end

-- Only the owner may use it.
local function is_private(status, uid)
  return status.type == "directory" and status.uid == uid
    and status.mode & tonumber("077", 8) == 0
end

--- The folders with sockets of a user.
---@param uid integer
---@param own boolean it is the user of this process
---@return string[] folders that can be used
---@return string? refused one that is not private
local function folders_of(uid, own)
  local list, seen, refused = {}, {}, nil
  for _, path in ipairs(candidates(uid, own)) do
    local status = not seen[path] and status_of(path)
    seen[path] = true
    if status and is_private(status, uid) then
      list[#list + 1] = path
    elseif status then
      refused = refused or path
    end
  end
  return list, refused
end

-- The ids of the processes that have a socket in a folder.
local function pids_in(folder)
  local ok, entries = aw.pcall(fs.scandir, folder)
  local pids = {}
  for _, entry in ipairs(ok and entries or {}) do
    pids[#pids + 1] = entry.type == "socket" and entry.name:match
      "^(%d+)%.sock$" or nil
  end
  return pids
end

-- Connections ----------------------------------------------------------------

--- Call `f(...)` for at most so many seconds; nil: without a limit. Returns its
--- results; nil and a text when the time is over.
local function within(seconds, f, ...)
  if not seconds then
    return f(...)
  end
  local results = table.pack(...)
  local done = false
  aw.scope({ timeout = seconds }, function()
    results = table.pack(f(table.unpack(results, 1, results.n)))
    done = true
  end)
  if not done then
    return nil, ("it has not answered for %g s"):format(seconds)
  end
  return table.unpack(results, 1, results.n)
end

---@class host.TopConnection
---@field stream aiowire.Stream
---@field reader host.TopReader
---@field hello table
---@field events table[] that have come, and that nobody has taken
local Connection = {}
Connection.__index = Connection

--- Wait for the next event of the program: that of protocol.lua, or
--- { kind = "closed" }, or { kind = "broken", why }.
---@param patience? number seconds without a byte after which it is broken
---@return table event
function Connection:next(patience)
  while #self.events == 0 do
    local ok, bytes = within(patience, aw.pcall, self.stream.read_some,
      self.stream)
    if ok == nil then
      return { kind = "broken", why = bytes }
    elseif not ok or not bytes then
      return { kind = "closed" }
    end
    local events, why = self.reader:feed(bytes)
    if not events then
      return { kind = "broken", why = why }
    end
    self.events = events
  end
  return table.remove(self.events, 1)
end

--- Send a request. False: the connection is closed.
function Connection:ask(request)
  return (aw.pcall(self.stream.write, self.stream, request .. "\n"))
end

function Connection:close()
  self.stream:close()
end

Connection.__close = Connection.close

-- Connect, and read the first line.
local function open(path)
  local ok, stream = aw.pcall(unix.connect, path)
  if not ok then
    return nil, aw.is_system_error(stream) and stream.code or tostring(stream)
  end
  local self = setmetatable({ stream = stream, reader = protocol.reader(),
    events = {} }, Connection)
  local _ <close> = setmetatable({}, { __close = function()
    if not self.hello then
      stream:close()
    end
  end })
  local event = self:next()
  if event.kind ~= "hello" then
    return nil, event.why or "it has closed the connection at once"
  end
  self.hello = event.hello
  return self
end

--- Connect to a socket.
---@param path string
---@param seconds? number of patience
---@return host.TopConnection?
---@return string? why
local function connect(path, seconds)
  return within(seconds or PATIENCE, open, path)
end

-- One program ----------------------------------------------------------------

-- Codes of a connect that say that nobody listens.
local ABSENT <const> = { ENOENT = true, ECONNREFUSED = true, ENOTDIR = true }

--- Connect to a program.
---@param pid string
---@return host.TopConnection?
---@return string? why a sentence
---@return boolean? absent nothing listens
function M.open(pid)
  local own, uid = owner(), owner(pid)
  if not uid then
    return nil, ("there is no process %s"):format(pid), true
  elseif own ~= 0 and uid ~= own then
    return nil, ("process %s belongs to another user; only that user and root "
      .. "may inspect it"):format(pid)
  end
  local folders, refused = folders_of(uid, uid == own)
  for _, folder in ipairs(folders) do
    local connection, why = connect(("%s/%s.sock"):format(folder, pid))
    if connection then
      return connection
    elseif why == "EACCES" or why == "EPERM" then
      return nil, ("process %s does not let you inspect it"):format(pid)
    elseif not ABSENT[why] then
      return nil, ("cannot inspect process %s: %s"):format(pid, why)
    end
  end
  if refused then
    return nil, ("%s is not used: others than its owner could have put "
      .. "something there; remove it, and start process %s again"):format(
      refused, pid)
  end
  return nil, ("process %s cannot be inspected: %s"):format(pid, M.ADVICE),
    true
end

-- Does the process run? A zombie does not.
local function lives(pid)
  local ok, text = aw.pcall(fs.read, ("/proc/%s/stat"):format(pid))
  return ok and not text:find "^.*%) [XZ]"
end

--- Returns whether a process whose socket is gone has ended. Its files are
--- closed before it ends, so this waits a moment.
---@param pid string
---@return boolean
function M.has_ended(pid)
  for _ = 1, 20 do
    if not lives(pid) then
      return true
    end
    aw.sleep(0.05)
  end
  return false
end

-- All programs ---------------------------------------------------------------

--- Seconds for each program in the list.
local LIST_PATIENCE <const> = 1

-- The users whose programs this one may inspect: root those of all.
local function users(own)
  local list = { own }
  if own ~= 0 then
    return list
  end
  local seen = { [own] = true }
  for _, pattern in ipairs { "/run/user/*", "/tmp/aiowire-*" } do
    local ok, paths = aw.pcall(fs.glob, pattern)
    for _, path in ipairs(ok and paths or {}) do
      local uid = math.tointeger(tonumber(path:match "(%d+)$"))
      if uid and not seen[uid] then
        seen[uid] = true
        list[#list + 1] = uid
      end
    end
  end
  return list
end

local function look_at(pid, path)
  local connection, why = connect(path, LIST_PATIENCE)
  if not connection then
    return not ABSENT[why] and { pid = pid, why = why } or nil
  end
  connection:close()
  return { pid = pid, version = connection.hello.version,
    name = connection.hello.name }
end

--- The programs that can be inspected.
---@return table[] programs { pid, version, name }, or { pid, why }
function M.all()
  local list, own = {}, owner()
  aw.scope(function(scope)
    for _, uid in ipairs(users(own)) do
      for _, folder in ipairs((folders_of(uid, uid == own))) do
        for _, pid in ipairs(pids_in(folder)) do
          scope:start(function()
            local program = owner(pid) and look_at(pid, ("%s/%s.sock")
              :format(folder, pid))
            list[#list + 1] = program or nil
          end)
        end
      end
    end
  end)
  table.sort(list, function(a, b)
    return tonumber(a.pid) < tonumber(b.pid)
  end)
  return list
end

return M
