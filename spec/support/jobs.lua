--- Functions for the workers of pools.

local M = {}

--- Let the globals of a function be those of its state, and return it: busted
--- gives the functions of a spec a table of globals of their own.
---@param f function
---@return function f
function M.plain(f)
  local function other()
    return print
  end
  for i = 1, 255 do
    local name = debug.getupvalue(f, i)
    if name == "_ENV" then
      debug.upvaluejoin(f, i, other, 1)
    elseif not name then
      return f
    end
  end
end

--- A job: does what its first argument says, and writes lines into `path`.
function M.obedient(what, path, ...)
  local aw = require "aiowire"
  local function note(text)
    local file <close> = assert(io.open(path, "a"))
    file:write(text, "\n")
  end
  local verbs = {}
  function verbs.note(text)
    note(text)
    return text
  end
  --- Sleeps for hours; notes the begin, and the clean-up.
  function verbs.sleep(text)
    local _ <close> = setmetatable({}, { __close = function()
      note(text .. " closed")
    end })
    note(text .. " begun")
    aw.sleep(10000)
  end
  --- Computes for ever.
  function verbs.spin(text)
    note(text .. " begun")
    while true do
    end
  end
  --- Computes for so many million steps.
  function verbs.compute(n)
    for _ = 1, n * 1000000 do
    end
    return n
  end
  --- Awaits in the middle.
  function verbs.pause(text)
    note(text .. " begun")
    for _ = 1, 3 do
      aw.yield()
    end
    note(text .. " ended")
  end
  --- Swallows a cancel, and returns all the same.
  function verbs.insist(text)
    note(text .. " begun")
    pcall(aw.sleep, 10000)
    return text
  end
  function verbs.echo(...)
    return ...
  end
  function verbs.count()
    count = (count or 0) + 1 -- luacheck: ignore
    return count -- luacheck: ignore
  end
  function verbs.fail(text)
    error(text)
  end
  function verbs.fail_with(value)
    error(value)
  end
  function verbs.exit(code)
    os.exit(code)
  end
  function verbs.exhaust()
    error("not enough memory", 0)
  end
  function verbs.interrupt()
    error "interrupted!"
  end
  --- A task of the loop fails, which stops the loop.
  function verbs.leave_behind(text)
    aw.start(function()
      error(text)
    end)
    aw.sleep(10000)
  end
  function verbs.start_sleeper()
    aw.start(aw.Sleep(10000))
  end
  function verbs.give_up()
    aw.current():cancel()
    aw.sleep(1)
  end
  function verbs.give()
    return 1, coroutine.create(print)
  end
  return verbs[what](...)
end

return M
