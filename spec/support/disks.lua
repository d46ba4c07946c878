--- Run a script on disks of its own, in new namespaces for users and mounts.
---
---     small     64 KiB and 50 files, and no more
---     locked    cannot be written; it has a folder "folder", and a file "file"
---               with the text "text"
---
--- Where the kernel forbids that, or `unshare` is missing, a spec is pending.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

local enter = [[
set -e
mkdir small locked
mount -t tmpfs -o size=64k,nr_inodes=50 none small
mount -t tmpfs none locked
printf text >locked/file
mkdir locked/folder
mount -o remount,ro locked
exec "$@"
]]

local COMMAND <const> = "exec unshare -Urm sh ./enter.sh "

local reason -- why there are no such disks; false: there are

local function why_not()
  if reason == nil then
    local outcome = process.run(COMMAND .. "true", { ["enter.sh"] = enter })
    reason = outcome.code ~= 0
      and "no mount namespace: " .. outcome.err:gsub("%s+$", "")
  end
  return reason
end

--- Run the body of a task as the script `s.lua`. It must print `expected`.
---@param expected string
---@param text string
function M.prints(expected, text)
  local why = why_not()
  if why then
    helper.pending(why)
  end
  process.assert_outcome(expected, 0, process.run(COMMAND .. "$aiowire s.lua",
    { ["enter.sh"] = enter, ["s.lua"] = [[
local aw = require "aiowire"
local fs = aw.fs

--- Call `f(...)`, which must fail. Returns the code of the error.
local function code_of(f, ...)
  local ok, err = pcall(f, ...)
  assert(not ok, "no error")
  assert(aw.is_system_error(err), tostring(err))
  return err.code
end

aw.run(function(ev)
]] .. text .. "\nend)" }))
end

return M
