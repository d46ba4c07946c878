-- The table of `aiowire --top`, and what keys do to it.

local helper = require "spec.support.helper"
local host_parts = require "spec.support.host_parts"
local inspected = require "spec.support.inspected"
local texts = require "spec.support.texts"

local protocol = host_parts.part "top.protocol"
local top_texts = host_parts.part "top.texts"
local view = host_parts.part "top.view"

local contains, lacks = texts.contains, texts.lacks

local HELLO <const> = { pid = "42", version = "0.1.0", name = "server.lua" }

local function snapshot_of(tasks, engines)
  local reader = protocol.reader()
  reader:feed "aiowire 1 42 0.1.0 server.lua\n"
  local events = assert(reader:feed(inspected.text(engines or { {} }, tasks)))
  return protocol.snapshot(events[1].records)
end

--- A view of tasks.
local function view_of(tasks, engines, ascii)
  local v = view.new(HELLO, ascii or false)
  v:take(snapshot_of(tasks, engines))
  return v
end

local function press(v, ...)
  for _, key in ipairs { ... } do
    v:key(key)
  end
  return v
end

--- The texts of the lines of a screen, without blanks at their ends.
local function screen_of(v, rows, columns)
  local list = {}
  for i, line in ipairs(v:lines(rows or 24, columns or 120)) do
    local parts = {}
    for k, span in ipairs(line) do
      parts[k] = span[1]
    end
    list[i] = table.concat(parts):gsub(" +$", "")
  end
  return list
end

--- The names of the tasks in the order of the table.
local function names_of(v)
  local list = {}
  for i, row in ipairs(v:rows()) do
    list[i] = row.tree .. row.task.name
  end
  return list
end

local function style_of(v, text)
  for _, line in ipairs(v:lines(24, 120)) do
    for _, span in ipairs(line) do
      if span[1]:find(text, 1, true) then
        return span[2]
      end
    end
  end
end

local SECOND <const> = 1000000000

local THREE <const> = {
  { id = 1, name = "main", waits = "join task 3", busy = 0 },
  { id = 2, parent = 1, name = "fib", state = "running", waits = "",
    busy = 5 * SECOND },
  { id = 3, parent = 1, name = "reader", state = "ready", waits = "recv jobs",
    busy = SECOND, age = 5 * SECOND },
}

describe("the table of --top", function()
  it("has a line for each task, the busiest first [D45]", function()
    local v = view_of(THREE)
    assert.are.same({ "fib", "reader", "main" }, names_of(v))
    local lines = screen_of(v)
    assert.are.equal("server.lua  pid 42  up 10.0 s  3 tasks: 1 running, "
      .. "1 ready, 1 waiting", lines[1])
    assert.are.equal("idle 90.0 %  wake-ups 5.0/s  steps 10.0/s  heap 2.0 MiB",
      lines[2])
    assert.are.same({ "id", "!", "state", "name", "busy", "%", "steps/s",
      "waits", "for", "age", "started", "at" }, (function()
      local words = {}
      for word in lines[3]:gmatch "%S+" do
        words[#words + 1] = word
      end
      return words
    end)())
    assert.are.equal(" 2   ▶ running fib      50.0     2.0"
      .. " (at server.lua:7) 10.0 s server.lua:1", lines[4])
  end)

  it("says at which line a task runs [D45]", function()
    local lines = screen_of(view_of {
      { id = 1, name = "fib", state = "running", waits = "", at = "a.lua:7" },
      { id = 2, name = "eager", state = "ready", waits = "", at = "a.lua:9" },
    })
    contains(lines[4], " (at a.lua:7) ")
    lacks(lines[5], "a.lua:9")
  end)

  it("is sorted by each column, both ways [D45]", function()
    local v = view_of(THREE)
    for _, case in ipairs {
      { "steps", "reader main fib", "main fib reader" },
      { "waits", "fib main reader", "reader main fib" },
      { "age", "main fib reader", "reader main fib" },
      { "started", "main fib reader", "main fib reader" },
      { "id", "main fib reader", "reader fib main" },
      { "warn", "main fib reader", "main fib reader" },
      { "state", "fib reader main", "main reader fib" },
      { "name", "fib main reader", "reader main fib" },
      { "busy", "fib reader main", "main reader fib" },
    } do
      press(v, ">")
      assert.are.equal(case[1], v.look.sort)
      assert.are.equal(case[2], table.concat(names_of(v), " "), case[1])
      press(v, "r")
      assert.are.equal(case[3], table.concat(names_of(v), " "), case[1])
      press(v, "r")
    end
    assert.are.equal("name", press(v, "<").look.sort)
  end)

  it("shows tasks below their parents [D45]", function()
    local v = press(view_of {
      { id = 1, name = "main" }, { id = 2, parent = 1, name = "a" },
      { id = 3, parent = 2, name = "b" }, { id = 4, parent = 1, name = "c" },
      { id = 5, parent = 99, name = "stray" },
    }, "t")
    assert.are.same({ "main", "├─ a", "│  ╰─ b", "╰─ c", "stray" },
      names_of(v))
    v = press(view_of({ { id = 1, name = "main" },
      { id = 2, parent = 1, name = "a" } }, nil, true), "t")
    assert.are.same({ "main", "`- a" }, names_of(v))
  end)

  it("takes tasks that are their own ancestors", function()
    local v = press(view_of { { id = 1, parent = 2, name = "a" },
      { id = 2, parent = 1, name = "b" }, { id = 3, parent = 3, name = "c" },
      { id = 4, parent = 1, name = "d" } }, "t")
    assert.are.equal(4, #names_of(v))
  end)

  it("is filtered by a part of name, state or wait [D45]", function()
    for filter, names in pairs { fi = "fib", READY = "reader",
      ["join"] = "main", zzz = "", ["("] = "" } do
      local v = press(view_of(THREE), "/")
      for char in filter:gmatch "." do
        press(v, char)
      end
      assert.are.equal(names, table.concat(names_of(v), " "))
    end
  end)

  it("keeps the parents of a task that passes the filter [D45]", function()
    local v = press(view_of(THREE), "t", "/", "f", "i", "b", "enter")
    assert.are.same({ "main", "╰─ fib" }, names_of(v))
    assert.are.same({ "fib", "reader", "main" }, names_of(press(v, "escape",
      "t")))
  end)

  it("keeps the selection on its task when the order changes", function()
    local v = press(view_of(THREE), "down")
    assert.are.equal("reader", v:rows()[v.index].task.name)
    v:take(snapshot_of { THREE[1], THREE[2],
      { id = 3, name = "reader", busy = 9 * SECOND, up = 12 * SECOND },
      { id = 4, name = "new", busy = 8 * SECOND } })
    assert.are.equal("reader", v:rows()[v.index].task.name)
    assert.are.equal("selected", style_of(v, "reader"))
  end)

  it("tells what is wrong above, and marks the task [D47]", function()
    local v = view_of { { id = 7, name = "fib", state = "running",
      longest = 2 * SECOND }, { id = 8, name = "deaf", warn = "swallows" } }
    local all = table.concat(screen_of(v), "\n")
    for _, text in ipairs { "! task 7 'fib': a step took 2.00 s",
      "! task 8 'deaf': it was cancelled", "7 ! ▶ running", "8 ! ⏸ waiting" } do
      contains(all, text)
    end
    assert.are.equal("warning", style_of(v, "! task 7"))
  end)

  it("says for how long a step computes if the answer is old [D47]", function()
    local v = view_of({ { id = 7, name = "fib", state = "running" } },
      { { answer = "old", busy_for = 3 * SECOND } })
    local all = table.concat(screen_of(v), "\n")
    contains(all, "a step has been computing for 3.00 s in task 7 'fib'")
  end)

  it("gives each of several engines a line, and tells tasks apart", function()
    local v = view_of({ { id = "5", name = "a", engine = 1 },
      { id = "2:5", name = "b", engine = 2 } },
      { { id = 1 }, { id = 2, name = "worker", up = 5 * SECOND,
        idle = 0 } })
    local all = table.concat(screen_of(v), "\n")
    for _, text in ipairs { "engine 1 'main'  idle 90.0 %",
      "engine 2 'worker'  idle 0.0 %", " 1/5 ", "2/2:5 " } do
      contains(all, text)
    end
  end)

  it("has no more lines and columns than the terminal [D49]", function()
    local v = view_of { { id = 1, name = ("長"):rep(700), waits = "recv",
      warn = "swallows" }, { id = 2, name = ("x\27"):rep(700) } }
    for _, page in ipairs { "", "?", "enter", "/" } do
      for _, rows in ipairs { 1, 2, 3, 4, 9, 14 } do
        for _, columns in ipairs { 1, 2, 3, 10, 40, 300 } do
          v.page, v.before = nil, nil
          local lines = press(v, page):lines(rows, columns)
          assert.are.equal(rows, #lines)
          for _, line in ipairs(lines) do
            local width = 0
            for _, span in ipairs(line) do
              width = width + top_texts.width(span[1])
            end
            assert.is_true(width <= math.max(columns, 2),
              ("%s %dx%d: %d"):format(page, columns, rows, width))
          end
        end
      end
    end
  end)

  it("moves its part of many tasks with the selection [D49]", function()
    local tasks = {}
    for i = 1, helper.scale(10000) do
      tasks[i] = { id = i, parent = i > 1 and i - 1 or nil, name = "t" .. i,
        busy = 0 }
    end
    local v = press(view_of(tasks), ">", "<", "end")
    local lines = screen_of(v, 10)
    contains(lines[9], "t" .. #tasks)
    lines = screen_of(press(v, "home"), 10)
    contains(lines[4], "t1 ")
    local count = v.body
    screen_of(press(v, "page-down"), 10)
    assert.are.equal(1 + count, v.index)
    press(v, "down", "up", "up")
    assert.are.equal(count, v.index)
    press(v, "down", "page-up")
    assert.are.equal(1, v.index)
    lines = screen_of(press(v, "t", "end"), 10) -- each the child of another
    assert.are.equal(10, #lines)
  end)
end)

describe("a page of --top", function()
  it("lists the keys, and is left by the key that opened it", function()
    local v = press(view_of(THREE), "?")
    local all = table.concat(screen_of(v), "\n")
    contains(all, "show tasks below their parents")
    assert.is_nil(press(v, "?").page)
  end)

  it("shows all about a task, also what is not known here [D45]", function()
    local v = press(view_of { { id = 3, parent = 1, name = "x\27y",
      color = "red\27", warn = "swallows" }, { id = 1, name = "main" } },
      "end", "enter")
    local all = table.concat(screen_of(v), "\n")
    for _, text in ipairs { "name            x\\x1by", "awaits at       server"
      .. ".lua:7", "started at      server.lua:1", "parent          1 'main'",
      "state           waiting, for 1.00 s", "color           red\\x1b",
      "! warning       it was cancelled" } do
      contains(all, text)
    end
  end)

  it("keeps a task that has ended", function()
    local v = press(view_of(THREE), "enter")
    v:take(snapshot_of { THREE[1] })
    local lines = screen_of(v)
    assert.are.equal("this task has ended", lines[1])
    assert.are.equal("name            fib", lines[3])
    assert.are.equal(2, #view_of({ THREE[1], THREE[2] }):rows())
  end)

  it("is cut in ASCII where the terminal shows only that [D46]", function()
    local v = press(view_of({ { id = 1, name = "main",
      field_of_a_later_version = "x" } }, nil, true), "enter")
    v:take(snapshot_of {})
    for columns = 1, 40 do
      local all = table.concat(screen_of(v, 30, columns), "\n")
      assert.is_nil(all:find "[\128-\255]", all)
    end
  end)

  it("is scrolled", function()
    local v = press(view_of { { id = 1, name = ("abc "):rep(500) } }, "enter")
    local first = screen_of(v, 6, 40)[2]
    press(v, "down")
    assert.are_not.equal(first, screen_of(v, 6, 40)[2])
    press(v, "up")
    assert.are.equal(first, screen_of(v, 6, 40)[2])
    press(v, "page-down")
    assert.are_not.equal(first, screen_of(v, 6, 40)[2])
    press(v, "page-up")
    assert.are.equal(first, screen_of(v, 6, 40)[2])
    press(v, "end")
    assert.is_truthy(table.concat(screen_of(v, 6, 40), "\n"):find "children")
    press(v, "home")
    assert.are.equal(first, screen_of(v, 6, 40)[2])
  end)
end)

describe("the filter of --top", function()
  it("is typed, corrected and given up", function()
    local v = press(view_of(THREE), "/", "f", "é", "backspace", "i")
    assert.are.equal("fi", v.look.filter)
    contains(screen_of(v)[24], "filter: fi_")
    press(v, "enter", "/", "ctrl-u", "x", "escape")
    assert.are.equal("fi", v.look.filter)
    press(v, "escape")
    assert.are.equal("", v.look.filter)
  end)

  it("takes letters that are commands elsewhere, and no others", function()
    local v = press(view_of(THREE), "/", "q", "?", "\27", "tab", "\u{202e}")
    assert.are.equal("q?", v.look.filter)
    for _ = 1, 500 do
      press(v, "x")
    end
    assert.is_true(#v.look.filter <= 101)
  end)
end)

describe("the interval of --top", function()
  it("has bounds", function()
    local v = view_of(THREE)
    for _ = 1, 20 do
      press(v, "+")
    end
    assert.are.equal(0.1, v:interval())
    for _ = 1, 20 do
      press(v, "-")
    end
    assert.are.equal(60, v:interval())
  end)
end)
