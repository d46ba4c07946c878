-- The sessions at the prompt that documents show: each entry gives the results
-- that stand below it.
--
-- A session is a ```text block that begins with "$ aiowire" and a prompt. Its
-- entries are read from a pipe, without prompts. Hints are for terminals only.

local process = require "spec.support.process"

local SESSION <const> = "```text\n%$ aiowire\n(> .-)\n```"

-- Splits a session into its entries and its results.
local function split(session)
  local entries, results = {}, {}
  for line in (session .. "\n"):gmatch "(.-)\n" do
    local entry = line:match "^>>? (.*)$"
    if entry then
      entries[#entries + 1] = entry
    elseif not line:find "^%(not run: " then
      results[#results + 1] = line
    end
  end
  return entries, results
end

-- Leaves out what may differ: the widths of columns, and of a task its id and
-- what it waits for at this moment.
local function masked(text)
  return (text:gsub(" +", " "):gsub("[^\n]* waiting[^\n]*", function(line)
    return line:gsub("waiting.*", "waiting"):gsub("%d+", "0")
  end))
end

-- Enters all lines; returns what is printed after the greeting.
local function enter(entries)
  local outcome = process.run(
    [[exec $aiowire -i -e '_PROMPT, _PROMPT2 = "", ""' <entries 2>&1]],
    { entries = table.concat(entries, "\n") .. "\n" })
  return outcome.out:match "^aiowire [^\n]*\n(.*)$"
end

describe("the sessions in the documents", function()
  local count = 0

  for _, path in ipairs(process.files("docs", "%.md$")) do
    for session in process.read(path):gmatch(SESSION) do
      count = count + 1
      it(("show what the prompt prints: %s, %d [R38]"):format(path, count),
        function()
          local entries, results = split(session)
          assert.are.equal(masked(table.concat(results, "\n") .. "\n"),
            masked(enter(entries)))
        end)
    end
  end

  it("are found [docs]", function()
    assert.is_true(count >= 2)
  end)

  it("are split into entries and results [docs]", function()
    local entries, results = split "> 1 +\n>> 2\n3\n> 4\n(not run: x)\n4"
    assert.are.same({ "1 +", "2", "4" }, entries)
    assert.are.same({ "3", "4" }, results)
  end)
end)
