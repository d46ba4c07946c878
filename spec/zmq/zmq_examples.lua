--- Programs of examples/ as processes of their own, for the specs of patterns.

local assert = require "luassert"
local aw = require "aiowire"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local M = {}

--- Start `examples/NAME.lua` with these arguments, and with some variables
--- added to its environment. Its stdout has its errors, too.
---@param name string
---@param variables table<string, string|number>
---@return aiowire.Process
function M.start(name, variables, ...)
  local words = { "env" }
  for variable, value in pairs(variables) do
    words[#words + 1] = variable .. "=" .. value
  end
  words[#words + 1] = process.binary
  words[#words + 1] = ("%s/examples/%s.lua"):format(process.root, name)
  for _, word in ipairs { ... } do
    words[#words + 1] = word
  end
  words.stdin, words.stderr, words.grace = "null", "stdout", 60
  return aw.spawn(words)
end

--- What a process prints until it ends.
function M.rest_of(p)
  return p.stdout:read "a"
end

--- Check that a process ends well.
function M.assert_ends(p)
  assert.are.same({ ok = true, code = 0 }, p:wait())
end

--- Tell a process to end, and check that it does. Returns the rest of what it
--- prints.
function M.told_to_end(p)
  p:kill "TERM"
  local said = M.rest_of(p)
  M.assert_ends(p)
  return said
end

--- Kill a process that nobody reads any more.
function M.killed(p)
  p:kill "KILL"
  p:close()
end

--- Check that these arguments show the usage line.
function M.shows_usage(name, ...)
  local p <close> = M.start(name, {}, ...)
  texts.contains(M.rest_of(p), ("usage: aiowire %s.lua "):format(name))
  assert.are.same({ ok = false, code = 2 }, p:wait())
end

return M
