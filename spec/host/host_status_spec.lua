-- The exit status of the program `aiowire`, for each reason to end, at each
-- stage of a program. host_timeout_spec.lua has the status 124.

local process = require "spec.support.process"

-- A function for each stage: returns a command that runs `code` there, and its
-- files. `say` prints what must have happened.
local stages = {
  ["in an -e"] = function(code)
    return [[$aiowire -e "$(cat s.lua)" -e 'print "never"']],
      { ["s.lua"] = code }
  end,
  ["in LUA_INIT"] = function(code)
    return [[LUA_INIT=@s.lua $aiowire -e 'print "never"']], { ["s.lua"] = code }
  end,
  ["in a module of -l"] = function(code)
    return [[$aiowire -l m -e 'print "never"']], { ["m.lua"] = code }
  end,
  ["in the main chunk"] = function(code)
    return "$aiowire s.lua", { ["s.lua"] = code }
  end,
  ["in a script from standard input"] = function(code)
    return "$aiowire - <s.lua", { ["s.lua"] = code }
  end,
  ["in a task after the end of the main chunk"] = function(code)
    return "$aiowire s.lua", { ["s.lua"] = "require('aiowire').start("
      .. "require('aiowire').Sleep(0.001) >> function()\n" .. code .. "\nend)" }
  end,
  ["in clean-up"] = function(code)
    return "$aiowire s.lua", { ["s.lua"] = [[
local _ <close> = setmetatable({}, { __close = function()
  require('aiowire').shield(function()
]] .. code .. [[
  end)
end })]] }
  end,
  ["in a finalizer at the end"] = function(code)
    return "$aiowire s.lua", { ["s.lua"] = "kept = setmetatable({}, { __gc = "
      .. "function()\n" .. code .. "\nend })" }
  end,
}

-- Runs the command, and returns how it ended: "7", or "signal 15".
local function status_at(stage, code, format)
  local command, files = stages[stage](code)
  local outcome = process.run((format or "%s"):format(command), files)
  assert.are.equal("", (outcome.out:gsub("%d+\n", "")))
  return outcome.out:match "(%d+)\n" or tostring(outcome.code), outcome
end

-- Some finalizers cannot end the program: the errors of all are warnings.
local function each_stage(check)
  for stage in pairs(stages) do
    check(stage, stage == "in a finalizer at the end")
  end
end

describe("the exit status", function()
  each_stage(function(stage, is_finalizer)
    it(("is 1 after an error %s [R9]"):format(stage), function()
      local expected = is_finalizer and "0" or "1"
      assert.are.equal(expected, (status_at(stage, "error 'x'")))
    end)

    it(("is that of os.exit %s [R9]"):format(stage), function()
      assert.are.equal("7", (status_at(stage, "os.exit(7)")))
      assert.are.equal("8", (status_at(stage, "os.exit(8, false)")))
      assert.are.equal("0", (status_at(stage, "os.exit()")))
    end)

    for name, number in pairs { INT = 2, TERM = 15, HUP = 1 } do
      it(("tells of SIG%s %s [R9]"):format(name, stage), function()
        -- what may await does, and what may not dies at once
        local status = status_at(stage, ([[
io.popen("kill -%s $PPID"):close()
pcall(require("aiowire").sleep, 0.05)]]):format(name), "%s; echo $?")
        assert.are.equal(tostring(128 + number), status)
      end)
    end

    it(("tells of the loss of standard output's reader %s [R9]"):format(stage),
      function()
        local status = status_at(stage,
          "for _ = 1, 1e5 do print 'some text' end",
          "{ %s; echo $? >code; } | true; cat code")
        assert.are.equal("141", status)
      end)
  end)

  for _, stage in ipairs { "in an -e", "in LUA_INIT", "in the main chunk",
    "in a script from standard input", "in clean-up",
    "in a task after the end of the main chunk" } do
    it(("is 13 after a deadlock %s [R9]"):format(stage), function()
      assert.are.equal("13",
        (status_at(stage, "require('aiowire').event():wait()")))
    end)
  end

  it("is 1 for a script that cannot be read [R9]", function()
    for _, name in ipairs { "nosuch.lua", ".", "./", "/nosuch/s.lua",
      "''", "-- -nosuch" } do
      local outcome = process.run("exec $aiowire " .. name)
      process.assert_outcome("", 1, outcome)
      assert.are_not.equal("", outcome.err)
    end
  end)

  it("is 1 if standard output cannot be written [R9]", function()
    local outcome = process.run("exec $aiowire -e 'print(1)' >/dev/full")
    process.assert_exit(1, outcome)
    assert.are.equal("aiowire: cannot write to stdout\n", outcome.err)
  end)
end)
