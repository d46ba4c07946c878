-- Mistakes with zmq sockets, and the whole text of the error for each.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local zmq, fact = sockets.zmq, sockets.fact
local says = places.says

describe("an address", function()
  it("to bind needs a host",
    fact(function()
      local s <close> = zmq.socket "rep"
      for _, name in ipairs { "", "eth 99", "-x" } do
        says(("bad argument #1 to 'bind' (libzmq binds to numbers and to "
          .. "interfaces of this machine, and '%s' is neither: use 127.0.0.1 "
          .. "for this machine alone, * for all that reach it)"):format(name),
          function()
            s:bind("tcp://" .. name .. ":5555")
          end)
      end
      assert.are.equal("zmq REP socket (not connected)", tostring(s))
    end))

  it("of IPv6 needs its option", fact(function()
    local s <close> = zmq.socket "rep"
    for _, host in ipairs { "[::1]", "::1" } do
      says(("bad argument #1 to 'bind' ('%s' is an address of IPv6: set option "
        .. "'ipv6' of the socket first, and put brackets around it)"):format(
        host), function()
        s:bind("tcp://" .. host .. ":*")
      end)
    end
  end))

  it("with a star is refused by connect", fact(function()
    local s <close> = zmq.socket "req"
    for _, address in ipairs { "tcp://*:5555", "tcp://127.0.0.1:*", "tcp://*:*",
      "tcp://*", "ipc://*" } do
      says(("bad argument #1 to 'connect' ('%s' is for bind: connect to what "
        .. "s.last_endpoint of the peer tells, or to its host and port)")
        :format(address), function()
        s:connect(address)
      end)
    end
    local other <close> = zmq.socket "rep"
    other:bind "inproc://*" -- this star is a part of the name
    s:connect "inproc://*"
  end))

  it("of tcp has a port of 16 bits", fact(function()
    local s <close> = zmq.socket "rep"
    local function refuses(verb, port)
      local address = "tcp://127.0.0.1:" .. port
      says(("bad argument #2 to '%s' (no port '%s' in address '%s': a number "
        .. "from 1 to 65535 expected)"):format(verb, port, address), function()
        s[verb](s, address)
      end)
    end
    for _, port in ipairs { "99999", "65536", "-1", "5555x", " 5555", "+5555",
      "070000", "4294967297" } do
      refuses("bind", port)
      refuses("connect", port)
    end
    refuses("connect", "0")
    s:bind "tcp://127.0.0.1:0" -- as *
    assert.are_not.equal("tcp://127.0.0.1:0", s.last_endpoint)
    s:connect "tcp://127.0.0.1:65535"
  end))

  it("to unbind is the one that libzmq reports", fact(function()
    local s <close> = zmq.socket "rep"
    s:bind "tcp://*:*"
    local port = s.last_endpoint:match "%d+$"
    for _, place in ipairs { "*:" .. port, "localhost:" .. port, "*:*" } do
      says(("bad argument #1 to 'unbind' (this socket is not bound to "
        .. "'tcp://%s' but to 'tcp://0.0.0.0:%s', as s.last_endpoint tells "
        .. "after a bind)"):format(place, port), function()
        s:unbind("tcp://" .. place)
      end)
    end
    says("bad argument #1 to 'unbind' (this socket is not bound to "
      .. "'ipc://*')", function()
      s:unbind "ipc://*"
    end)
    says("bad argument #1 to 'disconnect' (this socket is not connected to "
      .. "'tcp://0.0.0.0:" .. port .. "')", function()
      s:disconnect("tcp://0.0.0.0:" .. port)
    end)
    s:unbind(s.last_endpoint)
    assert.are.equal("zmq REP socket (not connected)", tostring(s))
  end))

  it("of ipc to unbind is the one that libzmq reports", fact(function()
    local s <close> = zmq.socket "rep"
    s:bind(sockets.address "ipc")
    says(("bad argument #1 to 'unbind' (this socket is not bound to 'ipc://*' "
      .. "but to '%s', as s.last_endpoint tells after a bind)"):format(
      s.last_endpoint), function()
      s:unbind "ipc://*"
    end)
  end))
end)

describe("the descriptor of a socket", function()
  local function refusal(s)
    return ("descriptor %d only tells that something has changed: give the "
      .. "socket itself, %s)"):format(s.fd, tostring(s))
  end

  for name, call in pairs { readable = aw.readable, writable = aw.writable,
    Readable = aw.Readable, Writable = aw.Writable } do
    it("is refused by " .. name, fact(function()
      local s <close> = zmq.socket "pull"
      local fd = s.fd
      for _, source in ipairs { fd, { fd = fd }, { getfd = function()
        return fd
      end } } do
        says(("bad argument #1 to '%s' (%s"):format(name,
          refusal(s)), function()
          call(source)
        end)
      end
    end))
  end

  it("is refused by a Poller", fact(function()
    local s <close> = zmq.socket "pull"
    local fd, poller = s.fd, aw.Poller()
    says("bad argument #1 to 'Poller' (" .. refusal(s), function()
      aw.Poller { [fd] = helper.nop }
    end)
    says("bad argument #1 to 'register' (" .. refusal(s), function()
      poller:register(fd, helper.nop)
    end)
  end))

  it("is a plain descriptor again after the socket is closed", fact(function()
    local s = zmq.socket "pull"
    local fd = s.fd
    s:close()
    local ok, err = pcall(aw.Readable, fd)
    assert.is_true(ok, err)
  end))
end)

describe("one socket more than its context may have", function()
  it("is an error that names the limit of the context", fact(function()
    local context <close> = zmq.context { max_sockets = 4 }
    local list = {}
    local err = helper.caught(function()
      for i = 1, 10 do
        list[i] = zmq.socket("pair", { context = context })
      end
    end)
    assert.are.equal("EMFILE", err.code)
    assert.are.equal("open 'PAIR socket (its context has 4 at most: close "
      .. "some, or use zmq.context{ max_sockets = ... })': too many open files",
      err.message:match "open '.*")
    for _, s in ipairs(list) do
      s:close()
    end
  end))
end)

describe("a socket without an address", function()
  it("is named by its type, in dumps and errors", fact(function()
    local s = zmq.socket "pull"
    local ev = aw.EventLoop()
    local ended = {}
    local function note(_, err)
      ended[#ended + 1] = tostring(err):match "Closed: .*"
    end
    ev:start(aw.Recv(s), note)
    ev:start(function() s:recv() end, note)
    ev:start(aw.Readable(s), note)
    ev:start(aw.Poller { [s] = helper.nop }, note)
    ev:start(function()
      aw.yield()
      aw.yield()
      local dump = ev:dump()
      for _, label in ipairs { "'Recv(PULL)'", "waiting  recv PULL  age",
        "waiting  readable PULL  age", "'Readable(PULL)'" } do
        assert.is_truthy(dump:find(label, 1, true), dump)
      end
      s:close()
    end)
    ev:run()
    assert.are.same({ "Closed: recv of PULL",
      "Closed: receive of PULL socket", "Closed: readable of PULL",
      "Closed: readable of PULL" }, ended)
  end))
end)

describe("a Poller whose socket is closed", function()
  it("names the socket, with its address", fact(function()
    local s = zmq.socket "pull"
    s:bind "tcp://127.0.0.1:*"
    local err
    local ev = aw.EventLoop()
    ev:start(aw.Poller { [s] = helper.nop }, function(_, e)
      err = e
    end)
    ev:start(function()
      aw.yield()
      aw.yield()
      s:close()
    end)
    ev:run()
    assert.are.equal("Closed: readable of PULL tcp://127.0.0.1:*",
      tostring(err):match "Closed: .*")
  end))
end)

describe("an option that is set too late for an address", function()
  -- Check the warnings that each interpreter writes for a script.
  local function said(code, expected)
    if not sockets.installed then
      helper.pending "libzmq is not installed"
    end
    process.each("", 'warn "@on"\nlocal zmq = require "aiowire.zmq"\n' .. code,
      function(outcome)
        assert.are.equal(expected, outcome.err)
        assert.are.equal(0, outcome.code)
      end)
  end

  local function warning(line, option, type)
    return ("Lua warning: aiowire: s.lua:%d: option '%s' of a %s socket came "
      .. "too late: it counts for what is bound or connected after it, and "
      .. "nothing was\n"):format(line, option, type)
  end

  it("is warned of when the socket is used or closed, once per location",
    function()
      said([[
local router = zmq.socket "router":bind "inproc://a"
for _ = 1, 2 do
  local s = zmq.socket "dealer":connect "inproc://a"
  s.identity = "me"
  s:set("ipv6", true)
  s:close()
end
router.maxmsgsize = 1 << 20
local r <close> = router
router:poll("r", 0)
]], warning(6, "identity", "DEALER") .. warning(7, "ipv6", "DEALER")
        .. warning(10, "maxmsgsize", "ROUTER"))
    end)

  for how, use in pairs {
    ["a receive"] = "aw.run(function() s:recv() end)",
    ["a receive of parts"] = "aw.run(function() s:recv_multipart() end)",
    ["a receive as a wire"] = "aw.run(aw.Recv(s))",
    ["a send"] = 'aw.run(function() s:send "y" end)',
    ["a send as a wire"] = 'aw.run(aw.Send(s, "y"))',
    ["a wait"] = "aw.run(aw.Readable(s))",
    ["a Poller"] = "aw.run(aw.Poller { [s] = function() os.exit(0) end }"
      .. " | aw.Sleep(0))",
    ["its block's end"] = "do local _ <close> = s end",
    ["the collector"] = "s = nil collectgarbage()",
  } do
    it("is warned of at " .. how, function()
      said(([[
local aw = require "aiowire"
local peer = zmq.socket "pair":bind "inproc://a"
local s = zmq.socket "pair":connect "inproc://a"
aw.run(function() peer:send "x" end)
s.tos = 3
io.stderr:write "used\n"
%s
io.stderr:write "after\n"
peer:close()
]]):format(use), "used\n" .. warning(7, "tos", "PAIR") .. "after\n")
    end)
  end

  it("is not a mistake before the next address", function()
    said([[
local a = zmq.socket "pair":bind "inproc://a"
local s = zmq.socket "dealer":bind "inproc://s"
s.identity = "other"
s:bind "inproc://t"
s:close()
a.linger = 0
a.max_parts = 3
a:close()
]], "")
  end)

  it("is an error at once for a high-water mark", fact(function()
    local s <close> = zmq.socket "pub"
    s:bind "inproc://late"
    assert.are.equal("EISCONN", helper.caught(s.set, s, "sndhwm", 5).code)
    assert.are.equal("EISCONN", helper.caught(s.set, s, "rcvhwm", 5).code)
  end))
end)
