--- Random numbers from a seed, the same on each machine and independent of
--- math.random. The generators of test programs use them.

local Random = {}
Random.__index = Random

--- Returns an integer from 0 to n-1.
function Random:below(n)
  self.state = self.state * 6364136223846793005 + 1442695040888963407
  return (self.state >> 33) % n
end

function Random:between(a, b)
  return a + self:below(b - a + 1)
end

function Random:chance(percent)
  return self:below(100) < percent
end

--- Returns a random element of a list.
function Random:pick(list)
  return list[self:between(1, #list)]
end

--- Returns a random value of `choices`, a list of { weight, value }. Values
--- that are keys of `without` are excluded.
function Random:weighted(choices, without)
  without = without or {}
  local sum = 0
  for _, choice in ipairs(choices) do
    sum = sum + (without[choice[2]] and 0 or choice[1])
  end
  local at = self:below(sum)
  for _, choice in ipairs(choices) do
    at = at - (without[choice[2]] and 0 or choice[1])
    if at < 0 then
      return choice[2]
    end
  end
end

--- Returns a generator of random numbers.
---@param seed integer
return function(seed)
  local random = setmetatable({ state = seed * 0x9E3779B97F4A7C15 + 1 }, Random)
  random:below(2)
  random:below(2)
  return random
end
