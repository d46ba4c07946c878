-- Many connections that are opened, used and reset at random. AIOWIRE_MANY says
-- how many; there are 1,000 by default.

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local random = require "spec.support.random"

local COUNT <const> = tonumber(os.getenv "AIOWIRE_MANY") or helper.scale(1000)

--- Returns a limit of descriptors that is enough for all, or nil.
local function raise_limit()
  local ok, old = pcall(clients.limit, 2 * COUNT + 200)
  return ok and old or nil
end

--- What a client does, once: it may end its connection.
local acts = {
  function(client)
    clients.send(client.fd, "ping\n")
    assert(clients.answer(client.fd) == "ping\n")
  end,
  function(client)
    clients.send(client.fd, "half a line")
    clients.reset(client.fd)
    client.fd = nil
  end,
  function(client)
    clients.reset(client.fd)
    client.fd = nil
  end,
  function(client)
    clients.shut(client.fd)
    assert(clients.answer(client.fd) == "")
    clients.close(client.fd)
    client.fd = nil
  end,
}

local function echo(_, s)
  for line in s:lines "L" do
    s:write(line)
  end
end

describe("many connections", function()
  it("are opened, used and reset at random, and leave nothing", function()
    local old = raise_limit()
    if not old then
      helper.pending "the limit of descriptors cannot be raised"
    end
    local _ <close> = helper.closer(clients.limit, old)
    helper.run(function(ev)
      local numbers = random(7)
      local server <close>, port = clients.listen { backlog = 1024 }
      local strange = 0
      local task = ev:start(aw.Serve(server, echo, function(_, err)
        if err.code ~= "ECONNRESET" and err.code ~= "EPIPE" then
          strange = strange + 1
        end
      end))
      local open, made = {}, 0
      -- A connect blocks if the backlog is full. An answer says that all
      -- connections before this one are accepted.
      local function connect(client)
        client.fd = clients.connect(port)
        made = made + 1
        if made % 50 == 0 then
          acts[1](client)
        end
      end
      for i = 1, COUNT do
        open[i] = {}
        connect(open[i])
      end
      for _ = 1, 3 * COUNT do
        local client = open[numbers:between(1, COUNT)]
        if not client.fd then
          connect(client)
        end
        numbers:pick(acts)(client)
        if numbers:chance(10) then
          aw.sleep(0)
        end
      end
      for _, client in ipairs(open) do
        if client.fd then
          acts[1](client)
          clients.close(client.fd)
        end
      end
      task:cancel_wait()
      assert.are.equal(0, strange)
    end)
  end)
end)
