-- The parts of `aiowire --top` that need no terminal: texts, the protocol,
-- figures, keys.

local helper = require "spec.support.helper"
local host_parts = require "spec.support.host_parts"

local figures = host_parts.part "top.figures"
local keys = host_parts.part "top.keys"
local protocol = host_parts.part "top.protocol"
local texts = host_parts.part "top.texts"

describe("a text of another program in --top", function()
  for text, clean in pairs {
    ["plain"] = "plain",
    ["\27[2Jx"] = "\\x1b[2Jx",
    ["a\nb\tc\rd"] = "a\\nb\\tc\\rd",
    ["\0\7\127"] = "\\x00\\x07\\x7f",
    ["\x9b31m"] = "\\x9b31m", -- CSI in one byte
    ["\u{9b}31m"] = "\\u{9b}31m", -- and as a character
    ["caf\u{e9}"] = "caf\u{e9}",
    ["a\u{202e}b"] = "a\\u{202e}b",
    ["\u{2028}"] = "\\u{2028}",
    ["\u{2066}\u{200f}"] = "\\u{2066}\\u{200f}",
    ["x\xff\xc3"] = "x\\xff\\xc3",
    ["\xed\xa0\x80"] = "\\xed\\xa0\\x80", -- a surrogate
    ["日本"] = "日本",
    ["\u{e000}"] = "\\u{e000}",
  } do
    it(("is made harmless: %q [D46]"):format(text), function()
      assert.are.equal(clean, texts.clean(text))
    end)
  end

  it("is ASCII where the terminal shows only that [D46]", function()
    assert.are.equal("caf? ?? \\x9b", texts.clean("café 日本 \x9b", true))
  end)

  it("keeps two marks on a character [D46]", function()
    assert.are.equal("e\u{301}\u{302}x",
      texts.clean("e" .. ("\u{301}\u{302}"):rep(50) .. "x"))
  end)

  it("of 10 kB of anything stays harmless [D46]", function()
    local parts = {}
    for i = 0, 10239 do
      parts[#parts + 1] = string.char((i * 7 + i // 256) % 256)
    end
    local clean = texts.clean(table.concat(parts))
    assert.is_nil(clean:find "[%c\127]")
    assert.is_number(utf8.len(clean))
  end)
end)

describe("the columns of a text in --top", function()
  for text, width in pairs { [""] = 0, abc = 3, ["日本"] = 4, ["é"] = 1,
    ["e\u{301}"] = 1, ["▶ x"] = 3, ["\u{1F600}"] = 2, ["ｱ"] = 1 } do
    it(("are those of its characters: %q"):format(text), function()
      assert.are.equal(width, texts.width(text))
    end)
  end

  it("are cut with an ellipsis, or filled", function()
    assert.are.equal("abcd", texts.fit("abcd", 4))
    assert.are.equal("abc…", texts.fit("abcde", 4))
    assert.are.equal("abc~", texts.fit("abcde", 4, false, true))
    assert.are.equal("a   ", texts.fit("a", 4))
    assert.are.equal("   a", texts.fit("a", 4, true))
    assert.are.equal("日… ", texts.fit("日本語", 4))
    assert.are.equal("…", texts.fit("abc", 1))
    assert.are.equal("", texts.fit("abc", 0))
  end)

  it("are those of its end, for a place", function()
    for _, case in ipairs { { "/a/b.lua:12", 11, "/a/b.lua:12" },
      { "/a/b.lua:12", 8, "….lua:12" }, { "/日本/x:1", 7, "…本/x:1" },
      { "/日本/x:1", 6, "…/x:1" }, { "abc", 1, "…" }, { "abc", 0, "" } } do
      assert.are.equal(case[3], texts.shorten_start(case[1], case[2]))
    end
    assert.are.equal("~c", texts.shorten_start("abc", 2, true))
  end)

  it("bound the lines of a long text", function()
    assert.are.same({ "日本", "語xy", "z" }, texts.wrap("日本語xyz", 4))
    assert.are.same({ "" }, texts.wrap("", 4))
  end)
end)

-- The protocol ---------------------------------------------------------------

--- Returns the events of a reader that gets a text in pieces of a size, and
--- the text of its error.
local function read(text, size)
  local reader, all = protocol.reader(), {}
  for at = 1, #text, size do
    local events, why = reader:feed(text:sub(at, at + size - 1))
    if not events then
      return all, why
    end
    for _, event in ipairs(events) do
      all[#all + 1] = event
    end
  end
  return all
end

local GREETING <const> = "aiowire 1 42 0.1.0 my server.lua\n"

describe("an answer of a program to --top", function()
  for _, size in ipairs { 1, 7, 10000 } do
    it(("may come in pieces of %d bytes [D45]"):format(size), function()
      local events = read(GREETING .. "task\tid=7\tname=a\\tb\\\\n\\nc\t"
        .. "age=12\n.\n.\n", size)
      assert.are.equal(3, #events)
      assert.are.same({ pid = "42", version = "0.1.0", name = "my server.lua" },
        events[1].hello)
      local task = events[2].records[1]
      assert.are.same({ "7", "a\tb\\n\nc", 12 },
        { task.id, task.name, task.age })
      assert.are.same({}, events[3].records)
    end)
  end

  for name, text in pairs {
    ["something else"] = "HTTP/1.1 400 Bad Request\r\n",
    ["version 2"] = "aiowire 2 42 9.0.0 x\n",
    ["not one of this protocol"] = "aiowire 1 x\n",
    ["a line that is not one"] = GREETING .. "\0\1\2\n",
    ["a line that does not end"] = GREETING .. "task\tid="
      .. ("x"):rep(5 * 1024 * 1024),
  } do
    it(("that is no answer is told apart: %s [D48]"):format(name), function()
      local _, why = read(text, 65536)
      assert.is_truthy(why and why:find(name, 1, true), why)
    end)
  end

  it("may have unknown lines and fields, and lack known ones [D48]", function()
    local events = read(GREETING .. "moon\tphase=new\nengine\tid=1\n"
      .. "task\tid=5\tcolor=red\ntask\tname=none\nmore\tengine=1\ttasks=7\n"
      .. "error\tengine=2\tmessage=busy\n.\n", 100)
    local snapshot = figures.compare(protocol.snapshot(events[2].records))
    assert.are.same({ 1, "red", "?", 7 }, { #snapshot.tasks,
      snapshot.tasks[1].color, snapshot.tasks[1].state, snapshot.more })
  end)

  it("may be an error [D48]", function()
    local events = read(GREETING .. "error\tmessage=too many clients\n.\n", 99)
    local snapshot, why = protocol.snapshot(events[2].records)
    assert.is_nil(snapshot)
    assert.are.equal("too many clients", why)
  end)

  it("takes a number that is too large for the largest", function()
    local record = protocol.record("task\tage=" .. ("9"):rep(40)
      .. "\tbusy=-1\tsteps=1e3")
    assert.are.equal(math.maxinteger, record.age)
    assert.is_nil(record.busy)
    assert.is_nil(record.steps)
  end)
end)

-- Figures --------------------------------------------------------------------

local SECOND <const> = 1000000000

local function snapshot_of(up, tasks, answer)
  local lines = { ("engine\tid=1\tup=%d\tidle=%d\twakeups=%d\tsteps=%d")
    :format(up * SECOND, up * SECOND // 2, up * 10, up * 20)
    .. "\tanswer=" .. (answer or "live") }
  for _, task in ipairs(tasks) do
    lines[#lines + 1] = "task\tengine=1\t" .. task:gsub(" ", "\t")
  end
  local events = read(GREETING .. table.concat(lines, "\n") .. "\n.\n", 9999)
  return protocol.snapshot(events[2].records)
end

describe("the share of busy time in --top", function()
  it("is that since the last refresh, by the program's clock [D47]", function()
    local first = figures.compare(snapshot_of(10, {
      "id=1 age=10000000000 busy=1000000000 steps=100" }))
    assert.are.equal(0.1, first.tasks[1].share)
    assert.are.equal(10.0, first.tasks[1].rate)
    local second = figures.compare(snapshot_of(12, {
      "id=1 age=12000000000 busy=2000000000 steps=104",
      "id=2 age=1000000000 busy=250000000 steps=3" }), first)
    assert.are.equal(0.5, second.tasks[1].share)
    assert.are.equal(2.0, second.tasks[1].rate)
    assert.are.equal(2 / 12, second.tasks[1].life_share)
    assert.are.equal(0.25, second.tasks[2].share)
    assert.are.equal(0.5, second.engines[1].idle_share)
    assert.are.equal(10.0, second.engines[1].wake_rate)
  end)

  it("stays as it was while the program tells nothing new", function()
    local tasks = { "id=1 age=10000000000 busy=5000000000 steps=100" }
    local first = figures.compare(snapshot_of(10, tasks))
    local second = figures.compare(snapshot_of(10, tasks, "old"), first)
    assert.are.equal(0.5, second.tasks[1].share)
    assert.are.equal(0.5, second.engines[1].idle_share)
  end)

  it("is not that of an older task with the same id", function()
    local first = figures.compare(snapshot_of(10, {
      "id=1 age=9000000000 busy=9000000000 steps=100" }))
    local second = figures.compare(snapshot_of(12, {
      "id=1 age=1000000000 busy=500000000 steps=1" }), first)
    assert.are.equal(0.5, second.tasks[1].share)
  end)
end)

describe("a warning in --top", function()
  for fields, word in pairs {
    ["longest=300000000"] = "a step took 0.30 s",
    ["age=100 busy=95"] = "95.0 % of the time",
    ["warn=starves"] = "other tasks wait",
    ["warn=starves,swallows"] = "it was cancelled",
  } do
    it(("says what is wrong in words: %s [D47]"):format(fields), function()
      local snapshot = figures.compare(snapshot_of(1, { "id=1 " .. fields }))
      assert.is_true(snapshot.tasks[1].suspect)
      local text = table.concat(figures.warnings_of(snapshot.tasks[1]), "\n")
      assert.is_truthy(text:find(word, 1, true), text)
    end)
  end

  it("is made for a long step under way [D47]", function()
    local snapshot = snapshot_of(1, { "id=1 state=running",
      "id=2 state=ready" }, "hook\tbusy_for=250000000")
    figures.compare(snapshot)
    assert.is_false(snapshot.tasks[2].suspect)
    assert.are.same({ "a step has been computing for 0.25 s, and no "
      .. "other task can run" }, figures.warnings_of(snapshot.tasks[1]))
  end)

  it("names the line of such a step, and tells of it once [D47]", function()
    local snapshot = figures.compare(snapshot_of(1, {
      "id=1 state=running at=a.lua:3 age=300000000 busy=300000000 "
        .. "longest=250000000 warn=starves" }, "hook\tbusy_for=250000000"))
    assert.are.same({ "a step has been computing for 0.25 s, at a.lua:3, and "
      .. "no other task can run" }, figures.warnings_of(snapshot.tasks[1]))
  end)

  it("is made for a longer step before, too [D47]", function()
    local snapshot = figures.compare(snapshot_of(1, {
      "id=1 state=running longest=500000000" }, "hook\tbusy_for=250000000"))
    assert.are.equal("a step took 0.50 s, and no other task could run "
      .. "meanwhile", figures.warnings_of(snapshot.tasks[1])[2])
  end)

  it("is not made for a task that waits [D47]", function()
    local snapshot = figures.compare(snapshot_of(1, {
      "id=1 age=100 busy=90 longest=100000000 warn=" }))
    assert.is_false(snapshot.tasks[1].suspect)
    assert.are.same({}, figures.warnings_of(snapshot.tasks[1]))
  end)
end)

describe("a duration in --top", function()
  for ns, text in pairs { [0] = "0.00 s", [2000] = "0.000002 s",
    [234567] = "0.00023 s", [2345678] = "0.0023 s", [56 * SECOND // 1000] =
    "0.056 s", [SECOND // 10] = "0.10 s", [10 * SECOND] = "10.0 s",
    [99900000000] = "99.9 s", [725 * SECOND] = "12 min 05 s",
    [6000 * SECOND] = "1 h 40 min", [200000 * SECOND] = "2 d 07 h" } do
    it(("has the units that people read: %s"):format(text), function()
      assert.are.equal(text, figures.duration(ns))
    end)
  end
end)

-- Keys -----------------------------------------------------------------------

describe("the keys of --top", function()
  for bytes, names in pairs {
    ["q?"] = "q ?", ["\r\t\127"] = "enter tab backspace",
    ["\27[A\27OB\27[C\27[D"] = "up down right left",
    ["\27[5~\27[6~\27[H\27[4~"] = "page-up page-down home end",
    ["\12\3"] = "ctrl-l ctrl-c", ["é日"] = "é 日",
    ["\27[1;5A"] = "up", ["\27[99~q"] = "q", ["\27[<0;1;1Mq"] = "q",
    ["\27q"] = "escape q", ["\xff\x80q"] = "q", ["\27\27[A"] = "escape up",
  } do
    for _, size in ipairs { 1, 100 } do
      it(("are read from %q in pieces of %d"):format(bytes, size), function()
        local input, list = keys.new(), {}
        for at = 1, #bytes, size do
          for _, key in ipairs(input:feed(bytes:sub(at, at + size - 1))) do
            list[#list + 1] = key
          end
        end
        assert.are.equal(names, table.concat(list, " "))
      end)
    end
  end

  it("have an Escape if nothing follows it", function()
    local input = keys.new()
    assert.are.same({}, input:feed "\27")
    assert.is_true(input:is_waiting())
    assert.are.same({ "escape" }, input:flush())
    assert.is_false(input:is_waiting())
    assert.are.same({}, input:feed "\27[")
    assert.are.same({}, input:flush())
    assert.are.same({ "A" }, input:feed "A")
  end)

  it("come out of any bytes without an error", function()
    local input, text = keys.new(), {}
    for i = 1, helper.scale(20000) do
      text[i] = string.char((i * i + i // 3) % 256)
    end
    input:feed(table.concat(text))
    input:flush()
    assert.are.same({ "q" }, input:feed "q")
  end)
end)
