--- Scripts that run with a resolver which hangs at will: see resolver.c.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

-- Each script begins with this.
local PRELUDE <const> = [[
local aw = require "aiowire"
local resolver = require "spec_resolver"

local function wait_until(holds)
  aw.timeout(120, function()
    while not holds() do aw.sleep(0.001) end
  end)
end

--- Wait until so many look-ups hang.
local function hanging(count)
  wait_until(function() return resolver.hanging() == count end)
end
]]

local library = helper.in_host and process.binary or "lua5.4"

--- Run a script in a process of its own. Returns what process.run() returns.
function M.run(text)
  local folder = process.binary:match "^(.*)/"
  return process.run(("export ASAN_OPTIONS=verify_asan_link_order=0:"
    .. "$ASAN_OPTIONS; exec env LD_PRELOAD=%s %s s.lua"):format(
    process.quoted(folder .. "/spec_resolver.so"), process.quoted(library)),
    { ["s.lua"] = PRELUDE .. text })
end

--- Run a script, which must print `expected`.
function M.prints(expected, text)
  process.assert_outcome(expected, 0, M.run(text))
end

return M
