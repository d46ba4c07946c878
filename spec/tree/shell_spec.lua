-- Commands in the documents are there: ./dev COMMAND, options of the program
-- aiowire, and files of the tree.

local process = require "spec.support.process"

local FILES <const> = { "README.md", "CONTRIBUTING.md",
  table.unpack(process.files("docs", "^docs/[^/]+%.md$")) }

-- Returns the lines of commands in a Markdown text: those of blocks of the
-- language sh, those after "$ " in other blocks, and code in back quotes.
-- Comments are left out, and lines that end in a backslash are joined.
local function commands_of(text)
  local list, language, joined = {}, nil, ""
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local fence = line:match "^%s*```(%w*)"
    if fence then
      language = not language and fence or nil
    elseif language then
      line = language == "sh" and line or line:match "^%s*%$ (.*)" or ""
      joined = joined .. line:gsub("%s#.*$", ""):gsub("^#.*$", "")
        :gsub("\\$", " ")
      if not line:find "\\$" then
        list[#list + 1] = joined ~= "" and joined or nil
        joined = ""
      end
    else
      for code in line:gmatch "`([^`]+)`" do
        list[#list + 1] = code
      end
    end
  end
  return list
end

-- The tree --------------------------------------------------------------------

local function set_of(...)
  local set = {}
  for word in ... do
    set[word] = true
  end
  return set
end

local DEV <const> = process.read "dev"
local HELP <const> = DEV:match "help%(%) {\n  cat <<'END'\n(.-)\nEND"
-- The commands that ./dev runs, by the labels of its `case`.
local CASES <const> = DEV:match "\ncase %$command in\n(.*)\nesac"
local SHOWN <const> = set_of(("\n" .. HELP):gmatch "\n  (%l+) ")

-- Options in the table of the program's source.
local OPTIONS <const> = set_of(process.read("lua/host/options/options.c")
  :gmatch '\n    {"(%-%-%l+)",')

local TREE <const> = { bench = true, cmake = true, core = true, docs = true,
  examples = true, lua = true, spec = true }

local function exists(path)
  local file <close> = io.open(path, "r")
  return file ~= nil
end

-- Returns what a command names that is not there.
local function gone(command)
  local list = {}
  local function want(there, text)
    list[#list + 1] = not there and text or nil
  end
  for name in command:gmatch "%./dev (%l+)" do
    want(SHOWN[name] or name == "help", "./dev " .. name)
  end
  for call in command:gmatch "%f[%w_/.-]aiowire (%-.*)" do
    for option in call:gmatch "%f[-](%-%-%l+)" do
      -- A wrong one is shown on purpose.
      want(OPTIONS[option] or option == "--timout", "aiowire " .. option)
    end
  end
  for path in command:gmatch "%f[%w_./][%w_.-]+/[%w_./-]+" do
    local folder = path:match "^[^/]+"
    if TREE[folder] and not path:find "%u%u" then
      want(exists(path), path)
    end
  end
  return list
end

describe("a command in a document", function()
  for _, path in ipairs(FILES) do
    it("is there: " .. path .. " [docs]", function()
      local list = {}
      for _, command in ipairs(commands_of(process.read(path))) do
        for _, text in ipairs(gone(command)) do
          list[#list + 1] = text
        end
      end
      assert.are.same({}, list)
    end)
  end

  it("is found in blocks and in back quotes [docs]", function()
    assert.are.same({ "./dev x", "a  b", "ls" }, commands_of(table.concat({
      "text `./dev x`", "```sh", "# no", "a \\", "b # c", "```", "```text",
      "$ ls", "out", "```" }, "\n")))
    assert.are.same({ "./dev nothing", "aiowire --nothing", "examples/no.lua" },
      gone "./dev nothing; aiowire --nothing examples/no.lua docs/tour.md")
  end)
end)

describe("./dev help", function()
  it("lists the commands that ./dev runs, and no others [docs]", function()
    local run = {}
    for labels in ("\n" .. CASES):gmatch "\n(%l[%l |\\\n-]*)%)" do
      for name in labels:gmatch "%f[%l-]%l+" do
        run[name] = true
      end
    end
    run.help = nil
    assert.are.same(run, SHOWN)
  end)
end)
