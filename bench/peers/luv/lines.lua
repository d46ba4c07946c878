-- lines.lua N: reads N lines from the standard output of a program.
local uv = require "luv"

local left = tonumber(arg[1])
local stdout, child = uv.new_pipe(), nil
local rest = ""

child = uv.spawn("yes", { args = { ("x"):rep(50) },
  stdio = { nil, stdout, 2 } }, function()
  child:close()
end)
stdout:read_start(function(err, chunk)
  assert(not err, err)
  local done = 1
  chunk = rest .. chunk
  for _, after in chunk:gmatch "([^\n]*)\n()" do
    done = after
    left = left - 1
  end
  rest = chunk:sub(done)
  if left < 0 then
    stdout:close()
  end
end)
uv.run()
