-- 10,000 connections that are opened, used, reset and closed at random by
-- another process; the server serves all, and keeps none [X18].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local COUNT <const> = helper.scale(10000)

-- At most 100 connections are open at a time. Each request is answered before
-- the next, so the server must serve all that are open.
local peer <const> = [[
  package.cpath = %q
  local clients = require "spec_clients"
  math.randomseed(42)
  local open, opened = {}, 0
  local function ask(fd, text)
    clients.send(fd, text)
    local got = ""
    while #got < #text do
      got = got .. clients.receive(fd)
    end
    assert(got == text)
  end
  local ways = {
    function(fd) ask(fd, "a line\n") return true end,
    function(fd) ask(fd, ("x"):rep(5000) .. "\n") return true end,
    function(fd) clients.send(fd, "half a li") clients.close(fd) end,
    function(fd) clients.send(fd, "unread\n") clients.reset(fd) end,
    function(fd) clients.reset(fd) end,
    function(fd) clients.close(fd) end,
    function(fd)
      clients.shut(fd)
      assert(clients.receive(fd) == "")
      clients.close(fd)
    end,
  }
  local function use(i)
    if not ways[math.random(#ways)](open[i]) then
      table.remove(open, i)
    end
  end
  while opened < %d do
    if #open < 100 and math.random(2) == 1 then
      open[#open + 1] = clients.connect(%d)
      opened = opened + 1
    elseif #open > 0 then
      use(math.random(#open))
    end
  end
  print "done"
]]

describe("a server with many clients that come and go [X18]", function()
  it("serves each of them", helper.sealed(function()
    if process.sanitized then
      helper.pending "a stock lua5.4 cannot load a module with sanitizers"
      return
    end
    helper.run(function(ev)
      local server <close>, port = clients.listen()
      local begun, ended, failures = 0, 0, {}
      local task <close> = ev:start(aw.Serve(server, function(_, s)
        begun = begun + 1
        local _ <close> = helper.closer(function()
          ended = ended + 1
        end)
        for line in s:lines() do
          s:write(line, "\n")
        end
      end, function(_, err)
        failures[err.code or err] = true
      end, { max_connections = 200 }))
      local outcome = aw.exec { "lua5.4", "-e",
        peer:format(package.cpath, COUNT, port), stderr = "inherit" }
      assert.are.equal("done\n", outcome.out)
      helper.wait_until(function()
        return begun == ended and begun > COUNT * 0.9
      end)
      failures.ECONNRESET, failures.EPIPE = nil, nil
      assert.are.same({}, failures)
      assert.are.equal("waiting", task.status)
    end)
  end))
end)
