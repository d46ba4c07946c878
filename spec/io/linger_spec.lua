-- The end of a socket whose peer does not read [X3]. The limit of 30 s is made
-- short where it must expire, and left where it must not.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local socketpairs = require "spec.support.socketpairs"

local raises, sealed, wait_until = helper.raises, helper.sealed,
  helper.wait_until

local SIZE <const> = 8000000 -- more than the kernel takes
local SOON <const> = 0.005
local RESET <const> = "Connection reset by peer"

--- Returns a stream with a queue that its peer, a descriptor, does not read.
local function stuffed(kind)
  local s, peer = socketpairs.half(kind)
  s:configure { high_water = 2 * SIZE }
  s:write(("x"):rep(SIZE))
  return s, peer
end

--- Runs `f(s, peer, kind)` with each kind of socket.
local function each_kind(f)
  return function()
    for _, kind in ipairs { "unix", "tcp" } do
      helper.run(function()
        local group <close> = clients.group()
        local s, peer = stuffed(kind)
        local _ <close> = s
        f(s, group.keep(peer), kind)
      end)
    end
  end
end

--- Read all that a peer gets. Returns the size, and an error at the end.
local function drain(peer)
  local size = 0
  while true do
    aw.readable(peer)
    local ok, text = pcall(clients.receive, peer)
    if not ok or text == "" then
      return size, not ok and text or nil
    end
    size = size + #text
  end
end

--- Check that a peer gets less than all. A unix socket has no reset.
local function check_cut(peer, kind)
  local size, problem = drain(peer)
  assert.is_true(size < SIZE)
  if kind == "tcp" then
    assert.are.equal(RESET, problem)
  end
end

local function wait_closed(fd)
  wait_until(function()
    return not clients.is_open(fd)
  end)
end

describe("a closed socket whose peer does not read", function()
  it("sends what is queued if the peer reads at last [X2, X3]",
    each_kind(function(s, peer)
      local fd = s:getfd()
      s:close()
      aw.sleep(0.001)
      assert.is_true(clients.is_open(fd))
      local size, problem = drain(peer)
      assert.are.equal(SIZE, size)
      assert.is_nil(problem)
    end))

  it("is not kept for ever [X3]",
    each_kind(function(s, peer, kind)
      local fd = s:getfd()
      socketpairs.linger(s, SOON)
      s:close()
      wait_closed(fd)
      check_cut(peer, kind)
    end))

  it("is closed at once if a write was cancelled half way [X3]",
    each_kind(function(s, peer, kind)
      local fd = s:getfd()
      local task = aw.start(aw.Call(s.write, s, ("y"):rep(3 * SIZE)))
      wait_until(function()
        return task.status == "waiting"
      end)
      task:cancel_wait()
      s:close()
      wait_closed(fd)
      check_cut(peer, kind)
    end))

  it("is closed with its loop, after the grace of that [X3]", sealed(function()
    for _, kind in ipairs { "unix", "tcp" } do
      local ev <close> = aw.EventLoop { grace = SOON }
      local group <close> = clients.group()
      local fd, peer
      ev:start(function()
        local s
        s, peer = stuffed(kind)
        group.keep(peer)
        fd = s:getfd()
        s:close()
        aw.yield()
        assert.is_true(clients.is_open(fd))
      end)
      assert.are.equal("done", ev:run())
      assert.is_false(clients.is_open(fd))
      helper.run(function()
        check_cut(peer, kind)
      end)
    end
  end))

  it("is sent before its loop ends, if the peer reads [X2, X3]", function()
    local outcome = process.run("$aiowire writer.lua & $aiowire reader.lua", {
      ["writer.lua"] = [[
        local aw = require "aiowire"
        local server <close> = aw.unix.listen "socket"
        local s = server:accept():configure { high_water = 16000000 }
        s:write(("x"):rep(8000000))
        s:close()]],
      ["reader.lua"] = [[
        local aw = require "aiowire"
        local s = aw.await(aw.Call(aw.unix.connect, "socket")
          :retry { times = 10000, delay = 0.01 })
        print(#s:read "a")]] })
    assert.are.equal("8000000\n", outcome.out, outcome.err)
  end)

  it("is closed with a loop that fails [X3]", sealed(function()
    local ev <close> = aw.EventLoop { grace = 1000 }
    local group <close> = clients.group()
    ev:start(function()
      local s, peer = stuffed "tcp"
      group.keep(peer)
      s:close()
      aw.yield()
      error "on purpose"
    end)
    raises("on purpose", ev.run, ev)
  end))
end)

describe("a socket with a queue", function()
  it("is not handed to a child, which would block its pump [X3]", each_kind(
    function(s, peer)
      raises("has not written all yet", aw.spawn, { "true", stdin = s })
      raises("has not written all yet", aw.spawn, { "true", stdout = s })
      assert.is_true(clients.is_open(peer))
    end))
end)

describe("a closed FIFO whose reader is slow", function()
  it("has no limit [X3]", function()
    clients.in_folder(function(folder)
      assert(os.execute("mkfifo " .. folder .. "/fifo"))
      helper.run(function()
        local r <close> = aw.fs.open(folder .. "/fifo")
        local w = aw.fs.open(folder .. "/fifo", "w")
        w:configure { high_water = SIZE }
        w:write(("x"):rep(1000000))
        socketpairs.linger(w, 0)
        w:close()
        aw.sleep(0.01)
        assert.are.equal(1000000, #r:read "a")
      end)
    end)
  end)
end)

describe("a loop that is stopped", function()
  --- Run a loop that is stopped while it queues bytes. Calls `f(peer, kind)`
  --- beside it.
  local function stopping(grace, f)
    return function()
      for _, kind in ipairs { "unix", "tcp" } do
        helper.run(function(ev)
          local group <close> = clients.group()
          local stopped <close> = aw.EventLoop { grace = grace }
          local s <close>, peer = socketpairs.half(kind)
          group.keep(peer)
          local going = aw.event()
          stopped:start(aw.Wire(function()
            s:configure { high_water = SIZE }
            s:write(("x"):rep(SIZE))
            stopped:stop()
            aw.sleep(0)
            going:set()
            s:write(("x"):rep(SIZE)) -- awaits, if the peer has not read
            s:close()
          end):shielded(math.huge))
          local reader = ev:start(function()
            going:wait()
            f(peer, kind)
          end)
          assert.are.equal("stopped", stopped:run())
          s:close()
          reader:wait()
        end)
      end
    end
  end

  it("sends what is written to sockets within its grace [X3]",
    stopping(1000, function(peer)
      local size, problem = drain(peer)
      assert.are.equal(2 * SIZE, size)
      assert.is_nil(problem)
    end))

  it("ends when its grace is over [X3]", stopping(SOON, helper.nop))
end)

describe("a connection of Serve whose peer does not read", function()
  --- Serve one connection at a time. The first one writes, then calls
  --- `how(ev, s)`; later ones send their number. Calls `f(first, second)` with
  --- two clients.
  local function serving(how, f)
    return function()
      helper.run(function(ev)
        local server <close>, port = clients.listen { high_water = 2 * SIZE }
        local group <close> = clients.group()
        local count = 0
        local task = ev:start(aw.Serve(server, function(_, s)
          count = count + 1
          if count > 1 then
            s:write(tostring(count))
            return
          end
          s:write(("x"):rep(SIZE))
          how(ev, s)
        end, helper.nop, { max_connections = 1 }))
        local first = group.keep(clients.connect(port))
        local second = group.keep(clients.connect(port))
        f(first, second)
        task:cancel_wait()
      end)
    end
  end

  local function second_is_served(first, second)
    assert.are.equal("2", clients.answer(second))
    check_cut(first, "tcp")
  end

  it("frees its place at once when its body fails [X18, X3]",
    serving(function()
      error "on purpose"
    end, second_is_served))

  it("frees its place at once when a time-out ends its write [X18, X3]",
    serving(function(_, s)
      aw.timeout(SOON, s.write, s, ("x"):rep(3 * SIZE))
    end, second_is_served))

  it("frees its place at once when its body caught that [X18, X3]",
    serving(function(_, s)
      pcall(aw.timeout, SOON, s.write, s, ("x"):rep(3 * SIZE))
    end, second_is_served))

  it("frees its place when the peer has taken nothing for long [X18, X3]",
    serving(function(_, s)
      socketpairs.linger(s, SOON)
    end, second_is_served))

  it("frees its place when the peer has read everything [X18, X3]",
    serving(function(_, s)
      s:close() -- and so does the Serve
    end, function(first, second)
      local size, problem = drain(first)
      assert.are.equal(SIZE, size)
      assert.is_nil(problem)
      assert.are.equal("2", clients.answer(second))
    end))
end)

describe("a Serve that is cancelled", function()
  it("sends what was written, and drops it after its grace [X19, X3]",
    function()
      for _, reads in ipairs { true, false } do
        helper.run(function(ev)
          local server <close>, port = clients.listen { high_water = 2 * SIZE }
          local group <close> = clients.group()
          local written = aw.event()
          local task = ev:start(aw.Serve(server, function(_, s)
            s:write(("x"):rep(SIZE))
            written:set()
          end), nil, { grace = reads and 1000 or SOON })
          local client = group.keep(clients.connect(port))
          written:wait()
          task:cancel()
          if not reads then
            pcall(task.wait, task)
          end
          local size, problem = drain(client)
          assert.are.equal(reads, size == SIZE)
          assert.are.equal(not reads and RESET or nil, problem)
          pcall(task.wait, task)
        end)
      end
    end)
end)
