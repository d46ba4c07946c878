--- screen.lua: draws the screen of a terminal
---
--- The text, which docs/make/record.lua writes, has a line for each row. Before
--- a text in color stands a code such as "\27[7m", and "\27[0m" behind it. Each
--- word has a place of its own, so columns are straight in any font.

local svg = require "docs.make.svg"

local M = {}

local WIDTH <const>, LEFT <const>, TOP <const>, PITCH <const> = 816, 24, 84, 18

--- The classes of texts by their codes: those of lua/host/terminal/style.c.
local CLASSES <const> = {
  [""] = "code",
  ["1"] = "strong",
  ["7"] = "on",
  ["38;5;74"] = "waits",
  ["38;5;36"] = "runs",
  ["38;5;227"] = "ready",
  ["38;5;166"] = "bad",
  ["38;5;247"] = "faint",
}

--- Signs that are shapes in the picture, as many fonts lack them: corners of
--- the parts, around a middle.
local SIGNS <const> = {
  ["▶"] = { { -3, -5, 4, 0, -3, 5 } },
  ["⏸"] = { { -3, -4, -1, -4, -1, 4, -3, 4 },
    { 1, -4, 3, -4, 3, 4, 1, 4 } },
  ["⏫"] = { { -4, 0, 0, -4, 4, 0 }, { -4, 5, 0, 1, 4, 5 } },
  ["⏹"] = { { -3, -3, 3, -3, 3, 3, -3, 3 } },
}
local FULL <const> = { waits = "full-blue", runs = "full-green",
  ready = "full-gold", on = "page" }

local COLUMN <const> = svg.width(" ", "code")

-- Calls `f(word, column)` for each word of a text that begins in a column.
local function for_words(text, column, f)
  for blanks, word in text:gmatch "( *)([^ ]+)" do
    column = column + #blanks
    f(word, column)
    column = column + utf8.len(word)
  end
end

--- Return the spans of a row: { text, class, column }, from column 0 on.
---@param row string
---@return table[] spans
function M.read(row)
  local spans, column = {}, 0
  for code, text in ("\27[0m" .. row):gmatch "\27%[([%d;]*)m([^\27]*)" do
    code = code == "0" and "" or code
    local class = CLASSES[code] or error("no color: " .. code, 0)
    if text ~= "" then
      spans[#spans + 1] = { text = text, class = class, column = column }
    end
    column = column + utf8.len(text)
  end
  return spans
end

local function draw_sign(page, parts, x, y, class)
  for _, part in ipairs(parts) do
    local corners = {}
    for i, value in ipairs(part) do
      corners[i] = value + (i % 2 == 1 and x or y)
    end
    page:shape(class, table.unpack(corners))
  end
end

local function draw_span(page, span, y)
  local x = LEFT + COLUMN * span.column
  if span.class == "on" then
    page:rect(x - 4, y - 13, COLUMN * utf8.len(span.text) + 8, PITCH - 1,
      "full-grey", 0)
  end
  for_words(span.text, span.column, function(word, column)
    local word_x = LEFT + COLUMN * column
    if SIGNS[word] then
      draw_sign(page, SIGNS[word], word_x + COLUMN / 2, y - 4,
        FULL[span.class] or "full-grey")
    else
      page:text(word_x, y, word, span.class)
    end
  end)
end

--- Return the file of a picture.
---@param about table title, desc, head (the command)
---@param text string
---@return string
function M.draw(about, text)
  local rows = {}
  for row in text:gmatch "([^\n]*)\n" do
    rows[#rows + 1] = M.read(row)
  end
  local height = TOP + PITCH * #rows
  local page = svg.page { width = WIDTH, height = height + 16,
    title = about.title, desc = about.desc }
  page:text(16, 26, about.title, "title")
  page:text(16, 46, about.head, "code")
  page:rect(12, 58, WIDTH - 24, height - 58, "frame", 6)
  for i, spans in ipairs(rows) do
    for _, span in ipairs(spans) do
      draw_span(page, span, TOP + PITCH * (i - 1))
    end
  end
  return page:file()
end

return M
