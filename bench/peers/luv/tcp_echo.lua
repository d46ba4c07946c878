-- tcp_echo.lua PORT: sends back what comes.
local uv = require "luv"

local server = uv.new_tcp()
server:bind("127.0.0.1", tonumber(arg[1]))
server:listen(1024, function(err)
  assert(not err, err)
  local client = uv.new_tcp()
  server:accept(client)
  client:nodelay(true)
  client:read_start(function(failure, chunk)
    if chunk then
      client:write(chunk)
    elseif failure then
      client:close()
    else
      client:shutdown(function()
        client:close()
      end)
    end
  end)
end)
uv.run()
