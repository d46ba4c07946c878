-- The race of addresses, RFC 8305, in virtual time, with attempts that only
-- sleep [X12]. A network whose route drops packets is in
-- spec/io/connect_route_spec.lua.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local host_parts = require "spec.support.host_parts"

--- Loads the part of the library, which is plain Lua.
local happy_eyeballs = host_parts.chunk "lua/aiowire/happy_eyeballs.lua"(aw, {})

local in_task = helper.in_task

local function families(text)
  local list = {}
  for digit in text:gmatch "%d" do
    list[#list + 1] = { family = digit == "6" and "inet6" or "inet",
      at = #list + 1 }
  end
  return list
end

local function shown(addresses)
  local text = {}
  for i, address in ipairs(addresses) do
    text[i] = (address.family == "inet6" and "6" or "4") .. address.at
  end
  return table.concat(text, " ")
end

describe("the order of addresses", function()
  it("is that of the resolver, with the families in turn [X12]", function()
    for given, expected in pairs {
      ["6"] = "61", ["444"] = "41 42 43", ["664"] = "61 43 62",
      ["4466"] = "41 63 42 64", ["644"] = "61 42 43",
      ["66644"] = "61 44 62 45 63",
    } do
      assert.are.equal(expected,
        shown(happy_eyeballs.in_turn(families(given))))
    end
  end)
end)

--- Runs a race in which attempt i takes plan[i] seconds, and fails if that is
--- negative. Returns its outcome and a log of "begin i at t", "end i at t".
local function race(plan)
  local log, order = {}, 0
  local function attempt(address)
    local seconds = plan[address.at]
    return aw.Wire(function()
      order = order + 1
      log[#log + 1] = ("begin %d at %.2f"):format(address.at, aw.now())
      local _ <close> = helper.closer(function()
        log[#log + 1] = ("end %d at %.2f"):format(address.at, aw.now())
      end)
      aw.sleep(math.abs(seconds))
      if seconds < 0 then
        error(("failure %d"):format(address.at), 0)
      end
      return aw.Value(address.at)
    end)
  end
  local addresses = {}
  for i = 1, #plan do
    addresses[i] = { family = "inet", at = i }
  end
  local ok, result = aw.pcall(aw.await, happy_eyeballs.race(addresses, attempt))
  return ok, result, log
end

describe("a race of addresses", function()
  it("asks a second one only after 250 ms [X12]", in_task(function()
    local ok, winner, log = race { 0.2, 0.2 }
    assert.are.same({ true, 1 }, { ok, winner })
    assert.are.same({ "begin 1 at 0.00", "end 1 at 0.20" }, log)
  end))

  it("lets a dead one cost 250 ms [X12]", in_task(function()
    local ok, winner, log = race { 60, 0.1, 0.1 }
    assert.are.same({ true, 2 }, { ok, winner })
    assert.are.same({ "begin 1 at 0.00", "begin 2 at 0.25", "end 2 at 0.35",
      "end 1 at 0.35" }, log)
  end))

  it("goes on at once after a failure [X12]", in_task(function()
    local ok, winner, log = race { -0.01, -0.01, 0.01 }
    assert.are.same({ true, 3 }, { ok, winner })
    assert.are.same({ "begin 1 at 0.00", "end 1 at 0.01", "begin 2 at 0.01",
      "end 2 at 0.02", "begin 3 at 0.02", "end 3 at 0.03" }, log)
  end))

  it("begins each next one 250 ms after the one before [X12]",
    in_task(function()
      local ok, winner, log = race { 60, 60, 60, 0.1 }
      assert.are.same({ true, 4 }, { ok, winner })
      assert.are.same({ "begin 1 at 0.00", "begin 2 at 0.25",
        "begin 3 at 0.50", "begin 4 at 0.75" }, table.move(log, 1, 4, 1, {}))
      assert.are.equal(8, #log)
    end))

  it("lets an earlier one win late [X12]", in_task(function()
    local ok, winner, log = race { 0.4, 60, 60 }
    assert.are.same({ true, 1 }, { ok, winner })
    assert.are.equal(4, #log)
  end))

  it("raises the last failure, with the others suppressed [X12]",
    function()
      helper.test(function(ev)
        local err, info
        ev:start(function()
          local function attempt(address)
            return aw.Sleep(0.01) >> aw.Call(error, "failure " .. address.at, 0)
          end
          return happy_eyeballs.race(families "646", attempt)
        end, function(_, e, i)
          err, info = e, i
        end)
        aw.sleep(1)
        assert.are.equal("failure 3", err)
        local others = {}
        for i, one in ipairs(info.suppressed) do
          others[i] = one.err
        end
        table.sort(others)
        assert.are.same({ "failure 1", "failure 2" }, others)
      end)
    end)

  it("is cancelled at any time, with all of its attempts [X12]",
    in_task(function()
      for i = 0, 10 do
        local running = 0
        local function attempt()
          return aw.Wire(function()
            running = running + 1
            local _ <close> = helper.closer(function()
              running = running - 1
            end)
            aw.sleep(60)
          end)
        end
        local ok, err = pcall(aw.await,
          happy_eyeballs.race(families "6464", attempt):timeout(i * 0.1))
        assert.is_false(ok)
        assert.is_true(aw.is_timeout(err))
        assert.are.equal(0, running)
      end
    end))

  it("with one address is the attempt itself [X12]", in_task(function()
    local w = aw.Value(1)
    assert.are.equal(w, happy_eyeballs.race(families "4", function()
      return w
    end))
  end))
end)
