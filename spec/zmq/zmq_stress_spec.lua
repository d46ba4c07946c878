-- No wake-up is lost under load: see spec/zmq/zmq_stress.lua.
-- AIOWIRE_ZMQ_MESSAGES=200000 runs the full load, of 200,000 messages each.

local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"
local stress = require "spec.zmq.zmq_stress"

local asked = tonumber(os.getenv "AIOWIRE_ZMQ_MESSAGES")
local count = math.tointeger(asked or helper.scale(4000))
if asked then
  sockets.PATIENCE = 600
end

describe("sockets under load", function()
  for _, name in ipairs(stress.names) do
    for _, transport in ipairs(stress.transports) do
      it(("lose no wake-up as %s over %s [ZQ1, Q4]"):format(name, transport),
        sockets.fact(function()
          if helper.gc_stress then
            stress.PATIENCE = 30
          end
          assert.is_true(stress.run(name, transport, count) >= count)
        end))
    end
  end
end)
