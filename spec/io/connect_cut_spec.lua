-- A connect that is cut short leaves no descriptor, without help of the
-- collector [X10, C10].

local aw = require "aiowire"
local helper = require "spec.support.helper"
local listening = require "spec.support.listening"

local run = helper.run

--- Passes that a sweep waits before it cuts, at most. A connect over the
--- loopback takes fewer.
local MOST <const> = 24

--- Run `w`, and cancel it after `passes` turns of another task. Returns the
--- stream that it has made, if it was faster.
local function cut_after(ev, passes, w)
  local task = ev:start(w, aw.keep)
  for _ = 1, passes do
    aw.yield()
  end
  task:cancel_wait()
  local ok, stream = helper.join(task)
  return ok and stream or nil
end

--- Cut `w` after each number of passes, and count descriptors each time.
--- Returns how many were cut.
local function sweep(ev, w, listener)
  local cut = 0
  for passes = 0, MOST do
    listening.without_garbage(function()
      local stream = cut_after(ev, passes, w)
      if stream then
        stream:close()
      else
        cut = cut + 1
      end
    end)
    if listener:waiting() then
      listener:drain()
    end
  end
  return cut
end

describe("a connect that is cancelled after any number of passes", function()
  for sentence, host in pairs {
    ["leaves no descriptor [X10]"] = "127.0.0.1",
    ["leaves none of several attempts [X10, X12]"] = "localhost",
  } do
    it(sentence, function()
      run(function(ev)
        local listener <close>, port = listening.tcp()
        local cut = sweep(ev, aw.Call(aw.tcp.connect, host, port), listener)
        assert.is_true(cut > 0)
      end)
    end)
  end

  it("leaves none with a time limit [X10]", function()
    run(function(ev)
      local listener <close>, port = listening.tcp()
      sweep(ev, aw.Call(aw.tcp.connect, "localhost", port, { timeout = 60 }),
        listener)
      sweep(ev, aw.Call(aw.tcp.connect, "127.0.0.1", port):timeout(60),
        listener)
    end)
  end)

  it("leaves none of a unix socket [X10]", function()
    run(function(ev)
      local listener <close>, path = listening.unix()
      sweep(ev, aw.Call(aw.unix.connect, path), listener)
      listening.remove(path)
    end)
  end)

  it("leaves none while it tries again [X10, O10]", function()
    run(function(ev)
      local port = listening.free_port()
      local w = aw.Call(aw.tcp.connect, "localhost", port)
        :retry { times = 1000, delay = 0 }
      for passes = 0, MOST do
        listening.without_garbage(function()
          assert.is_nil(cut_after(ev, passes, w))
        end)
      end
    end)
  end)
end)

describe("a connect that loses a race", function()
  --- Race `count` connects, many times: they are made in the same pass, and
  --- one of them wins.
  local function race(count, connect, ...)
    local arguments = table.pack(...)
    for _ = 1, 20 do
      listening.without_garbage(function()
        local operands = {}
        for i = 1, count do
          operands[i] = aw.Call(connect, table.unpack(arguments, 1,
            arguments.n))
        end
        aw.race(operands):close()
      end)
    end
  end

  it("leaves no descriptor, even if it is made in the same pass [X10]",
    function()
      run(function()
        local listener <close>, port = listening.tcp()
        race(3, aw.tcp.connect, "127.0.0.1", port)
        listener:drain()
        race(3, aw.tcp.connect, "127.0.0.1", port, { timeout = 60 })
        listener:drain()
        race(3, aw.tcp.connect, "localhost", port)
      end)
    end)

  it("leaves none of a unix socket, which is made at once [X10]", function()
    run(function()
      local listener <close>, path = listening.unix()
      race(3, aw.unix.connect, path)
      listener:drain()
      listening.remove(path)
    end)
  end)

  it("leaves none beside an event that is ready in any pass [X10]", function()
    run(function(ev)
      local listener <close>, port = listening.tcp()
      for passes = 0, MOST do
        listening.without_garbage(function()
          local event = aw.event()
          ev:start(function()
            for _ = 1, passes do
              aw.yield()
            end
            event:set()
          end)
          local s = aw.await(aw.Call(aw.tcp.connect, "127.0.0.1", port)
            | aw.Wait(event))
          if s then
            s:close()
          end
        end)
        listener:drain()
      end
    end)
  end)
end)

describe("a time limit of a connect", function()
  it("leaves no descriptor, whenever it expires [X10, O8]", function()
    run(function()
      local listener <close>, port = listening.tcp()
      for i = 0, 20 do
        listening.without_garbage(function()
          local seconds = i * 0.00001
          local ok, s = pcall(aw.tcp.connect, "localhost", port,
            { timeout = seconds })
          if ok then
            s:close()
          else
            assert.is_true(aw.is_timeout(s), tostring(s))
          end
          ok, s = pcall(aw.await,
            aw.Call(aw.tcp.connect, "localhost", port):timeout(seconds))
          if ok then
            s:close()
          end
        end)
        listener:drain()
      end
    end)
  end)
end)

describe("a connect that is cancelled as it succeeds", function()
  it("gives no stream, and leaves no descriptor [X10, C6]", function()
    local listener <close>, port = listening.tcp()
    run(function(ev)
      listening.without_garbage(function()
        local tasks, streams = {}, {}
        -- All succeed at about the same time, and the first cancels the rest.
        for i = 1, 16 do
          tasks[i] = ev:start(function()
            streams[#streams + 1] = aw.tcp.connect("127.0.0.1", port)
            for k = 1, 16 do
              if k ~= i then
                tasks[k]:cancel()
              end
            end
          end)
        end
        for _, task in ipairs(tasks) do
          helper.join(task)
        end
        assert.are.equal(1, #streams)
        streams[1]:close()
      end)
    end)
    listener:drain()
  end)
end)

describe("a connect whose loop ends", function()
  it("leaves no descriptor [X10, L3]", function()
    helper.leak_checked(function()
      local listener <close>, port = listening.tcp()
      for passes = 0, 8 do
        listening.without_garbage(function()
          local s
          aw.run(function(ev)
            ev:start(function()
              s = aw.tcp.connect("localhost", port)
            end)
            for _ = 1, passes do
              aw.yield()
            end
            ev:stop()
          end)
          if s then
            s:close()
          end
        end)
      end
      listener:drain()
    end)
  end)
end)
