-- Running out of descriptors: each operation runs with each number of spare
-- descriptors, from none to 48 [UV2, UV14]. Each case runs in a program of its
-- own, which takes all descriptors.

local process = require "spec.support.process"

local operations = {
  { "aw.readable", [[aw.readable(hold[1])]] },
  { "aw.writable", [[aw.writable(hold[1])]] },
  { "a Poller", [[
    local p = aw.Poller {}
    p:register(hold[1], function() p:shutdown() end)
    aw.await(p)]] },
  { "aw.exec", [[assert(aw.exec("true").ok)]] },
  { "aw.exec with input", [[
    assert(aw.exec { "cat", stdin = "hello" }.out == "hello")]] },
  { "aw.spawn", [[
    local p <close> = aw.spawn { "cat" }
    p.stdin:write "hello"
    p.stdin:shutdown()
    assert(p.stdout:read "a" == "hello")
    assert(p:wait().ok)]] },
  { "aw.spawn with a terminal", [[
    local p <close> = aw.spawn { "cat", pty = true }
    p.stdin:write "hello\n"
    assert(p.stdout:read() == "hello\r")]] },
  { "aw.exec with files", [[
    assert(aw.exec { "true", stdout = "out", stderr = "err" }.ok)]] },
  { "aw.spawn from one to the other", [[
    local a <close> = aw.spawn { "cat", stdin = hold[1], stderr = "null" }
    local b <close> = aw.spawn { "cat", stdin = a.stdout, stderr = "null" }
    assert(b:wait().ok)]] },
  { "datagrams", [[
    local a <close> = aw.udp.bind("127.0.0.1", 0)
    local b <close> = aw.udp.connect(a:name())
    aw.scope(function(s)
      s:start(aw.Sleep(0.0005) >> aw.Send(b, "x"))
      assert(a:recv() == "x")
    end)]] },
  { "aw.pipeline", [[
    local r = aw.pipeline({ "cat" }, { "cat" }, { stdin = "hello" })
    assert(r.ok and r.out == "hello")]] },
  { "aw.fs.open", [[
    local zero <close> = aw.fs.open "/dev/zero"
    local null <close> = aw.fs.open("/dev/null", "w")
    assert(aw.copy(zero, null, 10) == 10)]] },
  { "aw.tcp.listen", [[aw.tcp.listen("127.0.0.1", 0):close()]] },
  { "aw.unix.listen", [[aw.unix.listen("socket"):close()]] },
  { "aw.signal", [[
    local _, err = aw.pcall(aw.timeout, 0.002, aw.signal, "USR1")
    if not aw.is_timeout(err) then
      error(err, 0)
    end]] },
  { "aw.tcp.connect", [[aw.tcp.connect("127.0.0.1", port):close()]],
    [[local _, port = require "spec_listeners".tcp "127.0.0.1"]] },
  { "aw.tcp.connect to several addresses", [[
    aw.tcp.connect("localhost", port, { timeout = 60 }):close()]],
    [[local _, port = require "spec_listeners".tcp "127.0.0.1"]] },
  { "aw.unix.connect", [[aw.unix.connect "socket":close()]],
    [[require "spec_listeners".unix "socket"]] },
  { "aw.dns.resolve", [[
    assert(aw.dns.resolve "127.1"[1].address == "127.0.0.1")]] },
}

-- Each try runs on a new engine, which needs descriptors of its own.
local frame = [[
  local aw = require "aiowire"

  -- `cat` ends when this end of the pipe is closed, so `ls` always runs after
  -- popen has returned, and never counts a descriptor of popen itself.
  local function count()
    collectgarbage()
    collectgarbage()
    local n = 0
    io.popen("cat; ls /proc/$PPID/fd >fds", "w"):close()
    for _ in io.lines "fds" do
      n = n + 1
    end
    return n
  end

  aw.run(aw.Sleep(0.001)) -- opens what libuv keeps for the process
  %s
  local before = count()
  local hold = {}
  local function fill()
    repeat
      local file = io.open "/dev/null"
      hold[#hold + 1] = file
    until not file
  end

  local function try()
    %s
  end

  local fine, refused = 0, 0
  local function check(ok, err)
    if ok then
      fine = fine + 1
      return
    end
    assert(aw.is_system_error(err), tostring(err))
    assert(err.code == "EMFILE", tostring(err))
    assert(type(err.call) == "string" and err.message:find(err.call, 1, true))
    refused = refused + 1
  end

  for spare = 0, 48 do
    fill()
    for _ = 1, spare do
      table.remove(hold):close()
    end
    local ok, err = pcall(aw.run, function()
      check(aw.pcall(try))
      aw.yield() -- the loop must go on
    end, { clock = "real" })
    if not ok then -- the loop got no descriptors of its own
      check(ok, err)
    end
    collectgarbage()
  end
  for _, file in ipairs(hold) do
    file:close()
  end
  assert(count() == before, "descriptors are left")
  assert(refused > 0, "there were always enough")
  assert(fine > 0, "there were never enough")
  print "survived"
]]

describe("running out of descriptors", function()
  for _, operation in ipairs(operations) do
    local name, text = operation[1], operation[2]
    for _, interpreter in ipairs { "aiowire", "lua" } do
      it(("is an error of %s, and leaks nothing, under %s [UV14]")
        :format(name, interpreter), function()
        if interpreter == "lua" and process.sanitized then
          pending "a stock lua5.4 cannot load a module with sanitizers"
          return
        end
        local outcome = process.run(
          ("ulimit -n 64; exec $%s s.lua"):format(interpreter),
          { ["s.lua"] = frame:format(operation[3] or "", text) })
        assert.are.equal("survived\n", outcome.out, outcome.err)
        assert.are.equal(0, outcome.code)
      end)
    end
  end
end)
