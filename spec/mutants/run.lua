--- Checks that the specs notice flaws. Builds a copy of the tree with one flaw
--- at a time, and runs the one spec that must fail with it:
---     ./dev mutants [NAME …]        (lua5.4 spec/mutants/run.lua [NAME …])
---
--- Each other file of this folder is a mutant, named after its flaw. It returns
---     breaks   the rule that the flaw breaks
---     find     code of core/ or lua/ that occurs there once
---     put      the flawed code in its place
---     spec     the file whose spec notices the flaw: "zmq" is zmq_spec.lua,
---              "ready_test" is the C program ready_test.c
---     it       words of that spec's name; without them the whole file runs
---     lua      "aiowire" runs the spec; without it lua5.4 does
---
--- Code and specs may move, since `find` and `it` are searched for in the whole
--- tree; in code, white space and comments do not count. The build has no
--- asserts, so only a spec can notice the flaw.

local DIR <const> = "build/mutants"
local TREE <const>, BUILD <const> = DIR .. "/tree", DIR .. "/build"
local ROOTS <const> = "core lua spec bench cmake examples docs "
  .. "CMakeLists.txt"
-- A spec hangs, and so has noticed the flaw, if it takes PATIENCE seconds
-- longer than SLOWER times its time without the flaw.
local PATIENCE <const>, SLOWER <const> = 10, 10

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- Run a line of shell, and write its output to `log`. Returns true or nil, and
--- its exit code.
local function shell(line, log)
  local ok, _, code = os.execute(("( %s ) >%s 2>&1"):format(line, log))
  return ok, code
end

local function lines_of(command)
  local list, pipe <close> = {}, assert(io.popen(command))
  for line in pipe:lines() do
    list[#list + 1] = line
  end
  return list
end

local function files_in(folder)
  return lines_of(("cd %s && find %s -type f"):format(folder, ROOTS))
end

-- The copy -------------------------------------------------------------------

--- Write only files that differ, so that ninja builds only what has changed.
local function copy_tree()
  os.execute(("for d in $(find %s -type d); do mkdir -p %s/$d; done"):format(
    ROOTS, TREE))
  local kept = {}
  for _, path in ipairs(files_in ".") do
    kept[path] = true
    local text, copy = read(path), TREE .. "/" .. path
    if text ~= read(copy) then
      write(copy, text)
    end
  end
  for _, path in ipairs(files_in(TREE)) do
    if not kept[path] then
      os.remove(TREE .. "/" .. path)
    end
  end
end

local function configure(log)
  return shell(("cmake -S %s -B %s $(command -v ninja >/dev/null && echo -G "
    .. "Ninja) -DCMAKE_BUILD_TYPE=Flawed -DCMAKE_C_FLAGS_FLAWED='-O1 -DNDEBUG'")
    :format(TREE, BUILD), log)
end

--- Build the targets that the spec of `mutant` needs.
local function build(mutant, log)
  local program = mutant.spec:find "_test$" and mutant.spec
  return shell(("cmake --build %s -j2 --target aiowire_module aiowire_host "
    .. "spec_support %s"):format(BUILD, program or ""), log)
end

-- Code -----------------------------------------------------------------------

--- Returns a pattern that matches `code` with any white space.
local function pattern_of(code)
  local pattern, before = {}, ""
  for token in code:gsub("[^%w_%s]", " %0 "):gmatch "%S+" do
    local words = before:find "^[%w_]" and token:find "^[%w_]"
    pattern[#pattern + 1] = before ~= "" and (words and "%s+" or "%s*") or ""
    pattern[#pattern + 1] = token:gsub("%p", "%%%0")
    before = token
  end
  return table.concat(pattern)
end

--- Returns the path of the file with the code of `mutant`, and its text with
--- the flaw; or nil and the reason.
local function flawed(mutant)
  local pattern, file, text = pattern_of(mutant.find), nil, "code not found"
  for _, path in ipairs(files_in(TREE)) do
    if path:find "^[cl]%w+/" and not path:find "/test/" then
      local sound = read(TREE .. "/" .. path)
      local comment = path:find "%.lua$" and "%-%-[^\n]*" or "/%*.-%*/"
      local bare = sound:gsub(comment, function(c)
        return (" "):rep(#c)
      end)
      local from, to = bare:find(pattern)
      if from and (file or bare:find(pattern, to)) then
        return nil, "code not unique"
      elseif from then
        file = path
        text = sound:sub(1, from - 1) .. mutant.put .. sound:sub(to + 1)
      end
    end
  end
  return file, text
end

-- Specs ----------------------------------------------------------------------

--- Returns the spec file that has the words `it` of the mutant, else the spec
--- file with the name `spec`.
local function spec_file(mutant)
  local best, most = nil, 0
  for _, path in ipairs(files_in(TREE)) do
    local name = path:match "^spec/.-([^/]*)_spec%.lua$"
    local has_words = name and mutant.it
      and read(TREE .. "/" .. path):find(mutant.it, 1, true)
    local points = (has_words and 2 or 0) + (name == mutant.spec and 1 or 0)
    if points > most then
      best, most = path, points
    end
  end
  return best
end

--- Run the spec of `mutant`. Tells whether it passes, and how it has ended.
local function run_spec(mutant, seconds, log)
  local command, folder = "test/" .. mutant.spec, BUILD
  if not mutant.spec:find "_test$" then
    folder = TREE
    command = ("%s spec/run.lua %s '--filter=%s'"):format(
      mutant.lua == "aiowire" and "../build/aiowire" or "lua5.4",
      spec_file(mutant),
      mutant.it and mutant.it:gsub("%p", "%%%0"):gsub("%%'", ".") or ".")
  end
  local ok, code = shell(("export AIOWIRE_BUILD_DIR=$PWD/%s; cd %s; "
    .. "timeout -k 5 %d %s"):format(BUILD, folder, seconds, command), log)
  if ok and folder == TREE and not read(log):find "[1-9]%d* success" then
    return false, "no such spec"
  end
  return ok, (code == 124 or code == 137) and "hangs" or "exit " .. code
end

--- Try one mutant. Returns the result in words.
local function try(mutant, log)
  local path, text = flawed(mutant)
  if not path then
    return text
  end
  build(mutant, log)
  local begin = os.time()
  local passes, how = run_spec(mutant, 120, log)
  if not passes then
    return "fails without the flaw: " .. how
  end
  local seconds = PATIENCE + SLOWER * (os.time() - begin)
  local sound, result = read(TREE .. "/" .. path), "does not build"
  write(TREE .. "/" .. path, text)
  if build(mutant, log) then
    passes, how = run_spec(mutant, seconds, log)
    result = passes and "SURVIVED" or "killed (" .. how .. ")"
  end
  write(TREE .. "/" .. path, sound)
  return result
end

local names = arg[1] and arg
  or lines_of "cd spec/mutants && ls | sed 's/[.]lua$//' | grep -vx run"
io.stdout:setvbuf "line"
copy_tree()
if not configure(DIR .. "/log") then
  io.stderr:write(read(DIR .. "/log"))
  os.exit(2)
end
local killed = 0
for _, name in ipairs(names) do
  local mutant = assert(dofile("spec/mutants/" .. name .. ".lua"))
  local begin = os.time()
  local result = try(mutant, ("%s/%s.log"):format(DIR, name))
  killed = killed + (result:find "^killed" and 1 or 0)
  print(("%-34s %-20s %4d s"):format(name, result, os.time() - begin))
end
print(("%d of %d killed; what they did is in %s"):format(killed, #names, DIR))
os.exit(killed == #names)
