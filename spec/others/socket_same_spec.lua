-- The same calls on LuaSocket and on aw.socket have the same results, errors
-- and texts [X40, X41]. LuaSocket blocks, so a scenario uses both ends of its
-- connections in an order in which nothing waits for ever.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local listening = require "spec.support.listening"
local rocks = require "spec.support.rocks"

local luasocket = rocks.find "socket"
local with_luasocket = rocks.facts(it, luasocket, "lua-socket")

-- ---- notes of what a scenario sees ----

--- Returns a value as text, without what differs from run to run.
local function shown(value)
  if (tonumber(value) or 0) > 1023 then -- LuaSocket has some ports as texts
    return "a port"
  elseif type(value) == "number" then
    return tostring(value)
  end
  local text = tostring(value):gsub("0x%x+", "ADDRESS")
    :gsub("^[^ ]+:%d+: ", ""):gsub("to '[%w%.?]+'", "to f")
  return text
end

--- Returns what `scenario(socket, say, connected)` says, as a list of texts.
local function said_by(scenario, socket)
  local log = {}
  local function say(what, ...)
    local texts = { what .. ":" }
    for i = 1, select("#", ...) do
      texts[#texts + 1] = shown((select(i, ...)))
    end
    log[#log + 1] = table.concat(texts, " ")
  end
  local open = {}
  --- Returns a client and the socket that the server has accepted.
  local function connected()
    local server = assert(socket.bind("127.0.0.1", 0))
    local host, port = server:getsockname()
    local client = assert(socket.connect(host, port))
    local accepted = assert(server:accept())
    for _, s in ipairs { server, client, accepted } do
      open[#open + 1] = s
    end
    return client, accepted, server
  end
  scenario(socket, say, connected)
  for _, s in ipairs(open) do
    s:close()
  end
  return log
end

local function same(what, scenario)
  with_luasocket(what .. " as LuaSocket [X40, X41]", function()
    local expected = said_by(scenario, luasocket)
    collectgarbage() -- sockets that the scenario has dropped
    assert.is_true(#expected > 0)
    helper.run(function()
      assert.are.same(expected, said_by(scenario, aw.socket))
    end)
  end)
end

--- Wait until bytes have arrived, as over the loopback they soon do.
local function arrived(socket, s)
  assert(#socket.select({ s }, nil, 30) == 1)
end

-- ---- the module ----

describe("aw.socket", function()
  same("has the fields and functions", function(socket, say)
    for name, value in pairs(luasocket or {}) do
      if type(value) ~= "table" or name == "dns" then
        say(name, type(socket[name]))
      end
    end
    for _, name in ipairs { "_DATAGRAMSIZE", "_SETSIZE", "_SOCKETINVALID",
      "BLOCKSIZE" } do
      say(name, socket[name])
    end
    say("version", socket._VERSION:match "^LuaSocket 3")
    say("skip", socket.skip(1, 2, 3))
  end)

  same("refuses arguments", function(socket, say)
    say("connect", pcall(socket.connect))
    say("sleep", pcall(socket.sleep, "x"))
    say("sleep", pcall(socket.sleep, -1))
    say("getnameinfo", pcall(socket.dns.getnameinfo))
  end)

  same("refuses objects of other classes", function(socket, say)
    local tcp, udp = socket.tcp(), socket.udp()
    say("send", pcall(tcp.send, udp, "x"))
    say("connect", pcall(tcp.connect, udp, "127.0.0.1", 1))
    say("getpeername", pcall(tcp.getpeername, tcp))
    say("sendto", pcall(udp.sendto, tcp, "x", "127.0.0.1", 1))
    say("receive", pcall(udp.receive, tcp))
    say("close", pcall(tcp.close, {}))
    tcp:close()
    udp:close()
  end)

  it("refuses unix sockets for methods of UDP [X40]", function()
    local udp <close> = aw.socket.udp()
    local unix <close> = aw.socket.unix()
    helper.raises("udp{unconnected} expected", udp.sendto, unix, "x", "h", 1)
    helper.raises("udp{any} expected", udp.receive, unix)
  end)

  same("protects, tries and calls finalizers", function(socket, say)
    local try = socket.newtry(function()
      say "finalizer"
    end)
    local f = socket.protect(function(...)
      return try(...)
    end)
    say("fine", f(1, 2, 3))
    say("failed", f(nil, "reason", 3))
    say("false", f(false, "reason"))
    say("table", type(select(2, f(nil, {}))))
    say("others", pcall(socket.protect(function()
      error("mine", 0)
    end)))
    say("try", pcall(socket.try, 1, 2))
    say("choose", pcall(socket.sink, "nothing"))
  end)

  same("says which host or service is wrong", function(socket, say)
    for _, at in ipairs { { "127.0.0.1", 1 }, { "", 1 }, { "*", 1 },
      { "127.0.0.1", "nosuchservice" }, { "a.invalid\0", 1 },
      { "127.0.0.1", -1 } } do
      say("tcp " .. #at[1], socket.tcp():connect(at[1], at[2]))
      say("connect", socket.connect(at[1], at[2]))
      say("peer", socket.udp():setpeername(at[1], at[2]))
    end
    say("family", socket.tcp4():connect("::1", 1))
    say("bind", socket.tcp():bind("127.0.0.1", "nosuchservice"))
  end)

  same("selects", function(socket, say, connected)
    local client, accepted = connected()
    local function told(what, r, w, err)
      say(what, #r, #w, r[client], r[accepted], w[client], r[1] == client,
        r[1] == accepted, w[1] == client, err)
    end
    told("nothing", socket.select(nil, nil, 0.01))
    told("not yet", socket.select({ client, accepted }, nil, 0))
    told("limit", socket.select({ client, accepted }, {}, 0.01))
    told("writable", socket.select({ client }, { client }))
    accepted:send "two\nlines\n"
    told("readable", socket.select({ client, accepted }, nil, 30))
    say("line", client:receive())
    told("buffer", socket.select({ client, accepted }, { client }, 30))
    say("dirty", client:dirty())
    client:close()
    told("closed", socket.select({ client }, nil, 0))
    say("type", pcall(socket.select, 1))
  end)
end)

-- ---- one end ----

describe("a socket of aw.socket", function()
  same("has its class, family and descriptor", function(socket, say)
    for _, name in ipairs { "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6" } do
      local s = socket[name]()
      say(name, s, s.class, s:getfamily(), s:getfd() >= 0, s:dirty())
      say("names", s:getsockname())
      say("closed", s:close(), s:close(), s:getfd(), tostring(s))
    end
  end)

  same("becomes another class by its calls", function(socket, say)
    local server = socket.tcp()
    say("peer", server:getpeername())
    say("send", pcall(server.send, server, "x"))
    say("receive", pcall(function()
      return server:receive()
    end))
    say("bind", server:bind("127.0.0.1", 0))
    local host, port, family = server:getsockname()
    say("name", host, family)
    say("taken", socket.bind("127.0.0.1", port))
    say("listen", server:listen())
    say("listens", server, pcall(server.listen, server))
    say("bound", pcall(server.bind, server, "127.0.0.1", 0))
    local client = socket.tcp()
    say("connect", client:connect(host, port))
    say("class", client, client:getpeername())
    local accepted = server:accept()
    say("accepted", accepted, accepted:getfamily(), accepted:getsockname())
    local refused = socket.tcp()
    say("refused", refused:connect("127.0.0.1", 1))
    say("class", refused)
    say("then", refused:connect(host, port))
    for _, s in ipairs { server, client, accepted, refused } do
      s:close()
    end
  end)

  same("connects after an attempt that was timed out", function(socket, say)
    local server = assert(socket.bind("127.0.0.1", 0))
    local silent <close> = listening.tcp("127.0.0.1", 0)
    local first = socket.connect("127.0.0.1", silent.port) -- fills its queue
    for _, make in ipairs { socket.tcp, socket.tcp4 } do
      local s = make()
      s:settimeout(0.01)
      say("silent", s:connect("127.0.0.1", silent.port))
      say("again", s:connect("127.0.0.1", silent.port))
      s:settimeout(30)
      say("other", s:connect(server:getsockname()))
      s:close()
    end
    first:close()
    server:close()
  end)

  same("connects to another family after a failure", function(socket, say)
    local silent = socket.tcp4() -- it does not listen
    silent:bind("127.0.0.1", 0)
    local _, no_port = silent:getsockname()
    local server = assert(socket.bind("::1", 0))
    local s = socket.tcp()
    say("refused", s:connect("127.0.0.1", no_port))
    say("option", s:setoption("keepalive", true))
    say("connected", s:connect(server:getsockname()))
    say("option", s:getoption "keepalive")
    for _, each in ipairs { s, server, silent } do
      each:close()
    end
  end)

  same("is bound to all addresses, and with options", function(socket, say)
    for _, make in ipairs { socket.tcp, socket.tcp4 } do
      local s = make()
      say("bind", s:bind("*", 0))
      say("name", s:getsockname())
      s:close()
    end
    local client, server = socket.tcp(), socket.bind("*", 0)
    say("own", client:bind("127.0.0.1", 0))
    say("to", client:connect("127.0.0.1", (select(2, server:getsockname()))))
    local accepted = server:accept()
    local _, own = client:getsockname()
    local _, peer = accepted:getpeername()
    say("from", tonumber(own) == peer)
    for _, s in ipairs { server, client, accepted } do
      s:close()
    end
  end)

  same("has time limits", function(socket, say, connected)
    local client = connected()
    say("none", client:gettimeout())
    say("set", client:settimeout(0.01), client:gettimeout())
    say("both", client:settimeout(0.02, "t"), client:gettimeout())
    say("receive", client:receive())
    say("r", client:settimeout(nil, "r"), client:gettimeout())
    say("negative", client:settimeout(-3), client:gettimeout())
    say("mode", pcall(client.settimeout, client, 1, "x"))
    say("type", pcall(client.settimeout, client, {}))
    client:settimeout(0)
    say("zero", client:receive(5))
    local server = socket.bind("127.0.0.1", 0)
    server:settimeout(0)
    say("accept", server:accept())
    server:settimeout(0.01)
    say("accept", server:accept())
    server:close()
    say("closed", server:accept())
  end)

  same("has options", function(socket, say)
    local booleans = { "keepalive", "reuseaddr", "reuseport", "tcp-nodelay" }
    local s = socket.tcp()
    say("early", s:setoption("keepalive", true))
    say("early", s:getoption "keepalive")
    s = socket.tcp4()
    for _, name in ipairs(booleans) do
      say(name, s:getoption(name), s:setoption(name, true), s:getoption(name))
      say("type", pcall(s.setoption, s, name, 1))
    end
    for _, name in ipairs { "tcp-keepidle", "tcp-keepcnt", "tcp-keepintvl" } do
      say(name, s:setoption(name, 7), s:getoption(name))
    end
    say("linger", s:setoption("linger", { on = true, timeout = 3 }))
    say("linger", s:getoption("linger").on, s:getoption("linger").timeout)
    say("linger", pcall(s.setoption, s, "linger", { on = 1 }))
    say("linger", pcall(s.setoption, s, "linger", { on = true }))
    say("linger", pcall(s.setoption, s, "linger", true))
    say("error", s:getoption "error")
    say("unknown", pcall(s.setoption, s, "nothing", 1))
    say("unknown", pcall(s.getoption, s, "ip-multicast-if"))
    s:close()
    local u = socket.udp4()
    for _, name in ipairs { "broadcast", "dontroute", "reuseaddr",
      "ip-multicast-loop" } do
      say(name, u:setoption(name, true), u:getoption(name))
    end
    say("if", u:setoption("ip-multicast-if", "127.0.0.1"),
      u:getoption "ip-multicast-if")
    say("if", pcall(u.setoption, u, "ip-multicast-if", "no ip"))
    say("ttl", u:setoption("ip-multicast-ttl", 2))
    say("join", pcall(u.setoption, u, "ip-add-membership", {
      multiaddr = "239.1.2.3" }))
    say("join", pcall(u.setoption, u, "ip-add-membership", {
      multiaddr = "no ip", interface = "*" }))
    u:close()
  end)
end)

-- ---- a connection ----

describe("a connection of aw.socket", function()
  same("receives by each pattern", function(socket, say, connected)
    local client, accepted = connected()
    accepted:send "line\r\nwith\rreturns\n\nabc12345rest"
    arrived(socket, client)
    say("default", client:receive())
    say("returns", client:receive "*l")
    say("empty", client:receive "*line")
    say("zero", client:receive(0))
    say("count", client:receive(3))
    say("text", client:receive "2")
    say("fraction", client:receive(1.7))
    say("prefix", client:receive(4, "ab"))
    say("long prefix", client:receive(1, "abc"))
    accepted:close()
    say("all", client:receive("*a", "the "))
    say("nothing", client:receive("*a", "the "))
    say("end", client:receive "*l")
    say("end", client:receive(0))
    say("end", client:receive(1))
    for _, pattern in ipairs { "l", "a", "*x", "", -1 } do
      say("bad", pcall(client.receive, client, pattern))
    end
    say("bad", pcall(client.receive, client, {}))
  end)

  same("gives what has come on a time-out and at the end",
    function(socket, say, connected)
      local client, accepted = connected()
      client:settimeout(0.01)
      accepted:send "par\rt"
      arrived(socket, client)
      say("line", client:receive())
      say("again", client:receive("*l", "part"))
      accepted:send "ial\n12"
      arrived(socket, client)
      say("rest", client:receive("*l", "part"))
      say("count", client:receive(5))
      accepted:send "345"
      arrived(socket, client)
      say("rest", client:receive(5, "12"))
      accepted:send "of all"
      arrived(socket, client)
      say("all", client:receive "*a")
      accepted:send "last"
      accepted:close()
      arrived(socket, client)
      say("line", client:receive("*l", "pre "))
      say("line", client:receive("*l", "pre "))
    end)

  same("sends ranges", function(_, say, connected)
    local client, accepted = connected()
    say("all", accepted:send "0123456789")
    for _, range in ipairs { { 3 }, { 3, 5 }, { -2 }, { -4, -2 }, { 0, 2 },
      { 9, 99 }, { 5, 2 }, { 11 }, { -99, 1 } } do
      say("range", accepted:send("0123456789", range[1], range[2]))
    end
    say("number", accepted:send(42))
    say("empty", accepted:send "")
    say("type", pcall(accepted.send, accepted, {}))
    say("type", pcall(accepted.send, accepted, "x", {}))
    say("sent", (select(2, accepted:getstats())))
    accepted:close()
    say("closed", accepted:send "x", select(2, accepted:send "x"))
    say("received", client:receive "*a")
    say("stats", (client:getstats()))
    say("set", client:setstats(7.9, 8, 0), (client:getstats()))
  end)

  same("tells how much of a text was sent", function(_, say, connected)
    local client, accepted = connected()
    client:setoption("send-buffer-size", 4096)
    accepted:setoption("recv-buffer-size", 4096)
    local text = ("x"):rep(4 * 1024 * 1024)
    client:settimeout(0.01)
    local ok, err, last = client:send(text, 11)
    say("sent", ok, err, last > 10 and last < #text)
    client:settimeout(0)
    say("full", (select(2, client:send(text))))
    accepted:close()
    client:settimeout(30)
    say("closed", (select(2, client:send(text))))
    say("closed", client:send("abcdef", 4))
  end)

  same("is shut down in parts", function(socket, say, connected)
    local client, accepted = connected()
    say("mode", pcall(client.shutdown, client, "none"))
    say("send", client:shutdown "send")
    say("end", accepted:receive())
    say("closed", client:send "x")
    accepted:send "still\n"
    arrived(socket, client)
    say("received", client:receive())
    say("both", accepted:shutdown(), client:receive())
    say("closed", client:close(), client:receive())
    say("names", client:getsockname())
    say("option", client:getoption "keepalive")
    say("option", client:setoption("keepalive", true))
  end)

  same("has a descriptor that may be given away", function(_, say, connected)
    local client, accepted = connected()
    local fd = client:getfd()
    say("invalid", client:setfd(-1), client:getfd(), client:receive())
    client:setfd(fd)
    accepted:send "back\n"
    say("back", client:receive())
  end)

  same("connects without waiting", function(socket, say)
    local server = socket.bind("127.0.0.1", 0)
    local host, port = server:getsockname()
    local client = socket.tcp()
    client:settimeout(0)
    say("begin", client:connect(host, port))
    say("class", client)
    assert(#select(2, socket.select(nil, { client }, 30)) == 1)
    say("done", client:connect(host, port))
    say("again", client:connect(host, port))
    local refused = socket.tcp4()
    refused:settimeout(0)
    refused:connect("127.0.0.1", 1)
    socket.select({ refused }, { refused }, 30)
    say("refused", refused:getoption "error")
    for _, s in ipairs { server, client, refused } do
      s:close()
    end
  end)

  same("feeds sources and sinks", function(socket, say, connected)
    local client, accepted = connected()
    local sink = socket.sink("close-when-done", accepted)
    say("fd", sink.getfd() == accepted:getfd(), sink.dirty())
    say("sink", sink "some bytes")
    local by_length = socket.source("by-length", client, 4)
    say("length", by_length(), by_length())
    say("open", socket.sink("keep-open", accepted)(nil))
    say("done", sink(nil))
    local rest = socket.source(client)
    say("rest", rest())
    say("end", rest())
    say("closed", client:getfd())
  end)
end)

-- ---- UDP ----

describe("a UDP socket of aw.socket", function()
  same("sends and receives", function(socket, say)
    local a, b = socket.udp(), socket.udp()
    say("name", a:setsockname("127.0.0.1", 0))
    local host, port, family = a:getsockname()
    say("name", host, family)
    say("sendto", b:sendto("hello", host, port))
    say("receivefrom", a:receivefrom())
    say("sendto", b:sendto("", host, tostring(port)))
    say("empty", a:receive())
    b:sendto("truncated", host, port)
    say("size", a:receive(3))
    b:sendto(("x"):rep(9000), host, port)
    say("usual size", #a:receive())
    b:sendto(("x"):rep(9000), host, port)
    say("large size", #a:receive(10000))
    a:settimeout(0.01)
    say("timeout", a:receive())
    say("timeout", a:receivefrom(10))
    say("names", b:sendto("x", "localhost", port))
    say("service", b:sendto("x", host, "nosuchservice"))
    say("send", pcall(b.send, b, "x"))
    say("types", pcall(b.sendto, b, "x", host))
    a:close()
    b:close()
    say("closed", a:receive())
  end)

  same("has a peer, or none", function(socket, say)
    local a, b = socket.udp(), socket.udp()
    a:setsockname("127.0.0.1", 0)
    local host, port = a:getsockname()
    say("peer", pcall(b.getpeername, b))
    say("connect", b:setpeername(host, port))
    say("class", b, b:getpeername())
    say("send", b:send "hello")
    say("sendto", pcall(b.sendto, b, "x", host, port))
    say("received", a:receive())
    a:close()
    b:send "nobody"
    b:settimeout(30)
    say("refused", b:receive())
    say("none", b:setpeername "*")
    say("class", b)
    say("bad host", b:setpeername("", 1))
    say("class", b)
    b:close()
  end)
end)
