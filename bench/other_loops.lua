-- other_loops.lua: what a Drive costs, beside the same loop under its own
--
--   lua5.4 bench/other_loops.lua [BUILD_DIR [ROUNDS [MESSAGES]]]
--
-- Pairs of sockets in one process exchange lines, by cqueues and by luv. Each
-- round runs the loop by itself and then under a Drive, each in a process of
-- its own. The table shows the ratios of the fastest runs, and of the medians:
-- processor time per message under the Drive, over that without.

local build, rounds = arg[1] or "build/release", tonumber(arg[2]) or 9
local messages = tonumber(arg[3]) or 20000

local PROGRAMS <const> = { cqueues = [[
local cqueues, socket = require "cqueues", require "cqueues.socket"
local loop = cqueues.new()
for _ = 1, PAIRS do
  local one, other = socket.pair()
  for _, s in ipairs { one, other } do
    s:setmode("b", "b")
    s:setvbuf "no"
  end
  loop:wrap(function()
    for line in one:lines "*l" do
      one:write(line, "\n")
    end
  end)
  loop:wrap(function()
    for _ = 1, ROUNDS do
      other:write "hello\n"
      other:read "*l"
    end
    other:close()
  end)
end
local function own()
  assert(loop:loop())
end
local function driven()
  require "aiowire".run(require "aiowire.cqueues".Drive(loop))
end
]], luv = [[
local uv = require "luv"
local server, left = uv.new_tcp(), PAIRS
server:bind("127.0.0.1", 0)
server:listen(128, function()
  local client = uv.new_tcp()
  server:accept(client)
  client:read_start(function(_, chunk)
    if chunk then
      client:write(chunk)
    else
      client:close()
    end
  end)
end)
for _ = 1, PAIRS do
  local client, count = uv.new_tcp(), 0
  client:connect("127.0.0.1", server:getsockname().port, function()
    client:write "hello\n"
    client:read_start(function()
      count = count + 1
      if count < ROUNDS then
        client:write "hello\n"
        return
      end
      client:close()
      left = left - 1
      if left == 0 then
        server:close()
      end
    end)
  end)
end
local own = uv.run
local function driven()
  require "aiowire".run(require "aiowire.luv".Drive())
end
]] }

--- Returns the processor time of a message in µs.
local function measure(library, pairs, how)
  local code = PROGRAMS[library]:gsub("PAIRS", pairs)
    :gsub("ROUNDS", messages // pairs) .. ([[
local start = os.clock()
HOW()
print((os.clock() - start) * 1e6 / MESSAGES)
]]):gsub("HOW", how):gsub("MESSAGES", messages)
  local pipe <close> = assert(io.popen(("%s/aiowire -e '%s'"):format(build,
    code)))
  return tonumber(pipe:read "a") or error("no figure of " .. library)
end

local function middle(list)
  return list[(#list + 1) // 2]
end

print("library", "pairs", "own, µs", "fastest", "median")
for _, library in ipairs { "cqueues", "luv" } do
  for _, pairs in ipairs { 1, 10, 100 } do
    local own, driven = {}, {}
    for i = 1, rounds do
      own[i] = measure(library, pairs, "own")
      driven[i] = measure(library, pairs, "driven")
    end
    table.sort(own)
    table.sort(driven)
    print(library, pairs, ("%.2f"):format(own[1]),
      ("%.2f"):format(driven[1] / own[1]),
      ("%.2f"):format(middle(driven) / middle(own)))
  end
end
