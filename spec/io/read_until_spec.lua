-- Reads up to a delimiter, and lines that come byte by byte [X6].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local socketpairs = require "spec.support.socketpairs"

local raises, run, wait_until = helper.raises, helper.run, helper.wait_until

local function with_pair(f)
  return socketpairs.connected("unix", f)
end

--- Returns a function for `it`, as with_pair(), with the reading stream `b`.
--- The bytes of `text` are sent one at a time while it reads.
local function dripping(text, f)
  return with_pair(function(ev, a, b)
    ev:start(function()
      for i = 1, #text do
        a:write(text:sub(i, i))
        aw.yield()
      end
      a:shutdown()
    end)
    f(b, ev)
  end)
end

describe("read_until", function()
  it("gives the text without the delimiter, which it consumes [X6]",
    with_pair(function(_, a, b)
      a:write "one, two,, three"
      a:shutdown()
      assert.are.equal("one", b:read_until ",")
      assert.are.equal(" two", b:read_until ",")
      assert.are.equal("", b:read_until ",")
      assert.are.equal(" three", b:read_until ",")
      assert.is_nil(b:read_until ",")
      assert.is_nil(b:read_until ",")
    end))

  it("takes delimiters of several bytes, with zeros and numbers [X6]",
    with_pair(function(_, a, b)
      a:write "GET /\r\n\r\nbody\0\0end7x"
      assert.are.equal("GET /", b:read_until "\r\n\r\n")
      assert.are.equal("body", b:read_until "\0\0")
      assert.are.equal("end", b:read_until(7))
      assert.are.equal("x", b:read(1))
    end))

  it("finds a delimiter that is split over reads [X6]",
    dripping("aab\r\r\n--x\r\n--yab", function(b)
      assert.are.equal("aab\r", b:read_until "\r\n--")
      assert.are.equal("x", b:read_until "\r\n--")
      assert.are.equal("y", b:read_until "ab")
      assert.is_nil(b:read_until "ab")
    end))

  it("is not misled by the begin of a delimiter at the end [X6]",
    dripping("text\r\n-", function(b)
      assert.are.equal("text\r\n-", b:read_until "\r\n--")
      assert.is_nil(b:read_until "\r\n--")
    end))

  it("refuses a text over max, and consumes nothing [X6]",
    dripping("123456;7890", function(b)
      for _ = 1, 2 do
        local err = raises("5 bytes", b.read_until, b, ";", 5)
        assert.are.equal("EMSGSIZE", err.code)
        assert.are.equal("read_until", err.call)
      end
      assert.are.equal("123456", b:read_until(";", 6))
      raises("3 bytes", b.read_until, b, ";", 3)
      assert.are.equal("7890", b:read_until(";", 4))
    end))

  it("is bounded by max_line if it has no max [X6]", with_pair(function(_, a, b)
    b:configure { max_line = 4 }
    a:write "1234;12345"
    assert.are.equal("1234", b:read_until ";")
    assert.are.equal("EMSGSIZE", raises("4 bytes", b.read_until, b, ";").code)
    assert.are.equal("", b:read_until("1", 0))
  end))

  it("refuses a delimiter too far away before the stream ends [X6]",
    with_pair(function(_, a, b)
      a:write(("x"):rep(100000))
      assert.are.equal("EMSGSIZE",
        raises("bytes", b.read_until, b, "end", 50000).code)
      assert.are.equal(100000, #b:read(100000))
    end))

  it("that is cancelled has taken nothing [X6, C10]",
    with_pair(function(ev, a, b)
      local reader = ev:start(aw.Call(b.read_until, b, "--"))
      a:write "half-"
      wait_until(function()
        return b:dirty()
      end)
      reader:cancel_wait()
      a:write "-tail-"
      assert.are.equal("half", b:read_until "--")
      assert.are.equal("tail", b:read_until "-")
    end))

  it("searches anew when another task has taken bytes [X6]",
    with_pair(function(ev, a, b)
      local reader = ev:start(aw.Call(b.read_until, b, "ab"))
      a:write(("x"):rep(100) .. "a")
      wait_until(function()
        return b:dirty()
      end)
      assert.are.equal(100, #b:read(100))
      a:write "bcab"
      assert.are.equal("", reader:wait())
      assert.are.equal("c", b:read_until "ab")
    end))

  it("refuses a text as soon as none can end within max bytes [X6]",
    with_pair(function(_, a, b)
      a:write "xcc"
      raises("EMSGSIZE", function()
        local _, err = pcall(b.read_until, b, "zz", 2)
        error(err.code)
      end)
      assert.are.equal("xcc", b:read(3)) -- nothing is consumed
      a:write "cz"
      local text = aw.start(aw.Call(b.read_until, b, "zz", 1))
      aw.yield()
      assert.are.equal("waiting", text.status) -- "z" may begin the delimiter
      a:write "z"
      assert.are.equal("c", text:wait())
    end))

  it("refuses bad arguments at the caller's line [X6]",
    with_pair(function(_, a, b)
      raises("a delimiter is not empty", b.read_until, b, "")
      raises("string expected", b.read_until, b)
      raises("string expected", b.read_until, b, {})
      raises("not negative", b.read_until, b, "x", -1)
      raises("integer", b.read_until, b, "x", 1.5)
      a:close()
      raises("Closed", a.read_until, a, "x")
      raises("stream expected", b.read_until, io.stdin, "x")
    end))
end)

describe("a peer that sends a byte at a time", function()
  --- Returns the processor time of `f` with a line of `size` bytes of which all
  --- but the last 2000 are there.
  local function cost(size, f)
    local spent
    run(function(ev)
      local a, b = socketpairs.pair()
      local _ <close> = a
      local _ <close> = b
      a:configure { high_water = 10 * size }
      b:configure { max_line = 10 * size }
      a:write(("x"):rep(size))
      local reader = ev:start(aw.Call(f, b))
      a:flush()
      wait_until(function()
        return reader.status == "waiting"
      end)
      local begin = os.clock()
      for _ = 1, 2000 do
        a:write "x"
        aw.yield()
      end
      spent = os.clock() - begin
      a:write "\n"
      assert.are.equal(size + 2000, #reader:wait())
    end)
    return spent
  end

  for name, f in pairs {
    ["a line"] = function(s) return s:read() end,
    ["text up to a delimiter"] = function(s) return s:read_until "\n" end,
  } do
    it("pays for " .. name .. " byte by byte, not length by length [X6]",
      function()
        local short = math.max(cost(1000, f), 0.001)
        -- Searching the whole text each time costs 30 times as much.
        local long = math.min(cost(20000000, f), cost(20000000, f))
        assert.is_true(long < 10 * short, long / short)
      end)
  end
end)
