--- Servers for specs: a server in a task with a group of clients, and lines
--- that are echoed.

local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

--- For scripts: loads the library and `clients`, plain descriptors as clients.
M.prelude = ([[
local aw = require "aiowire"
package.cpath = "%s/%s/?.so;" .. package.cpath
local clients = require "spec_clients"
]]):format(process.root, os.getenv "AIOWIRE_BUILD_DIR" or "build/dev")

--- Returns a function for `it` that calls `f(ev, server, port, group)` in a
--- task. The server is closed after that, and the clients in the group.
---@param f function
---@return fun()
function M.served(f)
  return helper.sealed(function()
    helper.run(function(ev)
      local server <close>, port = clients.listen()
      local group <close> = clients.group()
      f(ev, server, port, group)
    end)
  end)
end

--- The body of a connection that sends each line back.
function M.echo(_, stream)
  for line in stream:lines() do
    stream:write(line, "\n")
  end
end

--- Send a line and await the answer.
---@param fd integer
---@param line string
---@return string
function M.ask(fd, line)
  clients.send(fd, line .. "\n")
  return clients.answer(fd)
end

return M
