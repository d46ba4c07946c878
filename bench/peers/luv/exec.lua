-- exec.lua N AT_ONCE: runs a program N times.
local uv = require "luv"

local left, at_once = tonumber(arg[1]), tonumber(arg[2])
local start

local function read_all(pipe, closed)
  pipe:read_start(function(err, chunk)
    assert(not err, err)
    if not chunk then
      pipe:close(closed)
    end
  end)
end

function start()
  if left == 0 then
    return
  end
  left = left - 1
  local open = 3
  local function closed()
    open = open - 1
    if open == 0 then
      start()
    end
  end
  local stdout, stderr = uv.new_pipe(), uv.new_pipe()
  local handle
  handle = uv.spawn("/bin/true", { stdio = { nil, stdout, stderr } },
    function()
      handle:close(closed)
    end)
  read_all(stdout, closed)
  read_all(stderr, closed)
end

for _ = 1, at_once do
  start()
end
uv.run()
