-- file.lua N PATH whole|pieces|lines: reads a file N times.
local aw = require "aiowire"

local count, path, how = tonumber(arg[1]), arg[2], arg[3]

local function read_pieces(file)
  while file:read(65536) do
  end
end

local function read_lines(file)
  for _ in file:lines() do
  end
end

local function read()
  if how == "whole" then
    aw.fs.read(path)
    return
  end
  local file <close> = aw.fs.open(path)
  local reader = how == "lines" and read_lines or read_pieces
  reader(file)
end

aw.run(function()
  for _ = 1, count do
    read()
  end
end)
