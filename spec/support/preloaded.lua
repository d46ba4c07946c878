--- Scripts that run with a library of spec/support in LD_PRELOAD, which makes
--- calls hang or fail at will: files.c, resolver.c.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

-- Each script begins with this, where NAME is that of the library.
local PRELUDE <const> = [[
local aw = require "aiowire"
local NAME = require "spec_NAME"

local function wait_until(holds)
  aw.timeout(120, function()
    while not holds() do aw.sleep(0.001) end
  end)
end

--- Wait until so many calls hang.
local function hanging(count)
  wait_until(function() return NAME.hanging() == count end)
end
]]

local interpreter = helper.in_host and process.binary or "lua5.4"

--- Return a function that runs a script in a process of its own, and returns
--- what process.run() returns.
---@param name "files"|"resolver" the library is `spec_NAME`
---@param environment string assignments for env(1)
---@param frame string the rest of the prelude, with %s for the script
function M.runner(name, environment, frame)
  local path = process.binary:match "^(.*)/" .. "/spec_" .. name .. ".so"
  local command <const> = ("export ASAN_OPTIONS=verify_asan_link_order=0:"
    .. "$ASAN_OPTIONS; exec env %s LD_PRELOAD=%s %s s.lua"):format(environment,
    process.quoted(path), process.quoted(interpreter))
  return function(text)
    return process.run(command,
      { ["s.lua"] = PRELUDE:gsub("NAME", name) .. frame:gsub("%%s", function()
        return text
      end) })
  end
end

--- Return a function that runs a script by `run`, which must print `expected`.
function M.printer(run)
  return function(expected, text)
    process.assert_outcome(expected, 0, run(text))
  end
end

return M
