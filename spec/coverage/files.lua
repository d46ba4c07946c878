--- Reads what was counted into one form.
---
--- A file is `{ path, kind, functions, lines, branches }`:
---   kind        "C" or "Lua"
---   functions   `{ name, line, count }`, in the order of their lines
---   lines       the count of each line that has code, by number
---   branches    `{ covered, total }` of each line that decides, by number
---
--- All functions here are pure.
local M = {}

local function by_line(a, b)
  return a.line < b.line
end

--- Read a file of gcovr's report.
local function from_gcovr(entry)
  local file = { path = entry.file, kind = "C",
    functions = {}, lines = {}, branches = {} }
  for _, f in ipairs(entry.functions) do
    if not f["gcovr/excluded"] then
      table.insert(file.functions,
        { name = f.name, line = f.lineno, count = f.execution_count })
    end
  end
  table.sort(file.functions, by_line)
  for _, line in ipairs(entry.lines) do
    if not line["gcovr/noncode"] and not line["gcovr/excluded"] then
      file.lines[line.line_number] = line.count
      local covered = 0
      for _, branch in ipairs(line.branches) do
        covered = covered + (branch.count > 0 and 1 or 0)
      end
      if #line.branches > 0 then
        file.branches[line.line_number] = { covered, #line.branches }
      end
    end
  end
  return file
end

--- Read the report of `gcovr --json`, which `decode` has made a table of.
function M.from_gcovr(report)
  local files = {}
  for _, entry in ipairs(report.files) do
    files[#files + 1] = from_gcovr(entry)
  end
  return files
end

--- Return how much of a file is covered: `{ covered, total }` under each of
--- `functions`, `lines` and `branches`.
function M.sums(file)
  local sums = { functions = { 0, 0 }, lines = { 0, 0 }, branches = { 0, 0 } }
  local function add(what, covered, total)
    sums[what][1] = sums[what][1] + covered
    sums[what][2] = sums[what][2] + total
  end
  for _, f in ipairs(file.functions) do
    add("functions", f.count > 0 and 1 or 0, 1)
  end
  for _, count in pairs(file.lines) do
    add("lines", count > 0 and 1 or 0, 1)
  end
  for _, pair in pairs(file.branches) do
    add("branches", pair[1], pair[2])
  end
  return sums
end

--- Return the room of a file: its folder, and the kind where it is Lua.
function M.room(file)
  local folder = file.path:match "^(.*)/[^/]*$"
  return file.kind == "Lua" and folder .. "/*.lua" or folder
end

--- Return the sums of each room, by name.
function M.rooms(files)
  local rooms = {}
  for _, file in ipairs(files) do
    local name = M.room(file)
    rooms[name] = rooms[name]
      or { functions = { 0, 0 }, lines = { 0, 0 }, branches = { 0, 0 } }
    for what, pair in pairs(M.sums(file)) do
      local sum = rooms[name][what]
      sum[1], sum[2] = sum[1] + pair[1], sum[2] + pair[2]
    end
  end
  return rooms
end

--- Return the functions of a file that were not called.
function M.idle_functions(file)
  local idle = {}
  for _, f in ipairs(file.functions) do
    if f.count == 0 then
      idle[#idle + 1] = f
    end
  end
  return idle
end

--- Return the stretches of lines of a file that did not run, as
--- `{ first, last, lines }`. Lines without code join the lines around them.
function M.idle_lines(file)
  local numbers, stretches, open = {}, {}, nil
  for number in pairs(file.lines) do
    numbers[#numbers + 1] = number
  end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    if file.lines[number] > 0 then
      open = nil
    elseif open then
      open.last, open.lines = number, open.lines + 1
    else
      open = { first = number, last = number, lines = 1 }
      stretches[#stretches + 1] = open
    end
  end
  return stretches
end

return M
