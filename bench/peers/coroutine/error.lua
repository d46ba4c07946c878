local function fails()
  error "boom"
end

for _ = 1, math.tointeger(arg[1]) do
  local ok, message = coroutine.resume(coroutine.create(fails))
  assert(not ok and message)
end
