--- pictures.lua: writes the pictures in docs/pictures
---
---   build/dev/aiowire docs/make/pictures.lua     (or ./dev docs)
---
--- Most are drawn from what a program in docs/make/pictures prints on a virtual
--- clock, so they are the same on each machine. What takes real time is drawn
--- from a file that record.lua has written. spec/tree/pictures_spec.lua
--- fails if a file differs from what this makes. It uses M.pictures() and
--- M.path(); a run as a program writes the files.

package.path = "./?.lua;" .. package.path
local boxes = require "docs.make.boxes"
local ratios = require "docs.make.ratios"
local screen = require "docs.make.screen"
local steps = require "docs.make.steps"
local timeline = require "docs.make.timeline"
local trace = require "docs.make.trace"

local M = {}

--- The pictures. `draw(about, text)` gets the output of the program, or the
--- text of the file `from`.
local PICTURES <const> = {
  { name = "tree", draw = boxes.draw,
    title = "The tree of a program: what ev:dump() shows",
    desc = "Boxes in boxes. The loop owns four tasks. One of them owns a scope"
      .. " with two workers, and a race of two downloads. Each task shows what"
      .. " it waits for, and where. The cancelled one is in its clean-up." },
  { name = "race", draw = timeline.draw, right = 160, tick = 0.1,
    title = "A race: the first result counts, the losers clean up",
    desc = "A time line with a lane for each task. The mirror is the first"
      .. " after 0.3 seconds. The others get Cancelled at this moment. The"
      .. " caller goes on at 0.5 seconds, when the origin has cleaned up." },
  { name = "cancelling", draw = timeline.draw, right = 174, tick = 1,
    title = "A cancel and its grace",
    desc = "A time line with a lane for each task. After 2 seconds, all tasks"
      .. " get Cancelled. The quick one ends at once, the polite one after a"
      .. " second. After 4 seconds, the grace is over: the patient one is cut"
      .. " short, and the stubborn one is killed." },
  { name = "slow", draw = trace.draw, from = "docs/make/pictures/slow.json",
    title = "A step that computes holds up all other tasks",
    head = "aiowire --trace=slow.json slow.lua",
    lanes = { "heartbeat", "client", "tcp " }, long = 5,
    desc = "A time line with a lane for each task: a heartbeat that sleeps 20"
      .. " milliseconds again and again, a client, and its connection. Twice"
      .. " the connection computes. Meanwhile nothing else runs, and a sleep"
      .. " of the heartbeat ends late." },
  { name = "leak", draw = screen.draw, from = "docs/make/pictures/leak.screen",
    title = "A leak: each request leaves a task behind",
    head = "AIOWIRE_INSPECT=1 aiowire leak.lua 100000 & aiowire --top $!",
    desc = "The screen of a terminal with a table of tasks: the server, the"
      .. " client, a connection, and below them one watchdog after the other."
      .. " Each sleeps for ten minutes, and all were started in one line." },
  { name = "event", draw = steps.draw, from = "docs/developing.md",
    title = "The way of aw.sleep(1)",
    desc = "Functions in the order of their calls, in columns from your code"
      .. " over the binding and the core to libuv, and back. The numbers are"
      .. " those of the list in docs/developing.md." },
  { name = "speed", draw = ratios.draw, from = "docs/performance/figures.csv",
    title = "The cost of aiowire divided by that of the best peer",
    desc = "A bar for each row of the table in docs/performance.md that has a"
      .. " peer, on a logarithmic axis: to the left of 1 where aiowire is"
      .. " cheaper, to the right where the peer is." },
}

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- Returns what a program in docs/make/pictures prints. Its folder is the
-- current one, so the places in its output are short.
local function output_of(name, aiowire)
  local pipe = assert(io.popen(("cd docs/make/pictures && unset "
    .. "AIOWIRE_OPTIONS AIOWIRE_DEBUG LUA_INIT LUA_INIT_5_4 LUA_PATH "
    .. "LUA_PATH_5_4 && "
    .. "exec '%s' '%s.lua' </dev/null"):format(aiowire, name)))
  local text = pipe:read "a"
  if not pipe:close() then
    error(("docs/make/pictures/%s.lua has failed"):format(name), 0)
  end
  return text
end

--- Return the path of a picture.
---@param name string
---@return string
function M.path(name)
  return ("docs/pictures/%s.svg"):format(name)
end

--- Return the absolute path of a file.
---@param path string
---@return string
function M.absolute(path)
  local pipe <close> = assert(io.popen "pwd")
  return path:sub(1, 1) == "/" and path or pipe:read "l" .. "/" .. path
end

--- Return all pictures, as texts by their names.
---@param aiowire string absolute path of the program
---@return table<string, string>
function M.pictures(aiowire)
  local texts = {}
  for _, about in ipairs(PICTURES) do
    texts[about.name] = about.draw(about,
      about.from and read(about.from) or output_of(about.name, aiowire))
  end
  return texts
end

local function main()
  local program = arg[-1]
  if not program:find "aiowire[^/]*$" then
    error("run this with build/dev/aiowire, whose output it draws", 0)
  end
  os.execute "mkdir -p docs/pictures"
  for name, text in pairs(M.pictures(M.absolute(program))) do
    local file <close> = assert(io.open(M.path(name), "wb"))
    file:write(text)
  end
end

if arg and arg[0] and arg[0]:find "pictures%.lua$" then
  main()
end

return M
