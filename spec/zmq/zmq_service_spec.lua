-- zmq.Service: requests, envelopes, failures, its end [M20, M21].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local caught = helper.caught

local LONG <const> = sockets.PATIENCE
local PATIENT <const> = { timeout = LONG }

local function echo(_, ...)
  return ...
end

--- Run `f(address, task, service socket)` while a Service runs `body` on a
--- socket of this type. Returns what `f` returns.
local function served(type, body, options, f)
  local s <close> = zmq.socket(type):bind(sockets.address "inproc")
  local task <close> = aw.start(zmq.Service(s, body, options), nil,
    { grace = LONG })
  return f(s.last_endpoint, task, s)
end

local function ask(address, ...)
  return zmq.request(address, { ... }, PATIENT)
end

--- Returns a connected socket.
local function client(type, address, options)
  return zmq.socket(type, options):connect(address)
end

describe("a service [M20]", function()
  for _, type in ipairs { "rep", "router" } do
    it("of a " .. type .. " answers with what its function returns",
      fact(function()
        served(type, function(ev, a, b)
          assert(ev.start)
          return a .. "!", 12, b
        end, nil, function(address)
          assert.are.same({ "a!", "12", "b" }, { ask(address, "a", "b") })
          assert.are.same({ "!", "12", "" }, { ask(address, "", "") })
        end)
      end))

    it("of a " .. type .. " answers nothing by an empty part", fact(function()
      served(type, function(_, how)
        if how == "nil" then
          return nil
        end
      end, nil, function(address)
        assert.are.same({ "" }, { ask(address, "nil") })
        assert.are.same({ "" }, { ask(address, "nothing") })
      end)
    end))

    it("of a " .. type .. " answers errors as such, without a place",
      fact(function()
        local heard = {}
        served(type, function(_, how)
          if how == "text" then
            error "boom"
          elseif how == "plain" then
            error("host:80: refused", 0)
          elseif how == "table" then
            error { secret = 1 }
          elseif how == "function" then
            error(print)
          elseif how == "traceback" then
            error(debug.traceback "oh")
          elseif how == "nil" then
            error(nil)
          elseif how == "long" then
            error(("x"):rep(5000), 0)
          elseif how == "system" then
            aw.fs.open "/nonexistent/file"
          end
        end, { on_error = function(err, info)
          heard[#heard + 1] = { tostring(err), info.traceback }
        end }, function(address)
          for how, text in pairs { text = "boom", plain = "host:80: refused",
            table = "an error that is a table", traceback = "oh",
            ["function"] = "an error that is a function",
            ["nil"] = "<nil error>", long = ("x"):rep(1000),
            system = "open '/nonexistent/file': no such file or directory" } do
            assert.are.same({ "error", text }, { ask(address, how) })
          end
          assert.are.same({ "" }, { ask(address, "fine") })
        end)
        assert.are.equal(8, #heard)
        for _, pair in ipairs(heard) do
          assert.is_truthy(pair[2]:find "zmq_service_spec.lua", pair[2])
        end
      end))

    it("of a " .. type .. " answers results that are no parts by an error",
      fact(function()
        local count = 0
        served(type, function(_, how)
          if how == "failure" then
            return nil, "not found"
          elseif how == "table" then
            return "a", {}
          elseif how == "wire" then
            return aw.Never
          elseif how == "many" then
            return table.unpack({}, 1, 2000)
          end
          return true
        end, { on_error = function()
          count = count + 1
        end }, function(address)
          for how, text in pairs {
            failure = "part 1 of the reply is nil, string expected",
            table = "part 2 of the reply is a table, string expected",
            wire = "part 1 of the reply is a aiowire.Wire, string expected",
            many = "part 1 of the reply is nil, string expected",
            [""] = "part 1 of the reply is a boolean, string expected" } do
            assert.are.same({ "error", text }, { ask(address, how) })
          end
        end)
        assert.are.equal(5, count)
      end))

    it("of a " .. type .. " ends requests that take too long", fact(function()
      local cut
      served(type, function(_, how)
        local _ <close> = helper.closer(function(err)
          cut = cut or aw.is_cancelled(err)
        end)
        if how == "slow" then
          aw.sleep(LONG)
        end
        return "fast"
      end, { timeout = 0.01, on_error = function(err)
        assert(aw.is_timeout(err))
      end }, function(address)
        assert.are.same({ "error", "timeout after 0.01 s" },
          { ask(address, "slow") })
        assert.are.equal("fast", ask(address, "fast"))
      end)
      assert.is_true(cut)
    end))

    it("of a " .. type .. " answers for a request that cancels itself",
      fact(function()
        served(type, function()
          aw.current():cancel()
          aw.sleep(LONG)
        end, nil, function(address)
          assert.are.same({ "error", "cancelled" }, { ask(address, "x") })
          assert.are.same({ "error", "cancelled" }, { ask(address, "x") })
        end)
      end))
  end

  it("receives no more while `concurrency` requests run", fact(function()
    local running, most, go = 0, 0, aw.event()
    served("router", function()
      running = running + 1
      most = math.max(most, running)
      go:wait()
      running = running - 1
    end, { concurrency = 3 }, function(address)
      aw.scope(function(scope)
        for i = 1, 10 do
          scope:start(aw.Call(ask, address, i))
        end
        helper.wait_until(function()
          return running == 3
        end)
        aw.sleep(0.01)
        go:set()
      end)
    end)
    assert.are.equal(3, most)
  end))

  it("of a REP has one request at a time", fact(function()
    local running = 0
    served("rep", function()
      assert(running == 0)
      running = running + 1
      aw.yield()
      running = running - 1
      return "ok"
    end, { concurrency = 10 }, function(address)
      aw.scope(function(scope)
        for i = 1, 10 do
          scope:start(function()
            assert.are.equal("ok", ask(address, i))
          end)
        end
      end)
    end)
  end))

  it("is shown with its requests", fact(function()
    local go, begun, ev = aw.event(), aw.event(), nil
    served("router", function(loop)
      ev = loop
      begun:set()
      go:wait()
    end, nil, function(address, task)
      local asking = aw.start(aw.Call(ask, address, "x"))
      begun:wait()
      local dump = ev:dump()
      local name = "Service(ROUTER bound to " .. address .. ")"
      assert.are.equal(name, task.name)
      for _, text in ipairs { name, "'requests'", "'request 1'",
        "recv ROUTER " .. address } do
        assert.is_truthy(dump:find(text, 1, true), dump)
      end
      go:set()
      asking:wait()
    end)
  end))

  it("is a value that two runs may share, and composes", fact(function()
    local s <close> = zmq.socket("router"):bind(sockets.address "inproc")
    local w = zmq.Service(s, echo)
    local one <close> = aw.start(w)
    local two <close> = aw.start(w:named "two")
    for i = 1, 20 do
      assert.are.equal(tostring(i), ask(s.last_endpoint, i))
    end
    one:cancel_wait()
    assert.are.equal("x", ask(s.last_endpoint, "x"))
    two:cancel_wait()
    local how = aw.await(aw.Race { w, aw.Value "other" })
    assert.are.equal("other", how)
  end))

  it("takes turns with other services of its REP", fact(function()
    local s <close> = zmq.socket("rep"):bind(sockets.address "inproc")
    local running = 0
    local w = zmq.Service(s, function(_, x)
      running = running + 1
      assert.are.equal(1, running)
      aw.yield()
      running = running - 1
      return x
    end)
    local one, two = aw.start(w), aw.start(w)
    for i = 1, 10 do
      assert.are.equal(tostring(i), ask(s.last_endpoint, i))
    end
    one:cancel_wait()
    for i = 1, 3 do
      assert.are.equal(tostring(i), ask(s.last_endpoint, i))
    end
    two:cancel_wait()
  end))

  it("stops everything if on_error raises", fact(function()
    local s <close> = zmq.socket("rep"):bind(sockets.address "inproc")
    local err = caught(aw.run, function(ev)
      ev:start(zmq.Service(s, function()
        error "first"
      end, { on_error = function()
        error("second", 0)
      end }))
      assert.are.equal("error", (ask(s.last_endpoint, "x")))
      aw.sleep(LONG)
    end)
    assert.is_truthy(tostring(err):find("second", 1, true), tostring(err))
  end))
end)

describe("a failed request without on_error [M20, D4]", function()
  it("is a warning, once for each place", sockets.fact(function()
    local outcome = process.host [[
      local aw = require "aiowire"
      local zmq = aw.zmq
      local s <close> = zmq.socket("rep"):bind "inproc://s"
      local service <close> = aw.start(zmq.Service(s, function(_, what)
        if what == "a" then
          error "boom"
        end
        return {}
      end))
      for _, what in ipairs { "a", "b", "a", "b" } do
        print(zmq.request("inproc://s", what))
      end
    ]]
    process.assert_exit(0, outcome)
    assert.are.equal(2, select(2, outcome.out:gsub("error\tboom\n", "")))
    local service = "a request of Service(REP bound to inproc://s) failed: "
    for _, text in ipairs { "s.lua:6: " .. service .. "boom\n", "s.lua:4: "
      .. service .. "part 1 of the reply is a table, string expected\n" } do
      local at = outcome.err:find(text, 1, true)
      assert.is_truthy(at, outcome.err)
      assert.is_nil(outcome.err:find(text, at + 1, true), outcome.err)
    end
  end))
end)

describe("the end of a service [M20]", function()
  it("waits for its requests, and sends their replies", fact(function()
    local go, begun = aw.event(), aw.event()
    served("router", function()
      begun:set()
      go:wait()
      return "late"
    end, nil, function(address, task)
      local asking = aw.start(aw.Call(ask, address, "x"))
      begun:wait()
      task:cancel()
      local second <close> = client("dealer", address)
      second:send "y"
      aw.sleep(0.001)
      assert.are.equal("waiting", task.status)
      go:set()
      assert.are.equal("late", asking:wait())
      assert.is_true(aw.is_task_cancelled(caught(task.wait, task)))
      assert.are.equal(0, second:poll("r", 0))
    end)
  end))

  it("cuts its requests when the grace is over [C8]", fact(function()
    local begun, how = aw.event(), nil
    local s <close> = zmq.socket("router"):bind(sockets.address "inproc")
    local task = aw.start(zmq.Service(s, function()
      local _ <close> = helper.closer(function(err)
        how = aw.is_cancelled(err)
      end)
      begun:set()
      aw.sleep(LONG)
    end), nil, { grace = 0.001 })
    local dealer <close> = client("dealer", s.last_endpoint, { linger = 0 })
    dealer:send "x"
    begun:wait()
    task:cancel_wait()
    assert.is_true(how)
  end))

  it("comes with the end of its socket, without an error", fact(function()
    local go, begun, done = aw.event(), aw.event(), false
    served("router", function()
      begun:set()
      go:wait()
      done = true
    end, nil, function(address, task, s)
      local dealer <close> = client("dealer", address, { linger = 0 })
      dealer:send "x"
      begun:wait()
      s:close()
      aw.sleep(0.001)
      assert.are.equal("waiting", task.status)
      go:set()
      task:wait()
      assert.is_true(done)
    end)
  end))

  it("comes at once if the socket is closed already", fact(function()
    local s = zmq.socket("rep"):bind(sockets.address "inproc")
    local w = zmq.Service(s, echo)
    s:close()
    aw.await(w)
  end))
end)

describe("a client that is gone [M20]", function()
  it("is no error", fact(function()
    local go, begun = aw.event(), aw.event()
    served("router", function(_, what)
      if what == "x" then
        begun:set()
        go:wait()
      end
      return what
    end, { on_error = function(err)
      error(err, 0)
    end }, function(address, _, s)
      for _, strict in ipairs { false, true } do
        s.router_mandatory = strict
        local dealer = client("dealer", address, { linger = 0 })
        dealer:send "x"
        begun:wait()
        dealer:close()
        begun:clear()
        go:set()
        assert.are.equal("y", ask(address, "y"))
        go:clear()
      end
    end)
  end))

  it("that reads nothing holds the others up for a moment only",
    fact(function()
      local count = 0
      served("router", function()
        count = count + 1
      end, { concurrency = 1 }, function(address)
        local dealer <close> = client("dealer", address, { linger = 0,
          rcvhwm = 1, sndhwm = 0 })
        for i = 1, 1300 do
          dealer:send(i)
        end
        helper.wait_until(function()
          return count > 1200
        end)
        assert.are.equal("", ask(address, "y"))
        while dealer:poll("r", 0) ~= 0 do
          dealer:recv()
        end
        dealer:send "again"
        assert.are.equal("", dealer:recv())
      end)
    end))
end)
