-- The sweep over channels, events and semaphores: see spec/sweep/sweep.lua.
--
-- After a strike each value must be in one place: with its sender, in the
-- channel, or with its receiver.

local aw = require "aiowire"
local sweep = require "spec.sweep.sweep"

local scenarios, scenario = sweep.scenarios()

--- Start a task in the scope `s` that sends 1..n and appends to `sent` what it
--- has sent.
local function start_sender(s, p, ch, n, sent)
  s:start(function()
    local _ <close> = p.guard()
    for i = 1, n do
      p.step(ch.send, ch, i)
      sent[#sent + 1] = i
    end
  end)
end

--- Returns a guard that checks: each value that was sent was received, or is
--- still in the channel.
local function add_up(p, ch, sent, got)
  return p.guard(function()
    local left = 0
    while select("#", ch:try_recv()) == 1 do
      left = left + 1
    end
    assert(#sent == #got + left,
      ("%d sent, %d received, %d left"):format(#sent, #got, left))
  end)
end

for capacity = 0, 2 do
  scenario("a channel of " .. capacity .. ", between two tasks",
    function(_, p)
      local ch, sent, got = aw.channel(capacity), {}, {}
      local _ <close> = add_up(p, ch, sent, got)
      aw.scope(function(s)
        start_sender(s, p, ch, 3, sent)
        for _ = 1, 3 do
          got[#got + 1] = p.step(ch.recv, ch)
        end
        p.yield()
      end)
    end)
end

scenario("many senders and receivers", function(_, p)
  local ch, sent, got = aw.channel(1), {}, {}
  local _ <close> = add_up(p, ch, sent, got)
  aw.scope(function(s)
    for _ = 1, 2 do
      start_sender(s, p, ch, 2, sent)
      s:start(function()
        local _ <close> = p.guard()
        for _ = 1, 2 do
          got[#got + 1] = p.step(ch.recv, ch)
          p.yield()
        end
      end)
    end
  end)
end)

scenario("Recv and Send as wires", function(_, p)
  local ch = aw.channel()
  aw.scope(function(s)
    s:start(aw.Send(ch, {}) * 2)
    s:start(function()
      local _ <close> = p.guard()
      p.await(aw.Send(ch, 1) >> aw.Send(ch, 2))
    end)
    p.await(aw.Recv(ch) >> aw.Recv(ch))
    p.await(aw.Recv(ch) * 2)
  end)
end)

scenario("a loop over a channel that is closed", function(_, p)
  local ch = aw.channel(2)
  aw.scope(function(s)
    s:start(function()
      local _ <close> = p.guard(function()
        ch:close()
      end)
      for i = 1, 3 do
        p.step(ch.send, ch, i)
      end
    end)
    local next_value = ch:iter()
    while p.step(next_value, ch) do -- luacheck: ignore
    end
  end)
end)

scenario("senders that a close fails", function(_, p)
  local ch = aw.channel()
  aw.scope(function(s)
    for _ = 1, 2 do
      s:start(function()
        local _ <close> = p.guard()
        local ok, err = aw.pcall(p.step, ch.send, ch, 1)
        if not ok and not aw.is_closed(err) then
          error(err, 0)
        end
      end)
    end
    p.yield()
    ch:close()
    p.yield()
  end)
end)

scenario("receivers that time out", function(_, p)
  local ch = aw.channel()
  for _ = 1, 2 do
    aw.scope({ timeout = 1 }, function(s)
      s:start(function()
        local _ <close> = p.guard()
        p.step(ch.recv, ch)
      end)
      p.await(aw.Recv(ch))
    end)
  end
  assert(not ch:try_send(1))
end)

scenario("races between channels", function(_, p)
  local a, b, sent, got = aw.channel(), aw.channel(1), {}, {}
  local function take(v)
    got[#got + 1] = v
  end
  local _ <close> = add_up(p, b, sent, got)
  aw.scope(function(s)
    start_sender(s, p, a, 2, sent)
    start_sender(s, p, b, 2, sent)
    for _ = 1, 4 do
      p.await(aw.Recv(a) / take | aw.Recv(b) / take | aw.Sleep(1))
    end
  end)
  assert(not a:try_send(1))
end)

scenario("an event", function(_, p)
  local e = aw.event()
  aw.scope(function(s)
    for _ = 1, 2 do
      s:start(function()
        local _ <close> = p.guard()
        p.step(e.wait, e)
        p.yield()
        p.await(aw.Wait(e))
      end)
    end
    p.sleep(1)
    e:set()
    p.step(e.wait, e)
  end)
end)

scenario("a semaphore whose permits come back", function(_, p)
  local sem = aw.semaphore(2, { max = 2 })
  local _ <close> = p.guard(function()
    assert(sem:try_acquire() and sem:try_acquire() and not sem:try_acquire())
  end)
  aw.scope(function(s)
    for _ = 1, 3 do
      s:start(function()
        local _ <close> = p.guard()
        local _ <close> = p.step(sem.acquire, sem)
        p.sleep(1)
      end)
    end
    p.yield()
  end)
end)

scenario("channels in its clean-up", function(_, p)
  local ch, e, sem = aw.channel(), aw.event(), aw.semaphore(1)
  local _ <close> = p.guard(function()
    aw.shield(function()
      aw.scope(function(s)
        s:start(aw.Send(ch, 1) >> aw.Recv(ch))
        p.step(ch.recv, ch)
        p.step(ch.send, ch, 2)
        s:start(aw.Wait(e))
        p.yield()
        e:set()
        p.step(e.wait, e)
        local _ <close> = p.step(sem.acquire, sem)
      end)
    end)
  end)
  p.sleep(0)
end)

describe("the sweep of channels", function()
  for sentence, proof in sweep.all_facts(scenarios) do
    it(sentence, proof)
  end

  it("covers 12 scenarios and 400 strikes [C2]", function()
    assert.is_true(#scenarios >= 12)
    assert.is_true(sweep.strikes(scenarios) >= 400)
  end)
end)
