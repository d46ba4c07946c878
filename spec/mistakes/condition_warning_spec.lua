-- Warnings about suspicious conditions, for programs that turn warnings on
-- [D4].

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

-- Run `text` as the body of a main task, on a virtual clock. Returns what the
-- program wrote to standard error.
local function warned(text, first)
  local outcome = process.host((first or 'warn "@on"\n') .. [[
local aw = require "aiowire"
local function never() aw.sleep(math.huge) end
local function slow(seconds)
  return function()
    local _ <close> = setmetatable({}, { __close = function()
      aw.shield(function()
        aw.sleep(seconds)
      end)
    end })
    never()
  end
end
aw.run(function(ev)
]] .. text .. [[

end, { clock = "virtual" })
]])
  assert.are.equal(0, outcome.code, outcome.err)
  return outcome.err
end

local swallows <const> = [[
  local t = aw.start(function()
    pcall(never)
    pcall(never)
  end)
  aw.yield()
  t:cancel()
]]

local hides <const> = [[
  ev:start(function()
    aw.scope(function(s)
      s:start(slow(1.5))
      aw.yield()
      error("boom", 0)
    end)
  end, function() end)
]]

local sticks <const> = [[
  local t = aw.start(function()
    while true do
      pcall(never)
    end
  end)
  aw.yield()
  t:cancel()
]]

describe("a cancelled task", function()
  it("that swallows it and awaits again is warned of, once [D4, C2]",
    function()
      local err = warned(swallows .. swallows:gsub("local t", "t"))
      local _, count = err:gsub("caught that, and awaited again", "")
      assert.are.equal(2, count)
      contains(err, "Lua warning: aiowire: task 2 was cancelled")
      contains(err, "task 3 was cancelled")
    end)

  it("that is killed reports an error of its clean-up [D4, C9]", function()
    local failing = [[
      local t = aw.start(function()
        local _ <close> = setmetatable({}, { __close = function()
          error(%s, 0)
        end })
        while true do
          pcall(never)
        end
      end)
      aw.yield()
      t:cancel()
    ]]
    contains(warned(failing:format '"the disk is full"'),
      "the clean-up of a killed task failed: the disk is full")
    contains(warned(failing:format "setmetatable({}, { __tostring = error })"),
      "the clean-up of a killed task failed: (no text)")
    lacks(warned(sticks), "failed")
  end)

  it("that catches it and ends is not warned of [T7]", function()
    assert.are.equal("", warned [[
      local t = aw.start(function()
        pcall(never)
        return aw.Value "result"
      end)
      aw.yield()
      t:cancel()
      assert(t:wait() == "result")
    ]])
  end)

  it("that cleans up in shields is not warned of [C12]", function()
    assert.are.equal("", warned [[
      local t = aw.start(function()
        local _ <close> = setmetatable({}, { __close = function()
          aw.shield(function()
            aw.sleep(0.1)
            aw.sleep(0.1)
          end)
        end })
        never()
      end)
      aw.yield()
      t:cancel_wait()
    ]])
  end)

  it("that has time-outs in a shield is not warned of [C12, D4]", function()
    assert.are.equal("", warned [[
      local t = aw.start(function()
        pcall(never)
        aw.shield(function()
          for _ = 1, 2 do
            pcall(aw.timeout, 0.001, never)
          end
          aw.sleep(0)
        end)
      end)
      aw.yield()
      t:cancel_wait()
    ]])
  end)

  it("that has to be killed is warned of [D4, C9]", function()
    contains(warned(sticks),
      "task 2 did not end when it was cancelled, and is killed")
  end)
end)

describe("clean-up that takes over a second", function()
  it("is warned of, with the error that it hid [D4]", function()
    local err = warned(hides)
    contains(err, "clean-up of task 2 took 1.50 s; until then it hid this "
      .. "error: boom")
  end)

  it("is warned of without an error, too [D4]", function()
    local err = warned [[
      local t = aw.start(slow(1.5))
      aw.yield()
      t:cancel_wait()
    ]]
    contains(err, "clean-up of task 2 took 1.50 s\n")
    lacks(err, "error")
  end)

  it("may be a loop's [D4]", function()
    contains(warned [[
      local inner <close> = aw.EventLoop { timeout = 1 }
      inner:start(slow(1.5))
    ]], "clean-up of the loop took 1.50 s\n")
  end)

  it("is nothing to say when it takes less", function()
    assert.are.equal("", warned((hides:gsub("1%.5", "0.9"))))
  end)
end)

-- Code of a clean-up that takes long and fails, in a task that is not
-- cancelled.
local failing <const> = [[
  local function fail(seconds)
    local _ <close> = setmetatable({}, { __close = function()
      aw.shield(function()
        aw.sleep(seconds / 2)
        aw.sleep(seconds / 2)
      end)
    end })
    aw.sleep(0.1)
    error("hidden", 0)
  end
  local function quiet() end
]]

local function holds(whose)
  return ("Lua warning: aiowire: the clean-up of %s has taken 1 s so far, and "
    .. "until it ends it holds back this error: hidden\n"):format(whose)
end

describe("clean-up of a failure that takes over a second", function()
  it("is warned of meanwhile, with the error [D4]", function()
    assert.are.equal(holds "task 2 'job'", warned(failing .. [[
      local at
      ev:start(aw.Wire(function() fail(3) end):named "job", function()
        at = ev:now()
      end)
      aw.sleep(2)
      assert(at == nil)
    ]]))
  end)

  it("is warned of in each task [D4]", function()
    local err = warned(failing .. [[
      for i = 1, 3 do
        ev:start(aw.Call(fail, 3), quiet, { name = "job" .. i })
      end
    ]])
    assert.are.equal(holds "task 2 'job1'" .. holds "task 3 'job2'"
      .. holds "task 4 'job3'", err)
  end)

  it("is warned of though the error is caught then [D4]", function()
    assert.are.equal(holds "task 2 'job'", warned(failing .. [[
      ev:start(function()
        assert(not pcall(aw.scope, function() fail(3) end))
        aw.sleep(5)
        assert(not pcall(aw.scope, function() fail(0.5) end))
        aw.sleep(5)
      end, nil, { name = "job" })
    ]]))
  end)

  it("may be what a finally runs [D4, O9]", function()
    assert.are.equal(holds "task 2 'job'", warned(failing .. [[
      ev:start(aw.Call(error, "hidden", 0):finally(function()
        return aw.Sleep(3)
      end), quiet, { name = "job" })
    ]]))
  end)

  it("is warned of with an error that `//` drops then [D4, O7]", function()
    contains(
      warned [[
  local failing = aw.Wire(function() error("gone", 0) end)
  aw.await(failing:finally(function() aw.sleep(2) end) // aw.Sleep(0))
]],
      "holds back this error: gone"
    )
    contains(
      warned [[
  local start = aw.Wire(function() return slow(2) end)
  local failing = start >> function() aw.sleep(0.1) error("gone", 0) end
  aw.await(failing // aw.Sleep(0))
]],
      "until then it hid this error: gone"
    )
  end)

  it("names a nil error of a part whose errors nobody saw before [E1]",
    function()
      -- Lua 5.5 makes a text of it.
      local name = _VERSION == "Lua 5.4" and "<nil error>"
        or "<no error object>"
      contains(warned [[
  local tries = 0
  local part = aw.Call(function()
    tries = tries + 1
    if tries == 3 then
      aw.await(aw.Wire(function() return slow(2) end) >> aw.Sleep(0.1))
    end
    error(nil)
  end)
  aw.await((part // aw.Call(function() end)) * 3)
]], "until then it hid this error: " .. name)
    end)

  it("is nothing to say when it takes less [D4]", function()
    assert.are.equal("", warned(failing .. [[
      ev:start(aw.Call(fail, 0.9):finally(function() aw.sleep(0.9) end), quiet)
      ev:start(aw.Call(fail, 0.6) // aw.Call(fail, 0.6) // aw.Sleep(3))
    ]]))
  end)

  it("is not warned of if it holds no error back [D4]", function()
    assert.are.equal("", warned(failing .. [[
      ev:start(aw.Value(1):finally(function() aw.sleep(3) end))
      ev:start(function()
        pcall(fail, 0)
        aw.sleep(3)
      end)
      ev:start(aw.Call(fail, 0.1):catch(function() aw.sleep(3) end))
    ]]))
  end)
end)

describe("warnings", function()
  it("are off until the program turns them on", function()
    assert.are.equal("", warned(swallows .. hides, ""))
    assert.are.equal("", warned(sticks, ""))
  end)
end)
