-- Listening over TCP: addresses, options, errors, and sockets that listen
-- already [X15].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local raises, run, sealed = helper.raises, helper.run, helper.sealed

local function code_of(f, ...)
  local err = helper.caught(f, ...)
  assert.is_true(aw.is_system_error(err), tostring(err))
  return err.code, err
end

local function needs_ipv6()
  if not clients.has_ipv6() then
    helper.pending "no IPv6"
  end
end

--- Check that a client of `host` reaches the server.
local function reaches(server, host)
  local _, port = server:name()
  run(function()
    local group <close> = clients.group()
    group.keep(clients.connect(port, host))
    server:accept():close()
  end)
end

describe("a server that listens on a port [X15]", function()
  it("gets a free port for port 0, and names it", sealed(function()
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local host, port = server:name()
    assert.are.equal("127.0.0.1", host)
    assert.is_true(port > 0)
    reaches(server)
  end))

  it("works outside of tasks", sealed(function()
    helper.outside(function()
      aw.tcp.listen("127.0.0.1", 0):close()
    end)
  end))

  for name, host in pairs { ["no host"] = false, ["an empty host"] = "",
    ["a star"] = "*" } do
    it("takes IPv4 with " .. name, sealed(function()
      local server <close> = aw.tcp.listen(host or nil, 0)
      reaches(server, "127.0.0.1")
    end))
  end

  it("takes IPv6 and IPv4 on '::'", sealed(function()
    needs_ipv6()
    local server <close> = aw.tcp.listen("::", 0)
    reaches(server, "127.0.0.1")
    reaches(server, "::1")
  end))

  it("takes no IPv4 with ipv6only", sealed(function()
    needs_ipv6()
    local server <close> = aw.tcp.listen("::", 0, { ipv6only = true })
    reaches(server, "::1")
    local _, port = server:name()
    raises("refused", clients.connect, port, "127.0.0.1")
  end))

  it("listens on localhost", sealed(function()
    local server <close> = aw.tcp.listen("localhost", 0)
    reaches(server, (server:name()))
  end))

  it("shares its port with reuseport", sealed(function()
    local one <close> = clients.listen { reuseport = true }
    local _, port = one:name()
    local two <close> = aw.tcp.listen("127.0.0.1", port, { reuseport = true })
    assert.are.equal(port, select(2, two:name()))
  end))

  it("gets a port again that has old connections", sealed(function()
    local server, port = clients.listen()
    run(function()
      local group <close> = clients.group()
      group.keep(clients.connect(port))
      server:accept():close()
      server:close()
    end)
    aw.tcp.listen("127.0.0.1", port):close()
  end))

  it("gives its options to its connections", sealed(function()
    local server <close>, port = clients.listen { max_line = 4 }
    run(function()
      local group <close> = clients.group()
      local client = group.keep(clients.connect(port))
      clients.send(client, "too long\n")
      local s <close> = server:accept()
      assert.are.equal("EMSGSIZE", (code_of(s.read, s)))
    end)
  end))
end)

describe("a server that cannot listen", function()
  it("raises EADDRINUSE about its address, at the caller's line",
    sealed(function()
      local server <close>, port = clients.listen()
      local code, err = code_of(function()
        aw.tcp.listen("127.0.0.1", port)
      end)
      assert.are.equal("EADDRINUSE", code)
      assert.are.equal("listen", err.call)
      assert.is_truthy(tostring(err):find("listen_spec.lua:", 1, true))
      assert.is_truthy(tostring(err):find("127.0.0.1:" .. port, 1, true))
      assert.is_truthy(server)
    end))

  it("raises EADDRNOTAVAIL for an address of another host", sealed(function()
    assert.are.equal("EADDRNOTAVAIL",
      (code_of(aw.tcp.listen, "192.0.2.1", 0)))
  end))

  it("raises a SystemError for what can be no host", sealed(function()
    assert.are.equal("EINVAL", (code_of(aw.tcp.listen, "a\0b", 0)))
    assert.are.equal("ENAMETOOLONG",
      (code_of(aw.tcp.listen, ("x"):rep(300), 0)))
  end))

  it("refuses wrong arguments", sealed(function()
    raises("bad argument #2 to 'listen' (a port is a number from 0 to 65535)",
      aw.tcp.listen, "127.0.0.1", 70000)
    raises("bad argument #2 to 'listen'", aw.tcp.listen, "127.0.0.1", -1)
    raises("bad argument #2 to 'listen'", aw.tcp.listen, "127.0.0.1")
    raises("bad argument #1 to 'listen'", aw.tcp.listen, true, 0)
    raises("bad argument #1 to 'listen'", aw.tcp.listen, false, 0)
    raises("unknown option 'backlo', did you mean 'backlog'?", aw.tcp.listen,
      "127.0.0.1", 0, { backlo = 1 })
    raises("bad option 'backlog'", aw.tcp.listen, nil, 0, { backlog = -1 })
    raises("bad option 'backlog'", aw.tcp.listen, nil, 0, { backlog = 1.5 })
    raises("bad option 'backlog'", aw.tcp.listen, nil, 0, { backlog = "1" })
    raises("bad option 'reuseport'", aw.tcp.listen, nil, 0, { reuseport = 1 })
    raises("bad option 'keepalive'", aw.tcp.listen, nil, 0, { keepalive = 0 })
    raises("unknown option 'mode'", aw.tcp.listen, nil, 0, { mode = 1 })
    raises("bad option 'ipv6only' (127.0.0.1 is an address of IPv4)",
      aw.tcp.listen, "127.0.0.1", 0, { ipv6only = true })
  end))
end)

describe("a socket that listens already", function()
  it("serves, and belongs to the server", sealed(function()
    local fd = clients.listening()
    local server = aw.tcp.listen { fd = fd }
    assert.are.equal(clients.own_port(fd), select(2, server:name()))
    assert.are.same({ true, true }, { clients.mode(fd) })
    reaches(server)
    server:close()
    assert.is_false(clients.is_open(fd))
  end))

  it("is refused, and stays open, if it is not one", sealed(function()
    local group <close> = clients.group()
    local listening = group.keep(clients.listening())
    local connected = group.keep(clients.connect(clients.own_port(listening)))
    raises("does not listen", aw.tcp.listen, { fd = connected })
    raises("another family", aw.unix.listen, { fd = listening })
    raises("no socket", aw.tcp.listen, { fd = 0 })
    raises("not open", aw.tcp.listen, { fd = 9999 })
    raises("bad option 'fd' (descriptor expected, got nil)", aw.tcp.listen, {})
    raises("bad option 'fd'", aw.tcp.listen, { fd = -1 })
    raises("bad option 'fd'", aw.tcp.listen, { fd = "3" })
    raises("unknown option 'backlog'", aw.tcp.listen, { fd = 3, backlog = 1 })
  end))

  it("is refused while it belongs to a server", sealed(function()
    local given <close> = aw.tcp.listen { fd = clients.listening() }
    local made <close> = aw.tcp.listen("127.0.0.1", 0)
    for _, server in ipairs { given, made } do
      local fd = server:getfd()
      assert.are.equal("EBUSY", (code_of(aw.tcp.listen, { fd = fd })))
      reaches(server)
    end
    local number = made:getfd()
    made:close()
    local fd = clients.listening() -- may have the number
    aw.tcp.listen { fd = fd }:close()
    assert.is_true(number > 2)
  end))

  it("is handed over as descriptor 3, as by systemd", function()
    local outcome = process.run([[
      exec python3 -c '
import os, socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(5)
c = socket.create_connection(s.getsockname())
os.dup2(s.fileno(), 3) if s.fileno() != 3 else os.set_inheritable(3, True)
os.execv(sys.argv[1], sys.argv[1:])
' $aiowire s.lua]], { ["s.lua"] = [[
      local aw = require "aiowire"
      local server <close> = aw.tcp.listen { fd = 3 }
      local s <close> = server:accept()
      print "accepted"
    ]] })
    if outcome.err:find "python3.*not found" then
      helper.pending "no python3"
      return
    end
    assert.are.equal("accepted\n", outcome.out, outcome.err)
  end)
end)
