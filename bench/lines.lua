-- lines.lua: lines from a child's pipe and from a socket, compared with
-- io.lines on the same file.
--
--   aiowire bench/lines.lua [MEGABYTES [ROUNDS [BUILD_DIR]]]
--                                                   (1000, 3, build/release)
--
-- The script makes a file of lines of 0 to 100 bytes in /tmp, and removes the
-- file at the end. It prints the CPU time of this process for each line, as
-- medians. The client of the socket is tcp_load.c, built by the target `bench`.
-- run.lua runs this script.

local aw = require "aiowire"

local megabytes <const> = math.tointeger(arg[1] or 1000)
local rounds <const> = math.tointeger(arg[2] or 3)
local build <const> = arg[3] or "build/release"

local function make_file()
  local path = os.tmpname()
  local lines = {}
  for i = 1, 20000 do
    lines[i] = ("%d "):format(i) .. ("x"):rep(i * 7 % 95) .. "\n"
  end
  local text = table.concat(lines)
  local file <close> = assert(io.open(path, "w"))
  for _ = 1, megabytes * 1000000 // #text + 1 do
    file:write(text)
  end
  return path
end

local function count(...)
  local n = 0
  for _ in ... do
    n = n + 1
  end
  return n
end

--- Return the nanoseconds for each line.
local function cost(read)
  local list = {}
  for i = 1, rounds do
    local start = os.clock()
    local n = read()
    list[i] = (os.clock() - start) / n * 1e9
  end
  table.sort(list)
  return list[#list // 2 + 1]
end

local path <const> = make_file()
local base <const> = cost(function()
  return count(io.lines(path))
end)
local piped <const> = cost(function()
  local cat <close> = aw.spawn { "cat", path }
  return count(cat.stdout:lines())
end)
local socket <const> = cost(function()
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  local _, port = server:name()
  local _ <close> = aw.spawn { build .. "/tcp_load", "feed", port, path }
  local stream <close> = server:accept()
  return count(stream:lines())
end)
os.remove(path)

print(("line_piped %.2f ns"):format(piped))
print(("line_of_socket %.2f ns"):format(socket))
print(("line_of_file %.2f ns"):format(base))
