-- aw.fs.watch: tasks that wait, the end of a watch, and its limits.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local lfs = require "lfs" -- comes with busted

local raises = helper.raises

--- Returns a function for `it` that runs `f(w, at, ev)` in a task, with a watch
--- of a new folder.
local function watching(f)
  return function()
    local d <close> = folder.new()
    helper.run(function(ev)
      local w <close> = aw.fs.watch(d.path)
      f(w, d.path, ev)
    end)
  end
end

local function name_of(event)
  return event.path:match "[^/]*$"
end

describe("a task that receives from a file watch", function()
  it("waits until something happens [W35]", watching(function(w, at, ev)
    local task = helper.waiting(ev, aw.Call(w.recv, w))
    assert.is_truthy(ev:dump():find("recv " .. at, 1, true))
    lfs.mkdir(at .. "/d")
    assert.are.same({ path = at .. "/d", what = "rename" }, task:wait())
  end))

  it("gets one event, and the oldest task the first [W35]",
    watching(function(w, at, ev)
      local log, note = helper.recorder()
      for i = 1, 3 do
        helper.waiting(ev, function()
          note(i .. name_of(w:recv()))
        end)
      end
      for i = 1, 4 do
        lfs.mkdir(at .. "/" .. i)
      end
      helper.wait_until(function()
        return #log == 3
      end)
      assert.are.same({ "11", "22", "33" }, log)
      assert.are.equal("4", name_of(w:recv()))
    end))

  it("takes its turn behind those that wait [W35]", watching(
    function(w, at, ev)
      local log, note = helper.recorder()
      helper.waiting(ev, function()
        note("first " .. name_of(w:recv()))
      end)
      lfs.mkdir(at .. "/1")
      lfs.mkdir(at .. "/2")
      note("second " .. name_of(w:recv()))
      table.sort(log)
      assert.are.same({ "first 1", "second 2" }, log)
    end))

  it("has taken nothing when it is cancelled [W35]", watching(
    function(w, at, ev)
      local task = helper.waiting(ev, aw.Call(w.recv, w))
      task:cancel_wait()
      lfs.mkdir(at .. "/1")
      task = ev:start(aw.Recv(w))
      task:cancel_wait()
      assert.are.equal("1", name_of(w:recv()))
    end))

  it("takes nothing as the loser of a race [W35, H3]", watching(
    function(w, at)
      lfs.mkdir(at .. "/1")
      local channel = aw.channel(1)
      channel:send "left"
      assert.are.equal("left", aw.await(aw.Recv(channel) | aw.Recv(w)))
      local key, event = aw.select { aw.Recv(w), aw.Never }
      assert.are.equal(1, key)
      assert.are.equal("1", name_of(event))
      assert.is_nil(aw.await(aw.Recv(w) | aw.Sleep(0)))
    end))

  it("gives back an event when it is killed before its turn [W35]",
    watching(function(w, at)
      local inner = aw.EventLoop { grace = 0 }
      local task = inner:start(function()
        while true do
          if pcall(w.recv, w) then
            return
          end
        end
      end)
      inner:run(0)
      assert.are_not.equal("waiting", task.status)
      lfs.mkdir(at .. "/1")
      assert.are.equal("1", name_of(w:recv()))
    end))

  it("is no deadlock, nor does it stop a virtual clock [W35]", function()
    local d <close> = folder.new()
    helper.test(function(ev)
      local w <close> = aw.fs.watch(d.path)
      local task = ev:start(aw.Recv(w))
      ev:start(function()
        aw.sleep(0)
        lfs.mkdir(d.path .. "/1")
      end)
      assert.are.equal("1", name_of(task:wait()))
    end)
  end)

  it("keeps no loop alive in the background [W35]", function()
    local d <close> = folder.new()
    local w <close> = aw.fs.watch(d.path)
    helper.run_loop(function(ev)
      ev:start(aw.Recv(w), nil, { background = true })
      ev:start(aw.Sleep(0.001))
    end)
  end)
end)

describe("the iterator of a file watch", function()
  it("gives all events until the watch is closed [W30, W36]",
    watching(function(w, at, ev)
      local log = {}
      local task = ev:start(function()
        for event in w:iter() do
          log[#log + 1] = name_of(event)
        end
      end)
      for i = 1, 3 do
        lfs.mkdir(at .. "/" .. i)
      end
      helper.wait_until(function()
        return #log == 3
      end)
      w:close()
      task:wait()
      assert.are.same({ "1", "2", "3" }, log)
    end))
end)

describe("a closed file watch", function()
  it("gives nil and \"closed\" [W36]", watching(function(w, at)
    lfs.mkdir(at .. "/1")
    w:close()
    w:close()
    assert.are.same({ nil, "closed" }, { w:recv() })
    assert.are.same({ nil, "closed" }, { aw.await(aw.Recv(w)) })
    assert.are.equal(("file watch '%s' (closed)"):format(at), tostring(w))
  end))

  it("ends all waits so [W36]", watching(function(w, _, ev)
    local tasks = {}
    for i = 1, 3 do
      tasks[i] = helper.waiting(ev, i == 2 and aw.Recv(w)
        or aw.Call(w.recv, w))
    end
    w:close()
    for i = 1, 3 do
      assert.are.same({ nil, "closed" }, { tasks[i]:wait() })
    end
  end))

  it("ends waits of an engine that stands still [W36]", watching(
    function(w, _, ev)
      local task = helper.waiting(ev, aw.Call(w.recv, w))
      local inner <close> = helper.virtual()
      inner:start(function()
        w:close()
      end)
      inner:run()
      assert.are.same({ nil, "closed" }, { task:wait() })
    end))

  it("may be garbage before [W36]", helper.sealed(function()
    local d <close> = folder.new()
    for _ = 1, 20 do
      assert(aw.fs.watch(d.path))
    end
  end))
end)

describe("a file watch of several engines", function()
  it("is used by one at a time [W38, S6]", watching(function(w, at, ev)
    local task = helper.waiting(ev, aw.Call(w.recv, w))
    local inner <close> = helper.virtual()
    local err
    inner:start(function()
      err = helper.caught(w.recv, w)
    end)
    inner:run()
    assert.is_truthy(tostring(err):find("tasks of another engine wait for "
      .. "changes of '" .. at .. "'", 1, true))
    lfs.mkdir(at .. "/1")
    task:wait()
    lfs.mkdir(at .. "/2")
    local again <close> = helper.virtual()
    local second = again:start(aw.Recv(w))
    again:run()
    assert.are.equal("2", name_of(second:results()))
  end))
end)

describe("two file watches", function()
  it("of one folder tell both of everything [W38]", watching(function(w, at)
    local other <close> = aw.fs.watch(at)
    lfs.mkdir(at .. "/1")
    assert.are.equal("1", name_of(w:recv()))
    w:close()
    assert.are.equal("1", name_of(other:recv()))
    lfs.mkdir(at .. "/2")
    assert.are.equal("2", name_of(other:recv()))
  end))
end)

describe("a file watch whose events are not received", function()
  it("tells that events are lost, and goes on [W34]", watching(
    function(w, at)
      local most
      do
        local file <close> = assert(io.open
          "/proc/sys/fs/inotify/max_queued_events")
        most = file:read "n"
      end
      if most > 100000 then
        helper.pending "the queue of the kernel is too long"
      end
      lfs.mkdir(at .. "/0")
      for i = 1, most do
        os.rename(at .. "/" .. i - 1, at .. "/" .. i)
      end
      local count, last = 0
      repeat
        last = w:recv()
        count = count + 1
      until last.what == "overflow"
      assert.are.equal(at, last.path)
      -- One for the two of each name. Events of the folder above are in the
      -- queue, too.
      assert.is_true(count > most // 4)
      lfs.mkdir(at .. "/more")
      assert.are.equal("more", name_of(w:recv()))
    end))
end)

describe("a file watch", function()
  it("shows its path [W30]", watching(function(w, at)
    assert.are.equal(("file watch '%s' (open)"):format(at), tostring(w))
    assert.are.equal(at, w.path)
    assert.is_nil(w.other)
    raises("attempt to index", function()
      w.path = "x"
    end)
  end))

  it("refuses other objects [W30]", function()
    raises("file watch expected", aw.fs.watch(".").recv, io.stdout)
    raises("cannot send", aw.Send, aw.fs.watch ".", 1)
  end)

  it("does not work in a forked child, and harms no parent [W38]", function()
    local outcome = process.host [[
      local aw = require "aiowire"
      local fork = require "spec_fork"
      os.execute "mkdir d"
      local w = aw.fs.watch "d"
      local pid = fork.fork()
      if pid == 0 then
        local ok, err = pcall(aw.run, function() w:recv() end)
        w:close()
        os.exit(not ok and tostring(err):find "forked" and 7 or 8, false)
      end
      assert(fork.wait(pid) == 7)
      os.execute "mkdir d/e"
      print(w:recv().what)
    ]]
    assert.are.equal("rename\n", outcome.out, outcome.err)
  end)
end)

describe("a limit of the kernel on file watches", function()
  -- A namespace for users has limits of its own.
  local function limited(name, most, code)
    local outcome = process.run([[
      unshare -Ur true || exit 77
      exec unshare -Ur sh ./prepare $aiowire]], {
      prepare = ("echo %d >/proc/sys/user/%s || exit 77\nexec \"$1\" s.lua")
        :format(most, name),
      ["s.lua"] = code,
    })
    if outcome.code == 77 then
      helper.pending "there are no namespaces for users"
    end
    process.assert_outcome("fine\n", 0, outcome)
  end

  it("is an error that names it: watches [W37]", function()
    limited("max_inotify_watches", 30, [[
      local aw = require "aiowire"
      local function fails(f, ...)
        local ok, err = pcall(f, ...)
        assert(not ok and err.code == "ENOSPC" and err.call == "watch")
        assert(err.message:find("fs.inotify.max_user_watches", 1, true))
      end
      for i = 1, 30 do
        os.execute("mkdir -p d/" .. i)
      end
      fails(aw.fs.watch, "d", { recursive = true })
      os.execute "mkdir d2"
      local w
      repeat -- a thread gives back what the failed watch had
        w = select(2, pcall(aw.fs.watch, "d2", { recursive = true }))
        aw.sleep(0.001)
      until not aw.is_system_error(w)
      os.execute "mv d/* d2"
      fails(function()
        for _ = 1, 100 do
          w:recv()
        end
      end)
      os.execute "rm -r d2/*"
      repeat
        local event = w:recv()
      until event.what == "overflow"
      os.execute ">d2/x"
      repeat
        local event = w:recv()
      until event.path:find "d2/x$"
      print "fine"
    ]])
  end)

  it("is an error that names it: descriptors of inotify [W37]", function()
    limited("max_inotify_instances", 3, [[
      local aw = require "aiowire"
      local list = {}
      for i = 1, 3 do
        list[i] = aw.fs.watch "."
      end
      local ok, err = pcall(aw.fs.watch, ".")
      assert(not ok and err.code == "EMFILE", tostring(err))
      assert(err.message:find("fs.inotify.max_user_instances", 1, true))
      for i = 1, 3 do
        list[i]:close()
      end
      print "fine"
    ]])
  end)
end)
