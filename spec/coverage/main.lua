-- main.lua: reports what the tests reach, and compares it with figures.txt.
-- `./dev coverage` runs the tests, then gcovr, then this, in the root of the
-- sources.
--
--   lua5.4 spec/coverage/main.lua BUILD_DIR [--save]
--
-- BUILD_DIR/coverage.json is the report of gcovr. The lists of functions and
-- lines that no test reaches go to BUILD_DIR/coverage.txt, the table of rooms
-- to the standard output, too. --save writes figures.txt. The exit status is 1
-- if a figure has fallen; figures.lua says by how much it may fall.
--
-- Branches are those of the machine code without optimization: each condition
-- of an `if`, of a loop, of `?:`, `&&` and `||` has two, each `case` of a
-- `switch` has one. Asserts are compiled out, as in a release, since no test
-- can make one fail. The edges that -fexceptions adds to core/run/step.c for
-- exceptions of C++ are left out by gcovr's --exclude-throw-branches. Nothing
-- else is left out: a failing allocation counts as any other branch.
--
-- Lua has functions and lines only; lua_lines.lua says which.
package.path = "./?.lua;" .. package.path
local json = require "dkjson"

local figures = require "spec.coverage.figures"
local files_of = require "spec.coverage.files"
local lua_lines = require "spec.coverage.lua_lines"
local report = require "spec.coverage.report"
local shell = require "bench.run.shell"

local PATH <const> = "spec/coverage/figures.txt"
local build <const>, option <const> = arg[1], arg[2]
if not build or (option and option ~= "--save") then
  io.stderr:write("usage: ./dev coverage [--save]\n")
  os.exit(2)
end

local function section(title, text)
  return ("\n%s\n\n%s"):format(title, text)
end

local files <const> = files_of.from_gcovr(
  assert(json.decode(shell.read(build .. "/coverage.json"))))
for _, file in ipairs(lua_lines.read(build .. "/lua_hits")) do
  files[#files + 1] = file
end
local rooms <const> = files_of.rooms(files)
local kept <const> = figures.parse(shell.read(PATH) or "")
local overview <const> = report.rooms(rooms)
  .. section("Files with the most lines that no test reaches:",
    report.worst(files))
io.write(overview)
shell.write(build .. "/coverage.txt", overview
  .. section("Functions that no test calls:", report.functions(files))
  .. section("Lines that no test reaches, and lines with branches that no test"
    .. " takes:", report.lines(files)))

if option then
  shell.write(PATH, figures.format(figures.raised(figures.of(rooms), kept)))
  os.exit(0)
end
local bad <const> = figures.check(rooms, kept)
if #bad > 0 then
  io.write("\nFallen since the figures in ", PATH, ":\n  ",
    table.concat(bad, "\n  "), "\n")
  os.exit(1)
end
