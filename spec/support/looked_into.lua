--- Programs that are looked into. Each runs in a folder of its own, where its
--- socket is too, so that specs do not see each other's programs.

local assert = require "luassert"
local process = require "spec.support.process"

local M = {}

-- The module `client` of such programs, also for their workers.
local client = [[
local aw = require "aiowire"
local Client = {}
Client.__index = Client

local letters = { t = "\t", n = "\n", r = "\r", ["\\"] = "\\" }

local function record(line)
  local r = {}
  for field in line:gmatch "[^\t]+" do
    local key, value = field:match "^([^=]+)=(.*)$"
    if key then
      r[key] = value:gsub("\\(.)", letters)
    else
      r.kind = field
    end
  end
  return r
end

local function connect(path)
  local stream = aw.unix.connect(path)
  return setmetatable({ stream = stream, hello = stream:read "l" }, Client)
end

-- Returns the records up to the line ".", and nil if that has not come.
function Client:records()
  local list = {}
  for line in self.stream:lines() do
    if line == "." then
      return list
    end
    list[#list + 1] = record(line)
  end
  return nil, list
end

function Client:ask(request)
  self.stream:write(request, "\n")
  return self:records()
end

function Client:__close()
  self.stream:close()
end

local function ask_once(path, request)
  local c <close> = connect(path)
  return c:ask(request)
end

local function is_old(list)
  for _, r in ipairs(list) do
    if r.answer == "old" then
      return true
    end
  end
end

-- Ask until each state has answered. On a busy machine, a state may get no
-- processor for so long that its answer is an old one.
local function ask(path, request)
  local list
  repeat
    list = ask_once(path, request)
  until not list or not is_old(list)
  return list
end

-- Returns the first record with these fields; a value may be a pattern.
local function find(list, fields)
  for _, r in ipairs(list) do
    local fits = true
    for key, value in pairs(fields) do
      fits = fits and r[key] and r[key]:find(value) ~= nil
    end
    if fits then
      return r
    end
  end
end

return { connect = connect, ask = ask, ask_once = ask_once, find = find }
]]

M.prelude = [[
local aw = require "aiowire"
local function say(...)
  local texts = table.pack(...)
  for i = 1, texts.n do
    texts[i] = tostring(texts[i])
  end
  io.stdout:write(table.concat(texts, " "), "\n")
  io.stdout:flush()
end
local client = require "client"
local ask, connect, find = client.ask, client.connect, client.find
local function exists(name)
  local file <close> = io.open(name)
  return file ~= nil
end
]]

--- The place of the line of the script that has `-- comment`.
---@param script string
---@param comment string
---@return string
function M.place_of(script, comment)
  return process.place_of(M.prelude .. script, comment)
end

--- Run a script with the prelude. `command` runs in a shell; $aiowire, and in
--- the environment AIOWIRE, are the program.
---@param script string
---@param command string?
---@return spec.Outcome
function M.run(script, command)
  local line = "export XDG_RUNTIME_DIR=$PWD AIOWIRE=$aiowire\n"
    .. (command or "exec $aiowire s.lua")
  return process.run(line, {
    ["s.lua"] = M.prelude .. script,
    ["client.lua"] = client,
  })
end

--- The script must write this, and nothing to stderr, and end well.
---@param out string
---@param script string
---@param command string?
function M.writes(out, script, command)
  local outcome = M.run(script, command)
  process.assert_outcome(out, 0, outcome)
  assert.are.equal("", outcome.err)
end

return M
