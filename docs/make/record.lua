--- record.lua: records what the programs behind some pictures do
---
---   build/dev/aiowire docs/make/record.lua
---
--- They run in real time, so each record differs a bit. Therefore the files in
--- docs/make/pictures are kept: pictures.lua draws two of them, and
--- docs/debugging.md has the third. Run this after a change of such a program.

package.path = "./?.lua;" .. package.path
local aw = require "aiowire"
local pictures = require "docs.make.pictures"
local screen = require "spec.support.screen"

local FOLDER <const> = "docs/make/pictures/"
local ROWS <const>, COLUMNS <const> = 20, 105

--- Seconds: how long a screen is awaited, and when it is complete.
local PATIENCE <const>, SILENCE <const> = 30, 0.3

local program = pictures.absolute(arg[-1])

local function write(name, text)
  local file <close> = assert(io.open(FOLDER .. name, "wb"))
  file:write(text)
end

-- The environment: a user's, with a terminal of 256 colors.
local function environment(more)
  local env = { PATH = os.getenv "PATH", TERM = "xterm-256color",
    LANG = "C.UTF-8", XDG_RUNTIME_DIR = os.getenv "XDG_RUNTIME_DIR" }
  for name, value in pairs(more or {}) do
    env[name] = value
  end
  return env
end

-- Runs the program with an option and a script; returns what it prints.
local function run(option, script)
  return aw.exec { program, option, script, cwd = FOLDER,
    env = environment(), stderr = "stdout", check = true }.out
end

-- Returns a row of a screen, with the codes of its colors.
local function row_text(line, columns)
  local parts, style = {}, ""
  for i = 1, columns do
    local own = line.cells[i] and line.styles[i] or ""
    if own ~= style then
      parts[#parts + 1] = ("%s%s"):format(style ~= "" and "\27[0m" or "",
        own ~= "" and "\27[" .. own .. "m" or "")
      style = own
    end
    parts[#parts + 1] = line.cells[i] or " "
  end
  parts[#parts + 1] = style ~= "" and "\27[0m" or ""
  return (table.concat(parts):gsub(" +$", "")) .. "\n"
end

-- Shows what comes from a stream, until there is silence.
local function show_all(shown, stream)
  repeat
    local came, text = aw.pcall(aw.timeout, SILENCE, stream.read_some, stream)
    shown:feed(came and text or "")
  until not came
end

-- Shows a program in a terminal until the screen has a text, and types keys.
-- Returns the rows of the screen.
local function screen_of(command, text, keys)
  local shown = screen.new(ROWS, COLUMNS)
  local child <close> = aw.spawn(command)
  local out = child.stdout
  while not table.concat(shown:texts(), "\n"):find(text) do
    shown:feed(aw.timeout(PATIENCE, out.read_some, out))
  end
  child.stdin:write(keys)
  show_all(shown, out)
  local rows = {}
  for i = 1, ROWS do
    rows[i] = row_text(shown:line(i - 1), COLUMNS)
  end
  return table.concat(rows)
end

-- The screen of --top beside a script with an argument: see screen_of().
local function record_top(name, argument, text, keys)
  local child <close> = aw.spawn { program, name .. ".lua", argument,
    cwd = FOLDER, stdin = "null", stdout = "null",
    env = environment { AIOWIRE_INSPECT = "1" } }
  aw.sleep(1) -- a program that runs for a while
  write(name .. ".screen", screen_of({ program, "--top=" .. child.pid,
    pty = true, rows = ROWS, cols = COLUMNS, env = environment() }, text, keys))
end

run("--trace=slow.json", "slow.lua")
write("lock.txt", run("--record", "lock.lua"))
record_top("leak", "100000", "[1-9]%d%d%d tasks", ">>>") -- sorted by age
