-- Run the specs with busted under the interpreter that runs this file:
--   aiowire spec/run.lua [busted options]     lua5.4 spec/run.lua …
-- Exits 77 ("skipped", for ctest) where busted is not installed.
if not pcall(require, "busted.runner") then
  io.stderr:write("busted for Lua 5.4 is missing; ",
    "Debian/Ubuntu: sudo apt-get install lua-busted\n")
  os.exit(77)
end

local root = arg[0]:match("^(.*)/spec/[^/]*$") or "."
local build = os.getenv("AIOWIRE_BUILD_DIR") or "./build/dev"
for _, option in ipairs { "--cpath=" .. build .. "/?.so",
  "--directory=" .. root, "--ignore-lua" } do
  table.insert(arg, 1, option)
end
warn "@off" -- the specs make mistakes on purpose
require "busted.runner" { standalone = false }
