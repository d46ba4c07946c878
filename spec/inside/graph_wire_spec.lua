-- aw.graph(w): a picture of each kind of wire, as text [D30, D31, D32].

local aw = require "aiowire"
local texts = require "spec.support.texts"

local contains, lacks = texts.contains, texts.lacks

local HEAD <const> = "flowchart LR\n"

local function fetch() end
local function parse() end
local function store() end

local handlers = {}
function handlers.failed() end

--- Returns the lines of a picture below its first one, without indentation.
local function drawn(w)
  local text = aw.graph(w)
  assert.are.equal(HEAD, text:sub(1, #HEAD))
  local lines = {}
  for line in text:sub(#HEAD + 1):gmatch "[^\n]+" do
    lines[#lines + 1] = line:match "^%s*(.-)$"
  end
  return lines
end

local S = aw.Sleep
local jobs = aw.channel(1, { name = "jobs" })
local RED <const> = "stroke:#D55E00,color:#D55E00"

local CASES <const> = {
  ["a body"] = { fetch, { 'w1["fetch"]' } },
  ["a body with arguments"] = { aw.Wire(fetch, "a", 2),
    { 'w1["fetch(#34;a#34;, 2)"]' } },
  ["a call"] = { aw.Call(print, 1), { 'w1["print(1)"]' } },
  ["values"] = { aw.Value(1, "x"), { 'w1["value 1, #34;x#34;"]' } },
  ["a sleep"] = { S(0.5), { 'w1(["sleep 0.5 s"])' } },
  ["a sleep that is no whole number of nanoseconds"] = { S(0.7),
    { 'w1(["sleep 0.7 s"])' } },
  ["a wait for a time"] = { aw.SleepUntil(3), { 'w1(["sleep until 3 s"])' } },
  ["a wait for ever"] = { aw.Never, { 'w1(["sleep for ever"])' } },
  ["a receive"] = { aw.Recv(jobs), { 'w1(["recv channel jobs"])' } },
  ["a send"] = { aw.Send(jobs, 7), { 'w1(["send channel jobs, 7"])' } },
  ["a sequence"] = { S(1) >> fetch >> parse, { 'w1(["sleep 1 s"])',
    'w2["fetch"]', 'w3["parse"]', "w1 ==> w2", "w2 ==> w3" } },
  ["equal neighbours"] = { S(1) >> S(1) >> S(1) >> fetch, {
    'w1(["sleep 1 s"])', 'w2["fetch"]', 'w1 ==>|"×3"| w1', "w1 ==> w2" } },
  ["a repeat"] = { aw.Wire(fetch) * 3, { 'w1["fetch"]', 'w1 ==>|"×3"| w1' } },
  ["a repeat of several"] = { (S(1) >> fetch) * 2 >> parse, {
    'w1(["sleep 1 s"])', 'w2["fetch"]', 'w3["parse"]', "w1 ==> w2",
    'w2 ==>|"×2"| w1', "w2 ==> w3" } },
  ["a repeat without an end"] = { aw.Forever(S(1) >> fetch), {
    'w1(["sleep 1 s"])', 'w2["fetch"]', "w1 ==> w2", 'w2 ==>|"∞"| w1' } },
  ["a repeat of a box"] = { (S(1) & fetch) * 2, { 'subgraph g1["all ×2"]',
    "direction LR", 'w1(["sleep 1 s"])', 'w2["fetch"]', "end" } },
  ["a join"] = { S(1) & fetch, { 'subgraph g1["all"]', "direction LR",
    'w1(["sleep 1 s"])', 'w2["fetch"]', "end" } },
  ["a join of equal wires"] = { aw.Wire(fetch) & fetch & fetch & parse, {
    'subgraph g1["all"]', "direction LR", 'w1["fetch ×3"]', 'w2["parse"]',
    "end" } },
  ["a join with a limit"] = { aw.All { fetch, parse, limit = 1 }, {
    'subgraph g1["all, 1 at a time"]', "direction LR", 'w1["fetch"]',
    'w2["parse"]', "end" } },
  ["a join with names"] = { aw.All { a = fetch, b = S(1) >> parse }, {
    'subgraph g1["all"]', "direction LR", 'w1["a: fetch"]',
    'subgraph g2["b"]', "direction LR", 'w2(["sleep 1 s"])', 'w3["parse"]',
    "end", "end", "w2 ==> w3" } },
  ["a join of nothing"] = { aw.All {}, { 'subgraph g1["all"]',
    "direction LR", 'w1["nothing"]', "end",
    "classDef note fill:none,stroke-dasharray:3", "class w1 note" } },
  ["a race"] = { S(1) | fetch, { 'subgraph g1["race"]', "direction LR",
    'w1(["sleep 1 s"])', 'w2["fetch"]', "end" } },
  ["a race for the first success"] = { aw.Any { fetch, parse }, {
    'subgraph g1["any"]', "direction LR", 'w1["fetch"]', 'w2["parse"]',
    "end" } },
  ["a choice"] = { aw.Select { S(1), aw.Recv(jobs) }, {
    'subgraph g1["select"]', "direction LR", 'w1(["sleep 1 s"])',
    'w2(["recv channel jobs"])', "end" } },
  ["a fallback"] = { aw.Wire(fetch) // parse >> store, { 'w1["fetch"]',
    'w2["parse"]', 'w3["store"]', 'w1 -->|"error"| w2', "w1 ==> w3",
    "w2 ==> w3", "linkStyle 0 " .. RED } },
  ["a fallback of several"] = { (S(1) >> fetch) // parse, {
    'subgraph g1[" "]', "direction LR", 'w1(["sleep 1 s"])', 'w2["fetch"]',
    "end", 'w3["parse"]', "w1 ==> w2", 'g1 -->|"error"| w3',
    "linkStyle 1 " .. RED } },
  ["a time-out"] = { aw.Wire(fetch):timeout(2), {
    'subgraph g1["timeout 2 s"]', "direction LR", 'w1["fetch"]', "end" } },
  ["a time-out with a grace"] = { aw.Wire(fetch):timeout(2, { grace = 1 }), {
    'subgraph g1["timeout 2 s, grace 1 s"]', "direction LR", 'w1["fetch"]',
    "end" } },
  ["a retry"] = { aw.Wire(fetch):retry { times = 3, delay = 1 }, {
    'subgraph g1["retry ×3, delay 1 s"]', "direction LR", 'w1["fetch"]',
    "end" } },
  ["a retry with all options"] = { aw.Wire(fetch):retry { delay = 1,
    factor = 3, max = 9, within = 60, jitter = "full",
    when = handlers.failed }, {
    'subgraph g1["retry ∞, delay 1 s, factor 3, max 9 s, within 60 s, jitter, '
      .. 'when handlers.failed"]', "direction LR", 'w1["fetch"]', "end" } },
  ["a shield"] = { aw.Wire(fetch):shielded(), { 'subgraph g1["shielded"]',
    "direction LR", 'w1["fetch"]', "end" } },
  ["a whole chain"] = { aw.Wire(fetch):whole() >> parse, {
    'subgraph g1["whole"]', "direction LR", 'w1["fetch"]', "end",
    'w2["parse"]', "g1 ==> w2" } },
  ["a named body"] = { aw.Wire(fetch):named "get", { 'w1["get<br/>fetch"]' } },
  ["a named wire"] = { (S(1) >> fetch):named "get", { 'subgraph g1["get"]',
    "direction LR", 'w1(["sleep 1 s"])', 'w2["fetch"]', "end",
    "w1 ==> w2" } },
  ["a map"] = { aw.Wire(fetch) / parse, { 'w1["fetch"]', 'w2["parse"]',
    'w1 -->|"map"| w2' } },
  ["a bind"] = { aw.Wire(fetch):bind(parse), { 'w1["fetch"]', 'w2["parse"]',
    'w1 -->|"bind"| w2' } },
  ["a catch"] = { aw.Wire(fetch):catch(handlers.failed) >> store, {
    'subgraph g1["catch"]', "direction LR", 'w1["fetch"]', "end",
    'w2["handlers.failed"]', 'w3["store"]', 'g1 -->|"error"| w2',
    "w2 ==> w3", "g1 ==> w3", "linkStyle 0 " .. RED } },
  ["a supervisor"] = { aw.Wire(fetch):supervise(handlers.failed), {
    'subgraph g1["supervise"]', "direction LR", 'w1["fetch"]', "end",
    'w2["handlers.failed"]', 'g1 -->|"error"| w2', "linkStyle 0 " .. RED } },
  ["clean-up"] = { aw.Wire(fetch):finally(store) >> parse, {
    'subgraph g1["finally"]', "direction LR", 'w1["fetch"]', "end",
    'w2["store"]', 'w3["parse"]', 'g1 -->|"always"| w2', "w2 ==> w3" } },
  ["a period"] = { aw.Every(2, fetch, { missed = "burst" }), {
    'subgraph g1["every 2 s, missed burst"]', "direction LR", 'w1["fetch"]',
    "end" } },
}

describe("a picture", function()
  for what, case in pairs(CASES) do
    it("shows " .. what .. " [D31]", function()
      assert.are.same(case[2], drawn(case[1]))
    end)
  end

  it("is the same each time [D30]", function()
    local w = (S(1) | fetch):timeout(3) >> aw.All { b = parse, a = store }
    assert.are.equal(aw.graph(w, "dot"), aw.graph(w, "dot"))
    assert.are.equal(aw.graph(w), aw.graph(w, "mermaid"))
  end)

  it("shows the task of a Done [D31]", function()
    aw.run(function(ev)
      local task = ev:start(S(1):named "nap")
      assert.are.same({ ("w1([\"done task %d 'nap'\"])"):format(task.id) },
        drawn(aw.Done(task)))
      task:cancel()
    end)
  end)

  it("names functions by their first lines, or by their places [D31]",
    function()
      local two = { function() end, function() end }
      local line = debug.getinfo(two[1], "S").linedefined
      assert.are.same({ ('w1["graph_wire_spec.lua:%d"]'):format(line) },
        drawn(two[1]))
      local loaded = load("\n\nreturn { go = function() end }")()
      assert.are.same({ 'w1["go"]' }, drawn(loaded.go))
      assert.are.same({ 'w1["os.difftime"]' }, drawn(aw.Call(os.difftime)))
    end)

  it("names wires of the library without places in it [D31]", function()
    assert.are.same({ 'w1["Exec(ls -l)"]' }, drawn(aw.Exec("ls", "-l")))
  end)
end)

describe("a picture of a large wire", function()
  it("cuts wires inside each other that are too deep [D32]", function()
    local w = S(1)
    for i = 1, 200 do
      w = (w | S(i)):shielded()
    end
    local text = table.concat(drawn(w), "\n")
    contains(text, "…")
    assert.is_true(#text < 10000)
  end)

  --- Returns a wire of `n` sleeps, all of them different.
  local function different(n)
    local list = {}
    for i = 1, n do
      list[i] = S(i)
    end
    return list
  end

  it("shows 100 nodes [D32]", function()
    local rows = {}
    for i = 1, 10 do
      local row = {}
      for j = 1, 10 do
        row[j] = aw.Wire(fetch, i * 100 + j)
      end
      rows[i] = aw.Sequence(table.unpack(row))
    end
    local text = aw.graph(aw.All(rows))
    for i = 1, 10 do
      for j = 1, 10 do
        contains(text, ("fetch(%d)"):format(i * 100 + j))
      end
    end
    lacks(text, "more")
  end)

  it("counts what it leaves out [D32]", function()
    local lines = drawn(aw.Sequence(table.unpack(different(97))))
    assert.are.equal('w40(["sleep 40 s"])', lines[40])
    assert.are.equal('w41["… 57 more"]', lines[41])
    contains(aw.graph(aw.All(different(2000))), '"… 1960 more"')
  end)

  it("is small for wires that repeat, are deep, or both [D32]", function()
    local same, deep = {}, aw.Wire(fetch)
    for i = 1, 5000 do
      same[i] = aw.Wire(fetch)
    end
    for _ = 1, 3000 do
      deep = deep:timeout(1)
    end
    assert.are.same({ 'subgraph g1["all"]', "direction LR",
      'w1["fetch ×500"]', 'w2["… 4500 more"]', "end",
      "classDef note fill:none,stroke-dasharray:3", "class w2 note" },
      drawn(aw.All(same)))
    assert.is_true(#aw.graph(deep) < 2000)
    local wide = S(1) | S(2)
    for _ = 1, 12 do
      wide = (wide >> fetch) | (wide >> parse)
    end
    assert.is_true(#aw.graph(wide) < 60000)
  end)
end)

describe("aw.graph", function()
  it("runs no code of users [D30]", function()
    local touched = {}
    local object = setmetatable({}, { __tostring = function()
      touched[#touched + 1] = "tostring"
    end, __index = function(_, key)
      touched[#touched + 1] = key
    end, __name = "thing", __call = function()
      touched[#touched + 1] = "call"
    end })
    local w = aw.Wire(fetch, object) >> aw.Value(object) >> object
    assert.is_string(aw.graph(w))
    assert.is_string(aw.graph(w, "dot"))
    assert.are.same({}, touched)
  end)

  for name, case in pairs {
    ["nothing"] = { function()
      aw.graph()
    end, "wire or EventLoop expected, got no value" },
    ["a number"] = { function()
      aw.graph(3)
    end, "wire or EventLoop expected, got number" },
    ["another format"] = { function()
      aw.graph(S(1), "svg")
    end, "bad argument #2 to 'graph' (\"mermaid\" or \"dot\" expected, got "
      .. "svg)" },
  } do
    it("refuses " .. name .. " at the caller's line [D30]", function()
      local ok, err = pcall(case[1])
      assert.is_false(ok)
      local text = tostring(err)
      contains(text, case[2])
      assert.is_truthy(text:find "graph_wire_spec%.lua:%d+: ", text)
    end)
  end
end)
