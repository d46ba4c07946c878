-- The module aw.zmq, its sockets and contexts, and the addresses of sockets.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"
local sockets = require "spec.support.sockets"

local zmq, fact, close_all = sockets.zmq, sockets.fact, sockets.close_all
local raises = helper.raises
local blames_file = places.blames_file

--- Returns a function for `it` with a server in Perl at the path of an ipc
--- address.
local function fact_with_perl(f)
  if os.execute "perl -MIO::Socket::UNIX -e 1 2>/dev/null" then
    return fact(function()
      local address = sockets.address "ipc"
      local path = address:sub(#"ipc://" + 1)
      f(address, path)
    end)
  end
  return function()
    pending "perl is not installed"
  end
end

describe("the module aw.zmq", function()
  it("is the module that require returns [LU18]", function()
    assert.are.equal(aw.zmq, require "aiowire.zmq")
  end)

  it("has the version of libzmq, which is a safe one [SE7]", fact(function()
    local major, minor, patch = zmq.version():match "^(%d+)%.(%d+)%.(%d+)$"
    assert.is_true(major == "4" and minor * 100 + patch >= 303)
  end))

  it("has constants with the numbers of types and options [zmq]", function()
    assert.are.equal(4, zmq.REP)
    assert.are.equal(17, zmq.LINGER)
    assert.are.equal(1, zmq.POLLIN)
  end)

  it("returns nil for unknown names [zmq]", function()
    assert.is_nil(aw.zqm)
    assert.is_nil(zmq.RPE)
  end)
end)

describe("a socket", function()
  it("is made by name or number, in any case of letters [zmq]",
    fact(function()
      for _, type in ipairs { "rep", "REP", "Rep", zmq.REP } do
        local s <close> = zmq.socket(type)
        assert.are.equal(zmq.REP, s.type)
      end
    end))

  it("of an unknown type is refused, with the nearest type [zmq]", function()
    blames_file("bad argument #1 to 'socket' (no type of socket 'deeler', did "
      .. "you mean 'DEALER'?)", function()
      zmq.socket "deeler"
    end)
    blames_file("no type of socket '99'", function()
      zmq.socket(99)
    end)
    blames_file("bad argument #1 to 'socket'", function()
      zmq.socket()
    end)
  end)

  it("with a bad option is not made [zmq]", fact(function()
    blames_file("a zmq socket has no option 'lingre', did you mean 'linger'?",
      function()
        zmq.socket("rep", { lingre = 0 })
      end)
    blames_file("table expected", function()
      zmq.socket("rep", 5)
    end)
    blames_file("bad option 'context' (zmq context expected, got table)",
      function()
        zmq.socket("rep", { context = {} })
      end)
  end))

  it("suggests the method whose name is misspelt [zmq]", fact(function()
    local s <close> = zmq.socket "rep"
    for wrong, right in pairs { recvv = "recv", wait_peer = "wait_peers",
      send_multpart = "send_multipart", conect = "connect" } do
      blames_file(("a zmq socket has no method or option '%s', did you mean "
        .. "'%s'?"):format(wrong, right), function()
        s[wrong](s)
      end)
    end
    for _, wrong in ipairs { "lingr", "sndhw", "nonsense" } do
      blames_file(("a zmq socket has no option '%s'"):format(wrong), function()
        return s[wrong], 1
      end)
    end
  end))

  it("has a text [zmq]", fact(function()
    local s = zmq.socket "rep"
    assert.are.equal("zmq REP socket (not connected)", tostring(s))
    s:bind "inproc://told"
    assert.are.equal("zmq REP socket (bound to inproc://told)", tostring(s))
    s:close()
    assert.are.equal("zmq REP socket (closed)", tostring(s))
    assert.is_true(s.closed)
  end))

  it("may be closed again [zmq]", fact(function()
    local s = zmq.socket "rep"
    assert.is_false(s.closed)
    s:close()
    s:close()
    for _, name in ipairs { "recv", "recv_multipart" } do
      assert.is_true(aw.is_closed(raises("Closed", s[name], s)))
    end
    for _, name in ipairs { "bind", "get" } do
      local err = raises("Closed", s[name], s, "inproc://x")
      assert.is_true(aw.is_closed(err))
    end
    assert.is_true(aw.is_closed(raises("Closed", s.send, s, "x")))
  end))

  it("is closed at the end of its block [zmq]", fact(function()
    local kept
    do
      local s <close> = zmq.socket "rep"
      kept = s
    end
    assert.is_true(kept.closed)
  end))

  it("is closed when it is garbage [LU11]", fact(function()
    local function drop()
      return zmq.socket("rep"):bind "inproc://garbage" and nil
    end
    drop()
    collectgarbage()
    collectgarbage()
    local t = zmq.socket("rep"):bind "inproc://garbage"
    t:close()
  end))

  it("may be closed while messages wait to be sent [ZQ13]", fact(function()
    local s = zmq.socket("push", { linger = 0 })
    s:connect "tcp://127.0.0.1:9"
    local t = aw.start(function()
      s:send "x"
    end, function() end)
    aw.sleep(0)
    s:close()
    pcall(t.wait, t)
  end))

  it("has methods that refuse other objects [zmq]", fact(function()
    local s = zmq.socket "rep"
    blames_file("zmq socket expected, got table", function()
      s.recv({})
    end)
    assert.is_false(getmetatable(s))
    s:close()
  end))

  it("is used by one engine at a time [S6]", fact(function()
    local s = zmq.socket("pull"):bind(sockets.address())
    local t = aw.start(aw.Recv(s))
    aw.sleep(0)
    local ev = aw.EventLoop { clock = "virtual", signals = false }
    local said
    ev:start(function()
      s:recv()
    end, function(_, err)
      said = tostring(err)
    end)
    ev:run()
    assert.is_truthy(said:find("tasks of another engine", 1, true), said)
    t:cancel_wait()
    s:close()
  end))
end)

describe("a context", function()
  it("owns its sockets, and closes them [ZQ13]", fact(function()
    local ctx = zmq.context { io_threads = 2, max_sockets = 10 }
    assert.are.equal(2, ctx:get "io_threads")
    local s = ctx:socket("pair")
    local t = zmq.socket("pair", { context = ctx })
    assert.are.equal("zmq context (2 sockets)", tostring(ctx))
    ctx:close()
    ctx:close()
    assert.is_true(s.closed and t.closed)
    assert.are.equal("zmq context (closed)", tostring(ctx))
    assert.is_true(aw.is_closed(raises("Closed", ctx.socket, ctx, "rep")))
  end))

  it("that is garbage is closed with its last socket [ZQ13]",
    fact(function()
      local s = zmq.context():socket "pair"
      collectgarbage()
      collectgarbage()
      s:bind "inproc://kept"
      s:close()
    end))

  it("has no more sockets than max_sockets [ZQ12]", fact(function()
    local ctx = zmq.context { max_sockets = 1 }
    local s = ctx:socket "pair"
    local err = raises("open 'PAIR socket (its context has 1 at most",
      ctx.socket, ctx, "pair")
    assert.are.equal("EMFILE", err.code)
    s:close()
    ctx:close()
  end))

  it("refuses bad options [zmq]", fact(function()
    blames_file("a zmq context has no option 'io_thread', did you mean "
      .. "'io_threads'?", function()
      zmq.context { io_thread = 1 }
    end)
    blames_file("bad value for option 'io_threads'", function()
      zmq.context { io_threads = "many" }
    end)
    blames_file("can only be read", function()
      zmq.context { socket_limit = 1 }
    end)
  end))
end)

describe("an address", function()
  it("is in last_endpoint [zmq]", fact(function()
    local s = zmq.socket "rep"
    assert.are.equal(s, s:bind "tcp://127.0.0.1:*")
    assert.is_truthy(s.last_endpoint:find "^tcp://127%.0%.0%.1:%d+$")
    s:close()
  end))

  it("may be unbound or disconnected again [zmq]", fact(function()
    local a = zmq.socket "rep"
    a:bind "tcp://127.0.0.1:*"
    local address = a.last_endpoint
    a:unbind(address)
    aw.sleep(0.05)
    local b = zmq.socket("rep"):bind(address)
    local c = zmq.socket("req"):connect(address)
    c:disconnect(address)
    close_all(a, b, c)
  end))

  it("that is not in use cannot be unbound or disconnected [zmq]",
    fact(function()
      local s = zmq.socket "rep"
      blames_file("this socket is not bound to 'tcp://127.0.0.1:1'", function()
        s:unbind "tcp://127.0.0.1:1"
      end)
      blames_file("this socket is not connected to 'tcp://127.0.0.1:1'",
        function()
          s:disconnect "tcp://127.0.0.1:1"
        end)
      s:close()
    end))

  it("in use is refused, and the socket stays usable [zmq]", fact(function()
    local a, b = zmq.socket "rep", zmq.socket "rep"
    a:bind "tcp://127.0.0.1:*"
    local err = raises("bind 'tcp://", b.bind, b, a.last_endpoint)
    assert.are.equal("EADDRINUSE", err.code)
    b:bind "tcp://127.0.0.1:*"
    close_all(a, b)
  end))

  -- libzmq gives up an address in a thread of its own, a moment later.
  for _, transport in ipairs { "inproc", "ipc", "tcp" } do
    it("of " .. transport .. " is free when its socket is closed [zmq]",
      fact(function()
        local address = sockets.address(transport)
        for round = 1, 60 do
          local server = zmq.socket "pull"
          server:bind(address)
          address = server.last_endpoint
          if round % 3 == 0 then
            server:unbind(address)
          end
          server:close()
        end
        local server = zmq.socket("pull"):bind(address)
        local client = zmq.socket("push"):connect(address)
        client:send "x"
        assert.are.equal("x", server:recv())
        close_all(server, client)
      end))
  end

  it("can be bound by the next socket at once [zmq]",
    fact(function()
      local address = sockets.address "inproc"
      zmq.socket("rep"):bind(address):close()
      local a, b = zmq.socket("rep"):bind(address), zmq.socket "rep"
      local err = raises("bind 'inproc://", b.bind, b, address)
      assert.are.equal("EADDRINUSE", err.code)
      close_all(a, b)
    end))

  it("with an unknown transport is refused, with the nearest one [zmq]",
    fact(function()
      local s = zmq.socket "rep"
      for text, said in pairs {
        ["localhost:80"] = "transport://place expected",
        ["tpc://127.0.0.1:80"] = "no transport 'tpc'",
        ["ipcc:///tmp/x"] = ", did you mean 'ipc'?",
        ["tcp://127.0.0.1"] = "bad address 'tcp://127.0.0.1' (a port is "
          .. "missing, as in tcp://127.0.0.1:5555)",
        ["tcp://127.0.0.1:\0"] = "an address contains no zero byte",
      } do
        blames_file(said, function()
          s:bind(text)
        end)
      end
      close_all(s)
    end))

  it("of ipc is not taken from a live server [ZQ18]", fact(function()
    local address = sockets.address "ipc"
    local a, b = zmq.socket("rep"):bind(address), zmq.socket "rep"
    local err = raises(address, b.bind, b, address)
    assert.are.equal("EADDRINUSE", err.code)
    close_all(a)
    b:bind(address)
    close_all(b)
  end))

  it("of ipc is not taken from a server that does not accept [ZQ18]",
    fact_with_perl(function(address, path)
      local server <close> = aw.spawn { "perl", "-MSocket", "-MFcntl", "-e", [[
        $| = 1;
        my $address = sockaddr_un($ARGV[0]);
        my ($server, $one, @all);
        socket($server, PF_UNIX, SOCK_STREAM, 0) && bind($server, $address)
          && listen($server, 1) or die;
        while (socket($one, PF_UNIX, SOCK_STREAM, 0)) {
          fcntl($one, F_SETFL, O_NONBLOCK);
          last unless connect($one, $address);
          push @all, $one;
          undef $one;
        }
        print "full\n";
        <STDIN>;
      ]], path }
      assert.are.equal("full", server.stdout:read "l")
      local s = zmq.socket "rep"
      local err = raises(address, s.bind, s, address)
      assert.are.equal("EADDRINUSE", err.code)
      close_all(s)
    end))

  it("of ipc is taken over from a server that died [ZQ18]",
    fact_with_perl(function(address, path)
      aw.exec { "perl", "-MIO::Socket::UNIX", "-e",
        "IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die", path,
        check = true }
      close_all(zmq.socket("rep"):bind(address))
    end))

  it("of ipc has a path of 107 bytes at most [ZQ18]", fact(function()
    local s = zmq.socket "rep"
    blames_file("has 107 bytes at most, this has 205", function()
      s:bind("ipc:///tmp/" .. ("x"):rep(200))
    end)
    s:close()
  end))

  it("of inproc is not reachable from another context [zmq]",
    fact(function()
      local ctx = zmq.context()
      local a = zmq.socket("pair"):bind "inproc://here"
      local b = ctx:socket "pair"
      blames_file("'inproc://here' is bound by a socket of another context",
        function()
          b:connect "inproc://here"
        end)
      close_all(a, b)
      ctx:close()
    end))
end)
