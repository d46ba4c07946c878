--- happy_eyeballs.lua: which of several addresses answers first (RFC 8305)
---
--- A host may have addresses of both families, and one family may be cut off
--- on the way, so that its packets vanish. Then only time tells: each address
--- gets a start of 250 ms before the next one is tried as well. An attempt that
--- fails makes way for the next one at once. The first connection wins.
---
--- This is one expression of wires, for address i of n:
---
---     from(i) = Any{ attempt(i), (Sleep(0.25) | Wait(failed)) >> from(i + 1) }
---
--- Any{} cancels the attempts that lose. When all have failed, it raises the
--- last error, with the others suppressed.
---
--- Neighbour: connect.lua attempts connections. Specs attempt anything else, in
--- virtual time.
local aw = ...

local M = {}

M.START = 0.25 -- seconds; the "Connection Attempt Delay" of the RFC

--- Return the addresses in the order in which to try them: their own, but with
--- the families in turn, beginning with that of the first address.
---@param addresses { family: string }[]
---@return { family: string }[]
function M.in_turn(addresses)
  local first, others, list = {}, {}, {}
  for _, address in ipairs(addresses) do
    local same = address.family == addresses[1].family
    table.insert(same and first or others, address)
  end
  for i = 1, math.max(#first, #others) do
    list[#list + 1] = first[i]
    list[#list + 1] = others[i]
  end
  return list
end

local function from(i, addresses, attempt)
  local this = attempt(addresses[i])
  if i == #addresses then
    return this
  end
  local failed = aw.event()
  local tried = this:catch(function(err)
    failed:set()
    error(err, 0)
  end)
  local next_one = aw.Wire(function()
    return from(i + 1, addresses, attempt)
  end)
  return aw.Any { tried,
    (aw.Sleep(M.START) | aw.Wait(failed)) >> next_one }
end

--- Return a wire that ends as the first attempt that succeeds.
---@generic T
---@param addresses T[] at least one
---@param attempt fun(address: T): aiowire.Wire
---@return aiowire.Wire race to be run once
function M.race(addresses, attempt)
  return from(1, M.in_turn(addresses), attempt)
end

return M
