-- aw.Poller: sources, callbacks and shutdown [Q1-Q6, P13, V2, V5, U4, U5, U11].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local raises, wait_until = helper.raises, helper.wait_until
local with_pipes = pipes.with_pipes
local contains = texts.contains

-- Time-out in seconds, since a fault could make a run endless.
local PATIENCE <const> = 60

-- Run a Poller while `f` runs, and then shut it down.
local function beside(poller, f)
  aw.run(function(ev)
    ev:start(poller)
    aw.sleep(0.001)
    f(ev)
    poller:shutdown()
  end)
end

describe("a Poller", function()
  it("calls back when a source is readable [Q1, P13]", function()
    with_pipes(1, function(p)
      local got = {}
      local poller
      poller = aw.Poller { [p.fd] = function()
        got[#got + 1] = p.r:read(1)
        if #got == 2 then
          poller:shutdown()
        end
      end }
      p.w:write "ab"
      aw.run(poller)
      assert.are.same({ "a", "b" }, got)
    end)
  end)

  it("keeps no loop alive in the background [T2]", function()
    with_pipes(1, function(p)
      local came
      aw.run(function()
        aw.start(aw.Poller { [p.fd] = function()
          came = p.r:read(1)
          aw.sleep(3600)
        end }, nil, { background = true })
        p.w:write "a"
        wait_until(function()
          return came
        end)
      end)
      assert.are.equal("a", came)
    end)
  end)

  it("calls a slow callback once for one byte [U4, Q1]", function()
    with_pipes(1, function(p)
      local calls = 0
      local poller = aw.Poller { [p.fd] = function()
        calls = calls + 1
        aw.sleep(0.03)
        p.r:read(1)
      end }
      p.w:write "x"
      beside(poller, function()
        aw.sleep(0.06)
      end)
      assert.are.equal(1, calls)
    end)
  end)

  it("calls a callback that does not drain again, once a round [Q2]",
    function()
      with_pipes(2, function(p, q)
        local order = {}
        local poller
        local function note(name)
          return function()
            order[#order + 1] = name
            if #order == 6 then
              poller:shutdown()
            end
          end
        end
        poller = aw.Poller { [p.fd] = note "p", [q.fd] = note "q" }
        p.w:write "x"
        q.w:write "x"
        aw.run(poller)
        assert.are.equal("pqpqpq", table.concat(order))
      end)
    end)

  it("does not let a slow source delay the others [Q1]", function()
    with_pipes(2, function(p, q)
      local order, both = {}, aw.event()
      local poller
      poller = aw.Poller {
        [p.fd] = function()
          p.r:read(1)
          both:wait()
          order[#order + 1] = "slow"
          poller:shutdown()
        end,
        [q.fd] = function()
          order[#order + 1] = q.r:read(1)
          if #order == 2 then
            both:set()
          end
        end,
      }
      p.w:write "x"
      q.w:write "ab"
      aw.run(poller, { timeout = PATIENCE })
      assert.are.same({ "a", "b", "slow" }, order)
    end)
  end)

  it("runs a returned wire beside the next callback [Q1, P13]", function()
    with_pipes(1, function(p)
      local order, all = {}, aw.event()
      local poller
      poller = aw.Poller { [p.fd] = function()
        local byte = p.r:read(1)
        order[#order + 1] = byte
        if byte == "c" then
          poller:shutdown()
          all:set()
        end
        return aw.Wait(all) >> aw.Call(table.insert, order, byte:upper())
      end }
      p.w:write "abc"
      aw.run(poller, { timeout = PATIENCE })
      assert.are.equal("abcABC", table.concat(order))
    end)
  end)

  it("takes any wire as a callback, and passes its loop [P14, V2]", function()
    with_pipes(2, function(p, q)
      local poller
      local callable = setmetatable({}, { __call = function(_, ev)
        assert.are.equal("running", ev.status)
        q.r:read(1)
        poller:shutdown()
      end })
      poller = aw.Poller {
        [p.fd] = aw.Call(p.r.read, p.r, 1) >> function() q.w:write "y" end,
        [q.fd] = callable,
      }
      p.w:write "x"
      aw.run(poller)
    end)
  end)

  it("is accepted wherever a wire is [V2, V5]", function()
    with_pipes(1, function(p)
      local count = 0
      local poller
      poller = aw.Poller { [p.fd] = function()
        p.r:read(1)
        count = count + 1
        poller:shutdown()
      end }
      p.w:write "abcdef"
      aw.run(poller)
      aw.run(aw.Sleep(0) >> poller)
      aw.run(poller >> aw.Sleep(0))
      aw.run(poller * 2)
      aw.run(function() return poller end)
      assert.are.equal(6, count)
      p.w:write "g"
      assert.are.equal("after 7", aw.run(poller / function()
        return "after " .. count
      end))
    end)
  end)

  it("may be started again after shutdown [Q5, U11]", function()
    with_pipes(1, function(p)
      local got = {}
      local poller
      poller = aw.Poller { [p.fd] = function()
        got[#got + 1] = p.r:read(1)
        poller:shutdown()
      end }
      for _ = 1, 3 do
        p.w:write "x"
        aw.run(poller)
      end
      assert.are.equal(3, #got)
    end)
  end)

  it("lets running callbacks finish at shutdown [Q5]", function()
    with_pipes(2, function(p, q)
      local order, returned = {}, aw.event()
      local poller
      poller = aw.Poller {
        [p.fd] = function()
          p.r:read(1)
          returned:wait()
          order[#order + 1] = "slow"
        end,
        [q.fd] = function()
          q.r:read(1)
          poller:shutdown()
          aw.yield()
          order[#order + 1] = "quick"
          return aw.Call(table.insert, order, "returned")
            >> aw.Call(returned.set, returned)
        end,
      }
      p.w:write "x"
      q.w:write "xx" -- no call for the second byte
      aw.run(poller, { timeout = PATIENCE })
      assert.are.same({ "quick", "returned", "slow" }, order)
    end)
  end)

  it("refuses to run twice at the same time [V5]", function()
    with_pipes(1, function(p)
      local poller = aw.Poller { [p.fd] = print }
      beside(poller, function()
        raises("running already", aw.await, poller)
      end)
    end)
  end)

  it("waits while it is empty [Q6]", function()
    local how = helper.run_loop(function(ev)
      ev:start(aw.Poller {})
    end, { timeout = 0.02 })
    assert.are.equal("timeout", how)
  end)

  it("that is empty and alone is a Deadlock [L4]", function()
    local err = raises("", aw.run, aw.Poller())
    assert.is_true(aw.is_deadlock(err))
  end)

  it("has a text [V8]", function()
    local poller = aw.Poller { [0] = print }
    assert.are.equal("Poller (1 sources)", tostring(poller))
    raises("read only", function() poller.x = 1 end)
    assert.is_false(getmetatable(poller))
  end)
end)

describe("the sources of a Poller", function()
  it("may be registered while it runs [P13, Q5]", function()
    with_pipes(1, function(p)
      local got
      local poller = aw.Poller {}
      p.w:write "x"
      beside(poller, function()
        poller:register(p.fd, function()
          got = p.r:read(1)
        end)
        wait_until(function()
          return got
        end)
      end)
      assert.are.equal("x", got)
    end)
  end)

  it("are watched for writing if the flags say so [P13]", function()
    with_pipes(1, function(p)
      local calls = 0
      local poller = aw.Poller({}, { flags = "w", interval = 1 })
      poller:register(pipes.fd(p.w), function()
        calls = calls + 1
        poller:shutdown()
      end)
      aw.run(poller)
      local other = aw.Poller()
      for _, flags in ipairs { "w", "rw", 2, 3 } do
        other:register(p.w, function()
          calls = calls + 1
          other:unregister(p.w)
          other:shutdown()
        end, flags)
        aw.run(other)
      end
      assert.are.equal(5, calls)
    end)
  end)

  it("end their wait at once when unregistered [Q5]", function()
    with_pipes(1, function(p)
      local poller = aw.Poller { [p.fd] = error }
      beside(poller, function()
        assert.are.equal(1, aw.stats().handles)
        poller:unregister(p.fd)
        p.w:write "x"
        aw.sleep(0.01)
        assert.are.equal(0, aw.stats().handles)
      end)
    end)
  end)

  it("may be unregistered in their own callback [Q5]", function()
    with_pipes(1, function(p)
      local order = {}
      local poller
      poller = aw.Poller { [p.fd] = function()
        poller:unregister(p.fd)
        order[#order + 1] = "called"
        aw.yield()
        order[#order + 1] = "finished"
      end }
      p.w:write "x"
      beside(poller, function()
        wait_until(function()
          return #order == 2
        end)
      end)
      assert.are.same({ "called", "finished" }, order)
    end)
  end)

  it("are not called once another callback has unregistered them [Q5]",
    function()
      with_pipes(2, function(p, q)
        local order = {}
        local poller
        local function take(own, other)
          return function()
            order[#order + 1] = "called"
            poller:unregister(other.fd)
            other.r:close()
            own.r:read(1)
            poller:shutdown()
          end
        end
        poller = aw.Poller { [p.fd] = take(p, q), [q.fd] = take(q, p) }
        p.w:write "x"
        q.w:write "x" -- both become ready in the same turn
        aw.run(poller)
        assert.are.same({ "called" }, order)
      end)
    end)

  it("are ready while their buffer has data: three lines, three calls [Q6]",
    function()
      local p = assert(io.popen "printf 'a\\nb\\nc\\n'")
      local lines = {}
      local poller
      poller = aw.Poller { [p] = function()
        local line = p:read "l"
        lines[#lines + 1] = line
        if not line then
          poller:unregister(p)
          poller:shutdown()
        end
      end }
      aw.run(poller)
      p:close()
      assert.are.same({ "a", "b", "c" }, lines)
    end)

  it("may be sockets of LuaSocket, with their buffers [Q6]",
    pipes.over_luasocket(function(client, peer)
      local lines = {}
      client:send "a\nb\nc\n"
      local poller
      poller = aw.Poller { [peer] = function()
        lines[#lines + 1] = peer:receive "*l"
        if #lines == 3 then
          poller:shutdown()
        end
      end }
      aw.run(poller, { timeout = PATIENCE })
      assert.are.same({ "a", "b", "c" }, lines)
    end))

  it("may be sockets of cqueues [Q6]", pipes.over_cqueues(function(a, b)
    a:xwrite "one\ntwo\n"
    a:flush()
    local lines = {}
    local poller
    poller = aw.Poller { [b] = function()
      lines[#lines + 1] = b:recv "*l"
      if #lines == 2 then
        poller:shutdown()
      end
    end }
    aw.run(poller, { timeout = PATIENCE })
    assert.are.same({ "one", "two" }, lines)
  end))

  it("may be files that end and are unregistered then [Q6]", function()
    for _, path in ipairs { "/dev/null", "LICENSE" } do
      local file <close> = assert(io.open(path))
      local lines = 0
      local poller
      poller = aw.Poller { [file] = function()
        if file:read "l" then
          lines = lines + 1
        else
          poller:unregister(file)
          poller:shutdown()
        end
      end }
      helper.leak_checked(aw.run, poller)
      assert.are.equal(path == "LICENSE", lines > 10)
    end
  end)

  it("are started in the order of their descriptors [O6, F6]", function()
    with_pipes(4, function(...)
      local order, poller = {}, nil
      local sources, fds = {}, {}
      for _, p in ipairs { ... } do
        fds[#fds + 1] = p.fd
        sources[p.fd] = function()
          order[#order + 1] = p.fd
          poller:unregister(p.fd)
          if #order == 4 then
            poller:shutdown()
          end
        end
        p.w:write "x"
      end
      table.sort(fds)
      poller = aw.Poller(sources)
      aw.run(function(ev)
        local task = ev:start(poller)
        aw.yield()
        local names = {}
        for _, t in ipairs(ev:tasks()) do
          names[#names + 1] = math.tointeger(t.name:match "Readable%((%d+)%)")
        end
        assert.are.same(fds, names)
        task:wait()
      end)
    end)
  end)

  it("are refused if they are not sources [Q6]", function()
    local poller = aw.Poller {}
    local function refuses(text, ...)
      local given = table.pack(...)
      local function register()
        poller:register(table.unpack(given, 1, given.n))
      end
      raises("poller_spec.lua:", register)
      raises(text, register)
    end
    refuses("bad argument #1 to 'register' (source expected, got table)",
      {}, print)
    refuses("source expected, got no value")
    refuses("source expected, got number", -1, print)
    refuses("source expected, got string", "x", print)
    refuses("bad argument #2 to 'register' (wire expected, got number)", 0, 1)
    refuses("flags must be", 0, print, "x")
    raises("source expected as key", aw.Poller, { x = print })
    raises("wire expected for source 0", aw.Poller, { [0] = 1 })
    raises("table expected, got number", aw.Poller, 1)
    raises("unknown option 'error'", aw.Poller, {}, { error = print })
    raises("bad option 'on_error'", aw.Poller, {}, { on_error = 1 })
  end)

  it("cannot be registered twice [P13]", function()
    local poller = aw.Poller { [0] = print }
    raises("registered already", poller.register, poller, 0, print)
    poller:unregister(0)
    raises("not registered", poller.unregister, poller, 0)
    poller:register(0, print)
  end)
end)

describe("an error of a callback", function()
  it("fails the task of the Poller, unchanged [Q5, E1]", function()
    with_pipes(1, function(p)
      local problem = {}
      local poller = aw.Poller { [p.fd] = function()
        error(problem)
      end }
      p.w:write "x"
      local ok, err = pcall(aw.run, poller)
      assert.is_false(ok)
      assert.are.equal(problem, err)
      -- The Poller may be started again.
      ok, err = pcall(aw.run, poller)
      assert.are.equal(problem, err)
      assert.is_false(ok)
    end)
  end)

  it("goes to the handler of the start [U5, P4]", function()
    with_pipes(1, function(p)
      local seen
      local poller = aw.Poller { [p.fd] = function()
        error "ouch"
      end }
      p.w:write "x"
      helper.run_loop(function(ev)
        ev:start(poller, function(_, err)
          seen = err
        end)
      end)
      assert.is_truthy(seen:find "ouch")
    end)
  end)

  it("goes to on_error, and the source goes on [Q5]", function()
    with_pipes(1, function(p)
      local log = {}
      local poller
      poller = aw.Poller({ [p.fd] = function()
        local byte = p.r:read(1)
        log[#log + 1] = byte
        if byte == "c" then
          poller:shutdown()
        else
          error(byte:upper(), 0)
        end
      end }, { on_error = function(ev, err, info)
        log[#log + 1] = err
        assert(ev.status == "running" and info.err == err)
      end })
      p.w:write "abc"
      aw.run(poller)
      assert.are.equal("aAbBc", table.concat(log))
    end)
  end)

  it("goes to on_error from a returned wire, too [Q5, U5]", function()
    with_pipes(1, function(p)
      local errors = {}
      local poller
      poller = aw.Poller({ [p.fd] = function()
        p.r:read(1)
        return function()
          error("later", 0)
        end
      end }, { on_error = function(_, err)
        errors[#errors + 1] = err
        poller:shutdown()
      end })
      p.w:write "a"
      aw.run(poller)
      assert.are.same({ "later" }, errors)
    end)
  end)
end)

describe("a source that cannot be waited for", function()
  it("fails the Poller with a SystemError [Q3]", function()
    local err = raises("readable 'descriptor 999'", helper.leak_checked,
      aw.run, aw.Poller { [999] = print })
    assert.are.equal("EBADF", err.code)
  end)

  it("is unregistered after one call of on_error [Q3, Q5]", function()
    local seen = {}
    local poller
    poller = aw.Poller({ [999] = print }, { on_error = function(_, err)
      seen[#seen + 1] = err.code
      raises("not registered", poller.unregister, poller, 999)
    end })
    local how = helper.run_loop(function(ev)
      ev:start(poller)
    end, { timeout = 0.02 })
    assert.are.equal("timeout", how)
    assert.are.same({ "EBADF" }, seen)
  end)
end)

describe("a cancel of a Poller", function()
  it("cancels its callbacks and waits at any time [C2, C3]", function()
    with_pipes(2, function(p, q)
      for after = 0, 5 do
        local poller = aw.Poller {
          [p.fd] = function() aw.sleep(10) end,
          [q.fd] = print,
        }
        p.w:write "x"
        aw.run(function(ev)
          local task = ev:start(poller)
          for _ = 1, after do
            aw.sleep(0.001)
          end
          task:cancel_wait()
          assert.are.equal("cancelled", task.status)
          assert.are.equal("Poller (2 sources)", tostring(poller))
        end)
      end
    end)
  end)
end)

describe("the task of a source", function()
  it("has the location of the registration as its start [E2, D1]", function()
    helper.leak_checked(aw.run, function(ev)
      local one, _, to_one = pipes.raw_pipe()
      local two, _, to_two = pipes.raw_pipe()
      local made = debug.getinfo(1, "l").currentline + 1
      local poller = aw.Poller({ [one] = error }, {
        on_error = function() end,
      })
      local function line_of(source)
        return ev:dump():match("'Readable%(" .. source
          .. "%)'[^\n]*started at [^\n]*poller_spec%.lua:(%d+)")
      end
      local task = ev:start(poller)
      poller:register(two, error)
      local registered = debug.getinfo(1, "l").currentline - 1
      aw.yield()
      aw.yield()
      assert.are.equal(tostring(made), line_of(one))
      assert.are.equal(tostring(registered), line_of(two))
      task:cancel_wait()
      to_one:close()
      to_two:close()
    end)
  end)

  it("has that location in the info of its failure [E2]", function()
    local line, where
    helper.leak_checked(aw.run, function(ev)
      local fd, reader, writer = pipes.raw_pipe()
      local poller
      line = debug.getinfo(1, "l").currentline + 1
      poller = aw.Poller({ [fd] = function() error "boom" end }, {
        on_error = function(_, _, info)
          where = info.started_at
          poller:shutdown()
        end,
      })
      writer:write "x"
      ev:start(poller):wait()
      reader:close()
      writer:close()
    end)
    assert.are.equal(tostring(line), where:match "poller_spec%.lua:(%d+)$")
  end)
end)

describe("a Poller on standard input [Q6]", function()
  local script = [[
    local aw = require "aiowire"
    local poller
    poller = aw.Poller { [SRC] = function()
      local line = io.read "l"
      print(line)
      if not line then
        poller:unregister(SRC)
        poller:shutdown()
      end
    end }
    aw.run(poller)
  ]]
  local cases = {
    ["a pipe"] = { "printf 'one\\ntwo\\n' | $aiowire s.lua",
      "one\ntwo\nnil\n" },
    ["a file"] = { "printf 'one\\ntwo\\n' >f; exec $aiowire s.lua <f",
      "one\ntwo\nnil\n" },
    ["/dev/null"] = { "exec $aiowire s.lua </dev/null", "nil\n" },
    ["nothing"] = { "exec $aiowire s.lua <&-", "nil\n" },
    ["a terminal"] = { "printf 'one\\n\\004' | "
      .. "script -qec \"$aiowire s.lua\" /dev/null", "one" },
  }
  -- A Poller on the number 0 also looks at the buffer of io.read.
  for _, src in ipairs { "io.stdin", "0" } do
    for name, case in pairs(cases) do
      it(("reads %s by %s"):format(name, src), function()
        if name == "a terminal"
          and not os.execute "command -v script >/dev/null" then
          pending "script(1) is not installed"
          return
        end
        local code = script:gsub("SRC", src)
        local outcome = process.run(case[1], { ["s.lua"] = code })
        contains(outcome.out, case[2])
        assert.are.equal(0, outcome.code, outcome.err)
      end)
    end
  end

  it("gets all lines that came together before the next ones", function()
    local outcome = process.run(
      "(printf 'one\\ntwo\\n'; sleep 2; printf 'three\\n') | $aiowire s.lua",
      { ["s.lua"] = [[
        local aw = require "aiowire"
        local poller
        poller = aw.Poller { [0] = function()
          print(io.read "l")
        end }
        aw.run(poller, { timeout = 0.5 })
      ]] })
    assert.are.equal("one\ntwo\n", outcome.out, outcome.err)
  end)
end)
