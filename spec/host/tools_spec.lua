-- Tools that want a Lua interpreter run on the program.

local helper = require "spec.support.helper"
local process = require "spec.support.process"

local assert_exit, assert_outcome =
  process.assert_exit, process.assert_outcome

describe("a file that returns a value for require", function()
  for _, value in ipairs {
    "nil", "false", "3, 4", "{}", "io.stdout", "require 'string'",
    "function() print 'never' end",
    "coroutine.create(print)",
    "setmetatable({}, { __call = print, __name = 'x' })",
    "setmetatable({}, { __metatable = false, __tostring = error })",
  } do
    it("exits with 0 as a script, as in lua5.4: " .. value .. " [script]",
      function()
        local code = "return " .. value .. "\n"
        assert_outcome("", 0, process.stock(code))
        assert_outcome("", 0, process.host(code))
        assert.are.equal("", process.host(code).err)
      end)
  end
end)

describe("busted on the program", function()
  local files = {
    ["a_spec.lua"] = [[
describe("a spec", function()
  it("may await", function()
    local aw = require "aiowire"
    aw.sleep(0.001)
    assert.is_true(aw.current() ~= nil)
  end)
  it("fails", function() error "no luck" end)
end)
]],
  }
  local busted = io.popen "command -v busted":read "l"

  for name, line in pairs {
    ["by --lua"] = "busted --lua=$aiowire -o TAP -p _spec .",
    ["as a script"] = "$aiowire $(command -v busted) -o TAP -p _spec .",
  } do
    it("runs " .. name .. " [script]", function()
      if not busted then
        helper.pending "busted is not in the path"
      end
      local outcome = process.run("exec " .. line, files)
      assert_exit(1, outcome)
      assert.is_truthy(outcome.out:find("ok 1 - a spec may await", 1, true))
      assert.is_truthy(outcome.out:find("not ok 2 - a spec fails", 1, true))
    end)
  end
end)

describe("a script with a first line for the shell", function()
  it("runs by its name, with its arguments [script]", function()
    local outcome = process.run("chmod +x s && exec ./s a 'b c'", {
      s = "#!" .. process.binary .. "\nprint(arg[0], ...)\nreturn {}\n",
    })
    assert_outcome("./s\ta\tb c\n", 0, outcome)
  end)
end)
