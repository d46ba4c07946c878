-- Clients that misbehave: each is served, or cut off, and the others are served
-- all the while [X1, X18].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local wait_until = helper.wait_until

--- Serve `body` to clients, and call `f(connect, check_served, errors, port)`.
--- `connect()` returns a new client; `check_served()` fails unless another
--- is answered.
local function serving(body, f, opts)
  return function()
    helper.run(function(ev)
      local server <close>, port = clients.listen(opts)
      local group <close> = clients.group()
      local errors = {}
      local task = ev:start(aw.Serve(server, function(_, s)
        if s:read(1) == "p" then
          s:write(s:read(), "\n")
          return
        end
        body(s)
      end, function(_, err)
        errors[#errors + 1] = tostring(err)
      end))
      local function connect()
        return group.keep(clients.connect(port))
      end
      local function check_served()
        local client = clients.connect(port)
        clients.send(client, "ping\n")
        assert.are.equal("ing\n", clients.rest(client))
        clients.close(client)
      end
      f(connect, check_served, errors, port)
      check_served()
      task:cancel_wait()
    end)
  end
end

local function wait_error(errors, text)
  wait_until(function()
    return #errors > 0
  end)
  assert.are.equal(1, #errors)
  assert.is_truthy(errors[1]:find(text, 1, true), errors[1])
end

describe("a server", function()
  it("refuses a line that is too long", serving(function(s)
    s:read()
  end, function(connect, _, errors)
    local client = connect()
    clients.send(client, "x" .. ("y"):rep(200))
    wait_error(errors, "message too long")
  end, { max_line = 100 }))

  it("refuses garbage where a delimiter should come", serving(function(s)
    s:read_until("\r\n\r\n", 100)
  end, function(connect, _, errors)
    local client = connect()
    clients.send(client, "x" .. ("\r\n\r"):rep(100))
    wait_error(errors, "message too long")
  end))

  it("reads a line that comes byte by byte, and serves others meanwhile",
    serving(function(s)
      s:write(s:read())
    end, function(connect, check_served)
      local client = connect()
      for c in ("xslow\n"):gmatch "." do
        clients.send(client, c)
        check_served()
      end
      assert.are.equal("slow", clients.rest(client))
    end))

  it("gives up a client that says nothing, when its author says so",
    function()
      helper.run(function(ev)
        local server <close>, port = clients.listen()
        local group <close> = clients.group()
        local task = ev:start(aw.Serve(server, function(_, s)
          aw.timeout(0.01, s.read, s)
        end, helper.nop, { max_connections = 1 }))
        for _ = 1, 3 do -- each waits for the place of the one before
          assert.are.equal("", clients.rest(group.keep(clients.connect(port))))
        end
        task:cancel_wait()
      end)
    end)

  local moments = {
    ["while it is read"] = function(s)
      s:read "a"
    end,
    ["while it is read up to a delimiter"] = function(s)
      s:read_until "z"
    end,
    ["while it is received from"] = function(s)
      aw.await(aw.Recv(s))
    end,
    ["while it is written"] = function(s)
      s:write(("x"):rep(20000000))
    end,
    ["while it is flushed"] = function(s)
      s:configure { high_water = 20000000 }
      s:write(("x"):rep(10000000)):flush()
    end,
    ["while it is shut down"] = function(s)
      s:configure { high_water = 20000000 }
      s:write(("x"):rep(10000000))
      s:shutdown()
    end,
    ["while it is copied"] = function(s)
      local zero <close> = aw.fs.open "/dev/zero"
      aw.copy(zero, s)
    end,
    ["while a file is copied from it"] = function(s)
      local null <close> = aw.fs.open("/dev/null", "w")
      aw.copy(s, null)
    end,
  }
  for moment, body in pairs(moments) do
    it("outlives a client that resets " .. moment, function()
      local began
      serving(function(s)
        began = true
        body(s)
      end, function(_, check_served, errors, port)
        local client = clients.connect(port)
        clients.send(client, "x")
        wait_until(function()
          return began
        end)
        aw.sleep(0)
        check_served()
        clients.reset(client)
        wait_until(function()
          return #errors > 0
        end)
        assert.is_truthy(errors[1]:find "ECONNRESET" or errors[1]:find "EPIPE"
          or errors[1]:find "reset" or errors[1]:find "broken pipe", errors[1])
      end)()
    end)
  end

  it("outlives clients that reset in its backlog", serving(function(s)
    s:read "a"
  end, function(_, check_served, _, port)
    for _ = 1, 10 do
      clients.reset(clients.connect(port))
    end
    check_served()
  end))

  it("answers a client that ended its output first", serving(function(s)
    s:write(s:read "a")
  end, function(connect)
    local client = connect()
    clients.send(client, "xhalf")
    clients.shut(client)
    assert.are.equal("half", clients.rest(client))
  end))

  it("reads from a client to which it ended its output", serving(function(s)
    s:write "first"
    s:shutdown()
    assert(s:read "a" == "then", "lost")
  end, function(connect, _, errors)
    local client = connect()
    clients.send(client, "x")
    assert.are.equal("first", clients.rest(client))
    clients.send(client, "then")
    clients.shut(client)
    aw.sleep(0)
    assert.are.same({}, errors)
  end))
end)

describe("SIGPIPE", function()
  it("kills nobody that writes to a client that is gone", function()
    for _, interpreter in ipairs { "$aiowire", "$lua" } do
      if interpreter == "$aiowire" or not process.sanitized then
        local outcome = process.run(
          "trap - PIPE; exec " .. interpreter .. " s.lua", { ["s.lua"] = [[
            local aw = require "aiowire"
            aw.run(function(ev)
              local server <close> = aw.tcp.listen("127.0.0.1", 0)
              local c = aw.tcp.connect(server:name())
              local s <close> = server:accept()
              c:close()
              local failed = 0
              for _ = 1, 20 do
                failed = failed + (pcall(s.write, s, "x") and 0 or 1)
                aw.sleep(0.001)
              end
              pcall(aw.copy, aw.fs.open "/dev/zero", s)
              print(failed > 0)
            end)]] })
        assert.are.equal("true\n", outcome.out, outcome.err)
        assert.are.equal(0, outcome.code)
      end
    end
  end)
end)
