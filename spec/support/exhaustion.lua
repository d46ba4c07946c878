--- Running out of descriptors, as specs: an operation runs with each number of
--- spare descriptors, from none to 48. Each case runs in a program of its own,
--- which takes all descriptors [UV2, UV14].

local assert = require "luassert"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local M = {}

--- Code of a program: `fill()` takes all descriptors and keeps their files in
--- `hold`.
M.FILL = [[
  local hold = {}
  local function fill()
    repeat
      local file = io.open "/dev/null"
      hold[#hold + 1] = file
    until not file
  end
]]

-- Each try runs on a new engine, which needs descriptors of its own.
local frame = [[
  local aw = require "aiowire"

  -- `cat` ends when this end of the pipe is closed, so `ls` always runs after
  -- popen has returned, and never counts a descriptor of popen itself.
  local function count()
    collectgarbage()
    collectgarbage()
    local n = 0
    io.popen("cat; ls /proc/$PPID/fd >fds", "w"):close()
    for _ in io.lines "fds" do
      n = n + 1
    end
    return n
  end

  os.execute "mkfifo fifo"
  aw.run(aw.Sleep(0.001)) -- opens what libuv keeps for the process
  local before = count()
]] .. M.FILL .. [[

  -- Give descriptors back, so that operations that wait for them go on.
  local function relieve()
    for _ = 1, 24 do
      local file = table.remove(hold)
      if file then
        file:close()
      end
    end
  end

  local function try()
    %s
  end

  local CODES, WAITS = %s, %s
  local fine, refused = 0, 0
  local function check(ok, err)
    if ok then
      fine = fine + 1
      return
    end
    assert(aw.is_system_error(err), tostring(err))
    assert(err.code == "EMFILE" or CODES[err.code], tostring(err))
    assert(type(err.call) == "string" and err.message:find(err.call, 1, true))
    refused = refused + 1
  end

  -- Fails if `holds()` is false for a minute: threads close some descriptors.
  local function wait_until(holds)
    local patience = os.time() + 60
    while not holds() do
      assert(os.time() < patience, "descriptors are left")
    end
  end

  for spare = 0, 48 do
    wait_until(function()
      fill()
      return #hold >= spare
    end)
    for _ = 1, spare do
      table.remove(hold):close()
    end
    local ok, err = pcall(aw.run, function()
      check(aw.pcall(try))
      aw.yield() -- the loop must go on
    end, { clock = "real" })
    if not ok then -- the loop got no descriptors of its own
      check(ok, err)
    end
    collectgarbage()
  end
  for _, file in ipairs(hold) do
    file:close()
  end
  wait_until(function()
    return count() == before
  end)
  assert(refused > 0 or WAITS, "there were always enough")
  assert(fine > 0, "there were never enough")
  print "survived"
]]

local function run(interpreter, text)
  if interpreter == "lua" and process.sanitized then
    helper.pending "a stock lua5.4 cannot load a module with sanitizers"
  end
  local outcome = process.run(
    ("ulimit -n 64; exec $%s s.lua"):format(interpreter), { ["s.lua"] = text })
  assert.are.equal("survived\n", outcome.out, outcome.err)
  assert.are.equal(0, outcome.code)
end

--- Returns specs of operations, an iterator over their titles and functions.
---
--- An operation is { name, text [, codes = errors that it may raise besides
--- EMFILE, waits = whether it need not fail] }. The text sees `aw`, the files
--- `hold`, a FIFO "fifo" and `relieve()`.
---@param operations table[]
---@return fun(): string, function
function M.cases(operations)
  return coroutine.wrap(function()
    for _, operation in ipairs(operations) do
      local text = frame:format(operation[2], operation.codes or "{}",
        tostring(operation.waits == true))
      for _, interpreter in ipairs { "aiowire", "lua" } do
        coroutine.yield(("is an error of %s, and leaks nothing, under %s "
          .. "[UV14]"):format(operation[1], interpreter), function()
          run(interpreter, text)
        end)
      end
    end
  end)
end

return M
