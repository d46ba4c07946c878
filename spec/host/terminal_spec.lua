-- spec/support/terminal.lua and screen.lua: what the specs of the prompt see.

local helper = require "spec.support.helper"
local screen = require "spec.support.screen"
local terminal = require "spec.support.terminal"

--- Returns a screen of 4 rows and 10 columns that was fed with these texts.
local function shown(...)
  local s = screen.new(4, 10)
  for _, text in ipairs { ... } do
    s:feed(text)
  end
  assert.are.same({}, s.unknown)
  return s
end

local function check(expected, cursor, ...)
  local s = shown(...)
  local rows = s:texts()
  while rows[1] and rows[#rows] == "" do
    rows[#rows] = nil
  end
  assert.are.same(expected, rows)
  assert.are.same(cursor, { s.row + 1, s.col + 1 })
end

describe("the screen", function()
  it("shows text and obeys the control characters", function()
    check({ "ab", "  c" }, { 2, 4 }, "ab\nc")
    check({ "ab", "c" }, { 2, 2 }, "ab\r\nc")
    check({ "axc" }, { 1, 3 }, "abc\b\bx")
    check({ "a       b" }, { 1, 10 }, "a\tb")
    assert.are.equal(2, shown("\7x\7").bells)
  end)

  it("wraps at the next character, not at the last column", function()
    check({ "0123456789" }, { 1, 10 }, "0123456789")
    check({ "0123456789", "a" }, { 2, 2 }, "0123456789a")
    check({ "x123456789" }, { 1, 2 }, "0123456789\rx")
    check({ "01234567x9" }, { 1, 10 }, "0123456789\bx")
    check({ "012345678x" }, { 1, 10 }, "\27[?7l0123456789x")
  end)

  it("scrolls, and keeps what leaves it", function()
    local s = shown "1\r\n2\r\n3\r\n4\r\n5"
    assert.are.same({ "2", "3", "4", "5" }, s:texts())
    assert.are.equal("1\n2\n3\n4\n5\n", s:transcript())
    assert.are.equal("1", s:row_text(0))
    check({ "", "1", "2", "3" }, { 1, 1 }, "1\r\n2\r\n3\r\n4\27[H\27M")
  end)

  it("joins what the terminal has wrapped", function()
    assert.are.equal("0123456789abc\nd\n",
      shown("0123456789abc\r\nd"):transcript())
  end)

  it("moves the cursor", function()
    check({ "", " x" }, { 2, 3 }, "\27[2;2Hx")
    check({ "", "", "a", "  x" }, { 4, 4 }, "\27[3Ha\27[1B\27[Cx")
    check({ "x" }, { 1, 2 }, "\27[9;9H\27[9A\27[99Dx")
    check({ "     x" }, { 1, 7 }, "\27[6Gx")
    check({ "", "", "x" }, { 3, 2 }, "\27[3dx")
    check({ "ay" }, { 1, 3 }, "a\0277xx\27[3;3H\0278y\27[K")
  end)

  it("erases, deletes and inserts", function()
    check({ "ab" }, { 1, 3 }, "abcd\27[2D\27[K")
    check({ "   d" }, { 1, 3 }, "abcd\27[2D\27[1K")
    check({}, { 1, 5 }, "abcd\27[2K")
    check({ "1" }, { 1, 2 }, "1\r\n2\r\n3\27[H\27[C\27[J")
    check({}, { 1, 1 }, "1\r\n2\27[H\27[2J")
    check({ "acd" }, { 1, 2 }, "abcd\27[3D\27[P")
    check({ "a  bcd" }, { 1, 2 }, "abcd\27[3D\27[2@")
    check({ "axbcd" }, { 1, 3 }, "abcd\27[3D\27[4hx\27[4l")
    check({ "a  d" }, { 1, 2 }, "abcd\27[3D\27[2X")
    check({ "1", "", "2" }, { 2, 1 }, "1\r\n2\27[L")
    check({ "2" }, { 1, 1 }, "1\r\n2\27[H\27[M")
    check({ "aaaa" }, { 1, 5 }, "a\27[3b")
  end)

  it("scrolls a region alone", function()
    check({ "1", "3", "x", "4" }, { 3, 2 },
      "1\r\n2\r\n3\r\n4\27[2;3r\27[3;1H\nx")
    check({ "1", "x", "2", "4" }, { 2, 2 },
      "1\r\n2\r\n3\r\n4\27[2;3r\27[2;1H\27Mx")
  end)

  it("has an alternate screen", function()
    local s = shown "ab\27[?1049h\27[Hfull"
    assert.are.equal("full", s:row_text(1))
    s:feed "\27[?1049l"
    assert.are.equal("ab", s:row_text(1))
    assert.are.same({ 0, 2 }, { s.row, s.col })
  end)

  it("knows wide characters and those without a width", function()
    check({ "日本x" }, { 1, 6 }, "日本x")
    check({ "e\u{301}x" }, { 1, 3 }, "e\u{301}x")
    check({ "012345678", "日" }, { 2, 3 }, "012345678日")
  end)

  it("takes characters and sequences in pieces", function()
    local text = "\27[2;3Hä\27[1;31m日\27[0m\27]0;title\7!\27(B"
    for cut = 1, #text - 1 do
      check({ "", "  ä日!" }, { 2, 7 }, text:sub(1, cut), text:sub(cut + 1))
    end
  end)

  it("tells colours", function()
    local s = shown "a\27[1;31mred\27[0mb\27[mc"
    assert.are.equal("1;31", s:style_of "red")
    assert.are.equal("", s:style_of "b")
    assert.is_nil(s:style_of "no")
  end)

  it("lists what it does not know", function()
    local s = screen.new(2, 10)
    s:feed "\27[5y\27Qx"
    assert.are.same({ "5y", "Q" }, s.unknown)
    assert.are.equal("x", s:row_text(1))
  end)

  it("changes its size", function()
    local s = shown "1\r\n2\r\n3"
    s:resize(2, 5)
    assert.are.same({ "2", "3" }, s:texts())
    assert.are.same({ 1, 1 }, { s.row, s.col })
    s:resize(3, 12)
    s:feed "\r\n0123456789ab"
    assert.are.same({ "2", "3", "0123456789ab" }, s:texts())
    assert.are.equal("1\n2\n3\n0123456789ab\n", s:transcript())
  end)
end)

local function shell(line)
  return { command = { "sh", "-c", line } }
end

describe("a program in a terminal of the specs", function()
  it("is typed to, and its screen is read", terminal.test(
    shell "read line; echo got: $line; exit 3",
    function(t)
      t:line "some text"
      t:expect "got: some text"
      assert.are.equal("text", t:match "some (%a+)")
      assert.are.same({ ok = false, code = 3 }, t:wait())
    end))

  it("has a prompt, after which the cursor is", terminal.test(
    shell "while printf '> '; read line; do echo =$line; done",
    function(t)
      assert.are.equal("=1\n", t:eval "1")
      assert.are.equal("=2\n", t:eval "2")
      assert.are.equal("> ", t:before_cursor())
      t:key "ctrl-d"
      t:wait()
    end))

  it("gets keys by name", terminal.test(
    shell "stty raw -echo; echo ready; head -c 13 | od -An -c",
    function(t)
      t:expect "ready"
      t:key("up", "tab", "ctrl-a", "alt-b", "enter", "delete", "ctrl-c")
      assert.are.equal("033 [ A \\t 001 033 b \\r 033 [ 3 ~ 003",
        t:match "033[^\n]*":gsub(" +", " "))
    end))

  it("sees a change of the size", terminal.test(
    shell "trap 'stty size' WINCH; echo ready; while :; do read line; done",
    function(t)
      t:expect "ready"
      t:resize(30, 100)
      t:expect "30 100"
    end))

  it("sees the end of the terminal", terminal.test(
    shell [[trap 'echo bye >file; exit' HUP; echo ready
      while :; do read x; done]],
    function(t)
      t:expect "ready"
      t:hangup()
      t:wait()
      local file <close> = assert(io.open(t.folder.path .. "/file"))
      assert.are.equal("bye\n", file:read "a")
    end))

  it("has an environment of its own", terminal.test(
    { command = { "env" }, env = { MINE = "x", LANG = false } },
    function(t)
      t:wait()
      local names = {}
      for name in ("\n" .. t:text()):gmatch "\n([%w_]+)=" do
        if not name:find "SAN_OPTIONS$" then -- of a run with sanitizers
          names[#names + 1] = name
        end
      end
      table.sort(names)
      assert.are.same({ "HOME", "MINE", "PATH", "TERM", "XDG_STATE_HOME" },
        names)
    end))

  it("is told where the cursor is", terminal.test(
    shell "stty raw -echo; printf 'ab\\033[6n'; head -c 6 | od -An -c; cat",
    function(t)
      assert.are.equal("033 [ 1 ; 3 R",
        t:match "033[^\n]*R":gsub(" +", " "))
    end))

  it("fails a wait with a picture when it ends", terminal.test(
    shell "echo last words",
    function(t)
      local err = helper.caught(t.expect, t, "what never comes")
      local text = tostring(type(err) == "table" and err.message or err)
      assert.is_truthy(text:find('"what never comes" expected, but the '
        .. "program has ended", 1, true), text)
      assert.is_truthy(text:find("|last words ", 1, true), text)
    end))

  it("is gone after the test, with its folder", function()
    local path, pid
    helper.run(function()
      local t <close> = terminal.open(shell "trap '' TERM HUP; exec sleep 600")
      path, pid = t.folder.path, t.pid
    end)
    assert.is_nil(io.open("/proc/" .. pid .. "/stat"))
    assert.is_nil(io.open(path))
  end)
end)
