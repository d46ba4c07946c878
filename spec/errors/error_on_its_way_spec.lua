-- An error that no code has caught yet passes `<close>` handlers that await,
-- fail, or raise and catch errors of their own. The error keeps its traceback
-- and the rest of its info [E1-E3, E6, C12].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local texts = require "spec.support.texts"

local closer = helper.closer
local line, place = places.line, places.place
local contains = texts.contains

--- Run `w`. Returns the error and info that its handler got.
local function failure_of(w, opts)
  local ev = aw.EventLoop { clock = "virtual" }
  local err, info
  ev:start(w, function(_, e, i)
    err, info = e, i
  end, opts)
  assert.are.equal("done", ev:run())
  assert.is_truthy(info)
  return err, info
end

--- What a `<close>` handler does while an error passes.
local closers = {
  nothing = function() end,
  sleeps = function()
    aw.sleep(1)
  end,
  yields = function()
    aw.yield()
  end,
  shields = function()
    aw.shield(function()
      aw.sleep(1)
    end)
  end,
  ["awaits a wire"] = function()
    aw.await(aw.Sleep(1) >> aw.Call(aw.sleep, 1))
  end,
  ["opens a scope"] = function()
    aw.scope(function(s)
      s:start(aw.Sleep(1))
    end)
  end,
  ["times out"] = function()
    pcall(aw.timeout, 1, aw.sleep, 2)
  end,
  ["catches an error"] = function()
    pcall(error, "another one")
  end,
  ["catches an error of a shield"] = function()
    pcall(aw.shield, function()
      aw.sleep(1)
      error "another one"
    end)
  end,
  ["catches an error of an await"] = function()
    pcall(aw.await, function()
      aw.sleep(1)
      error "another one"
    end)
  end,
  ["catches one of a `<close>` of its own"] = function()
    pcall(aw.shield, function()
      local _ <close> = closer(function()
        aw.sleep(1)
      end)
      error "another one"
    end)
    aw.sleep(1)
  end,
  ["closes a task"] = function()
    local t <close> = aw.start(aw.Never)
    aw.yield()
    return t
  end,
  ["runs a loop"] = function()
    local ev <close> = aw.EventLoop {}
    ev:start(aw.Sleep(1))
  end,
  ["awaits in a coroutine"] = function()
    aw.wrap(function()
      pcall(aw.shield, function()
        aw.sleep(1)
        error "another one"
      end)
    end)()
  end,
}

local inner_line

--- Functions that return an error value, or raise an error themselves. Such an
--- error blames the line of the call, or `inner_line`.
local values = {
  text = function()
    return "boom"
  end,
  table = function()
    return { "boom" }
  end,
  ["nil"] = function()
    return nil
  end,
  ["false"] = function()
    return false
  end,
  ["an error of Lua"] = function()
    local nothing = nil
    return nothing.field
  end,
  Closed = function()
    local ch = aw.channel(1)
    ch:close()
    ch:send(1)
  end,
  SystemError = function()
    aw.readable(987654)
  end,
  Timeout = function()
    aw.timeout(1, aw.sleep, 2)
  end,
  TaskCancelled = function()
    local t = aw.start(aw.Never)
    t:cancel()
    t:wait()
  end,
  ["one of an await"] = function()
    aw.await(function()
      aw.sleep(1)
      inner_line = line() + 1
      error "boom"
    end)
  end,
}

--- Ways to run `f`, which raises the error.
local ways = {
  body = function(f)
    return f
  end,
  Call = function(f)
    return aw.Call(f)
  end,
  await = function(f)
    return function()
      aw.await(aw.Call(f))
    end
  end,
  scope = function(f)
    return function()
      aw.scope(f)
    end
  end,
  timeout = function(f)
    return function()
      aw.timeout(100, f)
    end
  end,
  shield = function(f)
    return function()
      aw.shield(f)
    end
  end,
  ["child of a scope"] = function(f)
    return function()
      aw.scope(function(s)
        s:start(f)
      end)
    end
  end,
  ["timeout of a wire"] = function(f)
    return aw.Wire(f):timeout(100)
  end,
  catch = function(f)
    return aw.Call(error, "first"):catch(f)
  end,
  finally = function(f)
    return aw.Value():finally(f)
  end,
}

describe("an error that passes a `<close>`", function()
  for what, close in pairs(closers) do
    for kind, raise in pairs(values) do
      it(("that %s keeps its traceback: %s [E2]"):format(what, kind),
        function()
          helper.leak_checked(function()
            local raised
            inner_line = nil
            local function fail()
              local _ <close> = closer(close)
              raised = line() + 1
              error(raise(), 0)
            end
            local _, info = failure_of(function()
              fail()
              aw.yield()
            end)
            contains(info.traceback, place(inner_line or raised))
            assert.are.same({}, info.suppressed)
          end)
        end)
    end
  end

  for way, wire_of in pairs(ways) do
    it("that awaits keeps its traceback: out of a " .. way .. " [E2]",
      function()
        helper.leak_checked(function()
          local raised
          local mine = {}
          local err, info = failure_of(wire_of(function()
            local _ <close> = closer(closers.sleeps)
            local _ <close> = closer(closers["opens a scope"])
            local _ <close> = closer(closers["catches an error of a shield"])
            raised = line() + 1
            error(mine)
          end))
          assert.are.equal(mine, err)
          contains(info.traceback, place(raised))
          for _, later in ipairs(info.suppressed) do
            assert.is_truthy(tostring(later.err):find "first$")
          end
        end)
      end)
  end

  it("that awaits keeps the rest of its info [E2, E3]", function()
    helper.leak_checked(function()
      local first, second = {}, {}
      local err, info = failure_of(function()
        local _ <close> = closer(closers.sleeps)
        aw.await(aw.Call(function()
          aw.scope(function(s)
            s:start(function()
              local _ <close> = closer(function()
                error(second)
              end)
              aw.sleep(100)
            end)
            aw.sleep(1)
            error(first)
          end)
        end):retry { times = 1 })
      end)
      assert.are.equal(first, err)
      assert.are.equal(1, info.attempts)
      assert.are.equal(1, #info.suppressed)
      assert.are.equal(second, info.suppressed[1].err)
    end)
  end)

  it("that fails after an await is suppressed by its error [E3]", function()
    helper.leak_checked(function()
      local first, second, third = {}, {}, {}
      local lines = {}
      local err, info = failure_of(function()
        local _ <close> = closer(function()
          aw.sleep(1)
          lines[3] = line() + 1
          error(third)
        end)
        local _ <close> = closer(function()
          aw.sleep(1)
          lines[2] = line() + 1
          error(second)
        end)
        local _ <close> = closer(closers.shields)
        lines[1] = line() + 1
        error(first)
      end)
      assert.are.equal(third, err)
      contains(info.traceback, place(lines[3]))
      assert.are.equal(2, #info.suppressed)
      for i, mine in ipairs { first, second } do
        assert.are.equal(mine, info.suppressed[i].err)
        contains(info.suppressed[i].info.traceback, place(lines[i]))
      end
    end)
  end)

  it("that raises it again in a shield keeps its traceback [E2]", function()
    helper.leak_checked(function()
      local raised
      local mine = {}
      local err, info = failure_of(function()
        local _ <close> = setmetatable({}, {
          __close = function(_, e)
            aw.shield(function()
              aw.sleep(1)
              error(e)
            end)
          end,
        })
        raised = line() + 1
        error(mine)
      end)
      assert.are.equal(mine, err)
      contains(info.traceback, place(raised))
      assert.are.same({}, info.suppressed)
    end)
  end)

  it("comes before the Cancelled of an await in there [E3]", function()
    for _, protect in ipairs { pcall, aw.pcall } do
      helper.leak_checked(function()
        local mine = {}
        local raised
        local ev = aw.EventLoop { clock = "virtual" }
        local err, info
        local t = ev:start(function()
          local _ <close> = closer(closers.sleeps)
          protect(aw.sleep, 100)
          raised = line() + 1
          error(mine)
        end, function(_, e, i)
          err, info = e, i
        end)
        ev:start(function()
          aw.sleep(1)
          t:cancel()
        end)
        ev:run()
        if protect == pcall then
          assert.are.equal(mine, err)
          assert.are.equal("failed", t.status)
          contains(info.traceback, place(raised))
        else
          assert.are.equal("cancelled", t.status)
        end
      end)
    end
  end)

  it("comes before the Cancelled of a scope that is cut short [E3]",
    function()
      helper.test(function()
        local mine = {}
        local ok, err = pcall(aw.timeout, 1, function()
          local _ <close> = closer(closers.sleeps)
          pcall(aw.sleep, 100)
          error(mine)
        end)
        assert.is_false(ok)
        assert.are.equal(mine, err)
      end)
    end)
end)

describe("an error that was caught in a `<close>`", function()
  it("is not in the info of the next error [E3]", function()
    helper.leak_checked(function()
      local mine = {}
      local err, info = failure_of(function()
        pcall(aw.scope, function()
          local _ <close> = closer(closers["catches an error of a shield"])
          error "caught and done with"
        end)
        error(mine)
      end)
      assert.are.equal(mine, err)
      assert.are.same({}, info.suppressed)
    end)
  end)

  it("of a closed coroutine is not in the info of the next error [E3]",
    function()
      helper.leak_checked(function()
        local mine = {}
        local err, info = failure_of(function()
          local co = coroutine.create(function()
            local _ <close> = closer(function()
              error "returned by coroutine.close"
            end)
            coroutine.yield()
          end)
          coroutine.resume(co)
          coroutine.close(co)
          error(mine)
        end)
        assert.are.equal(mine, err)
        assert.are.same({}, info.suppressed)
      end)
    end)
end)
