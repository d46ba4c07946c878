-- Events and semaphores [H1, H2, C6, F3, F5, S6, D1, L4].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local texts = require "spec.support.texts"

local raises, caught, logged = helper.raises, helper.caught, helper.logged
local contains = texts.contains

describe("an event", function()
  it("wakes all its waiters, in order [H1, F5]", logged(function(ev, log,
    note)
    local e = aw.event()
    for i = 1, 3 do
      ev:start(function()
        e:wait()
        note(i .. " at " .. ev:now())
      end)
    end
    ev:start(aw.Wait(e) >> aw.Call(note, "wire"))
    aw.sleep(2)
    e:set()
    note "set"
    aw.sleep(1)
    assert.are.same(
      { "set", "1 at 2.0", "2 at 2.0", "3 at 2.0", "wire" }, log)
  end))

  it("that is set makes no task wait [H1]", logged(function(ev, log, note)
    local e = aw.event()
    e:set()
    e:set()
    ev:start(aw.Call(note, "other"))
    e:wait()
    note "waited"
    aw.await(aw.Wait(e))
    aw.yield()
    assert.are.same({ "waited", "other" }, log)
  end))

  it("that is cleared makes later tasks wait [H1]", logged(function(ev,
    log, note)
    local e = aw.event()
    ev:start(aw.Wait(e) >> aw.Call(note, "early"))
    aw.yield()
    e:set()
    e:clear() -- the tasks that wait already still go on
    ev:start(aw.Wait(e) >> aw.Call(note, "late"))
    aw.sleep(1)
    assert.are.same({ "early" }, log)
    assert.is_false(e:is_set())
    e:set()
    assert.is_true(e:is_set())
    aw.sleep(1)
    assert.are.same({ "early", "late" }, log)
  end))

  it("may be set outside a task [H1]", helper.sealed(function()
    local e = aw.event()
    local ev <close> = helper.virtual()
    ev:start(aw.Wait(e))
    ev:start(error, function()
      e:set()
      local err = caught(e.wait, e)
      contains(err, "outside a task (event:wait)")
    end)
    assert.are.equal("done", ev:run())
  end))

  it("leaves no cancelled task in its queue [H2]", logged(function(ev)
    local e = aw.event { name = "go" }
    local task = ev:start(function()
      e:wait()
    end)
    local wire = ev:start(aw.Wait(e))
    aw.yield()
    assert.are.equal("event go (not set, 2 waiting)", tostring(e))
    task:cancel()
    wire:cancel()
    assert.are.equal("event go (not set)", tostring(e))
    e:set()
    assert.are.equal("event go (set)", tostring(e))
  end))

  it("delivers what was set before the cancel [C6]", logged(function(ev, log,
    note)
    local e = aw.event()
    local task = ev:start(function()
      e:wait()
      note "waited"
      aw.yield()
      note "never"
    end)
    aw.yield()
    e:set()
    task:cancel()
    aw.sleep(1)
    assert.are.same({ "waited" }, log)
    assert.are.equal("cancelled", task.status)
  end))

  it("that is set lets others run after a budget [F3]", logged(function(ev)
    local e, turns = aw.event(), 0
    e:set()
    local other = ev:start(aw.Forever(aw.Call(function()
      turns = turns + 1
    end)))
    for _ = 1, 140 do
      e:wait()
    end
    assert.is_true(turns >= 2, turns)
    other:cancel()
  end))

  it("is in labels, in wires and in a Deadlock [D1, L4, V8]",
    helper.sealed(function()
      local e = aw.event { name = "go" }
      assert.are.equal("Wait(event go)", tostring(aw.Wait(e)))
      local ev = helper.virtual()
      ev:start(aw.Wait(e))
      local err = caught(ev.run, ev)
      contains(tostring(err), "wait event go")
      ev:close()
    end))

  it("belongs to one engine [S6]", helper.sealed(function()
    local e = aw.event { name = "go" }
    aw.run(function()
      aw.start(aw.Wait(e))
      aw.yield()
      e:set()
      local ev <close> = helper.virtual()
      local err
      ev:start(function()
        e:wait()
      end, function(_, raised)
        err = raised
      end)
      ev:run()
      contains(err, "event go")
      contains(err, "belongs to another engine")
    end)
  end))

  it("names wrong arguments", helper.sealed(function()
    raises("unknown option 'nam', did you mean 'name'?", aw.event,
      { nam = "x" })
    raises("table expected, got string", aw.event, "x")
    raises("event expected, got table", aw.event().set, {})
    raises("event expected, got nil", aw.Wait, nil)
    raises("event expected, got no value", aw.event().is_set)
  end))
end)

describe("a semaphore", function()
  it("admits as many tasks as it has permits [H1, F5]", logged(function(ev,
    log, note)
    local sem = aw.semaphore(2)
    for i = 1, 5 do
      ev:start(function()
        sem:acquire()
        note(i .. " at " .. ev:now())
        aw.sleep(1)
        sem:release()
      end)
    end
    aw.sleep(10)
    assert.are.same(
      { "1 at 0.0", "2 at 0.0", "3 at 1.0", "4 at 1.0", "5 at 2.0" }, log)
  end))

  it("gives a permit to its first waiter [F5]", logged(function(ev,
    log, note)
    local sem = aw.semaphore(1)
    sem:acquire()
    ev:start(aw.Acquire(sem) >> aw.Call(note, "waited"))
    aw.yield()
    sem:release()
    assert.is_nil(sem:try_acquire())
    aw.sleep(1)
    assert.are.same({ "waited" }, log)
  end))

  it("gets a permit back at the end of its block [H1]", logged(function(ev)
    local sem = aw.semaphore(1, { max = 1, name = "db" })
    do
      local permit <close> = sem:acquire()
      assert.are.equal("permit of semaphore db (0 free)", tostring(permit))
    end
    assert.are.equal("semaphore db (1 free)", tostring(sem))
    local task = ev:start(function()
      local _ <close> = sem:acquire()
      aw.sleep(100)
    end)
    aw.yield()
    assert.are.equal("semaphore db (0 free)", tostring(sem))
    task:cancel_wait()
    local permit <close> = sem:try_acquire()
    assert.is_truthy(permit)
  end))

  it("may begin without permits [H1]", logged(function(ev, log, note)
    local sem = aw.semaphore(0)
    ev:start(aw.Acquire(sem) >> aw.Call(note, "go"))
    aw.sleep(1)
    sem:release()
    aw.sleep(1)
    assert.are.same({ "go" }, log)
  end))

  it("leaves no cancelled task in its queue, and no permit with it [H2]",
    logged(function(ev)
      local sem = aw.semaphore(1, { max = 1, name = "db" })
      sem:acquire()
      local task = ev:start(function()
        sem:acquire()
      end)
      local wire = ev:start(aw.Acquire(sem))
      aw.yield()
      assert.are.equal("semaphore db (0 free, 2 waiting)", tostring(sem))
      task:cancel()
      wire:cancel()
      sem:release()
      assert.are.equal("semaphore db (1 free)", tostring(sem))
    end))

  it("delivers what was given before the cancel [C6]", logged(function(ev,
    log, note)
    local sem = aw.semaphore(0, { max = 1 })
    local task = ev:start(function()
      local _ <close> = sem:acquire()
      note "acquired"
      aw.yield()
      note "never"
    end)
    aw.yield()
    sem:release()
    task:cancel()
    aw.sleep(1)
    assert.are.same({ "acquired" }, log)
    assert.is_truthy(sem:try_acquire())
  end))

  it("with a permit lets others run after a budget [F3]", logged(
    function(ev)
      local sem, turns = aw.semaphore(1000), 0
      local other = ev:start(aw.Forever(aw.Call(function()
        turns = turns + 1
      end)))
      for _ = 1, 140 do
        sem:acquire()
      end
      assert.is_true(turns >= 2, turns)
      other:cancel()
    end))

  it("is in labels, in wires and in a Deadlock [D1, L4, V8]",
    helper.sealed(function()
      local sem = aw.semaphore(0, { name = "db" })
      assert.are.equal("Acquire(semaphore db)", tostring(aw.Acquire(sem)))
      local ev = helper.virtual()
      ev:start(function()
        sem:acquire()
      end)
      local err = caught(ev.run, ev)
      contains(tostring(err), "acquire semaphore db")
      ev:close()
    end))

  it("belongs to one engine [S6]", helper.sealed(function()
    local sem = aw.semaphore(0, { name = "db" })
    aw.run(function()
      aw.start(aw.Acquire(sem))
      aw.yield()
      sem:release()
      local ev <close> = helper.virtual()
      local errors = {}
      local function handler(_, err)
        errors[#errors + 1] = tostring(err)
      end
      ev:start(function()
        sem:acquire()
      end, handler)
      ev:start(aw.Acquire(sem), handler)
      ev:run()
      assert.are.equal(2, #errors)
      contains(errors[1], "semaphore db")
    end)
  end))

  it("names wrong arguments", helper.sealed(function()
    raises("permits must not be negative", aw.semaphore, -1)
    raises("number has no integer representation", aw.semaphore, 0.5)
    raises("number has no integer representation", aw.semaphore, 0 / 0)
    raises("number expected, got no value", aw.semaphore)
    raises("unknown option 'most'", aw.semaphore, 1, { most = 1 })
    raises("bad option 'max'", aw.semaphore, 1, { max = 0 })
    raises("bad option 'max'", aw.semaphore, 1, { max = "2" })
    raises("more permits than that", aw.semaphore, 2, { max = 1 })
    raises("semaphore expected, got table", aw.semaphore(1).acquire, {})
    raises("semaphore expected, got nil", aw.Acquire, nil)
    local sem = aw.semaphore(1, { max = 1, name = "db" })
    raises("semaphore db (1 free): released more often than acquired",
      sem.release, sem)
  end))
end)

describe("a race with an event or a semaphore", function()
  it("leaves no waiter in a queue [H2]", logged(function(ev)
    local e = aw.event { name = "go" }
    local sem = aw.semaphore(0, { name = "db" })
    aw.await(aw.Wait(e) | aw.Acquire(sem) | aw.Sleep(1))
    assert.are.equal("event go (not set)", tostring(e))
    assert.are.equal("semaphore db (0 free)", tostring(sem))
    assert.are.equal(1, ev:now())
  end))

  it("takes no permit if another wins [H3]", logged(function(ev)
    local e, sem = aw.event(), aw.semaphore(1, { max = 1 })
    e:set()
    aw.await(aw.Wait(e) | aw.Acquire(sem))
    assert.is_truthy(sem:try_acquire())
    e:clear()
    local task = ev:start(aw.Wait(e) / function()
      return "event"
    end | aw.Acquire(sem) / function()
      return "permit"
    end)
    aw.yield()
    sem:release()
    e:set()
    aw.sleep(1)
    assert.are.equal("permit", task:results())
    assert.is_nil(sem:try_acquire())
  end))

  it("gives the permit to the next if it is decided [H2]", logged(
    function(ev, log, note)
      local e, sem = aw.event(), aw.semaphore(0)
      ev:start(aw.Wait(e) / function()
        note "event"
      end | aw.Acquire(sem))
      ev:start(aw.Acquire(sem) >> aw.Call(note, "permit of the next"))
      aw.yield()
      e:set()
      sem:release() -- the race is decided, but not resumed yet
      aw.sleep(1)
      assert.are.same({ "event", "permit of the next" }, log)
    end))
end)

describe("Acquire as a wire", function()
  it("ends with the permit, as acquire() [H1, O11]", logged(function(ev)
    local sem = aw.semaphore(1)
    local kept
    aw.await(aw.Acquire(sem) / function(permit)
      local held <close> = permit
      kept = tostring(held)
      assert.is_nil(sem:try_acquire())
    end)
    contains(kept, "permit of semaphore")
    assert.is_truthy(sem:try_acquire())
    assert.are.equal(0, #ev:tasks() - 1)
  end))

  it("takes none when it loses a race [H3]", logged(function()
    local sem = aw.semaphore(1)
    local permit = sem:acquire()
    assert.are.equal(2, (select(-1,
      aw.await(aw.Race { aw.Acquire(sem), aw.Sleep(1) }))))
    sem:release()
    assert.are.equal(permit, sem:try_acquire())
  end))

  it("takes one permit when Any has two of them [H3, O6]", logged(function()
    local a, b = aw.semaphore(0), aw.semaphore(0)
    local permit
    local t = aw.start(function()
      permit = aw.await(aw.Any { aw.Acquire(a), aw.Acquire(b) })
    end)
    aw.yield()
    a:release()
    b:release() -- before t is resumed
    t:wait()
    assert.is_nil(a:try_acquire())
    assert.is_truthy(b:try_acquire())
    do
      local _ <close> = permit
    end
    assert.is_truthy(a:try_acquire())
  end))

  it("takes a free one of Any's first [H3, O6]", logged(function()
    local a, b = aw.semaphore(1), aw.semaphore(1)
    aw.await(aw.Any { aw.Acquire(a), aw.Acquire(b) })
    assert.is_nil(a:try_acquire())
    assert.is_truthy(b:try_acquire())
  end))

  it("gives each task that has the same wire a permit [V1]", logged(function()
    local sem = aw.semaphore(2)
    local wire = aw.Acquire(sem)
    local s, t = aw.start(wire), aw.start(wire)
    local first, second = s:wait(), t:wait()
    assert.is_nil(sem:try_acquire())
    for _, permit in ipairs { first, second } do
      local _ <close> = permit
    end
    assert.is_truthy(sem:try_acquire())
    assert.is_truthy(sem:try_acquire())
  end))
end)
