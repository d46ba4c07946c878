--- Run a script in a network of its own, where some addresses are dead.
---
--- The script runs in new namespaces for users, the network and mounts, so that
--- it needs no rights and changes nothing outside. Loopback is up. Beside it
--- there is one device, `dead0`, which drops all packets without a word, so
--- that a connect to an address behind it hangs for minutes:
---
---     127.0.0.1, ::1              reachable
---     M.dead4, M.dead6 (two each) packets vanish: no answer, no error
---     M.unreachable4, …6          the kernel refuses at once: EHOSTUNREACH
---     any other address           the kernel refuses at once: ENETUNREACH
---
--- The script is root there: it can run `ip link set lo down`, for example, and
--- so cut connections.
---
--- Where the kernel forbids that, or `ip` or `unshare` is missing, a spec is
--- pending.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

-- Addresses of the documentation, which exist nowhere. The resolver sorts
-- 2001:db8:: before any address of IPv4, but fd00:: after it.
M.dead4 = { "192.0.2.1", "192.0.2.2" }
M.dead6 = { "2001:db8::1", "2001:db8::2" }
M.unreachable4 = "198.51.100.1"
M.unreachable6 = "2001:db8:1::1"

-- Enter the network, and become the program of the arguments. `dead0` is the
-- first kind of device that the kernel has. The neighbours of `dead0` are
-- given: nobody would answer who they are, which is an error after a while.
local enter = ([[
set -e
ip link set lo up
ip link add dead0 type dummy 2>.devices ||
  ip link add dead0 type ifb 2>.devices ||
  ip link add dead0 type veth peer name pit0
ip link set dead0 up
ip addr add 192.0.2.200/24 dev dead0
ip -6 addr add 2001:db8::200/64 dev dead0 nodad
for dead in DEAD; do
  ip neigh add $dead lladdr 02:00:00:00:00:01 dev dead0 nud permanent
done
ip route add unreachable UNREACHABLE4
ip -6 route add unreachable UNREACHABLE6
for name in hosts resolv.conf nsswitch.conf; do
  [ ! -e /etc/$name ] || mount --bind $name /etc/$name
done
exec "$@"
]]):gsub("%u%u%u+%d?", {
  DEAD = table.concat(M.dead4, " ") .. " " .. table.concat(M.dead6, " "),
  UNREACHABLE4 = M.unreachable4,
  UNREACHABLE6 = M.unreachable6,
})

local COMMAND <const> = "exec unshare -Urnm sh ./enter.sh "

local reason -- why there is no such network; false: there is one

--- The files that a script finds in its folder and in /etc.
local function files_with(code, hosts, nameserver)
  local lines = { "127.0.0.1 localhost", "::1 localhost" }
  for name, addresses in pairs(hosts) do
    for _, address in ipairs(addresses) do
      lines[#lines + 1] = address .. " " .. name
    end
  end
  return { ["s.lua"] = process.prelude .. code, ["enter.sh"] = enter,
    hosts = table.concat(lines, "\n") .. "\n",
    ["resolv.conf"] = "nameserver " .. nameserver .. "\n",
    ["nsswitch.conf"] = "hosts: files dns\n" }
end

--- Return why there is no such network here, or false.
local function why_not()
  if reason == nil then
    local outcome = process.run(COMMAND .. "true",
      files_with("", {}, M.unreachable4))
    reason = outcome.code ~= 0
      and "no network namespace: " .. outcome.err:gsub("%s+$", "")
  end
  return reason
end

--- End the current test as pending if there is no such network here.
function M.needed()
  local why = why_not()
  if why then
    helper.pending(why)
  end
end

--- Run a text as the script `s.lua`, with the program under test, in a network
--- of its own.
---@param code string
---@param hosts table<string, string[]>? names for getaddrinfo, with addresses
---@param nameserver string? an address, as a dead one; else other names are not
---  found
---@return spec.Outcome
function M.run(code, hosts, nameserver)
  M.needed()
  return process.run(COMMAND .. "$aiowire s.lua",
    files_with(code, hosts or {}, nameserver or M.unreachable4))
end

return M
