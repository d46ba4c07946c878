-- Connections over unix sockets: what a connect gives, and how it fails
-- [X10, X13].

local aw = require "aiowire"
local descriptors = require "spec_descriptors"
local helper = require "spec.support.helper"
local listening = require "spec.support.listening"
local process = require "spec.support.process"

local raises, run = helper.raises, helper.run

--- Connects to a path until that fails, and closes those connections after
--- `f(err)`.
local function when_full(path, opts, f)
  local held, err = {}, nil
  while not err do
    local ok, result = pcall(aw.unix.connect, path, opts)
    held[#held + 1] = ok and result or nil
    err = not ok and result
  end
  f(err)
  for _, s in ipairs(held) do
    s:close()
  end
end

describe("a connection over a unix socket", function()
  it("is a stream to the peer that listens [X10]", function()
    run(function()
      local listener <close>, path = listening.unix()
      local s <close> = aw.unix.connect(path)
      listener:greet(s)
      assert.is_truthy(tostring(s):find(path, 1, true))
      listening.remove(path)
    end)
  end)

  it("waits until there is room in the backlog [X10]", function()
    run(function(ev)
      local listener <close>, path = listening.unix(0)
      local made, tasks = 0, {}
      for i = 1, 5 do
        tasks[i] = ev:start(function()
          local _ <close> = aw.unix.connect(path, { timeout = 100 })
          made = made + 1
          aw.sleep(math.huge)
        end)
      end
      helper.wait_until(function()
        return made >= 1 and ev:dump():find("connect " .. path, 1, true)
      end)
      helper.wait_until(function()
        listener:drain()
        return made == 5
      end)
      for _, task in ipairs(tasks) do
        task:cancel_wait()
      end
      listening.remove(path)
    end)
  end)

  it("is cancelled while there is no room, and leaves no descriptor [X10]",
    function()
      run(function(ev)
        local _ <close>, path = listening.unix(0)
        when_full(path, { timeout = 0.02 }, function()
          listening.without_garbage(function()
            local task = ev:start(aw.Call(aw.unix.connect, path))
            aw.sleep(0.005)
            task:cancel_wait()
            assert.are.equal("cancelled", task.status)
          end)
        end)
        listening.remove(path)
      end)
    end)

  it("does not wait for room on a virtual clock [X10, K6]", function()
    helper.test(function()
      local _ <close>, path = listening.unix(0)
      when_full(path, nil, function(err)
        assert.are.equal("EAGAIN", err.code)
      end)
      listening.remove(path)
    end)
  end)

  it("reaches a name in the abstract namespace [X10]", function()
    run(function()
      local name = "\0aiowire spec " .. tostring({})
      local err = raises("@aiowire spec", aw.unix.connect, name)
      assert.are.equal("ECONNREFUSED", err.code)
    end)
  end)
end)

describe("a connect to a unix socket that fails", function()
  local function fails(code, path, about)
    local err = raises("unix_connect_spec.lua:", function()
      aw.unix.connect(path)
    end)
    assert.are.equal(code, err.code)
    assert.are.equal("connect", err.call)
    assert.are.equal(about or path, err.about)
  end

  it("names the path [X13]", function()
    run(function()
      local listener, path = listening.unix()
      fails("ENOENT", path .. "x")
      fails("ENOTDIR", path .. "/x")
      descriptors.close(listener.fd)
      fails("ECONNREFUSED", path)
      listening.remove(path)
      fails("ENOENT", path)
      local long = "/tmp/" .. ("x"):rep(102)
      assert.are.equal(107, #long)
      fails("ENOENT", long)
      fails("ECONNREFUSED", "/dev/null")
    end)
  end)

  it("refuses what can be no path [X13]", function()
    run(function()
      assert.are.equal("ENAMETOOLONG",
        raises("108 bytes", aw.unix.connect, ("x"):rep(108)).code)
      assert.are.equal("EINVAL",
        raises("zero byte", aw.unix.connect, "/tmp/a\0b").code)
      fails("EINVAL", "")
      raises("bad argument #1 to 'connect'", aw.unix.connect, {})
      raises("unknown option 'local_port'", aw.unix.connect, "x",
        { local_port = 1 })
    end)
  end)

  it("is not allowed to all [X13]", function()
    local outcome = process.run("id -u; command -v setpriv")
    if outcome.out:match "^(%d+)" == "0" and not outcome.out:find "setpriv" then
      helper.pending "root may do everything"
    end
    run(function()
      local _ <close>, path = listening.unix()
      os.execute("chmod 000 " .. path)
      local script = ([[
        local aw = require "aiowire"
        aw.run(function()
          local _, err = pcall(aw.unix.connect, %q)
          print(err.code, err.about)
        end)
      ]]):format(path)
      local drop = outcome.out:match "^(%d+)" == "0"
        and "setpriv --reuid=65534 --clear-groups " or ""
      os.execute("chmod 755 " .. path:match "^(.*)/")
      local result = process.run(
        "chmod 755 .; chmod 644 s.lua; exec " .. drop .. "$aiowire s.lua",
        { ["s.lua"] = script })
      if result.code ~= 0 then
        helper.pending("another user cannot run this program: " .. result.err)
      end
      assert.are.equal("EACCES\t" .. path .. "\n", result.out)
      listening.remove(path)
    end)
  end)
end)
