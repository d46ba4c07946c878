-- Workers without descriptors [UV14, J1].

local exhaustion = require "spec.support.exhaustion"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

-- An error of the worker's loop is copied to who waits.
local operations = {
  { "aw.thread", [[
    local t <close> = aw.thread(function(n)
      require "aiowire".sleep(0)
      return n + 1
    end, 1)
    assert(t:wait() == 2)]] },
  { "messages of a worker", [[
    local t <close> = aw.thread(function()
      local aw = require "aiowire"
      aw.parent:send(aw.parent:recv())
    end)
    local ok, err = pcall(function()
      t:send "x"
      assert(t:recv() == "x")
    end)
    t:wait()
    if not ok then
      error(err, 0)
    end]] },
}

describe("running out of descriptors with workers", function()
  for title, f in exhaustion.cases(operations) do
    it(title, f)
  end
end)

describe("a lack of threads", function()
  it("is a SystemError at the caller's line [J1]", function()
    local outcome = process.run([[
      [ $(id -u) = 0 ] || exit 77
      chmod 755 . && cp $aiowire ./aiowire && chmod 755 aiowire s.lua
      ASAN_OPTIONS=detect_leaks=0 setpriv --reuid=65534 --clear-groups \
        prlimit --nproc=1 ./aiowire s.lua 2>&1]], { ["s.lua"] = [[
      local aw = require "aiowire"
      local ok, err = pcall(aw.thread, function() end)
      print(ok and "no limit" or err.code, err.call, err.where)
      collectgarbage()
    ]] })
    if outcome.code == 77 then
      helper.pending "only root can become another user"
    end
    assert.are.equal("EAGAIN\tthread\ts.lua:2\n", outcome.out)
  end)
end)
