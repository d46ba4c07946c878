-- After its waits a descriptor is closed, while a duplicate keeps the open file
-- alive [Q3]. The kernel must no longer watch the file: it must cost nothing
-- and wake no task.
--
-- /proc/self/fdinfo shows what the kernel watches: see
-- spec/support/duplicates.lua.

local aw = require "aiowire"
local d = require "spec_descriptors"
local duplicates = require "spec.support.duplicates"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"

local with, wait_until = duplicates.with, helper.wait_until

local info <close> = io.open "/proc/self/fdinfo/0"
if not info then
  describe("a closed descriptor", function()
    pending "the system does not show what epoll watches"
  end)
  return
end

--- Await the source `k`. Its entry in the epoll set must be gone when the await
--- returns or raises.
local function wait(k)
  local ok, err = pcall(aw.readable, k.src)
  k.gone()
  if not ok then
    error(err, 0)
  end
end

local function watched(k)
  wait_until(function()
    return k.held() > 0
  end)
end

--- Start a wait. Returns its task once the kernel watches the source.
local function waiting(ev, k)
  local task = ev:start(aw.Call(wait, k))
  watched(k)
  return task
end

--- Returns a wire that ends once the kernel watches `k`.
local function when_watched(k)
  return aw.Call(watched, k)
end

-- Functions that wait for a source, keyed by the way in which the wait ends.
local endings = {}

endings["is ready"] = function(k)
  k.feed()
  wait(k)
end

endings["becomes ready"] = function(k, ev)
  local task = waiting(ev, k)
  k.feed()
  task:wait()
end

endings["is cancelled"] = function(k, ev)
  local task = waiting(ev, k)
  task:cancel()
  k.gone()
  pcall(task.wait, task)
end

endings["is cancelled before the first poll"] = function(k, ev)
  local task = ev:start(aw.Readable(k.src))
  aw.yield()
  task:cancel_wait()
end

endings["runs out of time"] = function(k)
  local ok = pcall(aw.timeout, 0.001, wait, k)
  assert.is_false(ok)
end

endings["loses a race"] = function(k)
  aw.await(aw.Call(wait, k) | when_watched(k))
end

endings["loses a race as an event"] = function(k)
  aw.await(aw.Readable(k.src) | when_watched(k))
end

endings["wins a race against itself"] = function(k)
  aw.await(aw.Race { aw.Readable(k.src), aw.Readable(k.src) >> aw.Sleep(0),
    when_watched(k) >> aw.Call(k.feed) >> aw.Never })
end

endings["loses a choice"] = function(k)
  aw.await(aw.Select { aw.Readable(k.event), aw.Sleep(0.001) })
end

endings["is chosen"] = function(k, ev)
  ev:start(when_watched(k) >> aw.Call(k.feed))
  aw.await(aw.Select { aw.Readable(k.event), aw.Never })
end

endings["ends after a second one"] = function(k, ev)
  local task = waiting(ev, k)
  local other = ev:start(aw.Readable(k.src))
  aw.yield()
  other:cancel_wait()
  task:cancel_wait()
end

endings["is in a scope that fails"] = function(k)
  pcall(aw.scope, function(scope)
    scope:start(aw.Call(wait, k))
    watched(k)
    error "x"
  end)
end

endings["is one of several"] = function(k, ev)
  local tasks = {}
  for i = 1, 3 do
    tasks[i] = ev:start(aw.Readable(k.src))
  end
  watched(k)
  tasks[2]:cancel_wait()
  helper.expect("entries", 1, k.held())
  k.feed()
  tasks[1]:wait()
  k.gone()
  tasks[3]:wait()
end

endings["has another in a second engine"] = function(k, ev)
  local task = waiting(ev, k)
  aw.test(function(other)
    local second = other:start(aw.Readable(k.src))
    repeat
      aw.yield() -- the engine polls while tasks are ready
    until k.held() > 1
    second:cancel_wait()
  end)
  helper.expect("entries", 1, k.held())
  task:cancel_wait()
end

for kind, make in pairs(duplicates.kinds) do
  describe("a wait for " .. kind, function()
    for ending, f in pairs(endings) do
      it("that " .. ending .. " leaves nothing when it is closed [Q3]",
        with(make, function(k)
          aw.run(function(ev)
            f(k, ev)
            k.gone()
            k.close()
            k.feed()
            duplicates.reuse(ev, aw, k)
            k.gone()
          end)
        end))
    end

    it("whose loop runs out of time leaves nothing [Q3]",
      with(make, function(k)
        local short <close> = aw.EventLoop { timeout = 0.005 }
        short:start(aw.Readable(k.src))
        assert.are.equal("timeout", short:run())
        k.gone()
        k.close()
        k.feed()
        aw.run(function(ev)
          duplicates.reuse(ev, aw, k)
        end)
      end))

    it("that is killed leaves nothing [Q3, C9]", with(make, function(k)
      local ev <close> = aw.EventLoop { grace = 0 }
      ev:start(function()
        while true do
          pcall(aw.readable, k.src)
          k.gone()
        end
      end)
      ev:start(function()
        watched(k)
        ev:stop()
      end)
      ev:run()
      assert.are.equal(1, #ev.stuck)
      k.gone()
    end))
  end)
end

-- A Poller ------------------------------------------------------------------

-- Functions that run a Poller, keyed by the way in which the Poller drops its
-- source. Each closes the source right after that, before other user code runs.
local partings = {}

--- Start a Poller with the source `k`, and wait until the kernel watches it.
local function polling(ev, k, callback, opts)
  local poller = aw.Poller({ [k.src] = callback or helper.nop }, opts)
  local task = ev:start(poller, helper.nop)
  watched(k)
  return poller, task
end

partings["is unregistered"] = function(k, ev)
  local poller, task = polling(ev, k)
  poller:unregister(k.src)
  k.gone()
  k.close()
  poller:shutdown()
  task:wait()
end

partings["is unregistered by its callback"] = function(k, ev)
  local poller, task
  poller, task = polling(ev, k, function()
    poller:unregister(k.src)
    k.gone()
    k.close()
    poller:shutdown()
  end)
  k.feed()
  task:wait()
end

partings["is unregistered beside its callback"] = function(k, ev)
  local begun, done = aw.event(), aw.event()
  local poller, task = polling(ev, k, function()
    begun:set()
    done:wait()
  end)
  k.feed()
  begun:wait()
  poller:unregister(k.src)
  k.gone()
  k.close()
  done:set()
  poller:shutdown()
  task:wait()
end

partings["is unregistered when it is ready"] = function(k, ev)
  local called = false
  local poller, task = polling(ev, k, function()
    called = true
  end)
  ev:start(function()
    aw.readable(k.copy) -- wakes before the Poller, in the same turn
    poller:unregister(k.src)
    k.close()
  end)
  aw.sleep(0)
  k.feed()
  wait_until(function()
    return k.held() == 0
  end)
  poller:shutdown()
  task:wait()
  return called
end

partings["is unregistered and registered again"] = function(k, ev)
  local poller, task = polling(ev, k)
  poller:unregister(k.src)
  poller:register(k.src, helper.nop)
  watched(k)
  poller:unregister(k.src)
  k.close()
  poller:shutdown()
  task:wait()
end

partings["is shut down"] = function(k, ev)
  local poller, task = polling(ev, k)
  poller:shutdown()
  k.gone()
  k.close()
  task:wait()
end

partings["is cancelled"] = function(k, ev)
  local _, task = polling(ev, k)
  task:cancel_wait()
end

partings["is cancelled in its callback"] = function(k, ev)
  local begun = aw.event()
  local _, task = polling(ev, k, function()
    begun:set()
    aw.sleep(3600)
  end)
  k.feed()
  begun:wait()
  task:cancel_wait()
end

partings["runs out of time"] = function(k)
  pcall(aw.timeout, 0.005, aw.Poller { [k.src] = helper.nop })
end

partings["loses a race"] = function(k)
  aw.await(aw.Poller { [k.src] = helper.nop } | when_watched(k))
end

partings["fails by its callback"] = function(k, ev)
  local _, task = polling(ev, k, error)
  k.feed()
  pcall(task.wait, task)
end

partings["hands a failure to on_error, which closes it"] = function(k, ev)
  local closed = aw.event()
  local poller, task
  poller, task = polling(ev, k, error, { on_error = function()
    k.gone()
    poller:unregister(k.src)
    k.close()
    closed:set()
  end })
  k.feed()
  closed:wait()
  poller:shutdown()
  task:wait()
end

for kind, make in pairs(duplicates.kinds) do
  describe("a Poller of " .. kind, function()
    for parting, f in pairs(partings) do
      it("that " .. parting .. " leaves nothing [Q3]", with(make, function(k)
        aw.run(function(ev)
          f(k, ev)
          k.gone()
          k.close()
          k.feed()
          duplicates.reuse(ev, aw, k)
          k.gone()
        end)
      end))
    end

    it("keeps its watcher while its callback runs [Q3]",
      with(make, function(k)
        aw.run(function(ev)
          local poller, task
          poller, task = polling(ev, k, function()
            helper.expect("entries", 1, k.held())
            poller:shutdown()
          end)
          k.feed()
          task:wait()
        end)
      end))

    it("keeps it for another Poller, which is notified [Q3]",
      with(make, function(k)
        aw.run(function(ev)
          local heard = aw.event()
          local first, first_task = polling(ev, k)
          local second
          second = aw.Poller { [k.fd] = function()
            second:shutdown()
            heard:set()
          end }
          local second_task = ev:start(second)
          aw.sleep(0.001)
          first:shutdown()
          first_task:wait()
          helper.expect("entries", 1, k.held())
          k.feed()
          heard:wait()
          second_task:wait()
          k.gone()
        end)
      end))
  end)
end

-- Streams, and mistakes ------------------------------------------------------

describe("a stream", function()
  it("releases its watcher when it is closed [Q3]", function()
    helper.leak_checked(function()
      aw.run(function(ev)
        local p <close> = aw.spawn { "cat", stdin = "pipe", stdout = "pipe" }
        local fd = p.stdout:getfd()
        local copy = d.dup(fd)
        local reader = ev:start(aw.Call(p.stdout.read, p.stdout, 1))
        wait_until(function()
          return duplicates.entries(fd) > 0
        end)
        reader:cancel_wait()
        p.stdout:close()
        helper.expect("entries", 0, duplicates.entries(fd))
        p.stdin:close()
        duplicates.reuse(ev, aw, { fd = fd })
        d.close(copy)
        p:wait()
      end)
    end)
  end)
end)

describe("a descriptor that is closed under its wait", function()
  for kind, make in pairs(duplicates.kinds) do
    it("is not reported twice: " .. kind .. " [Q3]", with(make, function(k)
      aw.run(function(ev)
        local task = ev:start(aw.Readable(k.src), helper.nop)
        watched(k)
        local other = d.event()
        local bystander = ev:start(aw.Readable(other))
        aw.yield()
        k.close()
        k.feed()
        wait_until(function()
          return task.status ~= "waiting" and k.held() == 0
        end)
        duplicates.reuse(ev, aw, k)
        -- All other descriptors are still watched.
        d.write(other, ("<i8"):pack(1))
        bystander:wait()
        helper.expect("a child", true, aw.exec("true").ok)
        d.close(other)
      end)
    end))

    it("does not wake the next waiter on its number: " .. kind .. " [Q3]",
      with(make, function(k)
        aw.run(function(ev)
          local seen
          local task = ev:start(aw.Readable(k.src), function(_, err)
            seen = err.code
          end)
          watched(k)
          k.close()
          duplicates.reuse(ev, aw, k)
          pcall(task.wait, task)
          helper.expect("the wait", "EBADF", seen)
          k.gone()
        end)
      end))

    it("may be closed by the callback of its Poller: " .. kind .. " [Q3]",
      with(make, function(k)
        aw.run(function(ev)
          local _, task = polling(ev, k, function()
            k.close()
          end)
          k.feed()
          pcall(task.wait, task)
          duplicates.reuse(ev, aw, k)
          k.gone()
        end)
      end))
  end
end)

describe("a pipe without a reader", function()
  it("is not watched after its writer was woken [Q3]", function()
    helper.leak_checked(function()
      local r, w = d.pipe()
      local copy = d.dup(w)
      d.close(r)
      aw.run(function(ev)
        aw.writable(w) -- POLLERR wakes it
        helper.expect("entries", 0, duplicates.entries(w))
        d.close(w)
        duplicates.reuse(ev, aw, { fd = w })
      end)
      d.close(copy)
    end)
  end)
end)

describe("a terminal or a named pipe", function()
  it("with a number that was closed is another file [Q3]", function()
    helper.leak_checked(function()
      local path = os.tmpname()
      os.remove(path)
      assert(os.execute("mkfifo " .. path))
      local first = assert(io.open(path, "r+"))
      local fd = pipes.fd(first)
      local copy = d.dup(fd)
      aw.run(function(ev)
        local heard
        local old = ev:start(aw.Readable(fd), function(_, err)
          heard = err.code
        end)
        wait_until(function()
          return duplicates.entries(fd) > 0
        end)
        first:close()
        local second = assert(io.open(path, "r+"))
        helper.expect("number", fd, pipes.fd(second))
        second:setvbuf "no"
        local new = ev:start(aw.Readable(fd))
        aw.yield()
        second:write "x"
        new:wait()
        pcall(old.wait, old)
        helper.expect("the old wait", "EBADF", heard)
        second:close()
      end)
      d.close(copy)
      os.remove(path)
    end)
  end)
end)
