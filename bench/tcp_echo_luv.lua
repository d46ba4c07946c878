-- tcp_echo_luv.lua: an echo server on luv's callbacks, as luv's manual has it.
--
--   lua5.4 bench/tcp_echo_luv.lua      prints its port, and serves until killed
--
-- Neighbour: tcp_echo.lua.

local uv = require "luv"

local server <const> = uv.new_tcp()
assert(server:bind("127.0.0.1", 0))
assert(server:listen(1024, function(err)
  assert(not err, err)
  local client = uv.new_tcp()
  assert(server:accept(client))
  client:nodelay(true)
  client:read_start(function(failure, chunk)
    if chunk then
      client:write(chunk)
    elseif not failure then
      client:shutdown(function()
        client:close()
      end)
    else
      client:close()
    end
  end)
end))
print(server:getsockname().port)
io.stdout:flush()
uv.run()
