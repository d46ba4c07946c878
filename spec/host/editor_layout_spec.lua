-- Where the characters of a line are on the terminal: output comes above a line
-- of several rows, and erases all of it, whatever is in it [R43].

local terminal = require "spec.support.terminal"

local edited = terminal.edited

local COLUMNS <const> = 20

--- Typed before a character, this key lets it be a character of the line.
local QUOTE <const> = "\22"

local function start(t)
  t:prompt()
  t:line("aw.start(function() repeat aw.sleep(0.001) until io.open 'go' "
    .. "print 'above' end) and nil")
  t:prompt()
end

--- The characters of a text: a terminal may have a blank at the end of a row.
local function characters(text)
  return (text:gsub("%s", ""))
end

--- A spec: `typed` makes a line of several rows, which is the same below the
--- output as before, and has the value `value`.
local function stays(name, typed, value)
  it(name .. " [R43]", edited({ cols = COLUMNS }, function(t)
    start(t)
    t:mark()
    t:send(typed)
    t:match "END'\n$"
    local line = characters(t:text())
    t.folder:file("go", "")
    t:wait_until("the line below the output", function()
      return characters(t:text()) == "above" .. line
    end)
    t:mark(1)
    t:key "enter"
    t:expect(value .. "\n")
    t:prompt()
  end))
end

describe("the place of a line below output", function()
  stays("counts the columns of a tab",
    "#'ab" .. QUOTE .. "\t" .. ("x"):rep(40) .. "END'", "46")
  stays("counts two columns of a control character",
    "#'" .. (QUOTE .. "\1"):rep(9) .. ("x"):rep(20) .. "END'", "32")
  stays("counts the row that a wide character does not fit in",
    "#'x" .. ("日本"):rep(12) .. "END'", "76")
  stays("counts the columns of a code that stands for no character",
    "#'\u{378}\u{378}\u{E0080}" .. ("x"):rep(30) .. "END'", "41")
  stays("counts a line that ends at the end of a row",
    "#'" .. ("x"):rep(2 * COLUMNS - 8) .. "END'", "35")
end)

describe("a prompt of the user's", function()
  it("loses what is no character of a terminal [R52]", edited({ "-i", "-e",
    [[_PROMPT = "a\tb\1\x7f\xffc> "]] }, function(t)
      t:prompt "a b?c> "
      t:send "6 * 7"
      t:prompt "a b?c> 6 * 7"
    end))

  it("may end in a code, and hold codes that are none [R52]", edited({ "-i",
    "-e", [[_PROMPT = "\27[1mlua>\27[0m \27[0m\27]"]] }, function(t)
      t:prompt "lua> ]"
      t:send "6 * 7"
      t:prompt "lua> ]6 * 7"
    end))
end)
