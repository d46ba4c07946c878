-- The options of the program `aiowire`: their list in --help, in the man page
-- and in docs/program.md, and the messages about wrong ones.

local process = require "spec.support.process"
local texts = require "spec.support.texts"

local assert_exit, assert_outcome =
  process.assert_exit, process.assert_outcome
local contains = texts.contains

-- The lists -------------------------------------------------------------------

-- Each list is a table of options without blanks, with the names of values in
-- capitals: "-eSTAT", "--timeout=S".

local function add(list, option)
  list[option:gsub("%s", "")] = true
end

local function of_help(text)
  local list = {}
  for line in text:gmatch "\n  (%-[^\n]*)" do
    local options = line:match "^(.-)   " or line
    for option in (options .. ", "):gmatch "(.-), " do
      add(list, option)
    end
  end
  return list
end

-- ".It Fl h , Fl -help" → "-h , --help"
local function of_man(text)
  local list = {}
  local options = text:match "\nOptions:\n(.-)\n%.Sh "
  for line in options:gmatch "%.It (Fl[^\n]*)" do
    line = (" " .. line):gsub(" Fl$", " -"):gsub(" Fl ", " -")
      :gsub(" Ns", ""):gsub(" Ar (%l+)", string.upper)
      :gsub(" AR", "")
    for option in (line .. " , "):gmatch "(.-) , " do
      add(list, option)
    end
  end
  return list
end

local function of_document(text)
  local list = {}
  for line in text:match "## Options\n(.-)\n## ":gmatch "\n| (`%-[^|]*) |" do
    for option in line:gmatch "`(.-)`" do
      add(list, option)
    end
  end
  return list
end

-- The table in C: letters of the two functions, and the rows of `named`.
local function of_source(text)
  local list = { ["-"] = true, ["--"] = true, ["-eSTAT"] = true,
    ["-lMOD"] = true, ["-lG=MOD"] = true }
  for letter in text:gmatch "\n  case '(%a)': " do
    list["-" .. letter] = true
  end
  for name, value in text:gmatch '\n    {"(%-%-%l+)", ([^,]*),' do
    value = value:match '"(.*)"'
    list[name .. (value and "=" .. value or "")] = true
  end
  return list
end

describe("the list of options", function()
  local help = of_help(process.run("exec $aiowire --help").out)

  it("has all that the program reads [R1]", function()
    assert.are.same(of_source(process.read "lua/host/options/options.c"), help)
  end)

  it("is the same in --help and in the man page [R1]", function()
    assert.are.same(help, of_man(process.read "docs/aiowire.1"))
  end)

  it("is the same in --help and in docs/program.md [R1]", function()
    assert.are.same(help, of_document(process.read "docs/program.md"))
  end)

  it("is no more than 80 columns wide [R1]", function()
    for line in process.run("exec $aiowire --help").out:gmatch "[^\n]+" do
      assert.is_true(#line <= 80, line)
    end
  end)
end)

describe("the man page", function()
  it("has no faults that mandoc knows [docs]", function()
    if not os.execute "command -v mandoc >/dev/null" then
      pending "mandoc is not installed"
      return
    end
    -- what mandoc says of the machine's other pages is left out
    local outcome = process.run(("mandoc -Tlint -W style '%s/docs/aiowire.1'")
      :format(process.root))
    local faults = (outcome.out .. outcome.err):gsub(
      "mandoc: outdated mandoc.db[^\n]*\n", "")
    assert.are.equal("", faults)
  end)
end)

-- Wrong ones ------------------------------------------------------------------

local function complains(options, message)
  local outcome = process.run("exec $aiowire " .. options .. " s.lua",
    { ["s.lua"] = "print 'ran'" })
  assert_outcome("", 2, outcome)
  assert.are.equal("aiowire: " .. message .. "\nusage: aiowire [options] "
    .. "[script [args]]; see aiowire --help\n", outcome.err)
end

describe("a word that is no option", function()
  for word, meant in pairs {
    ["--timout=3"] = "--timeout=3",
    ["--time=3"] = "--timeout=3",
    ["-timeout=3"] = "--timeout=3",
    ["--timout"] = "--timeout=S",
    ["--timout="] = "--timeout=S",
    ["--colour=never"] = "--color=never",
    ["--colour"] = "--color=WHEN",
    ["--stat"] = "--stats",
    ["--stat=4"] = "--stats",
    ["-stats"] = "--stats",
    ["-help"] = "--help",
    ["-version"] = "--version",
    ["--Check"] = "--check",
    ["-V"] = "-v",
    ["-w"] = "-W",
    ["-I"] = "-i",
    ["-H"] = "-h",
    ["-L"] = "-l",
  } do
    it(("suggests the nearest name: %s [R2]"):format(word), function()
      complains(word, ("unrecognized option '%s' (did you mean %s?)")
        :format(word, meant))
    end)
  end

  for _, word in ipairs { "-x", "--x", "--=", "---", "-=3", "-é",
    "--" .. ("x"):rep(300), "-" .. ("timeout"):rep(9) } do
    it(("suggests nothing if no name is near: %s [R2]"):format(word:sub(1, 9)),
      function()
        complains(word, ("unrecognized option '%s'"):format(word))
      end)
  end

  it("may stand after -- and after the script [R2]", function()
    local files = { ["s.lua"] = "print(...)", ["-x"] = "print 'dash'" }
    assert_outcome("--timout\n", 0,
      process.run("exec $aiowire s.lua --timout", files))
    assert_outcome("dash\n", 0, process.run("exec $aiowire -- -x", files))
  end)
end)

describe("an option with a value", function()
  for _, name in ipairs { "--timeout", "--grace" } do
    local example = name == "--timeout" and "--timeout=2.5" or "--grace=0.5"
    for _, value in ipairs {
      "abc", "-1", "-0", "nan", "inf", "-inf", "1e400", "0x10", "5s", "1,5",
      "1.2.3", "' 1'", "e", ".", "1e", "+-1",
    } do
      it(("refuses what is no time: %s=%s [R3]"):format(name, value), function()
        complains(name .. "=" .. value, ("bad value in '%s=%s' (a number of "
          .. "seconds from 0 up expected, as %s)"):format(name,
          (value:gsub("'", "")), example))
      end)
    end

    for _, word in ipairs { name, name .. "=" } do
      it(("needs it in the same word: %s [R3]"):format(word), function()
        complains(word .. " 5", ("'%s' needs a value, as %s (a number of "
          .. "seconds from 0 up)"):format(word, example))
      end)
    end

    for _, value in ipairs { "99", "0099.5", "99.", "1e2", "1E+2", "+99",
      "1e300" } do
      it(("takes decimal numbers: %s=%s [R3]"):format(name, value), function()
        assert_outcome("ran\n", 0, process.run(
          ("exec $aiowire %s=%s -e 'print \"ran\"'"):format(name, value)))
      end)
    end
  end

  it("refuses a word that it does not know [R3]", function()
    complains("--color=blue", "bad value in '--color=blue' (auto, always or "
      .. "never expected, as --color=never)")
    complains("--color", "'--color' needs a value, as --color=never (auto, "
      .. "always or never)")
  end)

  it("may be given twice; the last one counts [R3]", function()
    assert_outcome("ran\n", 0, process.run(
      "exec $aiowire --timeout=0 --timeout=99 -e 'print \"ran\"'"))
  end)
end)

describe("an option without a value", function()
  for _, word in ipairs { "--help=x", "--check=", "--stats=yes",
    "--version=1" } do
    it(("takes none: %s [R3]"):format(word), function()
      complains(word, ("'%s' takes no value, got '%s'")
        :format(word:match "^[^=]*", word))
    end)
  end
end)

describe("options that exclude each other", function()
  for option, name in pairs { ["-i"] = "-i", ["--stats"] = "--stats",
    ["--record"] = "--record", ["--trace=x.json"] = "--trace",
    ["--graph=dot"] = "--graph" } do
    it(("are refused: %s with --check [R3, R13]"):format(name), function()
      for _, words in ipairs { option .. " --check", "--check " .. option } do
        complains(words .. " -e 'return 1'",
          ("'%s' cannot be used with --check, which runs nothing"):format(name))
      end
    end)
  end

  it("are refused: -i with --timeout [R3]", function()
    complains("-i --timeout=5", "'--timeout' cannot be used with a prompt")
  end)

  it("do no harm beside --help [R3]", function()
    assert_exit(0, process.run "exec $aiowire -i --check --help")
    contains(process.run("exec $aiowire --check -i --version").out, "libuv")
  end)
end)
