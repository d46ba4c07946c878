-- The network in which specs have addresses that are dead: see
-- spec/support/namespace.lua. A client that no one here wrote, the shell bash,
-- proves that the addresses are what they are said to be.

local namespace = require "spec.support.namespace"

--- Lua code: `try(address)` connects by bash and returns how that ended. An
--- attempt that lasts for `patience` seconds is one that hangs.
local try = [[
local patience = 1
local function try(address)
  local connect = aw.Exec { "bash", "-c", "exec 3<>/dev/tcp/$0/9", address }
  local ok, r = aw.pcall(function()
    return aw.await(connect:timeout(patience))
  end)
  if not ok then
    return aw.is_timeout(r) and "hangs" or tostring(r)
  end
  return r.err:match "connect: ([%a ]+)"
end
]]

--- Check what `try` says about an address.
local function finds(expected, address, hosts)
  local outcome = namespace.run(
    try .. ("say(try %q)"):format(address), hosts)
  assert.are.equal(expected .. "\n", outcome.out, outcome.err)
end

describe("a network with dead addresses", function()
  it("has a loopback that answers [support]", function()
    finds("Connection refused", "127.0.0.1")
    finds("Connection refused", "::1")
  end)

  it("has addresses that do not answer [support]", function()
    for _, list in ipairs { namespace.dead4, namespace.dead6 } do
      for _, address in ipairs(list) do
        finds("hangs", address)
      end
    end
  end)

  it("has addresses that are refused at once [support]", function()
    finds("No route to host", namespace.unreachable4)
    finds("No route to host", namespace.unreachable6)
    finds("Network is unreachable", "203.0.113.1")
    finds("Network is unreachable", "2001:db8:2::1")
  end)

  it("has names of its own, IPv6 first [support]", function()
    local hosts = { ["two.test"] = { "127.0.0.1", namespace.dead6[1] } }
    finds("hangs", "two.test", hosts)
    local outcome = namespace.run(
      [[say((aw.exec("getent", "ahosts", "two.test").out
        :gsub("%s+STREAM.-\n", "\n"):gsub("%S+%s+[DR]%u+ *\n", "")))]], hosts)
    assert.are.equal(namespace.dead6[1] .. "\n127.0.0.1\n\n", outcome.out,
      outcome.err)
  end)

  it("does not know other names, or hangs on them [support]", function()
    local find = [[
      local ok, r = aw.pcall(function()
        return aw.await(aw.Exec("getent", "ahosts", "no.test"):timeout(0.3))
      end)
      say(ok and r.code or aw.is_timeout(r) and "hangs" or tostring(r))]]
    assert.are.equal("2\n", namespace.run(find).out)
    assert.are.equal("hangs\n",
      namespace.run(find, nil, namespace.dead4[1]).out)
  end)

  it("can be cut by a script [support]", function()
    local outcome = namespace.run [[
      aw.exec { "ip", "link", "set", "lo", "down", check = true }
      say(#aw.exec("ip", "-o", "addr", "show", "dev", "lo", "up").out)
    ]]
    assert.are.equal("0\n", outcome.out, outcome.err)
  end)

  it("does not change the network of others [support]", function()
    assert.are.equal("true\n", namespace.run [[
      print(aw.exec("ip", "-o", "link").out:find "dead0" ~= nil)]].out)
    local pipe <close> = io.popen "ip -o link"
    assert.is_nil(pipe:read "a":find("dead0", 1, true))
  end)
end)

-- Lua code: a server at port 4000 of 127.0.0.1 that takes one connection.
local SERVER <const> = [[
local server <close> = aw.tcp.listen("127.0.0.1", 4000)
aw.start(function() server:accept():close() end)
]]

--- Lua code: `sockets()` returns the number of sockets of the script.
local SOCKETS <const> = [[
local me = aw.exec("sh", "-c", "echo $PPID").out:match "%d+"
local function sockets()
  return select(2, aw.exec("ls", "-l", "/proc/" .. me .. "/fd").out
    :gsub("socket:", ""))
end
]]

describe("aw.tcp.connect to a dead address", function()
  it("hangs until a time-out ends it, and leaves nothing [support]", function()
    for _, list in ipairs { namespace.dead4, namespace.dead6 } do
      local outcome = namespace.run(SOCKETS .. ([[
        local before = sockets()
        local ok, err = aw.pcall(function()
          return aw.await(aw.Call(aw.tcp.connect, %q, 80):timeout(0.1))
        end)
        print(ok, aw.is_timeout(err), sockets() == before)
      ]]):format(list[1]))
      assert.are.equal("false\ttrue\ttrue\n", outcome.out, outcome.err)
    end
  end)

  it("ends with Timeout by its own option [support]", function()
    local outcome = namespace.run([[
      local ok, err = aw.pcall(aw.tcp.connect, "dead.test", 80,
        { timeout = 0.6 })
      print(ok, aw.is_timeout(err))]], { ["dead.test"] = {
      namespace.dead6[1], namespace.dead4[1], namespace.dead6[2],
    } })
    assert.are.equal("false\ttrue\n", outcome.out, outcome.err)
  end)
end)

describe("aw.tcp.connect to a name", function()
  it("does not wait long for a dead route of IPv6 [support]", function()
    -- A connect that waited for the dead address would need two minutes.
    for _, first in ipairs { namespace.dead6[1], namespace.unreachable6 } do
      local outcome = namespace.run(SERVER .. SOCKETS .. [[
        local before = sockets()
        local stream = aw.timeout(60, aw.tcp.connect, "two.test", 4000)
        print(stream:peer())
        stream:close()
        print(sockets() - before)
      ]], { ["two.test"] = { "127.0.0.1", first } })
      assert.are.equal("127.0.0.1\t4000\n0\n", outcome.out, outcome.err)
    end
  end)

  it("is not held up by two dead look-ups [support]", function()
    local outcome = namespace.run(SERVER .. [[
      aw.scope(function(s)
        for _, name in ipairs { "dead1.test", "dead2.test" } do
          s:start(aw.Call(aw.tcp.connect, name, 80))
        end
        aw.yield()
        aw.timeout(60, aw.tcp.connect, "here.test", 4000):close()
        print "connected"
        s:cancel "the others hang"
      end)]], { ["here.test"] = { "127.0.0.1" } }, namespace.dead4[1])
    assert.are.equal("connected\n", outcome.out, outcome.err)
  end)
end)
