-- Running out of descriptors or threads is an error of the library; libzmq
-- alone would abort the process [ZQ12]. Each case runs in a new process, which
-- uses up all descriptors.

local exhaustion = require "spec.support.exhaustion"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local operations <const> = {
  { "a context and a socket", [[
    ctx:socket "pair"]] },
  { "bind to a number", [[
    ctx:socket("rep"):bind "tcp://127.0.0.1:*"]] },
  { "bind and connect, and the end of the context", [[
    local s = ctx:socket("rep"):bind "inproc://x"
    ctx:socket("req"):connect "inproc://x"
    ctx:socket("req"):connect "inproc://pending"
    ctx:socket("req"):connect "tcp://127.0.0.1:9"]] },
  { "a monitor, and a wait for peers", [[
    local s = ctx:socket "pull"
    local m <close> = s:monitor()
    s:bind "tcp://127.0.0.1:*"
    ctx:socket("push"):connect(s.last_endpoint)
    m:recv()
    local ok, err = aw.pcall(s.wait_peers, s, 1, 0.002)
    if not ok and not aw.is_timeout(err) then
      error(err, 0)
    end]] },
  { "a connect to the name of a host", [[
    local s <close> = ctx:socket("push"):connect "tcp://127.2:9"
    aw.sleep(0.002)]] },
  { "key files", [[
    local name = os.tmpname()
    local _ <close> = setmetatable({}, { __close = function()
      os.remove(name)
    end })
    zmq.save_keys(name, zmq.curve_keypair())
    ctx:socket "dealer".curve_secretkey = name]] },
  { "an authenticator with a handler, and its end", [[
    local auth = zmq.auth { context = ctx, handler = print }
    aw.yield()
    auth:close()]] },
  { "a receive", [[
    local s = ctx:socket("pull"):bind "inproc://y"
    local _, err = aw.pcall(aw.timeout, 0.002, s.recv, s)
    if not aw.is_timeout(err) then
      error(err, 0)
    end]] },
}

local frame <const> = [[
  local aw = require "aiowire"
  local zmq = require "aiowire.zmq"

]] .. exhaustion.FILL .. [[

  local function try()
    local ctx <close> = zmq.context()
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
    refused = refused + 1
  end

  for spare = 0, 40 do
    fill()
    for _ = 1, math.min(spare, #hold) do -- libzmq may still have some
      table.remove(hold):close()
    end
    local ok, err = pcall(aw.run, function()
      check(aw.pcall(try))
      aw.yield()
    end, { clock = "real" })
    if not ok then
      check(ok, err)
    end
    for _, file in ipairs(hold) do
      file:close()
    end
    hold = {}
    collectgarbage()
    aw.run(aw.Sleep(0.01)) -- libzmq closes a moment later, most times
  end
  assert(refused > 0, "there were always enough")
  assert(fine > 0, "there were never enough")
  print "survived"
]]

describe("running out of descriptors", function()
  for _, operation in ipairs(operations) do
    it(("is an error of %s [ZQ12]"):format(operation[1]), function()
      if not sockets.installed then
        pending "libzmq is not installed"
        return
      end
      local outcome = process.run("ulimit -n 64; exec $aiowire s.lua",
        { ["s.lua"] = frame:format(operation[2]) })
      assert.are.equal("survived\n", outcome.out, outcome.err)
      assert.are.equal(0, outcome.code)
    end)
  end
end)

describe("running out of threads", function()
  it("is an error of the first socket [ZQ12]", function()
    if not sockets.installed or process.sanitized then
      pending "needs libzmq, and a limit of memory"
      return
    end
    -- The limit leaves no room for the stacks of so many threads.
    local outcome = process.run("ulimit -v 60000; exec $aiowire s.lua", {
      ["s.lua"] = [[
        local aw = require "aiowire"
        local zmq = require "aiowire.zmq"
        zmq.version()
        local ok, err = pcall(zmq.context, { io_threads = 60 })
        print(ok, aw.is_system_error(err) and err.code)
      ]] })
    assert.are.equal("false\tEAGAIN\n", outcome.out, outcome.err)
    assert.are.equal(0, outcome.code)
  end)
end)

describe("a socket that is never closed", function()
  local script <const> = [[
    local zmq = require "aiowire.zmq"
    local alive, most = setmetatable({}, { __mode = "v" }), 0
    for i = 1, 1000 do
      alive[i] = zmq.socket "push"
      if i % 50 == 0 then
        local count = 0
        for _ in pairs(alive) do
          count = count + 1
        end
        most = math.max(most, count)
      end
    end
    print(most < 200 and "few" or most)
  ]]

  it("is collected before sockets pile up", process.under_stock(function()
    if not sockets.installed then
      pending "libzmq is not installed"
      return
    end
    process.assert_outcome("few\n", 0, process.host(script))
    process.assert_outcome("few\n", 0, process.stock(script))
  end))
end)
