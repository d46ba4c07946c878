-- The files in docs/pictures are what docs/make/pictures.lua makes. They are
-- well-formed, small, and can be read: no text is cut off or lies on another
-- one.

local boxes = require "docs.make.boxes"
local json = require "spec.support.json"
local pictures = require "docs.make.pictures"
local process = require "spec.support.process"
local screen = require "docs.make.screen"
local steps = require "docs.make.steps"
local svg = require "docs.make.svg"
local timeline = require "docs.make.timeline"
local trace = require "docs.make.trace"

local made = pictures.pictures(process.binary)

local names = {}
for name in pairs(made) do
  names[#names + 1] = name
end
table.sort(names)

-- Calls `f(text)` for each picture, which returns a fault or nothing, and
-- returns the faults by the names of the pictures.
local function faults_of(f)
  local faults = {}
  for _, name in ipairs(names) do
    faults[name] = f(made[name], name)
  end
  return faults
end

-- XML -------------------------------------------------------------------------

local ENTITIES <const> = { amp = true, lt = true, gt = true, quot = true,
  apos = true }

-- Returns what is wrong with a text between tags, or in quotes.
local function fault_of_text(text)
  local rest = text:gsub("&(%l+);", function(name)
    return ENTITIES[name] and "" or nil
  end)
  return rest:match "[&<].*" or not utf8.len(text) and "no UTF-8" or nil
end

-- Returns what is wrong with the attributes of a tag.
local function fault_of_attributes(text)
  local seen, fault = {}, nil
  local rest = text:gsub('%s+([%a_][%w_:-]*)="([^"]*)"', function(name, value)
    fault = fault or seen[name] and "twice: " .. name or fault_of_text(value)
    seen[name] = true
    return ""
  end)
  return fault or rest:match "%S.*"
end

-- Returns why a text is no well-formed XML of the kind that svg.lua writes, or
-- nil.
local function fault_of_xml(text)
  local open, at, elements = {}, 1, 0
  while true do
    local first, last, slash, name, attributes, empty =
      text:find("<(/?)([%a][%w]*)([^<>]-)(/?)>", at)
    local between = text:sub(at, (first or 0) - 1)
    if #open == 0 and between:find "%S" then
      return "outside: " .. between
    elseif fault_of_text(between) then
      return fault_of_text(between)
    elseif not first then
      return open[1] and "open: " .. open[#open]
        or elements == 0 and "nothing" or nil
    end
    if slash == "/" then
      if table.remove(open) ~= name then
        return "closed: " .. name
      end
    else
      if #open == 0 and elements > 0 then
        return "second: " .. name
      end
      elements = elements + 1
      if fault_of_attributes(attributes) then
        return fault_of_attributes(attributes)
      end
      open[#open + 1] = empty == "" and name or nil
    end
    at = last + 1
  end
end

-- Places of texts -------------------------------------------------------------

local UNESCAPED <const> = { ["&lt;"] = "<", ["&gt;"] = ">", ["&amp;"] = "&",
  ["&quot;"] = '"' }
local PARTS <const> = { middle = 0.5, ["end"] = 1 }

-- Returns the texts of a picture, with the room that each of them takes.
local function texts_of(picture)
  local list = {}
  for attributes, text in picture:gmatch "<text([^>]*)>([^<]*)</text>" do
    local class = attributes:match ' class="([%w-]+)"'
    local x = tonumber(attributes:match ' x="([%d.-]+)"')
    local y = tonumber(attributes:match ' y="([%d.-]+)"')
    text = text:gsub("&%l+;", UNESCAPED)
    local width, size = svg.width(text, class), svg.SIZES[class]
    local part = PARTS[attributes:match ' text%-anchor="(%l+)"'] or 0
    list[#list + 1] = { text = text, left = x - part * width,
      right = x + (1 - part) * width, top = y - 0.8 * size,
      bottom = y + 0.2 * size }
  end
  return list
end

local function overlap(a, b)
  return a.left < b.right and b.left < a.right and a.top < b.bottom
    and b.top < a.bottom
end

-- Returns a text that is cut off or lies on another one, or nil.
local function unreadable(picture)
  local width, height = picture:match 'viewBox="0 0 (%d+) (%d+)"'
  local list = texts_of(picture)
  for i, text in ipairs(list) do
    if text.left < 0 or text.right > tonumber(width) or text.top < 0
      or text.bottom > tonumber(height) then
      return "cut off: " .. text.text
    end
    for j = 1, i - 1 do
      if overlap(text, list[j]) then
        return ("%s on %s"):format(text.text, list[j].text)
      end
    end
  end
  return #list == 0 and "no texts" or nil
end

local function page()
  return svg.page { width = 100, height = 50, title = "a", desc = "b" }
end

describe("a picture in docs/pictures", function()
  it("is what pictures.lua makes; else run `./dev docs` [docs]", function()
    assert.are.same({}, faults_of(function(text, name)
      return text ~= process.read(pictures.path(name)) and "differs" or nil
    end))
  end)

  it("is one of those that pictures.lua makes [docs]", function()
    local paths = {}
    for i, name in ipairs(names) do
      paths[i] = pictures.path(name)
    end
    local files = process.files("docs/pictures", ".")
    table.sort(files)
    assert.are.same(paths, files)
  end)

  it("is shown on a page, with a text in its place [docs]", function()
    local pages = {}
    for i, path in ipairs(process.files("docs", "^docs/[^/]+%.md$")) do
      pages[i] = process.read(path)
    end
    local text = table.concat(pages)
    assert.are.same({}, faults_of(function(_, name)
      return not text:find("!%[[^%]]+%]%(pictures/" .. name .. "%.svg%)")
        and "not shown" or nil
    end))
  end)

  it("is well-formed XML [docs]", function()
    assert.are.same({}, faults_of(fault_of_xml))
  end)

  it("has at most 40 kB, a title and a description [docs]", function()
    assert.are.same({}, faults_of(function(text)
      return #text > 40000 and "too large"
        or not text:find '<svg [^>]* role="img" aria%-labelledby="title desc">'
          and "no label"
        or not text:find '<title id="title">[^<]+</title>' and "no title"
        or not text:find '<desc id="desc">[^<]+</desc>' and "no text" or nil
    end))
  end)

  it("fetches nothing, and is made for dark mode, too [docs]", function()
    assert.are.same({}, faults_of(function(text)
      local rest = text:gsub('xmlns="http://www.w3.org/2000/svg"', "", 1)
      return rest:match "https?:[^ ]*" or rest:match "url%b()"
        or rest:match "@import" or rest:match "href"
        or not text:find("@media (prefers-color-scheme:dark)", 1, true)
          and "no dark mode" or nil
    end))
  end)

  it("has texts of 12 to 14 px that can be read [docs]", function()
    assert.are.same({}, faults_of(unreadable))
    assert.are.same({}, faults_of(function(text)
      for size in text:gmatch "font%-size:(%d+)px" do
        if tonumber(size) < 12 or tonumber(size) > 14 then
          return size
        end
      end
    end))
  end)
end)

describe("the picture of speed", function()
  it("has the ratios and peers of the table [docs]", function()
    local shown, listed, texts = {}, {}, texts_of(made.speed)
    for i, text in ipairs(texts) do
      local ratio = text.text:match "^([%d.]+)×$"
      if ratio and text.left > 600 then -- right of the axis
        shown[#shown + 1] = ("%s, %s, %s"):format(texts[i - 1].text,
          texts[i + 1].text, ratio)
      end
    end
    for title, peer, ratio in process.read "docs/performance.md":gmatch
      "\n| ([^|]+) |[^|]+|[^|]+| ([^|]+) | ([%d.]+)× | %d+ of %d+ |" do
      listed[#listed + 1] = ("%s, %s, %s"):format(title, peer, ratio)
    end
    assert.is_true(#listed > 40)
    assert.are.same(listed, shown)
  end)
end)

describe("the picture of an event", function()
  local function text_of_doc()
    local text = process.read "docs/developing.md"
    return assert(text:match "\n## One event, from Lua and back\n(.-)\n## ")
  end

  -- Returns the number and text of each part of the list in the document.
  local function parts_of(text)
    local parts = {}
    for number, part in (text:gsub("\n(%d+)%. ", "\0%1. ") .. "\0")
      :gmatch "%z(%d+)%. (%Z+)" do
      parts[tonumber(number)] = part
    end
    return parts
  end

  it("has functions that are in their files and columns [docs]", function()
    for _, step in ipairs(steps.WAY) do
      local lane, name, path = steps.LANES[step[2]], step[3], step[4]
      if path then
        assert.is_true(lane[2]:find(path:match "^%l+/%l+/", 1, true) ~= nil,
          path)
        assert.is_truthy(process.read(path):find(
          "\n%l[%w_ *]-" .. name:gsub("%(%)$", "%%([^;{]*{")),
          name .. " in " .. path)
      end
    end
  end)

  it("has functions where the document names them [docs]", function()
    local parts, newest = parts_of(text_of_doc()), 0
    assert.are.equal(9, #parts)
    for _, step in ipairs(steps.WAY) do
      assert.is_true(step[1] == newest or step[1] == newest + 1)
      newest = step[1]
      if step[4] then
        assert.is_truthy(parts[step[1]]:find("`" .. step[3] .. "`", 1, true),
          step[1] .. " " .. step[3])
      end
    end
    assert.are.equal(#parts, newest)
  end)
end)

describe("a recorded program", function()
  local document = process.read "docs/debugging.md"

  local function file(name)
    return process.read("docs/make/pictures/" .. name)
  end

  it("is on the page as it has run [docs]", function()
    for _, name in ipairs { "leak", "lock", "slow" } do
      local block = "```lua\n" .. file(name .. ".lua") .. "```\n"
      assert.is_truthy(document:find(block, 1, true), name)
    end
  end)

  it("is on the page with its events [docs]", function()
    local block = document:match "%$ aiowire %-%-record lock.lua\n(.-)```"
    local report, last = file "lock.txt", 0
    for line in block:gmatch "[^\n]+" do
      if line ~= "…" then
        local first
        first, last = report:find(line .. "\n", last + 1, true)
        assert.is_truthy(first, line)
      end
    end
    assert.are.equal(#report, last)
  end)

  -- The events of workers in a report. Tasks of a loop with a clock of its own
  -- have a number of the engine before theirs.
  local function events_of(report)
    local events = {}
    for name, event in report:gmatch "task [%d:]+ '(worker %d)' ([^\n]+)" do
      events[#events + 1] = name .. " " .. event:gsub("for [%d.]+ s", "for s")
    end
    return events
  end

  it("has these events on any machine [docs]", function()
    local outcome = process.run([[exec $aiowire --record -e '
      local aw = require "aiowire"
      local loop = aw.EventLoop
      function aw.EventLoop()
        return loop { clock = "virtual" }
      end' lock.lua]], { ["lock.lua"] = file "lock.lua" })
    assert.are.equal(0, outcome.code, outcome.err)
    local events = events_of(file "lock.txt")
    assert.are.same(events, events_of(outcome.out))
    assert.is_true(#events > 10)
  end)
end)

describe("what draws pictures", function()
  it("escapes what XML would take for marks [docs]", function()
    assert.are.equal("a &lt; b &gt; &quot;c&quot; &amp; ?",
      svg.escape 'a < b > "c" & \0')
    local p = page()
    p:text(5, 20, "a & <b>")
    assert.is_nil(fault_of_xml(p:file()))
  end)

  it("refuses lines that it does not know [docs]", function()
    assert.has_error(function()
      timeline.read "0.000\ttask\tnonsense\ttext\n"
    end, "no event: 0.000\ttask\tnonsense\ttext")
    assert.has_error(function()
      boxes.read "EventLoop (running)\n│    nonsense\n"
    end, "line: │    nonsense")
  end)

  it("reads the tracks of a trace [docs]", function()
    local tracks = trace.read [[
{"traceEvents":[
{"ph":"M","tid":3,"name":"thread_name","args":{"name":"beat"}},
{"ph":"X","tid":3,"name":"beat","cat":"task","ts":1000,"dur":9000},
{"ph":"X","tid":3,"name":"sleep","cat":"wait","ts":2000,"dur":500,
  "args":{"about":"1 s"}},
{"ph":"X","tid":3,"name":"step","cat":"step","ts":2500,"dur":250.0},
{"ph":"i","tid":3,"name":"cancel","cat":"event","ts":2750,"s":"t"},
{"ph":"C","tid":0,"name":"tasks","ts":1,"args":{"ready":1}}]}]]
    assert.are.same({ beat = { name = "beat",
      life = { kind = "task", text = "beat", from = 1, to = 10 },
      slices = {
        { kind = "wait", text = "sleep 1 s", from = 2, to = 2.5 },
        { kind = "step", text = "step", from = 2.5, to = 2.75 },
        { kind = "cancel", text = "cancel", from = 2.75, to = 2.75 },
      } } }, tracks)
  end)

  it("shows a long step of a trace, and what is missing [docs]", function()
    local text = [[{"traceEvents":[
{"ph":"M","tid":3,"name":"thread_name","args":{"name":"beat 1"}},
{"ph":"X","tid":3,"name":"step","cat":"step","ts":0,"dur":12000},
{"ph":"X","tid":3,"name":"step","cat":"step","ts":20000,"dur":1000}]}]]
    local about = { title = "t", desc = "d", head = "h", lanes = { "beat" },
      long = 10 }
    local picture = trace.draw(about, text)
    assert.is_nil(fault_of_xml(picture))
    assert.is_truthy(picture:find(">12 ms</text>", 1, true))
    assert.is_nil(picture:find(">1 ms</text>", 1, true))
    about.lanes = { "heart" }
    assert.has_error(function()
      trace.draw(about, text)
    end, "no track: heart")
  end)

  it("reads the spans of a screen, and knows their colors [docs]", function()
    assert.are.same({
      { text = "id ", class = "code", column = 0 },
      { text = "▶ runs", class = "runs", column = 3 },
      { text = " 1 s", class = "code", column = 9 },
    }, screen.read "id \27[38;5;36m▶ runs\27[0m 1 s")
    assert.are.same({}, screen.read "")
    assert.has_error(function()
      screen.read "\27[35mpink\27[0m"
    end, "no color: 35")
  end)

  it("draws signs of a screen as shapes [docs]", function()
    local picture = screen.draw({ title = "t", desc = "d", head = "h" },
      "\27[38;5;36m▶ runs\27[0m\n\27[7mname\27[0m\n")
    assert.is_nil(fault_of_xml(picture))
    assert.is_truthy(picture:find('<path d="M[^"]+" class="full%-green"/>'))
    assert.is_nil(picture:find("▶", 1, true))
    assert.is_truthy(picture:find('class="on">name</text>', 1, true))
  end)

  it("reads the depth of a task from a dump [docs]", function()
    local loop = boxes.read [[
EventLoop (running)
├─ task 1 'a'  waiting  join 1 child  age 0.1 s  steps 1  started at s.lua:3
│  │ awaits at s.lua:9
│  ╰─ scope
│     ╰─ task 2 'b c'  waiting  sleep 1  age 0.1 s  steps 1  CANCELLED
╰─ task 3 'd'  running  age 0.1 s  steps 1  started at s.lua:5
]]
    local a, d = loop.children[1], loop.children[2]
    assert.are.same({ "a", "join 1 child", "waiting", "s.lua:9" },
      { a.name, a.wait, a.state, a.place })
    local b = a.children[1].children[1]
    assert.are.same({ "b c", "sleep 1", "CANCELLED" },
      { b.name, b.wait, b.state })
    assert.are.same({ "d", "running" }, { d.name, d.state })
  end)
end)

describe("the check of pictures", function()
  it("finds what is not well-formed [docs]", function()
    assert.is_nil(fault_of_xml '<a b="c"><d e="&lt;"/>f &amp; g</a>\n')
    for _, text in ipairs { "", "a", "<a>", "<a></b>", "</a>", "<a/><b/>",
      "<a/>b", "<a>&</a>", "<a>&no;</a>", "<a b=c/>", '<a b="1" b="2"/>',
      '<a b="&"/>', "<a>1 < 2</a>", "<a>\xff</a>", "<a b/>" } do
      assert.is_truthy(fault_of_xml(text), text)
    end
  end)

  it("finds texts that are cut off or overlap [docs]", function()
    for text, draw in pairs {
      ["cut off: right"] = function(p) p:text(80, 20, "right") end,
      ["cut off: left"] = function(p) p:text(20, 20, "left", "code", "end") end,
      ["cut off: top"] = function(p) p:text(5, 5, "top") end,
      ["cut off: bottom"] = function(p) p:text(5, 49, "bottom") end,
      ["b on a"] = function(p)
        p:text(5, 20, "a")
        p:text(9, 22, "b")
      end,
      ["no texts"] = function() end,
    } do
      local p = page()
      draw(p)
      assert.are.equal(text, unreadable(p:file()))
    end
  end)
end)

describe("the reader of JSON", function()
  it("reads all kinds of values [docs]", function()
    assert.are.same({ a = { 1, 2.5, -300.0, true, false, json.null,
      "x\n\u{e4}\u{1F600}", {}, {} }, b = { c = "" } }, json.read [[
      {"a": [1, 2.5, -3e2, true,false, null, "x\n\u00e4\ud83d\ude00", [], { }],
       "b":{"c":""}}
    ]])
    assert.are.equal("integer", math.type(json.read " 12 "))
  end)

  it("refuses what is no JSON [docs]", function()
    for _, text in ipairs { "", "{", "[1,]", '{"a":1,}', "01", "1.", "1e",
      '"a', '"\n"', [["\x"]], "nul", "[1 2]", "{a:1}", "1 2",
      '{"a":1,"a":2}', [["\ud800"]], [["\udc00"]], '"\xff"', "NaN", "+1",
      [["\u12"]], "-", "[1]]" } do
      assert.is_false(pcall(json.read, text), text)
    end
    assert.has_error(function()
      json.read "[1, two]"
    end, "JSON: no number at byte 5")
  end)
end)
