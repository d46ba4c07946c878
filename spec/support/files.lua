--- Scripts whose system calls on files hang or fail at will: see files.c.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

-- Each script begins with this. The folder of the script is its own.
local PRELUDE <const> = [[
local aw = require "aiowire"
local files = require "spec_files"
local fs = aw.fs

local function wait_until(holds)
  aw.timeout(120, function()
    while not holds() do aw.sleep(0.001) end
  end)
end

--- Wait until so many calls hang.
local function hanging(count)
  wait_until(function() return files.hanging() == count end)
end

--- The names in the folder, without those of the spec.
local function names()
  local list = {}
  for _, entry in ipairs(fs.scandir ".") do
    if entry.name ~= "s.lua" and entry.name:sub(1, 1) ~= "." then
      list[#list + 1] = entry.name:gsub("^aiowire%-.*", "TEMPORARY")
    end
  end
  return table.concat(list, " ")
end
]]

local library = helper.in_host and process.binary or "lua5.4"

--- Run a script in a process of its own. Returns what process.run() returns.
function M.run(text)
  local folder = process.binary:match "^(.*)/"
  return process.run(("export ASAN_OPTIONS=verify_asan_link_order=0:"
    .. "$ASAN_OPTIONS; exec env TMPDIR=. LD_PRELOAD=%s %s s.lua"):format(
    process.quoted(folder .. "/spec_files.so"), process.quoted(library)),
    { ["s.lua"] = PRELUDE .. "aw.run(function(ev)\n" .. text .. "\nend)" })
end

--- Run the body of a task, which must print `expected`.
function M.prints(expected, text)
  process.assert_outcome(expected, 0, M.run(text))
end

return M
