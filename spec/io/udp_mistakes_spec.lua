-- Wrong uses of UDP sockets, and failures of the system: the error says what
-- was tried and on what, at the caller's line [X20].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"

local blames, raises, run = places.blames, helper.raises, helper.run

--- As blames(), for an error that is an object.
local function blames_system(message, f)
  local text = tostring(helper.caught(f))
  places.blamed(text, f)
  assert.is_truthy(text:find(message, 1, true), text)
end

describe("a UDP socket is not made", function()
  it("on a port or an address that is not there [X20]", function()
    run(function()
      local a <close> = aw.udp.bind("127.0.0.1", 0)
      local _, port = a:name()
      local function busy()
        aw.udp.bind("127.0.0.1", port)
      end
      local err = helper.caught(busy)
      assert.are.same({ "EADDRINUSE", "bind", "127.0.0.1:" .. port },
        { err.code, err.call, err.about })
      blames_system("bind '127.0.0.1:" .. port .. "': ", busy)
      blames_system("bind '192.0.2.77:0': ", function()
        aw.udp.bind("192.0.2.77", 0)
      end)
      blames_system("bind '127.0.0.1:" .. port .. "': ", function()
        aw.udp.connect("127.0.0.1", 9, { local_host = "127.0.0.1",
          local_port = port })
      end)
    end)
  end)

  it("with a port that is none [X20]", function()
    blames("bad argument #2 to 'bind' (a port is a number from 0 to 65535)",
      function()
        aw.udp.bind("127.0.0.1", 70000)
      end)
    blames("bad argument #2 to 'connect' (a port is a number from 0 to 65535)",
      function()
        aw.udp.connect("127.0.0.1", -1)
      end)
  end)

  it("with a host that can be none [X20]", function()
    for code, host in pairs { EAI_NONAME = "", EINVAL = "a\0b",
      ENAMETOOLONG = ("x"):rep(300) } do
      local refused = raises("connect '", aw.udp.connect, host, 9)
      assert.are.equal(code, refused.code)
    end
    local err = raises("bind '", aw.udp.connect, "127.0.0.1", 9,
      { local_host = ("x"):rep(300) })
    assert.are.equal("ENAMETOOLONG", err.code)
    for code, host in pairs { EINVAL = "\0", ENAMETOOLONG = ("x"):rep(300) } do
      assert.are.equal(code, raises("bind '", aw.udp.bind, host, 9).code)
    end
    blames("bad argument #1 to 'connect' (string expected, got nil)",
      function()
        aw.udp.connect(nil, 9)
      end)
    blames("bad option 'interface' (no interface 'no such' here)", function()
      aw.udp.bind("127.0.0.1", 0, { interface = "no such" })
    end)
  end)
end)

describe("a UDP socket that is used in a wrong way", function()
  local a, b, port

  before_each(function()
    a = aw.udp.bind("127.0.0.1", 0)
    port = select(2, a:name())
    b = aw.udp.connect("127.0.0.1", port)
  end)

  after_each(function()
    a:close()
    b:close()
  end)

  it("needs an address, or takes none [X20]", function()
    run(function()
      blames("bad argument #2 to 'send' (host and port expected: the socket "
        .. "is not connected)", function()
        a:send "x"
      end)
      blames("bad argument #2 to 'send' (no address expected: the socket is "
        .. "connected to 127.0.0.1:" .. port .. ")", function()
        b:send("x", "127.0.0.1", port)
      end)
      blames("bad argument #3 to 'send' (port expected, got nothing; host and "
        .. "port are two arguments)", function()
        a:send("x", "127.0.0.1")
      end)
      blames("bad argument #3 to 'send' (a port is a number from 0 to 65535)",
        function()
          a:send("x", "127.0.0.1", 65536)
        end)
      blames("bad argument #1 to 'send' (string expected, got table)",
        function()
          b:send {}
        end)
      blames_system("send '': unknown node or service", function()
        a:send("x", "", 1)
      end)
    end)
  end)

  it("reaches no address of another family [X20]", function()
    run(function()
      blames_system("send '[::1]:9': address family not supported", function()
        a:send("x", "::1", 9)
      end)
    end)
  end)

  it("receives from 1 to 65535 bytes [X21]", function()
    run(function()
      for _, max in ipairs { 0, -1, 65536 } do
        blames("bad argument #1 to 'recv' (a number of bytes from 1 to 65535 "
          .. "expected)", function()
          a:recv(max)
        end)
        blames("bad argument #2 to 'Recv' (a number of bytes from 1 to 65535 "
          .. "expected)", function()
          aw.Recv(a, max)
        end)
      end
    end)
  end)

  it("sends no event to a name [V3]", function()
    blames("bad argument #3 to 'Send' (a numeric address expected, got "
      .. "'example.org': an event looks up no names, but u:send() does)",
      function()
        aw.Send(a, "x", "example.org", 9)
      end)
  end)

  it("fails an event with a SystemError, as the method does [X20]", function()
    run(function()
      local err = raises("send '127.0.0.1:9': message too long", function()
        aw.await(aw.Send(a, ("x"):rep(70000), "127.0.0.1", 9))
      end)
      assert.are.same({ "EMSGSIZE", "send", "127.0.0.1:9" },
        { err.code, err.call, err.about })
    end)
  end)

  it("is Closed after its close [X21]", function()
    run(function()
      a:close()
      for name, arguments in pairs { recv = {}, send = { "x", "::1", 9 },
        join = { "239.0.0.1" }, leave = { "239.0.0.1" }, name = {}, peer = {},
        getfd = {}, configure = { {} } } do
        local err = helper.caught(a[name], a, table.unpack(arguments))
        assert.is_true(aw.is_closed(err), name)
      end
      for _, w in ipairs { aw.Recv(a), aw.Send(a, "x", "::1", 9),
        aw.Readable(a), aw.Writable(a) } do
        assert.is_true(aw.is_closed(helper.caught(aw.await, w)))
      end
    end)
  end)

  it("awaits in tasks only [C11]", function()
    local ev = aw.EventLoop()
    local _ <close> = ev
    local in_gsub = function(f)
      ("x"):gsub("x", f)
    end
    run(function()
      raises("cannot await", in_gsub, function()
        b:send "x"
      end)
      raises("cannot await", in_gsub, function()
        b:recv()
      end)
    end)
  end)
end)
