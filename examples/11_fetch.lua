#!/usr/bin/env aiowire
-- A fetch with a time-out, retries and a fallback, in one line.
--
-- `fetch` runs a program that may hang or fail, as `curl` would. The time-out
-- limits one try. A try that is cut short ends its program before the next try
-- begins. The line is a wire: build it once, and run it wherever you need it.
local aw = require "aiowire"

-- Stands for `curl`: "slow" hangs, "down" fails, others answer.
local SERVER <const> = [[
case $1 in
  slow) sleep 10 ;;
  down) echo "connection refused" >&2; exit 7 ;;
  *) echo "hello from $1" ;;
esac]]

local function fetch(host)
  return aw.Exec { "sh", "-c", SERVER, "curl", host, check = true }
    / function(result) return (result.out:gsub("\n", "")) end
end

local function robust(host, mirror)
  return fetch(host):timeout(0.1):retry { times = 2, delay = 0.02 }
    // fetch(mirror):timeout(1)
    // aw.Value "(nothing: all of them are down)"
end

-- Three fetches at the same time, with results by name.
local pages = aw.run(aw.All {
  quick = robust("origin", "mirror"),
  hanging = robust("slow", "mirror"),
  lost = robust("down", "down"),
})
for _, name in ipairs { "quick", "hanging", "lost" } do
  print(name, pages[name])
end

-- Four fetches, two at a time, and at most three in any 20 ms, as a server may
-- demand. A failure stops no other fetch, and each fetch reports how it ended.
local polite = aw.Acquire(aw.rate(3, 0.02))
local outcomes = aw.run(aw.Settle({
  polite >> fetch "a",
  polite >> fetch "down",
  polite >> fetch("slow"):timeout(0.1),
  polite >> fetch "b",
}, { limit = 2 }))
for i, how in ipairs(outcomes) do
  print(i, how.ok, how.ok and how[1]
    or aw.is_timeout(how.err) and "too slow" or how.err.code)
end

-- The first to answer wins. The other programs have ended when any() returns.
print("fastest", aw.run(fetch "slow" | fetch "near" | fetch "slow"))
