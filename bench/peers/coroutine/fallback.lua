local function fails()
  error "boom"
end

local function nothing() end

for _ = 1, math.tointeger(arg[1]) do
  if not pcall(fails) then
    nothing()
  end
end
