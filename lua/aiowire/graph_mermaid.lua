--- graph_mermaid.lua: a graph as a flowchart of Mermaid
---
--- Mermaid finds its own syntax in texts, too: quotes, entities, tags,
--- Markdown, links, icons ("fa:fa-…") and directives ("%%{"). So each character
--- that may begin one is written as an entity. The ids are ours, since a name
--- such as `end` is no id.
local _, inner = ...

local model <const> = inner.part "aiowire.graph_model"

local SHAPES <const> = {
  body = { '["', '"]' },
  event = { '(["', '"])' },
  note = { '["', '"]' },
}
local ARROWS <const> = {
  ["then"] = "==>", flow = "-->", error = "-->", child = "-.->",
}

local function entity(character)
  return "#" .. utf8.codepoint(character) .. ";"
end

local function entities(text)
  return (text:gsub(".", entity))
end

--- Return one line of a text without any syntax of Mermaid.
local function escaped(text)
  text = model.clean(text)
    :gsub("[\"#&;<>\\`*~%[%]{}|$%%@^]", entity)
    :gsub("%f[%w_]_+", entities):gsub("_+%f[^%w_]", entities)
    :gsub(":(//)", "#58;%1"):gsub(":(fa%-)", "#58;%1")
    :gsub("^(%s*%d+)([.)])", function(number, mark)
      return number .. entity(mark)
    end)
    :gsub("^%s*[-+=]", function(mark)
      return mark:sub(1, -2) .. entity(mark:sub(-1))
    end)
    :gsub("([wW][wW][wW])%.", "%1#46;")
  return text
end

local function text_of(lines, between)
  local texts = {}
  for i, line in ipairs(lines) do
    texts[i] = escaped(line)
  end
  local text = table.concat(texts, between)
  return text == "" and " " or text
end

local Writer = {}
Writer.__index = Writer

function Writer:line(depth, ...)
  self.lines[#self.lines + 1] = ("  "):rep(depth) .. table.concat { ... }
end

--- Note the class of an item: nodes are filled by their state, boxes get its
--- color as their border.
function Writer:note_state(item)
  if item.state and model.COLORS[item.state] then
    local class = item.state .. (item.items and "Box" or "")
    self.classes[class] = self.classes[class] or {}
    table.insert(self.classes[class], item.id)
  elseif item.shape == "note" then
    self.notes[#self.notes + 1] = item.id
  end
end

function Writer:items(items, depth)
  for _, item in ipairs(items) do
    self:note_state(item)
    if item.items then
      -- Mermaid leaves room for one line above the nodes of a box.
      self:line(depth, "subgraph ", item.id, '["', text_of(item.lines, ", "),
        '"]')
      self:line(depth + 1, "direction LR")
      self:items(item.items, depth + 1)
      self:line(depth, "end")
    else
      local shape = SHAPES[item.shape]
      self:line(depth, item.id, shape[1], text_of(item.lines, "<br/>"),
        shape[2])
    end
  end
end

function Writer:edges(edges)
  local errors = {}
  for i, edge in ipairs(edges) do
    self:line(1, edge.from.id, " ", ARROWS[edge.style],
      edge.label and '|"' .. escaped(edge.label) .. '"|' or "", " ",
      edge.to.id)
    if edge.style == "error" then
      errors[#errors + 1] = i - 1
    end
  end
  if #errors > 0 then
    self:line(1, "linkStyle ", table.concat(errors, ","), " stroke:",
      model.ERROR_COLOR, ",color:", model.ERROR_COLOR)
  end
end

function Writer:class(name, ids, style)
  if ids and #ids > 0 then
    self:line(1, "classDef ", name, " ", style)
    self:line(1, "class ", table.concat(ids, ","), " ", name)
  end
end

function Writer:write_classes()
  for _, state in ipairs(model.STATES) do
    local color = model.COLORS[state]
    self:class(state, self.classes[state],
      "fill:" .. color .. ",stroke:#333,color:#000")
    self:class(state .. "Box", self.classes[state .. "Box"],
      "fill:none,stroke:" .. color .. ",stroke-width:3px")
  end
  self:class("note", self.notes, "fill:none,stroke-dasharray:3")
end

return function(graph)
  local writer = setmetatable({ lines = {}, classes = {}, notes = {} }, Writer)
  writer:line(0, "flowchart LR")
  writer:items(graph.items, 1)
  writer:edges(graph.edges)
  writer:write_classes()
  return table.concat(writer.lines, "\n") .. "\n"
end
