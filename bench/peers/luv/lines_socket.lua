-- lines_socket.lua N PORT: reads N lines from a connection.
local uv = require "luv"

local left = tonumber(arg[1])
local server = uv.new_tcp()
local rest = ""

server:bind("127.0.0.1", tonumber(arg[2]))
server:listen(1, function(err)
  assert(not err, err)
  local stream = uv.new_tcp()
  server:accept(stream)
  stream:read_start(function(failure, chunk)
    assert(not failure, failure)
    local done = 1
    chunk = rest .. chunk
    for _, after in chunk:gmatch "([^\n]*)\n()" do
      done = after
      left = left - 1
    end
    rest = chunk:sub(done)
    if left < 0 then
      stream:close()
      server:close()
    end
  end)
end)
uv.run()
