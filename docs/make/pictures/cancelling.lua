-- Four tasks are cancelled, as the time of their loop is over.

local aw = require "aiowire"
local notes = require "notes"

local note, closing = notes.note, notes.closing

-- Returns a body that waits for long and has `cleanup` as its clean-up.
local function sleeper(cleanup)
  return function()
    local _ <close> = closing(function(err)
      note("cancelled", err)
      cleanup()
    end)
    note("wait", "sleep 60")
    aw.sleep(60)
  end
end

local function quick()
  note("ended", "closes its variables, ends")
end

-- The last message takes a second.
local function polite()
  note("cleanup", "shield: sleep 1")
  aw.shield(function()
    aw.sleep(1)
  end)
  note("ended", "ends in time")
end

-- The other side never answers.
local function patient()
  note("cleanup", "shield: sleep 60")
  local _, err = pcall(aw.shield, function()
    aw.sleep(60)
  end)
  note("hard", err)
  note("ended", "is cut short")
end

-- The other side never answers, and each error leads to another try.
local function stubborn()
  local _ <close> = closing(function()
    note("killed", "killed, in ev.stuck", "stubborn")
  end)
  note("wait", "sleep 60")
  local _, err = pcall(aw.sleep, 60)
  note("cancelled", err)
  note("cleanup", "shield: sleep 60, again and again")
  while true do
    pcall(aw.shield, function()
      aw.sleep(60)
    end)
  end
end

local ev = aw.EventLoop { clock = "virtual", timeout = 2, grace = 2 }
note("head", "EventLoop { timeout = 2, grace = 2 }", "", 0)
ev:start(sleeper(quick), nil, { name = "quick" })
ev:start(sleeper(polite), nil, { name = "polite" })
ev:start(sleeper(patient), nil, { name = "patient" })
ev:start(stubborn, nil, { name = "stubborn" })
assert(ev:run() == "timeout" and ev.stuck[1].name == "stubborn")
