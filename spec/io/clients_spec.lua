-- Servers of examples/, tried with clients that no one here wrote.

local aw = require "aiowire"
local clients = require "spec.support.tools"
local helper = require "spec.support.helper"
local process = require "spec.support.process"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

--- Call `f(port, server)` while an example serves. Then tell the server to
--- stop, unless `f` returns that it has: a second TERM does not wait for
--- connections. The server must end well.
local function beside(example, arguments, f)
  local server <close> = aw.spawn { process.binary,
    ("%s/examples/%s.lua"):format(process.root, example), "0",
    stdin = "null", stderr = "stdout", grace = 60,
    table.unpack(arguments) }
  local port = assert(server.stdout:read()):match "^listening on port (%d+)$"
  local is_told = f(port, server)
  if not is_told then
    server:kill "TERM"
  end
  assert.are.same({ ok = true, code = 0 }, server:wait())
end

--- Returns a function for `it` that runs `f(path of a folder with files)` under
--- a leak check. A missing client makes it pending.
local function with_files(needed, f)
  return function()
    clients.needed(table.unpack(needed))
    helper.run(function()
      local folder = aw.exec("mktemp", "-d").out:gsub("\n", "")
      aw.exec { "sh", "-c", "echo home >$0/index.html; mkdir $0/sub; "
        .. "head -c 3000000 /dev/urandom >$0/large; echo 1 >'$0/a b.txt'; "
        .. "cp \"$0/index.html\" \"$0/a b.txt\"", folder }
      f(folder)
      aw.exec("rm", "-r", folder)
    end)
  end
end

--- Get these targets of a server with curl. Returns the codes of the replies.
local function codes_of(port, targets, ...)
  local words = { "curl", "-s", "--path-as-is", "-w", "%{http_code} ",
    "-o", "/dev/null", ... }
  for i, target in ipairs(targets) do
    if i > 1 then
      table.move({ "-o", "/dev/null" }, 1, 2, #words + 1, words)
    end
    words[#words + 1] = ("http://127.0.0.1:%s%s"):format(port, target)
  end
  words.check = true
  return aw.exec(words).out
end

describe("the HTTP server, with curl,", function()
  it("sends files of any size [examples]", with_files({ "curl" },
    function(folder)
      beside("18_http", { folder }, function(port)
        local url = "http://127.0.0.1:" .. port
        assert.are.equal("home\n", aw.exec("curl", "-s", url).out)
        assert.are.equal("home\n", aw.exec("curl", "-s",
          url .. "/a%20b.txt?x=1").out)
        assert.are.equal(process.read(folder .. "/large"),
          aw.exec("curl", "-s", url .. "/large").out)
        local head = aw.exec("curl", "-s", "-I", url .. "/large").out
        contains(head, "Content-Length: 3000000\r\n")
      end)
    end))

  it("answers many requests on one connection [examples]",
    with_files({ "curl" }, function(folder)
      beside("18_http", { folder }, function(port)
        local r = aw.exec("curl", "-sv", ("http://127.0.0.1:%s/[1-20]")
          :format(port))
        local _, again = r.err:gsub("Re%-using existing connection", "")
        assert.are.equal(19, again)
      end)
    end))

  it("sends nothing from outside of its folder [examples]",
    with_files({ "curl" }, function(folder)
      beside("18_http", { folder .. "/sub" }, function(port)
        assert.are.equal(("404 "):rep(7), codes_of(port, { "/",
          "/../index.html", "/%2e%2e/index.html", "/..%2findex.html", "/%00",
          "/.", "/x/../../index.html" }))
      end)
    end))

  it("refuses what it does not know [examples]", with_files({ "curl" },
    function(folder)
      beside("18_http", { folder }, function(port)
        assert.are.equal("405 ", codes_of(port, { "/" }, "-d", "x=1"))
        assert.are.equal("405 ", codes_of(port, { "/" }, "-X", "DELETE"))
      end)
    end))
end)

describe("the HTTP server, with wrk,", function()
  it("answers each of 50 clients without an error [examples]",
    with_files({ "wrk", "curl" }, function(folder)
      beside("18_http", { folder }, function(port)
        local url = "http://127.0.0.1:" .. port
        local r = aw.exec { "wrk", "-d", "1", "-c", "50", "-t", "1", url,
          check = true }
        assert.is_true(tonumber(r.out:match "(%d+) requests in") > 0, r.out)
        lacks(r.out, "Socket errors")
        lacks(r.out, "Non-2xx")
        assert.are.equal("home\n", aw.exec("curl", "-s", url).out)
      end)
    end))
end)

describe("the chat server, with nc and socat,", function()
  it("passes lines from one client to the other [examples]", function()
    local nc = clients.needed("nc", "socat")
    helper.run(function()
      beside("17_chat", {}, function(port)
        local ann <close> = aw.spawn { nc, "-N", "127.0.0.1", port }
        ann.stdin:write "Ann\n"
        assert.are.equal("Your name? Ann comes in", ann.stdout:read())
        local bob <close> = aw.spawn { "socat", "-", "TCP:127.0.0.1:" .. port }
        bob.stdin:write "Bob\n"
        assert.are.equal("Your name? Bob comes in", bob.stdout:read())
        assert.are.equal("Bob comes in", ann.stdout:read())
        ann.stdin:write "hello\n":shutdown()
        assert.are.equal("Ann: hello", bob.stdout:read())
        assert.are.equal("Ann leaves", bob.stdout:read())
        contains(ann.stdout:read "a", "Ann: hello")
        assert.is_true(ann:wait().ok)
      end)
    end)
  end)
end)

describe("the forwarder", function()
  it("brings a large file to curl, also after its TERM [examples]",
    with_files({ "curl" }, function(folder)
      beside("18_http", { folder }, function(behind)
        beside("19_forward", { "127.0.0.1", behind }, function(port, forwarder)
          local curl <close> = aw.spawn { "curl", "-s", "--limit-rate", "10M",
            "--no-keepalive", "-H", "Connection: close",
            ("http://127.0.0.1:%s/large"):format(port) }
          local first = curl.stdout:read(1)
          forwarder:kill "TERM"
          local text = first .. curl.stdout:read "a"
          assert.are.equal(process.read(folder .. "/large"), text)
          return true
        end)
      end)
    end))

  it("passes the end of nc's input on, and waits for the answer [examples]",
    function()
      local nc = clients.needed("nc", "socat")
      helper.run(function()
        -- The server behind answers after the end of its input only.
        local server <close> = aw.tcp.listen("127.0.0.1", 0)
        local _, behind = server:name()
        aw.await(aw.Serve(server, function(_, stream)
          stream:write(stream:read "a":upper())
        end) | aw.Call(beside, "19_forward", { "127.0.0.1", behind },
          function(port)
            assert.are.equal("TEXT\n", aw.exec { nc, "-N", "127.0.0.1", port,
              stdin = "text\n" }.out)
            assert.are.equal("TEXT\n", aw.exec { "socat", "-t", "60", "-",
              "TCP:127.0.0.1:" .. port, stdin = "text\n" }.out)
          end))
      end)
    end)
end)

describe("a server of a few lines", function()
  --- Serves what redis-cli asks for: PING, ECHO and unknown commands.
  local function redis(_, stream)
    for line in stream:lines() do
      local words = {}
      for i = 1, tonumber(line:match "^%*(%d+)\r$") do
        local size = tonumber(stream:read():match "^%$(%d+)\r$")
        words[i] = stream:read(size)
        stream:read(2)
      end
      local name = words[1]:upper()
      stream:write(name == "PING" and "+PONG\r\n"
        or name == "ECHO" and ("$%d\r\n%s\r\n"):format(#words[2], words[2])
        or "-ERR unknown command\r\n")
    end
  end

  it("answers redis-cli", function()
    local cli = clients.needed "redis-cli"
    helper.run(function()
      local server <close> = aw.tcp.listen("127.0.0.1", 0)
      local _, port = server:name()
      aw.await(aw.Serve(server, redis) | aw.Call(function()
        assert.are.equal("PONG\n", aw.exec(cli, "-p", port, "PING").out)
        local long = ("x"):rep(100000)
        assert.are.equal(long .. "\n",
          aw.exec(cli, "-p", port, "ECHO", long).out)
        -- Each line of its input is a command on the same connection.
        assert.are.equal(("PONG\n"):rep(1000), aw.exec { cli, "-p", port,
          stdin = ("PING\n"):rep(1000) }.out)
        contains(aw.exec(cli, "-p", port, "NONSENSE").out, "ERR unknown")
      end))
    end)
  end)
end)
