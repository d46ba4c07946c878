-- zmq_proxy.lua ADDRESS KIND: passes messages on, of requests, topics or jobs.
local aw = require "aiowire"
local zmq = require "aiowire.zmq"

local types = {
  requests = { "router", "dealer" },
  topics = { "xsub", "xpub" },
  jobs = { "pull", "push" },
}
local front, back = table.unpack(types[arg[2]])

aw.run(function()
  local options = back == "xpub" and { sndhwm = 0 } or nil -- or it drops some
  return zmq.Proxy(zmq.socket(front):bind(arg[1]),
    zmq.socket(back, options):bind(arg[1] .. "-back"))
end)
