--- A redis-server of its own for a spec: without persistence, on a free port of
--- 127.0.0.1, ended with its handle, or when this process is killed.

local aw = require "aiowire"

local M = {}

--- Is there a redis-server?
---@return boolean
function M.installed()
  local found = io.popen "command -v redis-server"
  local path = found and found:read "l"
  if found then
    found:close()
  end
  return path ~= nil
end

--- Returns a port that nobody has now.
local function free_port()
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  local _, port = server:name()
  return port
end

local function answers(port)
  local ok = aw.pcall(function()
    aw.tcp.connect("127.0.0.1", port):close()
  end)
  return ok
end

local function run_server(port)
  return aw.spawn { "redis-server", "--port", tostring(port), "--bind",
    "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no",
    stdout = "null", stderr = "null" }
end

--- Start a program that ends the server when its input ends, as when this
--- process is killed.
local function guard(server)
  return aw.spawn { "sh", "-c", "cat >/dev/null; kill " .. server.pid,
    stdin = "pipe", stdout = "null", stderr = "null" }
end

--- Start a server, and wait until it takes connections. If it ends before, as
--- when somebody has taken the port meanwhile, try another one.
---@return { port: integer } server a to-be-closed value, which ends it
function M.start()
  for _ = 1, 10 do
    local port, up = free_port(), false
    local server = run_server(port)
    local guarding = guard(server)
    aw.race {
      function()
        server:wait()
      end,
      function()
        while not answers(port) do
          aw.sleep(0.01)
        end
        up = true
      end,
    }
    if up then
      return setmetatable({ port = port }, {
        __close = function()
          guarding:close()
          server:close()
        end,
      })
    end
    guarding:close()
    server:close()
  end
  error "no redis-server could be started"
end

return M
