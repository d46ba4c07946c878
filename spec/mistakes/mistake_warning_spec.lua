-- When the library warns of mistakes [D4]. mistakes_spec.lua has the texts.

local process = require "spec.support.process"

local nothing <const> = "Lua warning: aiowire: s.lua:%d: start(nil) starts "
  .. "nothing; is what it names declared further down, or misspelt?\n"

local start <const> = [[
local aw = require "aiowire"
local ev <close> = aw.EventLoop()
ev:start(nil)
]]

--- Check that the script writes `err` to standard error under each interpreter.
local function says(err, code)
  process.each("", code, function(outcome)
    assert.are.equal(err, outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end

describe("a mistake", function()
  it("is warned of by the program, other warnings being off [D4]", function()
    local outcome = process.host(start .. 'warn "of the user"')
    assert.are.equal(nothing:format(3), outcome.err)
  end)

  it("is warned of with all others by -W [D4]", function()
    local outcome = process.run("exec $aiowire -W s.lua",
      { ["s.lua"] = start .. 'warn("of ", "the user")' })
    assert.are.equal(nothing:format(3) .. "Lua warning: of the user\n",
      outcome.err)
  end)

  it("is warned of by lua5.4 when warnings are on [D4]",
    process.under_stock(function()
      assert.are.equal("", process.stock(start).err)
      local outcome = process.run("exec $lua -W s.lua", { ["s.lua"] = start })
      assert.are.equal(nothing:format(3), outcome.err)
    end))

  it("is not warned of when warnings are off [D4]", function()
    says("", 'warn "@off"\n' .. start)
  end)

  it("is warned of again once warnings are on [D4]", function()
    says(nothing:format(4) .. "Lua warning: and this\n",
      'warn "@off" warn "@on"\n' .. start .. 'warn "and this"')
  end)

  it("does not turn on other warnings [D4]", function()
    local outcome = process.host 'warn "@unknown" warn "not told"'
    assert.are.equal("", outcome.err)
  end)

  it("is warned of once for each location [D4]", function()
    says(nothing:format(5) .. nothing:format(6), [[
warn "@on"
local aw = require "aiowire"
aw.run(function(ev)
  for _ = 1, 3 do
    ev:start(nil)
    aw.start(nil)
  end
end)
]])
  end)

  it("is a start of nothing in a scope, with a handler [D4]", function()
    says(nothing:format(4), [[
warn "@on" local aw = require "aiowire"
aw.run(function()
  aw.scope(function(s)
    s:start(nil, print, { name = "x" })
  end)
end)
]])
  end)
end)

describe("a start without an argument", function()
  for _, call in ipairs { "ev:start()", "aw.start()", "s:start()" } do
    it("is an error of " .. call .. " [P2]", function()
      process.each("", ([[
local aw = require "aiowire"
aw.run(function(ev)
  aw.scope(function(s)
    print(pcall(function()
      %s
    end))
  end)
end)
]]):format(call), function(outcome)
        assert.are.equal("false\ts.lua:5: bad argument #1 to 'start' "
          .. "(wire expected, got no value)\n", outcome.out)
      end)
    end)
  end
end)

describe("a loop whose tasks never run", function()
  local unrun <const> = "Lua warning: aiowire: s.lua:2: this EventLoop was "
    .. "%s, and its tasks never began (%s); call its run(), or declare it "
    .. "<close>\n"

  local function told(how, tasks, code)
    says(unrun:format(how, tasks), 'warn "@on" local aw = require "aiowire"\n'
      .. "local ev = aw.EventLoop()\n" .. code)
  end

  it("is warned of when the program ends [D4]", function()
    told("never run", "1, started at s.lua:3", "ev:start(aw.Never)")
  end)

  it("is warned of when it is garbage, with all its tasks [D4]", function()
    told("never run", "2, the first started at s.lua:4", [[

for i = 1, 2 do ev:start(aw.Value(i)) end
ev = nil
collectgarbage()
collectgarbage()
warn "@off"
]])
  end)

  it("is warned of when it was not run again [D4]", function()
    told("not run again", "1, started at s.lua:4", "ev:run()\n"
      .. "ev:start(aw.Never)")
  end)

  for name, code in pairs {
    ["has no tasks"] = "",
    ["was run"] = "ev:start(aw.Value(1)) ev:run()",
    ["was closed"] = "ev:start(aw.Never) ev:close()",
    ["was left with an error"] = "pcall(function()\n"
      .. "local ev <close> = ev ev:start(aw.Never) error 'x'\nend)",
  } do
    it("is not a mistake if it " .. name .. " [D4]", function()
      says("", 'warn "@on" local aw = require "aiowire"\n'
        .. "local ev = aw.EventLoop()\n" .. code)
    end)
  end

  it("is not warned of by a program that fails first [D4]", function()
    local outcome = process.host [[
local aw = require "aiowire"
local ev = aw.EventLoop()
ev:start(aw.Never)
error("boom", 0)
]]
    assert.are.equal("aiowire: boom\n", outcome.err:match "^[^\n]*\n")
    assert.is_nil(outcome.err:find("never run", 1, true))
  end)
end)

describe("a wire that is never run", function()
  local function told(to, why, use, code)
    it("is warned of when it was returned to " .. to .. " [P9]", function()
      says("Lua warning: aiowire: s.lua:2: nobody runs the wire that this "
        .. "function returned to " .. to .. " (Sleep(0))" .. why .. "; use "
        .. use .. ", which hands the wire on\n",
        'warn "@on" local aw = require "aiowire"\n'
          .. "local function f() return aw.Sleep(0) end\n" .. code)
    end)
  end
  local last <const> = ", which is not the last of its sequence or repeat"

  told("a Call", last, "aw.Wire(f)", "aw.run(aw.Call(f) >> aw.Sleep(0))")
  told("a Call", last, "aw.Wire(f)", "aw.run(aw.Call(f, 1) * 3)")
  told("a Call", last, "aw.Wire(f)",
    "pcall(aw.run, aw.Forever(aw.Call(f)), { timeout = 0 })")
  told("a map", last, "w:bind(f)", "aw.run((aw.Value() / f) >> aw.Sleep(0))")
  told("supervise", "", "w:catch(f)", "aw.run(aw.Call(error):supervise(f))")

  for name, code in pairs {
    ["is a Call's result"] = "aw.run(aw.Call(f))",
    ["is the last iteration's"] = "aw.run(aw.Call(f) * 1)",
    ["is what a Wire handed on"] = "aw.run(aw.Wire(f) >> aw.Sleep(0))",
    ["is what bind handed on"] = "aw.run(aw.Value():bind(f) >> aw.Sleep(0))",
    ["is what catch handed on"] = "aw.run(aw.Call(error):catch(f) * 2)",
    ["is a value"] = "aw.run(aw.Value(aw.Sleep(1)) >> aw.Sleep(0))",
  } do
    it("is not a mistake if it " .. name .. " [P9]", function()
      says("", 'warn "@on" local aw = require "aiowire"\n'
        .. "local function f() return aw.Sleep(0) end\n" .. code)
    end)
  end
end)
