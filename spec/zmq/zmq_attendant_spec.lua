-- The thread of a context that reads what libzmq reports of its sockets [M1],
-- when it cannot start, and with many sockets. Each script runs in a process of
-- its own, with spec/support/resolver.c, which can refuse threads.

local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local PRELUDE <const> = [[
local aw = require "aiowire"
local zmq = aw.zmq
local resolver = require "spec_resolver"
]]

local library = helper.in_host and process.binary or "lua5.4"

-- No program but ours may be started with the resolver.
local BLOCKS <const> = [[
local aw = require "aiowire"
local zmq = aw.zmq

--- Return how often the threads besides this one have blocked; "?" if one has
--- ended meanwhile.
local function blocks()
  local found = {}
  for id in io.popen("ls /proc/$PPID/task"):lines() do
    local file = io.open("/proc/self/task/" .. id .. "/status")
    local text = file and file:read "a" or "Pid: ?"
    local own = text:match "\nTgid:%s*(%d+)" == text:match "\nPid:%s*(%d+)"
    found[#found + 1] = own and "" or text:match "\nvoluntary[^\n]*" or "?"
    if file then file:close() end
  end
  return table.concat(found)
end
]]

--- Returns a function for `it` that runs a script; it must print `expected`.
local function prints(expected, text)
  return function()
    if not sockets.installed then
      helper.pending "libzmq is not installed"
    end
    local folder = process.binary:match "^(.*)/"
    local outcome = process.run(("export ASAN_OPTIONS=verify_asan_link_order=0:"
      .. "$ASAN_OPTIONS; exec env LD_PRELOAD=%s %s s.lua"):format(
      process.quoted(folder .. "/spec_resolver.so"), process.quoted(library)),
      { ["s.lua"] = PRELUDE .. "aw.run(function() aw.timeout(120, function()\n"
        .. text .. "\nend) end)" })
    process.assert_outcome(expected, 0, outcome)
  end
end

local function prints_alone(expected, text)
  return function()
    if not sockets.installed then
      helper.pending "libzmq is not installed"
    end
    process.assert_outcome(expected, 0, process.host(BLOCKS .. text))
  end
end

describe("without a thread that reads events", function()
  for verb, address in pairs {
    bind = "tcp://127.0.0.1:*", connect = "tcp://127.0.0.1:1",
  } do
    it(("a %s fails, and succeeds later [M1]"):format(verb),
      prints("EAGAIN\tEAGAIN\ttrue\n", ([[
        local s <close> = zmq.socket("dealer", { linger = 0 })
        s:bind "inproc://first" -- its context has threads now
        resolver.refuse(true)
        local _, err = pcall(s.%s, s, %q)
        local _, again = pcall(s.%s, s, %q)
        resolver.refuse(false)
        print(err.code, again.code, s:%s(%q) == s)
      ]]):format(verb, address, verb, address, verb, address)))
  end

  it("the socket works on over inproc [M1]", prints("x\tfalse\n", [[
    local a <close> = zmq.socket("pair"):bind "inproc://a"
    local b <close> = zmq.socket("pair"):connect "inproc://a"
    resolver.refuse(true)
    local ok = pcall(a.bind, a, "tcp://127.0.0.1:*")
    b:send "x"
    print(a:recv(), ok)
  ]]))
end)

describe("the thread that reads events", function()
  it("tells those of many sockets apart [M1]", prints("100\t100\n", [[
    local list, monitors, right, ended = {}, {}, 0, 0
    for i = 1, 100 do
      list[i] = zmq.socket "pull"
      monitors[i] = list[i]:monitor { "listening" }
    end
    for i = 1, 100 do
      list[i]:bind "tcp://127.0.0.1:*"
    end
    local names = {}
    for i = 1, 100 do
      names[i] = list[i].last_endpoint
      list[i]:close()
    end
    for i = 1, 100 do
      right = right + (monitors[i]:recv().address == names[i] and 1 or 0)
      ended = ended + (monitors[i]:recv() == nil and 1 or 0)
    end
    print(right, ended)
  ]]))

  it("is one, however many sockets there are [M1]", prints("true\n", [[
    local first <close> = zmq.socket("pull"):bind "tcp://127.0.0.1:*"
    local threads, list = resolver.threads(), {}
    for i = 1, 50 do
      list[i] = zmq.socket("pull"):bind "tcp://127.0.0.1:*"
    end
    print(resolver.threads() == threads)
  ]]))

  it("rests while nothing happens [M1]", prints_alone("rests\n", [[
    local list, before = {}, ""
    for i = 1, 50 do
      list[i] = zmq.socket("pull"):bind "tcp://127.0.0.1:*"
    end
    aw.run(function()
      aw.timeout(120, function()
        repeat
          before = blocks()
          aw.sleep(0.2)
        until before == blocks() and before:find "%d"
          and not before:find "%?"
      end)
    end)
    print "rests"
  ]]))
end)
