-- exec.lua N AT_ONCE: runs a program N times.
local uv = require "luv"

local left, at_once = tonumber(arg[1]), tonumber(arg[2])

--- Run a program; return when it has ended and its output has been read.
local function exec(path)
  local co = coroutine.running()
  local stdout, stderr = uv.new_pipe(), uv.new_pipe()
  local open, handle = 3, nil
  local function closed()
    open = open - 1
    if open == 0 then
      assert(coroutine.resume(co))
    end
  end
  handle = uv.spawn(path, { stdio = { nil, stdout, stderr } }, function()
    handle:close(closed)
  end)
  for _, pipe in ipairs { stdout, stderr } do
    pipe:read_start(function(err, chunk)
      assert(not err, err)
      if not chunk then
        pipe:close(closed)
      end
    end)
  end
  coroutine.yield()
end

for _ = 1, at_once do
  coroutine.wrap(function()
    while left > 0 do
      left = left - 1
      exec "/bin/true"
    end
  end)()
end
uv.run()
