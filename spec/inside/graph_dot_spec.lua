-- aw.graph(w, "dot"): Graphviz accepts each picture, also with hostile names
-- [D33].

local aw = require "aiowire"
local process = require "spec.support.process"
local random_wires = require "spec.model.random_wires"
local wire_source = require "spec.model.wire_source"

local S = aw.Sleep

local function fetch() end

local has_dot <const> = os.execute "command -v dot >/dev/null 2>&1"

--- Let Graphviz lay out these pictures; it must have nothing to complain about.
local function accept(pictures)
  if not has_dot then
    return pending "needs dot, of Graphviz"
  end
  local outcome = process.run("exec dot -Tsvg all.dot -o all.svg",
    { ["all.dot"] = table.concat(pictures) })
  assert.are.equal("", outcome.err)
  process.assert_exit(0, outcome)
end

--- Returns the wires of a random program.
local function wires_of(seed)
  local list = {}
  local env = setmetatable({ cancel = function() end, done = function()
    return aw.Never
  end }, { __index = aw })
  function env.start(_, make)
    list[#list + 1] = make()
  end
  local source = wire_source.render(random_wires.generate(seed))
  assert(load(source, "=program", "t", env))()
  return list
end

local HOSTILE <const> = { "end", "graph", "subgraph", 'a"b', "a\\b", "a\\",
  "a\nb", "a\r\tb", "<b>x</b>", "&lt;&amp", "#quot;", "[x]", "(x)", "{x}|y",
  "`x`", "**x**", "_x_", "%%{init: {}}%%", "--> x", "1. x", "- x", "fa:fa-bell",
  "http://x.org/", "$$x$$", "x;y", "größe ✓ 🙂", "\xff\xfe", "\xed\xa0\x80",
  "\xc2\x85", "\\N\\G\\l", "", " ", "a\0b", ("x"):rep(5000) }

describe("a picture for Graphviz", function()
  it("shows boxes, edges and places [D33]", function()
    local line = debug.getinfo(fetch, "S").linedefined
    local expected = ([[
digraph {
  rankdir=LR
  compound=true
  fontname="sans-serif"
  node [fontname="sans-serif" fontsize=11 shape=box]
  edge [fontname="sans-serif" fontsize=10 color="#555555"]
  w1 [label="sleep 1 s" style="rounded"]
  subgraph cluster_g1 {
    label="all" labeljust=l fontsize=11 style="rounded"
    color="#999999" penwidth=1
    w2 [label="sleep 2 s" style="rounded"]
    w3 [label="fetch" tooltip="PLACE"]
  }
  w4 [label="fetch" tooltip="PLACE"]
  w2 -> w4 [color="#D55E00" fontcolor="#D55E00" ltail=cluster_g1 label="error"]
  w3 -> w4 [style=invis]
  w1 -> w2 [penwidth=2 lhead=cluster_g1]
  w1 -> w3 [style=invis]
}
]]):gsub("PLACE", "spec/inside/graph_dot_spec.lua:" .. line)
    assert.are.equal(expected, aw.graph(S(1) >> (S(2) & fetch) // fetch,
      "dot"))
  end)

  it("is accepted for hostile names [D33]", function()
    local pictures = {}
    for _, name in ipairs(HOSTILE) do
      local w = (S(1) >> aw.Wire(fetch, name)):named(name)
      pictures[#pictures + 1] = aw.graph(w & aw.Wire(fetch):named(name), "dot")
      pictures[#pictures + 1] = aw.graph(aw.All { [name] = S(1) }, "dot")
    end
    accept(pictures)
  end)

  it("is accepted for 100 nodes [D33]", function()
    local rows = {}
    for i = 1, 10 do
      local row = {}
      for j = 1, 10 do
        row[j] = j % 2 == 0 and S(j):timeout(i) or aw.Wire(fetch, i, j)
      end
      rows[i] = aw.Sequence(table.unpack(row))
    end
    accept { aw.graph(aw.All(rows), "dot"),
      aw.graph(aw.Sequence(table.unpack(rows)), "dot") }
  end)

  it("is accepted for random wires [D33]", function()
    local pictures = {}
    for seed = 1, 25 do
      for _, w in ipairs(wires_of(seed)) do
        pictures[#pictures + 1] = aw.graph(w, "dot")
      end
    end
    assert.is_true(#pictures > 25)
    accept(pictures)
  end)
end)

describe("a picture for Mermaid", function()
  for name, text in pairs {
    ["a quote"] = { 'a"b', "a#34;b" },
    ["an entity"] = { "#quot; &lt;", "#35;quot#59; #38;lt#59;" },
    ["a tag"] = { "<b>", "#60;b#62;" },
    ["brackets"] = { "[x]{y}|z", "#91;x#93;#123;y#125;#124;z" },
    ["Markdown"] = { "`x` **y** _z_ a_b",
      "#96;x#96; #42;#42;y#42;#42; #95;z#95; a_b" },
    ["a directive"] = { "%%{init}", "#37;#37;#123;init#125;" },
    ["a list"] = { "1. x", "1#46; x" },
    ["another list"] = { "- x", "#45; x" },
    ["an icon"] = { "fa:fa-bell", "fa#58;fa-bell" },
    ["a link"] = { "http://www.x.org", "http#58;//www#46;x.org" },
    ["several lines"] = { "a\nb\tc", "a b c" },
    ["other bytes"] = { "a\xffb", "a?b" },
    ["a keyword"] = { "end", "end" },
    ["other scripts"] = { "größe ✓", "größe ✓" },
  } do
    it("escapes " .. name .. " [D33]", function()
      local picture = aw.graph((S(1) >> fetch):named(text[1]))
      local title = picture:match 'subgraph g1%["(.-)"%]\n'
      assert.are.equal(text[2], title)
    end)
  end
end)
