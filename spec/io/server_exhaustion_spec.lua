-- A server with each number of spare descriptors, from none to 48: accepting
-- and serving never fail; they go on when there are descriptors [X17].

local exhaustion = require "spec.support.exhaustion"
local process = require "spec.support.process"

local ways = {
  { "accept", [[
    local s <close> = server:accept()
    s:write "x"]] },
  { "Accept", [[
    local s <close> = aw.await(aw.Accept(server) | aw.Sleep(60))
    s:write "x"]] },
  { "Serve", [[
    aw.timeout(60, function()
      aw.scope(function(s)
        s:start(aw.Serve(server, function(_, stream)
          stream:write "x"
          s:cancel()
        end))
      end)
    end)]] },
}

local frame = [[
  local aw = require "aiowire"
  package.cpath = "]] .. process.root .. "/" .. (os.getenv
    "AIOWIRE_BUILD_DIR" or "build/dev") .. [[/?.so;" .. package.cpath
  local clients = require "spec_clients"
  local server

]] .. exhaustion.FILL .. [[
  local function give_back()
    for _, file in ipairs(hold) do
      file:close()
    end
    hold = {}
  end
  local function fill_but(spare)
    fill()
    for _ = 1, spare do
      table.remove(hold):close()
    end
  end

  local function take()
    %s
  end

  local paused, at_once = 0, 0
  local function check()
    local task = aw.start(take)
    aw.sleep(0.001)
    if task.status == "done" then
      at_once = at_once + 1
    else
      paused = paused + 1
    end
    give_back()
    task:wait()
  end

  local function try(spare, opts)
    server = aw.tcp.listen("127.0.0.1", 0)
    local _, port = server:name()
    local fd = clients.connect(port)
    if not opts then
      aw.run(aw.Readable(server)) -- opens what the engine keeps
    end
    fill_but(spare)
    local ok, err = pcall(aw.run, check, opts)
    give_back()
    if ok then
      assert(clients.receive(fd) == "x")
    else -- the loop got no descriptors of its own
      assert(opts and err.code == "EMFILE", tostring(err))
    end
    server:close()
    clients.close(fd)
    collectgarbage()
  end

  for spare = 0, 48 do
    try(spare)
    try(spare, { clock = "real" }) -- an engine of its own
  end
  assert(at_once > 0, "there were never enough")
  assert(paused > 0, "there were always enough")
  print "survived"
]]

describe("a server that runs out of descriptors [X17]", function()
  for _, way in ipairs(ways) do
    for _, interpreter in ipairs { "aiowire", "lua" } do
      it(("goes on with %s under %s"):format(way[1], interpreter), function()
        if interpreter == "lua" and process.sanitized then
          pending "a stock lua5.4 cannot load a module with sanitizers"
          return
        end
        local outcome = process.run(
          ("ulimit -n 64; exec $%s s.lua"):format(interpreter),
          { ["s.lua"] = frame:format(way[2]) })
        assert.are.equal("survived\n", outcome.out, outcome.err)
      end)
    end
  end
end)
