-- Routes that drop packets: a dead address of a host costs the start of an
-- attempt, 250 ms, and not a minute [X12].
--
-- Scripts run in a network namespace of their own, where two networks are
-- routed to the loopback device. The kernel drops what comes from there for a
-- foreign address. A spec is pending where there can be no such namespace.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local PREPARE <const> = [[
ip link set lo up && ip route add 192.0.2.0/24 dev lo || exit 77
ip -6 addr add fd00:1::1/128 dev lo && ip -6 route add fd00:1::/64 dev lo ||
  exit 77
export ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS
exec env LD_PRELOAD="$1" "$2" s.lua
]]

--- Run a script in such a namespace; it must print `expected`.
local function isolated(expected, text)
  if not os.execute "unshare -rn true 2>/dev/null" then
    helper.pending "no network namespace is to be had"
  end
  local folder = process.binary:match "^(.*)/"
  local outcome = process.run(
    ("exec unshare -rn sh ./prepare %s $aiowire"):format(
      process.quoted(folder .. "/spec_resolver.so")),
    { ["s.lua"] = text, prepare = PREPARE })
  if outcome.code == 77 then
    helper.pending("no routes of its own: " .. outcome.err)
  end
  process.assert_outcome(expected, 0, outcome)
end

describe("an address whose packets vanish", function()
  it("makes way for the next one after 250 ms [X12]", function()
    isolated("tcp 127.0.0.1\ttrue\n", [[
      local aw = require "aiowire"
      local _, port = require "spec_listeners".tcp "127.0.0.1"
      aw.run(function(ev)
        local begun = ev:now()
        local s <close> = aw.tcp.connect("fd00:1::9,127.0.0.1.list.test", port,
          { timeout = 100 })
        print(tostring(s):match "tcp 127.0.0.1", ev:now() - begun >= 0.25)
      end)
    ]])
  end)

  it("is tried in the other family when one refuses [X12]", function()
    isolated("ECONNREFUSED\t2\n", [[
      local aw = require "aiowire"
      aw.run(function(ev)
        local _, err = pcall(aw.tcp.connect, "::1,127.0.0.1.list.test", 1)
        print(err.code, #err.tried)
      end)
    ]])
  end)

  it("is cut short with all others, and leaves no socket [X10, X12]",
    function()
      isolated("true\t3\n", [[
        local aw = require "aiowire"
        local most = 0
        local function sockets()
          local count = 0
          for fd = 3, 40 do
            if require "spec_listeners".is_socket(fd) then count = count + 1 end
          end
          return count
        end
        aw.run(function(ev)
          local before = sockets()
          local task = ev:start(aw.Call(aw.tcp.connect,
            "fd00:1::9,192.0.2.9,fd00:1::8.list.test", 80))
          aw.timeout(100, function()
            repeat
              aw.sleep(0.01)
              most = math.max(most, sockets() - before)
            until most == 3
          end)
          collectgarbage "stop"
          task:cancel_wait()
          print(sockets() == before, most)
        end)
      ]])
    end)

  it("is one of all that a time limit cuts short [X13]", function()
    isolated("true\n", [[
      local aw = require "aiowire"
      aw.run(function()
        local ok, err = pcall(aw.tcp.connect, "fd00:1::9,192.0.2.9.list.test",
          80, { timeout = 0.3 })
        print(not ok and aw.is_timeout(err))
      end)
    ]])
  end)
end)

describe("a network without a route", function()
  it("is unreachable, and the error says so [X13]", function()
    isolated("ENETUNREACH\t198.51.100.1:80\n", [[
      local aw = require "aiowire"
      aw.run(function()
        local _, err = pcall(aw.tcp.connect, "198.51.100.1", 80)
        print(err.code, err.about)
      end)
    ]])
  end)

  it("says less than a refusal [X13]", function()
    isolated("ECONNREFUSED\t198.51.100.1,::1.list.test:1 (tried "
      .. "198.51.100.1:1: ENETUNREACH, [::1]:1)\n", [[
      local aw = require "aiowire"
      aw.run(function()
        local _, err = pcall(aw.tcp.connect, "198.51.100.1,::1.list.test", 1)
        print(err.code, err.about)
      end)
    ]])
  end)
end)
