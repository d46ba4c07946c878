-- A protected call: an error in the function would end nothing else.
local function nothing() end

for _ = 1, math.tointeger(arg[1]) do
  pcall(nothing)
end
