-- tcp_echo.lua PORT: sends back what comes.
local uv = require "luv"

--- Return the next chunk of a stream, or nil at its end.
local function read(stream)
  local co = coroutine.running()
  stream:read_start(function(err, chunk)
    stream:read_stop()
    assert(coroutine.resume(co, chunk, err))
  end)
  return coroutine.yield()
end

local function write(stream, chunk)
  local co = coroutine.running()
  stream:write(chunk, function(err)
    assert(coroutine.resume(co, err))
  end)
  return coroutine.yield()
end

local server = uv.new_tcp()
server:bind("127.0.0.1", tonumber(arg[1]))
server:listen(1024, function(err)
  assert(not err, err)
  local client = uv.new_tcp()
  server:accept(client)
  client:nodelay(true)
  coroutine.wrap(function()
    local chunk = read(client)
    while chunk do
      write(client, chunk)
      chunk = read(client)
    end
    client:close()
  end)()
end)
uv.run()
