-- Three downloads race; the race ends when the losers have cleaned up.

local aw = require "aiowire"
local notes = require "notes"

local note = notes.note

-- Returns a wire that takes so many seconds, and whose clean-up after a cancel
-- takes `cleanup` seconds.
local function fetch(name, seconds, cleanup)
  return aw.Call(function()
    local won = false
    local _ <close> = notes.closing(function(err)
      if not won then
        note("cancelled", err)
        if cleanup > 0 then
          note("cleanup", ("shield: sleep %g"):format(cleanup))
          aw.shield(function()
            aw.sleep(cleanup)
          end)
        end
        note("ended", "has cleaned up")
      end
    end)
    note("wait", ("sleep %g"):format(seconds))
    aw.sleep(seconds)
    won = true
    note("ended", ('"page of %s"'):format(name))
    return "page of " .. name
  end):named(name)
end

local page = fetch("origin", 0.7, 0.2) | fetch("mirror", 0.3, 0)
  | fetch("cache", 0.9, 0)

aw.run(aw.Call(function()
  note("head", ("aw.await(%s)"):format(page), "")
  note("wait", page)
  note("ended", ("%q"):format(aw.await(page)))
end):named "caller", { clock = "virtual" })
