-- Running out of descriptors in calls of sockets: see spec/support/exhaustion.

local exhaustion = require "spec.support.exhaustion"
local process = require "spec.support.process"

-- A look-up opens files of its own, and does not tell why it failed.
local LOOKUP <const> = [[{ EAI_AGAIN = true, EAI_NONAME = true,
    EAI_SYSTEM = true, EAI_FAIL = true, EAI_SERVICE = true }]]

local echo = [[
  local server <close> = aw.tcp.listen("127.0.0.1", 0)
  local _, port = server:name()
  local client <close> = aw.tcp.connect(%s, port)
  client:write "hello\n"
  client:shutdown()
  local relief = aw.start(aw.Sleep(0.001) >> aw.Call(relieve))
  local s <close> = server:accept()
  assert(s:read() == "hello")
  relief:wait()
]]

local operations = {
  { "tcp.listen", [[aw.tcp.listen("127.0.0.1", 0):close()]] },
  { "tcp.listen on all addresses", [[aw.tcp.listen(nil, 0):close()]] },
  { "tcp.connect to a number", echo:format [["127.0.0.1"]] },
  { "tcp.connect to localhost", echo:format [["localhost"]] },
  { "tcp.connect to a name", codes = LOOKUP, [[
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    aw.tcp.connect("127.1", select(2, server:name())):close()]] },
  { "dns.resolve", codes = LOOKUP, [[assert(#aw.dns.resolve "127.1" == 1)]] },
  { "dns.reverse", codes = LOOKUP, [[aw.dns.reverse "127.0.0.1"]],
    waits = true },
  { "unix sockets", [[
    os.remove "sock"
    local server <close> = aw.unix.listen "sock"
    local client <close> = aw.unix.connect "sock"
    client:write "hello\n"
    local relief = aw.start(aw.Sleep(0.001) >> aw.Call(relieve))
    local s <close> = server:accept()
    assert(s:read() == "hello")
    relief:wait()]] },
  { "unix.listen in the place of a dead socket", [[
    os.remove "dead"
    local server <close> = aw.unix.listen "dead"
    assert(os.rename("dead", "left")) -- the server leaves it behind
    server:close()
    aw.unix.listen("left"):close()]] },
  { "Accept in a race", [[
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local client <close> = aw.tcp.connect("127.0.0.1",
      select(2, server:name()))
    local s = aw.await(aw.Accept(server) | aw.Sleep(0.001))
    if s then
      s:close()
    end]] },
  { "Serve", [[
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local serving = aw.start(aw.Serve(server, function(_, s)
      s:write(s:read(), "\n")
    end))
    local _ <close> = setmetatable({}, { __close = function()
      serving:cancel()
    end })
    local client <close> = aw.tcp.connect("127.0.0.1",
      select(2, server:name()))
    client:write "hello\n"
    local relief = aw.start(aw.Sleep(0.001) >> aw.Call(relieve))
    assert(client:read() == "hello")
    relief:wait()]] },
  { "copy", [[
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local a <close> = aw.tcp.connect("127.0.0.1", select(2, server:name()))
    local relief = aw.start(aw.Sleep(0.001) >> aw.Call(relieve))
    local b <close> = server:accept()
    a:write "hello"
    a:shutdown()
    assert(aw.copy(b, b) == 5 and a:read(5) == "hello")
    relief:wait()]] },
  { "UDP over a group", [[
    local u <close> = aw.udp.bind("0.0.0.0", 0, { loopback = true })
    u:send("x", "127.0.0.1", select(2, u:name()))
    assert(u:recv() == "x")]] },
  { "fs.open of a FIFO", [[
    local f <close> = aw.fs.open("fifo", "r+")
    f:write "x\n"
    assert(f:read() == "x")]] },
  { "Recv of a stream", [[
    local f <close> = aw.fs.open("fifo", "r+")
    f:write "x"
    assert(aw.await(aw.Recv(f) | aw.Sleep(5)) == "x")]] },
}

describe("running out of descriptors for sockets", function()
  for title, f in exhaustion.cases(operations) do
    it(title, f)
  end
end)

describe("a loop that gets no descriptors", function()
  local function outcome(text)
    local result = process.run("ulimit -n 40; exec $aiowire s.lua",
      { ["s.lua"] = [[
        local aw = require "aiowire"
        aw.run(aw.Sleep(0))
        local base = aw.stats()
        ]] .. exhaustion.FILL .. [[
        local function free()
          while #hold > 0 do
            table.remove(hold):close()
          end
        end
        ]] .. text })
    return result.out .. result.err
  end

  it("goes on in another run when there are some [UV14]", function()
    assert.are.equal("false\nwent on\ndone\n", outcome [[
      local ev = aw.EventLoop { clock = "real" }
      ev:start(function()
        aw.sleep(0.001)
        print "went on"
      end)
      fill()
      print((pcall(ev.run, ev)))
      free()
      print(ev:run())]])
  end)

  it("ends its tasks, if aw.run has made it [UV14]", function()
    assert.are.equal("closed\nfalse\n0\n", outcome [[
      fill()
      print((pcall(aw.run, function()
        local _ <close> = setmetatable({}, { __close = function()
          print "closed"
        end })
        aw.sleep(0.001)
      end, { clock = "real" })))
      free()
      collectgarbage()
      collectgarbage()
      print(aw.stats().loops - base.loops)]])
  end)
end)
