-- The first engine of a process is opened without descriptors: libuv would
-- abort the process when it cannot open its own first pipe [UV14].

local exhaustion = require "spec.support.exhaustion"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local program <const> = [[
  local aw = require "aiowire"
  local spare = tonumber(arg[1])
]] .. exhaustion.FILL .. [[
  fill()
  for _ = 1, spare do
    table.remove(hold):close()
  end
  local function try()
    local u <close> = aw.udp.bind("127.0.0.1", 0)
    u:send("x", u:name())
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    local s <close> = aw.tcp.connect(server:name())
    aw.readable(server)
    assert(aw.dns.resolve "127.1"[1].address == "127.0.0.1")
    assert(aw.await(aw.Recv(u) | aw.Sleep(60)) == "x")
  end
  local ok, err = pcall(aw.run, try)
  assert(ok or aw.is_system_error(err) and err.code == "EMFILE", err)
  for _, file in ipairs(hold) do
    file:close()
  end
  aw.run(try)
]]

describe("the first engine of a process", function()
  for _, interpreter in ipairs { "aiowire", "lua" } do
    it("needs no spare descriptors to go on under " .. interpreter, function()
      if interpreter == "lua" and process.sanitized then
        helper.pending "a stock lua5.4 cannot load a module with sanitizers"
      end
      local outcome = process.run(([[
        ulimit -n 64
        spare=0
        while [ $spare -le 48 ]; do
          INTERPRETER s.lua $spare || exit
          spare=$((spare + 1))
        done
        echo survived]]):gsub("INTERPRETER", "$" .. interpreter),
        { ["s.lua"] = program })
      assert.are.equal("survived\n", outcome.out, outcome.err)
    end)
  end
end)
