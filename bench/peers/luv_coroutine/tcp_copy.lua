-- tcp_copy.lua N PORT: copies N megabytes from one connection to the next.
local uv = require "luv"

local function accept(server)
  local co = coroutine.running()
  server:listen(2, function(err)
    assert(not err, err)
    local client = uv.new_tcp()
    server:accept(client)
    assert(coroutine.resume(co, client))
  end)
end

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

coroutine.wrap(function()
  local server = uv.new_tcp()
  server:bind("127.0.0.1", tonumber(arg[2]))
  accept(server)
  local from, to = coroutine.yield(), coroutine.yield()
  local chunk = read(from)
  while chunk do
    write(to, chunk)
    chunk = read(from)
  end
  from:close()
  to:close()
  server:close()
end)()
uv.run()
