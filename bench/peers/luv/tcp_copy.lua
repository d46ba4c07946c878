-- tcp_copy.lua N PORT: copies N megabytes from one connection to the next.
local uv = require "luv"

local server = uv.new_tcp()
local from

local function copy(to)
  from:read_start(function(err, chunk)
    assert(not err, err)
    if not chunk then
      from:close()
      to:close()
      server:close()
      return
    end
    from:read_stop() -- until the kernel has taken the chunk
    to:write(chunk, function()
      copy(to)
    end)
  end)
end

server:bind("127.0.0.1", tonumber(arg[2]))
server:listen(2, function(err)
  assert(not err, err)
  local client = uv.new_tcp()
  server:accept(client)
  if from then
    copy(client)
  else
    from = client
  end
end)
uv.run()
