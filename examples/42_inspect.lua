#!/usr/bin/env aiowire
-- What do the tasks of a program wait for? A client of the socket that
-- aw.inspect() opens.
--
--   aiowire examples/42_inspect.lua SOCKET    such as /run/user/1000/aiowire/
--                                             4711.sock
--   aiowire examples/42_inspect.lua           looks into itself
--
-- It counts the tasks by the line at which they wait, so a leak of tasks shows
-- as a number that grows. docs/inspect.md has the protocol.
local aw = require "aiowire"

local ESCAPED <const> = { t = "\t", n = "\n", r = "\r", ["\\"] = "\\" }

--- A line of an answer as a table: its kind at 1, and its fields by key.
local function parse(line)
  local record = {}
  for field in line:gmatch "[^\t]+" do
    local key, value = field:match "^([^=]*)=(.*)$"
    if key then
      record[key] = value:gsub("\\(.)", ESCAPED)
    else
      record[1] = field
    end
  end
  return record
end

--- Send a request. Returns the lines of the answer.
local function ask(stream, request)
  stream:write(request, "\n")
  local records = {}
  for line in stream:lines() do
    if line == "." then
      return records
    end
    records[#records + 1] = parse(line)
  end
  error "the program has ended"
end

--- Print how many tasks wait at which line, and what is busy.
local function report(path)
  local stream <close> = aw.unix.connect(path)
  local program = stream:read("l"):match "^aiowire 1 %d+ %S+ (.*)$"
  local counts, places = {}, {}
  for _, record in ipairs(ask(stream, "tasks")) do
    if record[1] == "engine" and record.answer ~= "live" then
      print(("%s: %s"):format(record.name, record.answer))
    elseif record[1] == "task" then
      local place = ("%s at %s"):format(record.state,
        record.at or record.started or "?")
      places[#places + 1] = not counts[place] and place or nil
      counts[place] = (counts[place] or 0) + 1
    end
  end
  table.sort(places, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  print(("the tasks of %s:"):format(program:match "[^/]*$"))
  for _, place in ipairs(places) do
    print(("%5d %s"):format(counts[place], place))
  end
end

aw.run(function(ev)
  if arg and arg[1] then
    report(arg[1])
    return
  end
  local path <const> = aw.inspect()
  for _ = 1, 20 do
    ev:start(function()
      aw.sleep(3600)
    end, nil, { background = true })
  end
  aw.yield()
  report(path)
  aw.inspect(false)
end)
