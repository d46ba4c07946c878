--- Objects that are closed while a task waits for them. Cancelled comes before
--- Closed, whichever happened first [C2], but a committed result is delivered
--- [C6]. A background task that waits for an object of the main task is
--- cancelled with the loop, even if the main task closes the object at its end
--- [T2].
---
--- In the core one function ends the waits of all objects, so most cases here
--- use channels.

local aw = require "aiowire"
local helper = require "spec.support.helper"

local test, recorder, nop = helper.test, helper.recorder, helper.nop

--- Waits for objects that can be closed. Each function returns the object, and
--- a body or a wire that has to wait.
local WAITS <const> = {
  ["ch:send"] = function()
    local ch = aw.channel()
    return ch, function()
      ch:send(1)
    end
  end,
  ["ch:recv"] = function()
    local ch = aw.channel()
    return ch, function()
      local _, why = ch:recv()
      error(why, 0)
    end
  end,
  ["ch:iter"] = function()
    local ch = aw.channel()
    return ch, function()
      for _ in ch:iter() do
        error("a value from nowhere", 0)
      end
      error("over", 0)
    end
  end,
  ["Send"] = function()
    local ch = aw.channel()
    return ch, aw.Send(ch, 1)
  end,
  ["Recv"] = function()
    local ch = aw.channel()
    return ch, aw.Recv(ch) / error
  end,
  ["a race of events"] = function()
    local ch = aw.channel()
    return ch, aw.Send(ch, 1) | aw.Never
  end,
  ["a race with a step"] = function()
    local ch = aw.channel()
    return ch, aw.Send(ch, 1) | (aw.Never >> aw.Value())
  end,
  ["a join"] = function()
    local ch = aw.channel()
    return ch, aw.Send(ch, 1) & aw.Never
  end,
  ["Select"] = function()
    local ch = aw.channel()
    return ch, aw.Select { aw.Send(ch, 1), aw.Never }
  end,
  ["aw.await"] = function()
    local ch = aw.channel()
    return ch, function()
      aw.await(aw.Send(ch, 1))
    end
  end,
  ["a child in a scope"] = function()
    local ch = aw.channel()
    return ch, function()
      aw.scope(function(s)
        s:start(aw.Send(ch, 1))
      end)
    end
  end,
}
--- For these waits the end of the channel is an ordinary result, not an error.
local RESULTS <const> = { ["ch:recv"] = true, ["ch:iter"] = true,
  ["Recv"] = true }

local names = {}
for name in pairs(WAITS) do
  names[#names + 1] = name
end
table.sort(names)

--- The two orders of a cancel and a close. The waiting task does not run
--- between the two calls.
local ORDERS <const> = {
  ["cancelled, then closed"] = function(t, object)
    t:cancel()
    object:close()
  end,
  ["closed, then cancelled"] = function(t, object)
    object:close()
    t:cancel()
  end,
}

for order, strike in pairs(ORDERS) do
  describe("a task that waits and is " .. order, function()
    for _, name in ipairs(names) do
      local has_result = RESULTS[name] and order == "closed, then cancelled"
      local ends = has_result and "failed" or "cancelled"
      it(("ends as %s: %s [C2]"):format(ends, name), function()
        helper.leak_checked(aw.run, function(ev)
          local object, wire = WAITS[name]()
          local _ <close> = object
          local t = ev:start(wire, nop)
          for _ = 1, 3 do
            aw.yield()
          end
          strike(t, object)
          pcall(t.wait, t)
          assert.are.equal(ends, t.status)
        end)
      end)
    end
  end)
end

describe("a task whose scope is cancelled when its object is closed", function()
  it("ends as cancelled, whoever of the two comes first [C2]", function()
    for _, close_first in ipairs { true, false } do
      test(function()
        local ch, log, note = aw.channel(), recorder()
        aw.scope(function(s)
          s:start(function()
            local _, err = pcall(ch.send, ch, 1)
            note(aw.is_cancelled(err))
            error(err, 0)
          end)
          aw.yield()
          aw.yield()
          if close_first then
            ch:close()
          end
          s:cancel()
          ch:close()
        end)
        assert.are.same({ true }, log)
      end)
    end
  end)

  it("fails beside another that the same close makes fail [E3]", function()
    test(function()
      local ch = aw.channel()
      local _, err = pcall(aw.scope, function(s)
        s:start(aw.Send(ch, 1))
        s:start(aw.Send(ch, 2))
        aw.yield()
        ch:close()
      end)
      assert.is_true(aw.is_closed(err))
    end)
  end)

  it("takes what was sent to it before that [C6]", function()
    test(function(ev)
      local ch, got = aw.channel(), nil
      local t = ev:start(function()
        got = ch:recv()
        ch:recv()
      end)
      aw.yield()
      ch:send "sent"
      ch:close()
      t:cancel()
      pcall(t.wait, t)
      assert.are.equal("sent", got)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("gets the result of a send that was committed [C6]", function()
    test(function(ev)
      local ch, sent = aw.channel(), nil
      local t = ev:start(function()
        ch:send "x"
        sent = true
        ch:send "y"
      end)
      aw.yield()
      assert.are.equal("x", ch:recv())
      ch:close()
      t:cancel()
      pcall(t.wait, t)
      assert.is_true(sent)
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("gets Cancelled when it waits for a closed object [C2]",
    function()
      test(function(ev)
        local ch, log, note = aw.channel(), recorder()
        ch:close()
        local t = ev:start(function()
          aw.sleep(1)
          for _, f in ipairs { ch.send, ch.recv } do
            note(aw.is_cancelled(select(2, pcall(f, ch, 1))))
          end
        end)
        aw.sleep(1) -- the sleep of t has ended, but t is resumed later
        t:cancel()
        t:wait()
        assert.are.same({ true, true }, log)
      end)
    end)

  it("hears of the close inside a shield [C7]", function()
    test(function(ev)
      local ch, why = aw.channel(), nil
      local t = ev:start(function()
        aw.shield(function()
          why = select(2, pcall(ch.send, ch, 1))
        end, 9)
      end)
      aw.yield()
      ch:close()
      t:cancel()
      pcall(t.wait, t)
      assert.is_true(aw.is_closed(why))
    end)
  end)
end)

describe("a background task that waits for an object of main", function()
  --- How main ends after the close of the object: at once, or a few turns
  --- later.
  local MAINS <const> = {
    ["at once"] = nop,
    ["with a value"] = function()
      return aw.Value(1)
    end,
    ["by further wires"] = function()
      return function()
        return function()
          return aw.Value(1)
        end
      end
    end,
    ["after some turns"] = function()
      for _ = 1, 5 do
        aw.yield()
      end
    end,
  }

  for how, ends in pairs(MAINS) do
    for _, name in ipairs(names) do
      it(("is cancelled, not failed, when main ends %s: %s [T2]")
        :format(how, name), function()
        helper.leak_checked(function()
          local t
          aw.run(function(ev)
            do
              local object, wire = WAITS[name]()
              local _ <close> = object
              t = ev:start(wire, nil, { background = true })
              for _ = 1, 3 do
                aw.yield()
              end
            end
            return ends()
          end)
          assert.are.equal("cancelled", t.status)
        end)
      end)
    end
  end

  --- Objects whose close waits, or whose waits may end without a close.
  local OWNED <const> = {
    ["t:wait"] = function()
      local t = aw.start(aw.Never)
      return t, function()
        t:wait()
      end
    end,
    ["Done"] = function()
      local t = aw.start(aw.Never)
      return t, aw.Done(t)
    end,
    ["stdout:read"] = function()
      local p = aw.spawn { "sleep", "60" }
      return p, function()
        p.stdout:read "l"
      end
    end,
    ["stdout:lines"] = function()
      local p = aw.spawn { "sleep", "60" }
      return p, function()
        for line in p.stdout:lines() do
          error("a line from nowhere: " .. line)
        end
      end
    end,
    ["stdin:write"] = function()
      local p = aw.spawn { "sleep", "60", stdin = "pipe" }
      return p, function()
        p.stdin:write(("x"):rep(1000000))
      end
    end,
  }

  for name, make in pairs(OWNED) do
    it("is cancelled, not failed, when main ends: " .. name .. " [T2]",
      function()
        helper.leak_checked(function()
          local t
          aw.run(function(ev)
            local object, wire = make()
            local _ <close> = object
            t = ev:start(wire, nil, { background = true })
            for _ = 1, 3 do
              aw.yield()
            end
          end)
          assert.are.equal("cancelled", t.status)
        end)
      end)
  end

  it("is cancelled when a finally of main closes it [O9]", function()
    helper.leak_checked(function()
      local ch, t = aw.channel(), nil
      aw.run(aw.Call(function()
        t = aw.start(aw.Send(ch, 1), nil, { background = true })
        aw.yield()
      end):finally(function()
        ch:close()
      end))
      assert.are.equal("cancelled", t.status)
    end)
  end)

  it("fails when main goes on, and waits for something else [T2]", function()
    test(function(ev)
      local ch, closed = aw.channel(), nil
      ev:start(aw.Send(ch, 1), function(_, err)
        closed = aw.is_closed(err)
      end, { background = true })
      aw.yield()
      ch:close()
      aw.sleep(1)
      assert.is_true(closed)
    end)
  end)

  it("hears of the close though others are always ready [F4]", function()
    test(function(ev)
      local ch, closed = aw.channel(), nil
      ev:start(aw.Send(ch, 1), function(_, err)
        closed = aw.is_closed(err)
      end, { background = true })
      aw.yield()
      ch:close()
      repeat
        aw.yield()
      until closed
    end)
  end)

  it("is not cancelled if it is in the foreground: it fails [T2]", function()
    test(function(ev)
      local ch, closed = aw.channel(), nil
      ev:start(aw.Send(ch, 1), function(_, err)
        closed = aw.is_closed(err)
      end)
      aw.yield()
      ch:close()
      aw.yield()
      aw.yield()
      assert.is_true(closed)
    end)
  end)
end)
