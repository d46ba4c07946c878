-- aw.graph(ev): a picture of a loop with its tasks [D34].

local aw = require "aiowire"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

local S = aw.Sleep

local function reader() end

--- Returns the lines of a picture below its first one, without indentation, and
--- without the lines about colors.
local function drawn(ev)
  local lines = {}
  for line in aw.graph(ev):gmatch "[^\n]+" do
    lines[#lines + 1] = line:match "^%s*(.-)$"
  end
  assert.are.equal("flowchart LR", table.remove(lines, 1))
  return lines
end

--- Tasks of one engine are numbered, also in other specs.
local function without_ids(lines)
  for i, line in ipairs(lines) do
    lines[i] = line:gsub("task %d+", "task")
  end
  return lines
end

--- Run `f(ev)` as a task of a loop with a virtual clock, and then cancel all
--- other tasks.
local function inside(f)
  local ev = aw.EventLoop { name = "test", clock = "virtual" }
  ev:start(aw.Wire(function()
    f(ev)
    ev:stop()
  end):named "main")
  ev:run()
end

local WAITING <const> = "fill:#56B4E9,stroke:#333,color:#000"

describe("a picture of a loop", function()
  it("shows tasks that have not begun, and no others [D34]", function()
    local ev = aw.EventLoop { name = "new" }
    ev:start(reader)
    ev:start(S(1):named "nap")
    assert.are.same({ "w1[\"EventLoop 'new' (idle)\"]",
      'w2["reader<br/>task, ready"]', 'w3["nap<br/>task, ready"]',
      "w1 -.-> w2", "w1 -.-> w3",
      "classDef ready fill:#F0E442,stroke:#333,color:#000",
      "class w2,w3 ready" }, without_ids(drawn(ev)))
    ev:close()
    assert.are.same({ "w1[\"EventLoop 'new' (closed)\"]" }, drawn(ev))
  end)

  it("shows states, waits, parents and scopes [D34]", function()
    inside(function(ev)
      ev:start(S(5) | reader >> S(9))
      aw.sleep(1)
      assert.are.same({ "w1[\"EventLoop 'test' (running)\"]",
        'w2["main<br/>task 1, running"]',
        'w3["race<br/>task 2, waiting: join 2 children"]',
        'w4["sleep 5 s<br/>task 3, waiting: sleep 5.0"]',
        'subgraph g1["task 4, waiting: sleep 9.0"]', "direction LR",
        'w5["reader"]', 'w6(["sleep 9 s"])', "end", "w1 -.-> w2",
        "w1 -.-> w3", 'w3 -.->|"race"| w4', "w5 ==> w6",
        'w3 -.->|"race"| g1',
        "classDef running fill:#009E73,stroke:#333,color:#000",
        "class w2 running", "classDef waiting " .. WAITING,
        "class w3,w4 waiting",
        "classDef waitingBox fill:none,stroke:#56B4E9,stroke-width:3px",
        "class g1 waitingBox" }, drawn(ev))
    end)
  end)

  it("shows tasks that look the same as one [D34]", function()
    inside(function(ev)
      for _ = 1, 57 do
        ev:start(S(7):named "napper")
      end
      aw.sleep(1)
      local lines = drawn(ev)
      assert.are.equal('w3["napper ×57<br/>waiting: sleep 7.0"]', lines[3])
      assert.are.equal("w1 -.-> w3", lines[5])
      assert.are.equal(9, #lines)
    end)
  end)

  local function start_numbered(ev, count)
    for i = 1, count do
      ev:start(S(i + 10):named("napper " .. i))
    end
    aw.sleep(1)
  end

  it("shows a few tasks one by one [D34]", function()
    inside(function(ev)
      start_numbered(ev, 11)
      local text = aw.graph(ev)
      for i = 1, 11 do
        contains(text, ('"napper %d<br/>task %d, waiting: sleep %d.0"'):format(
          i, i + 1, i + 10))
      end
    end)
  end)

  it("shows many that differ in numbers as one [D34]", function()
    inside(function(ev)
      start_numbered(ev, 20)
      for i = 1, 9 do
        ev:start(S(5):named("reader " .. i))
      end
      ev:start(S(6):named "the other")
      aw.yield()
      local lines = drawn(ev)
      assert.are.same({
        'w3["napper 1 … napper 20 ×20<br/>waiting: sleep …"]',
        'w4["reader 1 … reader 9 ×9<br/>waiting: sleep 5.0"]',
        'w5["the other<br/>task 31, waiting: sleep 6.0"]',
      }, { table.unpack(lines, 3, 5) })
    end)
  end)

  it("shows functions of two lines as two, however many [D34]", function()
    local source = {}
    for i = 1, 20 do
      source[i] = ("\n"):rep(i) .. "return function() aw.sleep(5) end"
    end
    inside(function(ev)
      for _, text in ipairs(source) do
        ev:start(load("local aw = ...\n" .. text, "@lines.lua")(aw))
      end
      aw.sleep(1)
      local text = aw.graph(ev)
      contains(text, '"lines.lua:3<br/>task')
      contains(text, '"lines.lua:21<br/>task')
    end)
  end)

  it("shows a cancelled task that is still there [D34]", function()
    inside(function(ev)
      local task = ev:start(aw.Wire(S(9)):shielded():named "stubborn")
      aw.sleep(1)
      task:cancel()
      aw.sleep(1)
      local text = aw.graph(ev)
      contains(text,
        'subgraph g1["stubborn, task 2, cancelled, waiting: sleep 9.0"]')
      contains(text, "classDef cancelledBox fill:none,stroke:#999999")
    end)
  end)

  it("counts how often a task went from state to state [D34]", function()
    local turns = 0
    local parse, reply
    local function read()
      return parse
    end
    function parse()
      turns = turns + 1
      return turns == 3 and read or turns < 3 and parse or reply
    end
    function reply()
      aw.sleep(9)
    end
    inside(function(ev)
      ev:start(read)
      aw.sleep(1)
      local lines = drawn(ev)
      assert.are.same({ 'w3["read"]', 'w4["parse"]', 'w5["reply"]', "end",
        "w1 -.-> w2", 'w3 -->|"×2"| w4', 'w4 -->|"×2"| w4',
        'w4 -->|"×1"| w3', 'w4 -->|"×1"| w5' },
        table.move(lines, 5, 13, 1, {}))
      assert.are.equal("class w5 waiting", lines[#lines - 2])
    end)
  end)

  it("counts all transitions while a recorder is on [D35]", function()
    local turns = 0
    local ping
    local function pong()
      return ping
    end
    function ping()
      turns = turns + 1
      if turns < 100 then
        return pong
      end
      aw.sleep(9)
    end
    aw.record()
    local ok, err = pcall(inside, function(ev)
      for _ = 1, 2 do
        ev:start(pong)
      end
      aw.sleep(1)
      local text = aw.graph(ev)
      contains(text, '|"×101"| ')
      contains(text, '|"×99"| ')
    end)
    aw.record(false)
    assert(ok, err)
  end)

  it("counts the steps of states that stay or have new names [D35]", function()
    local turns, names = 0, 0
    local stay
    local function leave()
      return stay
    end
    function stay()
      turns = turns + 1
      if turns % 10 > 0 then
        return stay
      elseif turns < 100 then
        return leave
      end
      aw.sleep(9)
    end
    local function rename()
      names = names + 1
      if names < 80 then
        return aw.Wire(rename):named(names % 4 < 2 and "black" or "white")
      end
      aw.sleep(9)
    end
    aw.record()
    local ok, err = pcall(inside, function(ev)
      ev:start(stay)
      ev:start(aw.Wire(rename):named "white")
      aw.sleep(1)
      local seen = {}
      for count in aw.graph(ev):gmatch '|"×(%d+)"|' do
        seen[#seen + 1] = count
      end
      table.sort(seen)
      assert.are.same({ "19", "20", "20", "20", "9", "9", "90" }, seen)
    end)
    aw.record(false)
    assert(ok, err)
  end)

  it("counts the tasks that it leaves out [D32, D34]", function()
    inside(function(ev)
      for i = 1, 300 do
        ev:start(S(10):named("nap" .. ("!"):rep(i)))
      end
      aw.sleep(1)
      local text = aw.graph(ev)
      contains(text, '"… 261 more tasks"')
      lacks(text, ('"nap%s<br/>'):format(("!"):rep(40)))
    end)
  end)

  it("shows no place inside the library [D31]", function()
    aw.run(function(ev)
      local server <close> = aw.tcp.listen("127.0.0.1", 0)
      ev:start(aw.Serve(server, reader), nil, { background = true })
      aw.yield()
      aw.yield()
      local text = aw.graph(ev)
      contains(text, "connections")
      lacks(text, "aiowire.serve")
    end)
  end)
end)
