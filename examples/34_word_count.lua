#!/usr/bin/env aiowire
-- The most frequent words of a file of any size, counted on all processors.
--
--   aiowire examples/34_word_count.lua FILE [COUNT]
--
-- The file is cut into pieces of some megabytes. A word may lie across a cut:
-- it belongs to the piece that it begins in. So a job skips the word that its
-- piece begins in the middle of, and reads the last word to its end, wherever
-- that is. Each job counts its piece, and only the counts travel back.
--
--   piece 1        | piece 2          | piece 3
--   …the quick bro | wn fox jumps ove | r the lazy dog.
--   └─ the job of 1 ──┘└─ of 2 ────────┘└─ of 3
--
-- Without arguments it counts a text of its own, in very small pieces, and
-- compares the result with that of one piece.
local aw = require "aiowire"

local PIECE <const> = 8 * 1024 * 1024

--- The job: count the words of one piece. Returns a table from words to counts,
--- and the number of words.
local function count_words(path, first, size)
  local file <close> = assert(io.open(path, "rb"))
  -- With the byte before the piece: does a word go on here?
  file:seek("set", math.max(first - 1, 0))
  local text = file:read(size + math.min(first, 1)) or ""
  local begin = first > 0 and text:match "^%w*()" or 1
  local counts, total = {}, 0
  if begin > #text and first > 0 then
    return counts, total -- it began before this piece
  end
  -- The last word goes on until its end.
  local more = text:find "%w$" and file:read(64)
  while more do
    local rest = more:match "^%w*"
    text = text .. rest
    more = #rest == #more and file:read(64) or nil
  end
  for word in text:gmatch("%w+", begin) do
    word = word:lower()
    counts[word] = (counts[word] or 0) + 1
    total = total + 1
  end
  return counts, total
end

--- Count the words of a file in pieces of `piece` bytes.
local function count_file(path, piece)
  local pool <close> = aw.pool(nil, count_words)
  local size, sums, total, at = aw.fs.stat(path).size, {}, 0, 0
  --- Calls jobs until no piece is left. One such task for each worker, and one
  --- more, keep all workers busy; so few counts are in memory at a time.
  local function work()
    while at < size do
      local first = at
      at = at + piece
      local counts, count = pool:call(path, first, piece)
      for word, n in pairs(counts) do
        sums[word] = (sums[word] or 0) + n
      end
      total = total + count
    end
  end
  local tasks = {}
  for i = 1, tonumber(tostring(pool):match "(%d+) workers") + 1 do
    tasks[i] = work
  end
  aw.all(tasks)
  return sums, total
end

--- Return the words of `sums`, the most frequent first.
local function ranking(sums)
  local words = {}
  for word in pairs(sums) do
    words[#words + 1] = word
  end
  table.sort(words, function(a, b)
    if sums[a] ~= sums[b] then
      return sums[a] > sums[b]
    end
    return a < b
  end)
  return words
end

local function try()
  local file <close>, path = aw.fs.tempfile()
  file:write((("The quick brown fox jumps over the lazy dog, %d times.\n")
    :rep(100):gsub("%%d", "seven")))
  file:flush()
  local expected, total = count_file(path, PIECE)
  for _, piece in ipairs { 1, 2, 3, 7, 64, 1000 } do
    local sums, count = count_file(path, piece)
    assert(count == total)
    for word, n in pairs(expected) do
      assert(sums[word] == n, word)
    end
  end
  local words = ranking(expected)
  print(total, words[1], expected[words[1]])
  aw.fs.unlink(path)
end

aw.run(function()
  if not arg[1] then
    return try()
  end
  local sums, total = count_file(arg[1], PIECE)
  local words = ranking(sums)
  print(("%d words, %d different ones"):format(total, #words))
  for i = 1, math.min(tonumber(arg[2]) or 10, #words) do
    print(("%12d  %s"):format(sums[words[i]], words[i]))
  end
end)
