-- `aiowire --top` of a real program.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local terminal = require "spec.support.terminal"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

-- The name of the task would clear a terminal. A line on standard input lets
-- the program go on.
local SCRIPT <const> = [[
local aw = require "aiowire"
local jobs = aw.channel(0, { name = "jobs" })
aw.start(aw.Wire(function() jobs:recv() end):named "con\27[2Jsumer", nil,
  { background = true })
print "ready"
aw.stdin:read "l"
]]

--- Calls f(place, child): the script runs in a folder, which is also its
--- run-time directory, and has written a line.
local function with_program(script, f, variable)
  helper.run(function()
    local place <close> = folder.new()
    place:file("s.lua", script)
    local child <close> = aw.spawn { "env", "XDG_RUNTIME_DIR=" .. place.path,
      "AIOWIRE_INSPECT=" .. (variable or "1"), process.binary, "s.lua",
      cwd = place.path, grace = 0 }
    assert.are.equal("ready", child.stdout:read "l")
    f(place, child)
  end)
end

local function top(place, ...)
  return aw.exec { "env", "LC_ALL=C.UTF-8", "XDG_RUNTIME_DIR=" .. place.path,
    process.binary, "--top", ... }
end

describe("--top of a real program", function()
  it("prints its tasks [D45]", function()
    with_program(SCRIPT, function(place, child)
      local outcome = top(place, tostring(child.pid))
      assert.are.same({ "", 0 }, { outcome.err, outcome.code })
      contains(outcome.out, ("s.lua  pid %d  up "):format(child.pid))
      contains(outcome.out, "2 tasks: 2 waiting\n")
      contains(outcome.out, " ⏸ waiting main ")
      contains(outcome.out, " ⏸ waiting con\\x1b[2Jsumer ")
      contains(outcome.out, " recv channel jobs ")
      contains(outcome.out, " s.lua:3\n")
      lacks(outcome.out, "\27")
      contains(top(place).out, ("%8d  %-12s  s.lua\n"):format(child.pid,
        aw._VERSION:match "%d.*"))
    end)
  end)

  it("that has called aw.inspect() prints them, too [D45]", function()
    with_program("require('aiowire').inspect()\n" .. SCRIPT,
      function(place, child)
        contains(top(place, tostring(child.pid)).out, " recv channel jobs ")
      end, "0")
  end)

  it("says how to turn it on if it is off [D48]", function()
    with_program(SCRIPT, function(place, child)
      local outcome = top(place, tostring(child.pid))
      assert.are.same({ "", 1 }, { outcome.out, outcome.code })
      contains(outcome.err, "start it with AIOWIRE_INSPECT=1")
    end, "0")
  end)

  it("shows a task that computes, and marks it [D47]", function()
    with_program([[
print "ready"
io.stdout:flush()
local file = io.popen "sleep 0" -- and then computes until it is killed
while file do end
]], function(place, child)
      local out
      repeat -- the step may have been asked before it was a long one
        out = top(place, tostring(child.pid)).out
      until out:find(" ! ▶ running main ", 1, true)
      contains(out, "! task 1 'main': ")
    end)
  end)

  it("is refreshed on a terminal, up to the end of the program [D48]",
    function()
      with_program(SCRIPT, function(place, child)
        local t <close> = terminal.open { "--top", tostring(child.pid),
          cols = 120, env = { XDG_RUNTIME_DIR = place.path } }
        t:expect "recv channel jobs"
        t:key "end"
        t:key "enter"
        t:expect "awaits at       s.lua:"
        child.stdin:write "go\n"
        assert.are.same({ ok = true, code = 0 }, t:wait())
        contains(t.screen:transcript(), ("process %d has ended"):format(
          child.pid))
      end)
    end)

  it("notices that it is killed [D48]", function()
    with_program(SCRIPT, function(place, child)
      local t <close> = terminal.open { "--top", tostring(child.pid),
        cols = 120, env = { XDG_RUNTIME_DIR = place.path } }
      t:expect "recv channel jobs"
      child:kill "KILL"
      assert.are.same({ ok = true, code = 0 }, t:wait())
      assert.are.equal(1, top(place, tostring(child.pid)).code)
    end)
  end)
end)
