-- os.exit in the program `aiowire`: its arguments, as in lua5.4, and the places
-- from which it may be called.

local process = require "spec.support.process"

local assert_outcome = process.assert_outcome

-- The main chunk and a task have a clean-up that awaits.
local prelude = [[
local aw = require "aiowire"
local function cleaning(name)
  return setmetatable({}, {
    __close = function()
      aw.shield(function()
        aw.sleep(0.001)
        io.stdout:write(name, "\n")
      end)
    end,
  })
end
local _ <close> = cleaning "main"
aw.start(function()
  local _ <close> = cleaning "task"
  aw.sleep(60)
end)
aw.yield()
]]

local function cleaned_up(outcome, code)
  assert_outcome("main\ntask\n", code, {
    out = outcome.out:gsub("^task\nmain\n$", "main\ntask\n"),
    err = outcome.err,
    code = outcome.code,
    signal = outcome.signal,
  })
  assert.are.equal("", outcome.err)
end

describe("the code given to os.exit", function()
  for _, code in ipairs {
    "", "nil", "true", "false", "0", "7", "255", "256", "263", "-1", "3.0",
    "-2.0", "'4'", "' 0x10 '", "'5.0'", "2^40", "1 << 33 | 9",
    "math.mininteger", "math.maxinteger",
  } do
    it(("is the same as in lua5.4: os.exit(%s) [exit]"):format(code), function()
      local script = ("os.exit(%s)"):format(code)
      local theirs = process.stock(script)
      assert.are.same(theirs, process.host(script))
      local close = code ~= "" and ", nil" or "nil, nil"
      assert.are.same(theirs,
        process.host(("os.exit(%s%s)"):format(code, close)))
      assert.are.same(theirs, process.host(
        ("require('aiowire').start(function() os.exit(%s) end)"):format(code)))
    end)
  end

  for _, code in ipairs {
    "3.5", "2^63", "0/0", "{}", "'x'", "''", "print", "'3.5', nil",
    "{}, false",
  } do
    it(("is refused as in lua5.4: os.exit(%s) [exit]"):format(code),
      function()
        local script = ("print(select(2, pcall(os.exit, %s)))"):format(code)
        local theirs = process.stock(script)
        assert.are.equal(0, theirs.code)
        assert.are.same(theirs, process.host(script))
      end)
  end
end)

describe("the second argument of os.exit", function()
  for _, close in ipairs {
    "nil", "true", "0", "'false'", "{}", "nil, false",
  } do
    it(("lets all tasks clean up if it is %s [exit]"):format(close), function()
      cleaned_up(process.host(prelude
        .. ("os.exit(5, %s) print 'never'"):format(close)), 5)
    end)
  end

  it("runs no clean-up if it is false [exit]", function()
    assert_outcome("written\n", 5, process.host(prelude
      .. "io.write 'written\\n' os.exit(5, false) print 'never'"))
  end)

  it("lets all tasks clean up if it is missing [exit]", function()
    cleaned_up(process.host(prelude .. "os.exit(5) print 'never'"), 5)
  end)
end)

describe("os.exit without clean-up, in the clean-up", function()
  local exits = process.prelude .. [[
local _ <close> = closing(function()
  io.write "written\n"
  os.exit(5, false)
end)
]]

  it("after a signal leaves the reason as it is [R9]", function()
    local outcome = process.host(exits .. 'signal_me "TERM" aw.sleep(900)')
    process.assert_died_by(15, outcome)
    assert.are.equal("written\n", outcome.out)
  end)

  it("after a time-out leaves the reason as it is [R6]", function()
    assert_outcome("written\n", 124, process.run(
      "exec $aiowire --timeout=0.05 s.lua",
      { ["s.lua"] = exits .. "aw.sleep(900)" }))
  end)

  it("after os.exit counts [exit]", function()
    assert_outcome("written\n", 5, process.host(exits .. "os.exit(3)"))
  end)
end)

describe("os.exit with all clean-up", function()
  for place, code in pairs {
    ["in a task"] = "aw.start(function() exit() end) aw.sleep(60)",
    ["in a background task"] = [[
aw.start(function() exit() end, nil, { background = true })
aw.sleep(60)]],
    ["in a child of a scope"] = [[
aw.scope(function(s)
  s:start(function() exit() end)
  aw.sleep(60)
end)]],
    ["in a handler"] = [[
aw.start(function() error "x" end, function() exit() end)
aw.sleep(60)]],
    ["in a function for catch"] = [[
aw.run(aw.Call(error, "x"):catch(function() exit() end))]],
    ["in a function for finally"] = [[
aw.run(aw.Sleep(0):finally(function() exit() end))]],
    ["in clean-up"] = [[
do
  local _ <close> = setmetatable({}, { __close = function() exit() end })
end
aw.sleep(60)]],
    ["in clean-up after an error"] = [[
local _ <close> = setmetatable({}, { __close = function() exit() end })
error "x"]],
    ["in a finalizer"] = [[
setmetatable({}, { __gc = function() exit() end })
collectgarbage()
aw.sleep(60)]],
    ["in a wrapped coroutine"] = [[
coroutine.wrap(function() exit() end)()]],
    ["in a coroutine in a coroutine"] = [[
coroutine.wrap(function()
  coroutine.wrap(function() aw.sleep(0.001) exit() end)()
end)()]],
    ["in a comparison of sort"] = [[
table.sort({ 1, 2, 3 }, function() exit() end)]],
    ["in a handler of xpcall"] = [[
xpcall(error, function() exit() end, "x")
aw.sleep(60)]],
    ["in pcall, and once more"] = [[
pcall(os.exit, 6)
exit()]],
    ["in a loop inside the program's"] = [[
local ev <close> = aw.EventLoop {}
ev:start(function() exit() end)
ev:start(aw.Sleep(60))
ev:run()]],
    ["in loops inside each other"] = [[
aw.run(function()
  aw.run(function()
    aw.run(function() exit() end, { seed = 1 })
  end, { clock = "virtual" })
end)]],
    ["in a callback of a Poller"] = [[
local p <close> = aw.spawn { "echo", "x" }
aw.run(aw.Poller { [p.stdout] = function() exit() end })]],
    ["beside a child"] = [[
local p <close> = aw.spawn { "sleep", "60" }
exit()]],
    ["in the wire that main returns"] = "return aw.Call(function() exit() end)",
  } do
    it("may be called " .. place .. " [exit]", function()
      cleaned_up(process.host(prelude
        .. "local function exit() os.exit(5, nil) print 'never' end\n"
        .. code), 5)
    end)
  end

  it("runs no further chunk [exit]", function()
    assert_outcome("", 5, process.run(
      [[exec $aiowire -e 'os.exit(5, nil)' -e 'print "never"' s.lua]],
      { ["s.lua"] = "print 'never'" }))
  end)

  it("ends the program without a running loop, too [exit]", function()
    for _, close in ipairs { "", ", nil", ", true", ", false" } do
      assert_outcome("", 5, process.run([[exec $aiowire -l m -e 'print(1)']],
        { ["m.lua"] = ("os.exit(5%s)"):format(close) }))
      assert_outcome("main\n", 5, process.host(([[
kept = setmetatable({}, { __gc = function() os.exit(5%s) end })
print "main"]]):format(close)))
    end
  end)
end)
