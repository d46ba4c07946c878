-- The envelopes of requests to a Service, and what is no request [M21].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local raises = helper.raises

local LONG <const> = sockets.PATIENCE

--- The text of a list of parts.
local function shown(...)
  return table.concat({ ... }, "|") .. "#" .. select("#", ...)
end

--- Run `f(peer)` while a Service, which tells the parts of its requests, runs
--- on a socket of the first type. `peer` is a socket of the second type.
local function served(type, peer_type, f, options)
  local s <close> = zmq.socket(type, options)
    :bind(sockets.address "inproc")
  local _ <close> = aw.start(zmq.Service(s, function(_, ...)
    return shown(...)
  end))
  local peer <close> = zmq.socket(peer_type, { linger = 0, identity = "peer" })
    :connect(s.last_endpoint)
  f(peer)
end

-- Messages, the part of them that a reply begins with, and the request.
local cases <const> = {
  { "plain", { "a" }, {}, { "a" } },
  { "plain, of several parts", { "a", "b" }, {}, { "a", "b" } },
  { "plain and empty", { "" }, {}, { "" } },
  { "plain, with an empty part at its end", { "a", "" }, {}, { "a", "" } },
  { "of a REQ", { "", "a" }, { "" }, { "a" } },
  { "of a REQ, and empty", { "", "" }, { "" }, { "" } },
  { "of a REQ, of empty parts", { "", "", "" }, { "" }, { "", "" } },
  { "of zmq.request", { "id", "", "a", "" }, { "id", "" }, { "a", "" } },
  { "through brokers", { "x", "y", "id", "", "a", "b" },
    { "x", "y", "id", "" }, { "a", "b" } },
  { "through as many as there may be",
    { "1", "2", "3", "4", "5", "6", "7", "", "a" },
    { "1", "2", "3", "4", "5", "6", "7", "" }, { "a" } },
  { "plain, with a late empty part",
    { "1", "2", "3", "4", "5", "6", "7", "8", "", "a" }, {},
    { "1", "2", "3", "4", "5", "6", "7", "8", "", "a" } },
}

describe("a request [M21]", function()
  for _, case in ipairs(cases) do
    local name, message, envelope, body = table.unpack(case)
    local reply = table.move(envelope, 1, #envelope, 1, {})
    reply[#reply + 1] = shown(table.unpack(body))

    it("to a ROUTER, " .. name .. ", is answered in its envelope",
      fact(function()
        served("router", "dealer", function(peer)
          peer:send_multipart(message)
          assert.are.same(reply, peer:recv_multipart())
        end)
      end))

    it("to a DEALER, " .. name .. ", is answered in its envelope",
      fact(function()
        served("dealer", "dealer", function(peer)
          peer:send_multipart(message)
          assert.are.same(reply, peer:recv_multipart())
        end)
      end))
  end

  it("to a REP has no envelope of its own", fact(function()
    served("rep", "req", function(peer)
      peer:send("a", "", "b")
      assert.are.equal("a||b#3", peer:recv())
    end)
  end))

  it("reaches a DEALER behind a broker", fact(function()
    local front <close> = zmq.socket("router"):bind(sockets.address "inproc")
    local back <close> = zmq.socket("dealer"):bind(sockets.address "inproc")
    local function pass(from, to)
      return aw.Forever(function()
        to:send_multipart(from:recv_multipart())
      end)
    end
    local broker <close> = aw.start(pass(front, back) & pass(back, front))
    local s <close> = zmq.socket("dealer"):connect(back.last_endpoint)
    local _ <close> = aw.start(zmq.Service(s, function(_, ...)
      return shown(...)
    end))
    local req <close> = zmq.socket("req"):connect(front.last_endpoint)
    req:send("a", "")
    assert.are.equal("a|#2", req:recv())
    assert.are.equal("b#1", zmq.request(front.last_endpoint, "b",
      { timeout = LONG }))
    broker:cancel_wait()
  end))
end)

describe("a message that is no request [M21]", function()
  it("of too many parts is ignored by a ROUTER and a DEALER", fact(function()
    for _, type in ipairs { "router", "dealer" } do
      served(type, "dealer", function(peer)
        peer:send("1", "2", "3", "4", "5", "6")
        peer:send "a"
        assert.are.equal("a#1", peer:recv())
      end, { max_parts = 4 })
    end
  end))

  it("of too many parts is an error for a REP, which goes on", fact(function()
    served("rep", "req", function(peer)
      peer:send("1", "2", "3", "4", "5", "6")
      assert.are.same({ "error", "too many parts" }, peer:recv_multipart())
      peer:send "a"
      assert.are.equal("a#1", peer:recv())
    end, { max_parts = 4 })
  end))

  it("is one whose envelope leaves no room for an error", fact(function()
    served("router", "dealer", function(peer)
      peer:send("1", "2", "", "a")
      peer:send("1", "", "b")
      assert.are.same({ "1", "", "b#1" }, peer:recv_multipart())
    end, { max_parts = 5 })
  end))
end)

describe("a bad service [M20]", function()
  local function nothing() end

  it("names the argument that is wrong", fact(function()
    local rep <close> = zmq.socket "rep"
    local pull <close> = zmq.socket "pull"
    local closed = zmq.socket "rep"
    closed:close()
    for _, case in ipairs {
      { { 1, nothing }, "#1 to 'Service' (zmq socket expected, got number)" },
      { {}, "#1 to 'Service' (zmq socket expected, got no value)" },
      { { closed, nothing }, "#1 to 'Service' (the socket is closed)" },
      { { pull, nothing }, "#1 to 'Service' (a REP, ROUTER or DEALER socket "
        .. "expected, got zmq PULL socket" },
      { { rep }, "#2 to 'Service' (function expected, got no value)" },
      { { rep, aw.Never }, "#2 to 'Service' (function expected, got aiowire" },
      { { rep, nothing, 1 }, "#3 to 'Service' (table expected, got number)" },
      { { rep, nothing, { concurency = 1 } },
        "unknown option 'concurency', did you mean 'concurrency'?" },
      { { rep, nothing, { concurrency = 0 } }, "bad option 'concurrency' (a "
        .. "whole number, at least 1, expected, got 0)" },
      { { rep, nothing, { timeout = "1" } },
        "bad option 'timeout' (a number of seconds expected, got string)" },
      { { rep, nothing, { timeout = 0 / 0 } },
        "bad option 'timeout' (seconds must not be NaN)" },
      { { rep, nothing, { on_error = 1 } },
        "bad option 'on_error' (function expected, got number)" },
      { { rep, nothing, { on_error = aw.keep } },
        "bad option 'on_error' (aw.keep is for start()" },
    } do
      raises(case[2], zmq.Service, table.unpack(case[1]))
    end
  end))

  it("accepts a callable object and an endless concurrency", fact(function()
    local s <close> = zmq.socket("rep"):bind(sockets.address "inproc")
    local callable = setmetatable({}, { __call = function(_, _, what)
      return what
    end })
    local _ <close> = aw.start(zmq.Service(s, callable,
      { concurrency = math.huge }))
    assert.are.equal("x", zmq.request(s.last_endpoint, "x",
      { timeout = LONG }))
  end))
end)
