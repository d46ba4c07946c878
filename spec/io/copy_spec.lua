-- aw.copy: from one stream to another [X7].

local aw = require "aiowire"
local d = require "spec_descriptors"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local socketpairs = require "spec.support.socketpairs"

local raises, run, waiting = helper.raises, helper.run, helper.waiting

--- Returns a function for `it` that runs `f(ev, source, from, to, sink)` in a
--- loop. Two pairs of sockets: what `source` writes can be copied `from`, and
--- `sink` reads what is copied `to`.
local function between(f)
  return function()
    run(function(ev)
      local source, from = socketpairs.pair "tcp"
      local to, sink = socketpairs.pair "tcp"
      local _ <close> = source
      local _ <close> = from
      local _ <close> = to
      local _ <close> = sink
      f(ev, source, from, to, sink)
    end)
  end
end

--- Starts a copy and returns its task once it waits.
local function copying(ev, from, to)
  return waiting(ev, aw.Call(aw.copy, from, to), aw.keep)
end

--- Returns `size` bytes in which each position can be told.
local function numbered(size)
  local list = {}
  for i = 1, size // 8 do
    list[i] = ("%08d"):format(i)
  end
  return table.concat(list)
end

describe("a copy", function()
  it("ends at the end of its source, and counts bytes [X7]",
    between(function(ev, source, from, to, sink)
      local text = numbered(helper.scale(3000000))
      ev:start(function()
        source:write(text)
        source:shutdown()
      end)
      local copied = ev:start(function()
        assert.are.equal(#text, aw.copy(from, to))
        to:write "more" -- it has shut down nothing
        to:shutdown()
      end)
      assert.are.equal(text .. "more", sink:read "a")
      copied:wait()
      assert.are.equal(0, aw.copy(from, sink))
    end))

  it("ends after `limit` bytes, and leaves the others [X7]",
    between(function(_, source, from, to, sink)
      source:write "0123456789"
      assert.are.equal(0, aw.copy(from, to, 0))
      assert.are.equal(4, aw.copy(from, to, 4))
      assert.are.equal(1, aw.copy(from, to, 1))
      assert.are.equal("01234", sink:read_some())
      assert.are.equal("56789", from:read_some())
      source:write "x"
      source:close()
      assert.are.equal(1, aw.copy(from, to, 100))
    end))

  it("begins with what was read and not taken [X7]",
    between(function(_, source, from, to, sink)
      source:write "line\nrest"
      source:shutdown()
      assert.are.equal("line", from:read())
      assert.are.equal(4, aw.copy(from, to))
      assert.are.equal("rest", sink:read(4))
    end))

  it("sends what is queued first [X7]",
    between(function(ev, source, from, to, sink)
      local head = ("x"):rep(20000000) -- more than the kernel takes
      to:configure { high_water = #head }
      to:write(head)
      source:write "tail"
      source:shutdown()
      local task = copying(ev, from, to)
      assert.are.equal(head, sink:read(#head))
      assert.are.equal(4, task:wait())
      assert.are.equal("tail", sink:read(4))
    end))

  it("mixes nothing into a large write of another task [X7, C10]",
    between(function(ev, source, from, to, sink)
      local size = 3000000
      ev:start(function()
        to:write(("x"):rep(size))
      end)
      aw.yield()
      source:write "tail"
      source:shutdown()
      ev:start(function()
        aw.copy(from, to)
        to:shutdown()
      end)
      local text = sink:read "a"
      assert.are.equal(size, #text:match "^x+")
      assert.are.equal("tail", text:sub(size + 1))
    end))

  it("loses nothing and sends nothing twice when it is cancelled [X7, C10]",
    between(function(ev, source, from)
      local to, sink = socketpairs.pair "unix"
      local _ <close> = to
      local _ <close> = sink
      d.narrow(to:getfd()) -- so that the kernel takes only parts
      local text = numbered(helper.scale(4000000))
      ev:start(function()
        source:write(text)
        source:shutdown()
      end)
      ev:start(function()
        for i = 1, helper.scale(1000) do
          local task = ev:start(aw.Call(aw.copy, from, to))
          for _ = 1, i % 7 do
            aw.yield()
          end
          if task.status == "done" then
            break
          end
          task:cancel()
          helper.join(task)
        end
        aw.copy(from, to)
        to:shutdown()
      end)
      local got = {}
      for part in function() return sink:read_some() end do
        got[#got + 1] = part
        aw.yield()
      end
      assert.is_true(table.concat(got) == text)
    end))

  it("goes from a stream to itself, as an echo [X7]",
    between(function(ev, source, from)
      local echo = ev:start(aw.Call(aw.copy, from, from))
      source:write "hello"
      assert.are.equal("hello", source:read(5))
      source:shutdown()
      assert.are.equal(5, echo:wait())
    end))

  it("works in both directions at the same time, as a forwarder [X7]",
    between(function(ev, source, from, to, sink)
      local both = ev:start(
        aw.Call(aw.copy, from, to) / function() to:shutdown() end
        & aw.Call(aw.copy, to, from) / function() from:shutdown() end)
      source:write "ask"
      source:shutdown()
      assert.are.equal("ask", sink:read "a")
      sink:write "answer"
      sink:close()
      assert.are.equal("answer", source:read "a")
      both:wait()
    end))

  it("takes the streams of children, too [X7]", function()
    run(function()
      local text = numbered(helper.scale(800000))
      local a <close> = aw.spawn { "cat" }
      local b <close> = aw.spawn { "wc", "-c" }
      aw.scope(function(s)
        s:start(function()
          a.stdin:write(text)
          a.stdin:shutdown()
        end)
        assert.are.equal(#text, aw.copy(a.stdout, b.stdin))
      end)
      b.stdin:shutdown()
      assert.are.equal(#text, math.tointeger(tonumber((b.stdout:read "a"))))
    end)
  end)

  it("writes to the standard output, between lines of print [X7]", function()
    local result = process.run("seq 20000 | $aiowire s.lua", { ["s.lua"] = [[
      local aw = require "aiowire"
      print "before"
      print(aw.copy(aw.stdin, aw.stdout))
    ]] })
    assert.are.equal("", result.err)
    local lines = {}
    for i = 1, 20000 do
      lines[i] = i .. "\n"
    end
    local text = table.concat(lines)
    assert.are.equal("before\n" .. text .. #text .. "\n", result.out)
  end)

  it("lets other tasks have their turns [F3]",
    between(function(ev, source, from, to, sink)
      local turns, over = 0, false
      local size = helper.scale(20000000)
      ev:start(function()
        source:write(("x"):rep(size))
        source:shutdown()
      end)
      local reader = ev:start(function()
        while sink:read_some() do end
      end)
      ev:start(function()
        while not over do
          turns = turns + 1
          aw.yield()
        end
      end)
      assert.are.equal(size, aw.copy(from, to))
      over = true
      to:shutdown()
      reader:wait()
      assert.is_true(turns > helper.scale(20), turns)
    end))
end)

describe("a copy that fails", function()
  --- Returns a function for `it` that runs `f(ev, from, to, source, sink)`: the
  --- last two are the descriptors at the other ends.
  local function with_ends(f)
    return function()
      run(function(ev)
        local from, source = socketpairs.half "tcp"
        local to, sink = socketpairs.half "tcp"
        local _ <close> = from
        local _ <close> = to
        f(ev, from, to, source, sink)
      end)
    end
  end

  it("names the stream that could not be read [X7]",
    with_ends(function(_, from, to, source, sink)
      d.write(source, "abc")
      d.reset(source)
      local err = raises("connection reset", aw.copy, from, to)
      assert.are.equal("ECONNRESET", err.code)
      assert.are.equal("read", err.call)
      assert.are.equal("tcp 127.0.0.1:" .. select(2, from:peer()), err.about)
      assert.are.equal("abc", d.read(sink, 64))
      d.close(sink)
    end))

  it("names the stream that could not be written, and keeps the bytes [X7]",
    with_ends(function(ev, from, to, source, sink)
      local task = copying(ev, from, to)
      d.reset(sink)
      d.write(source, "abc")
      local err = helper.caught(task.wait, task)
      assert.are.equal("ECONNRESET", err.code)
      assert.are.equal("write", err.call)
      assert.are.equal("tcp 127.0.0.1:" .. select(2, to:peer()), err.about)
      assert.are.equal("abc", from:read_some())
      d.close(source)
    end))

  it("is Closed if one of its streams is closed [X7]",
    with_ends(function(ev, from, to, source, sink)
      local task = copying(ev, from, to)
      from:close()
      assert.is_true(aw.is_closed(helper.caught(task.wait, task)))
      assert.is_true(aw.is_closed(raises("Closed", aw.copy, from, to)))
      assert.is_true(aw.is_closed(raises("Closed", aw.copy, to, from)))
      d.close(source)
      d.close(sink)
    end))

  it("was given the wrong arguments [X7]", between(function(_, _, from, to)
    raises("#1 to 'copy' (stream expected", aw.copy, "x", to)
    raises("#2 to 'copy' (stream expected", aw.copy, from, io.stdout)
    raises("not negative", aw.copy, from, to, -1)
    raises("integer", aw.copy, from, to, 0.5)
    to:shutdown()
    assert.are.equal("EPIPE", raises("broken pipe", aw.copy, from, to).code)
    assert.are.equal("EBADF", raises("write", aw.copy, from, aw.stdin).code)
    assert.are.equal("EBADF", raises("read", aw.copy, aw.stdout, from).code)
    helper.outside(raises, "cannot await outside a task", aw.copy, from, from)
  end))
end)
