-- SIGTERM and SIGHUP to the program at each stage of its life: it dies by the
-- signal, and what has begun is cleaned up. host_signals_spec.lua has SIGINT.

local process = require "spec.support.process"

-- `sweeper` gives a value that says "clean" when it is closed.
local HEAD <const> = [[
local aw = require "aiowire"
local function signal_me()
  io.popen("kill -%s $PPID"):close()
end
local function sweeper()
  return setmetatable({}, { __close = function()
    aw.shield(function()
      aw.sleep(0.001)
      io.write "clean\n"
    end)
  end })
end
]]

local WAITS <const> = {
  sleeps = "signal_me() aw.sleep(600)",
  ["is busy"] = "signal_me() while true do end",
  ["is busy in a coroutine"] =
    "coroutine.wrap(function() signal_me() while true do end end)()",
  ["closes a coroutine that is busy"] = [[
local co = coroutine.create(function()
  local _ <close> = setmetatable({}, { __close = function()
    signal_me()
    while true do end
  end })
  coroutine.yield()
end)
coroutine.resume(co)
coroutine.close(co)]],
  ["is busy in clean-up of a wrapped function that fails"] = [[
coroutine.wrap(function()
  local _ <close> = setmetatable({}, { __close = function()
    signal_me()
    while true do end
  end })
  error "failed"
end)()]],
}

local function body(wait)
  return "local _ <close> = sweeper() " .. wait
end

-- A stage: the command and the name of the file that has the text.
local STAGES <const> = {
  ["LUA_INIT"] = { "LUA_INIT=@s.lua exec $aiowire -e 'print \"never\"'" },
  ["a chunk of -e"] = { "exec $aiowire -e 'dofile \"s.lua\"' "
    .. "-e 'print \"never\"'" },
  ["the script"] = { "exec $aiowire s.lua" },
  ["standard input"] = { "exec $aiowire - <s.lua" },
  ["a module of -l"] = { "exec $aiowire -l s -e 'print \"never\"'" },
  ["a wire that the script returns"] = { "exec $aiowire s.lua",
    "return aw.Wire(function() %s end)" },
  ["a task after the script"] = { "exec $aiowire s.lua",
    "aw.start(function() %s end)" },
}

for signal, number in pairs { TERM = 15, HUP = 1 } do
  for stage, plan in pairs(STAGES) do
    for how, wait in pairs(WAITS) do
      describe("SIG" .. signal .. " in " .. stage .. " that " .. how,
        function()
          it("kills the program after clean-up [L2, R50]", function()
            local text = body(wait)
            text = (plan[2] or "%s"):gsub("%%s", function()
              return text
            end)
            local outcome = process.run(plan[1], {
              ["s.lua"] = HEAD:format(signal) .. text .. "\n" })
            process.assert_died_by(number, outcome)
            assert.are.equal("clean\n", outcome.out, outcome.err)
          end)
        end)
    end
  end

  describe("SIG" .. signal .. ", and os.exit in a finalizer at the end",
    function()
      it("kills the program [exit]", function()
        local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] =
          HEAD:format(signal) .. [[
kept = setmetatable({}, { __gc = function()
  io.write "clean\n"
  os.exit(5)
end })
signal_me()
aw.sleep(600)
]] })
        process.assert_died_by(number, outcome)
        assert.are.equal("clean\n", outcome.out)
      end)
    end)

  describe("SIG" .. signal .. " in a finalizer at the end", function()
    it("kills the program", function()
      local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] =
        HEAD:format(signal) .. [[
setmetatable({}, { __gc = function()
  signal_me()
  while true do end
end })
]] })
      process.assert_died_by(number, outcome)
    end)
  end)
end
