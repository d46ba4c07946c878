-- aw.fs.glob [W12, W13].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"

local fs = aw.fs
local raises = helper.raises

-- What the tests look in. A name with a slash at its end is a folder.
local TREE <const> = { "a.c", "a.h", "b.c", ".hidden", "ü.c", "x[1].c", "a*b",
  "src/", "src/main.c", "src/.git/", "src/.git/config.c", "src/io/",
  "src/io/read.c", "src/io/deep/", "src/io/deep/down.c", "doc/",
  "doc/a.md" }

local function make_tree(folder)
  for _, name in ipairs(TREE) do
    if name:sub(-1) == "/" then
      fs.mkdir(folder .. "/" .. name, { parents = true })
    else
      fs.mkdir((folder .. "/" .. name):match "^(.*)/", { parents = true })
      fs.write(folder .. "/" .. name, "")
    end
  end
  assert(os.execute(("cd %s && ln -s src link && ln -s nothing dead && "
    .. "ln -s .. src/io/up"):format(folder)))
end

--- Returns a function for `it` that runs `f(matches)` in a loop. The function
--- `matches(pattern, names)` fails unless the pattern matches these, separated
--- by spaces, in the tree.
local function in_tree(f)
  return function()
    clients.in_folder(function(folder)
      helper.run(function()
        make_tree(folder)
        f(function(pattern, names)
          local list = fs.glob(folder .. "/" .. pattern)
          for i, path in ipairs(list) do
            assert.are.equal(folder .. "/", path:sub(1, #folder + 1))
            list[i] = path:sub(#folder + 2)
          end
          assert.are.equal(names, table.concat(list, " "), pattern)
        end, folder)
      end)
    end)
  end
end

describe("aw.fs.glob", function()
  it("matches any characters by * and one by ? [W12]",
    in_tree(function(matches)
      matches("*", "a*b a.c a.h b.c dead doc link src x[1].c ü.c")
      matches("*.c", "a.c b.c x[1].c ü.c")
      matches("?.c", "a.c b.c ü.c")
      matches("a.?", "a.c a.h")
      matches("a*", "a*b a.c a.h")
      matches("*b*c*", "b.c")
      matches("*/*.c", "link/main.c src/main.c")
      matches("s*c/**/*.c", "src/io/deep/down.c src/io/read.c src/main.c")
      matches("none*", "")
      matches("none*/x", "")
    end))

  it("matches one of several characters by [] [W12]",
    in_tree(function(matches)
      matches("[ab].c", "a.c b.c")
      matches("[a-z].[ch]", "a.c a.h b.c")
      matches("[!a].c", "b.c ü.c")
      matches("[^a].c", "b.c ü.c")
      matches("[à-ÿ].c", "ü.c")
      matches("x[[]1[]].c", "x[1].c")
      matches("[].a]*.c", "a.c")
      matches("x[1].c", "")
      matches("x[1.c", "")
      matches("?[1*", "x[1].c")
      matches("x[1[]*", "x[1].c")
      matches("[", "")
    end))

  it("takes a character after \\ as it is [W12]", in_tree(function(matches)
    matches("a\\*b", "a*b")
    matches("a\\*", "")
    matches("x\\[1\\].c", "x[1].c")
    matches("\\a.c", "a.c")
    matches("[\\a].c", "a.c")
    matches("{a,\\b}.c", "a.c b.c")
    matches("\\{a,b}.c", "")
  end))

  it("takes each alternative in braces, and tells a file once [W12]",
    in_tree(function(matches)
      matches("{a,b}.c", "a.c b.c")
      matches("{b,a,a,?}.c", "a.c b.c ü.c")
      matches("{src/{main,io/read},doc/a}.{c,md}",
        "doc/a.md src/io/read.c src/main.c")
      matches("a{,.c,.h}", "a.c a.h")
      matches("a{.c}", "")
      matches("a.{c,h", "")
    end))

  it("matches folders in folders by ** [W12]", in_tree(function(matches)
    matches("**/*.c", "a.c b.c src/io/deep/down.c src/io/read.c src/main.c "
      .. "x[1].c ü.c")
    matches("src/**", "src/io src/io/deep src/io/deep/down.c src/io/read.c "
      .. "src/io/up src/main.c")
    matches("src/**/**/d*", "src/io/deep src/io/deep/down.c")
    matches("**/deep/*", "src/io/deep/down.c")
    matches("src/**/", "src/ src/io/ src/io/deep/")
    matches("src**", "src")
  end))

  it("does not follow links to folders for **, but for names [W12]",
    in_tree(function(matches)
      matches("**/main.c", "src/main.c")
      matches("l*/main.c", "link/main.c")
      matches("link/**/main.c", "link/main.c")
    end))

  it("matches hidden files only by a dot [W12]", in_tree(function(matches)
    matches(".*", ".hidden")
    matches("[.]*", "")
    matches("src/.*/*", "src/.git/config.c")
    matches("**/.git", "src/.git")
  end))

  it("returns folders alone for a slash at the end [W12]",
    in_tree(function(matches)
      matches("*/", "doc/ link/ src/")
      matches("a.c/", "")
      matches("src/", "src/")
    end))

  it("returns a path without a pattern if it is there [W12]",
    in_tree(function(matches)
      matches("a.c", "a.c")
      matches("dead", "dead")
      matches("src/./main.c", "src/./main.c")
      matches("none", "")
      matches("a.c/b", "")
    end))

  it("begins where the program runs, or at / [W12]", helper.in_task(function()
    assert.are.same({ "/" }, fs.glob "/")
    assert.are.same({ "/dev/null" }, fs.glob "//dev/nul[l]")
    assert.are.same({}, fs.glob "")
    assert.are.same({ "spec/files/glob_spec.lua" },
      fs.glob "spec/**/glob_sp?c.lua")
  end))

  it("lists 10,000 files in the order of their bytes [W12]",
    in_tree(function(_, folder)
      assert(os.execute(("cd %s && mkdir m && cd m && seq 10000 | "
        .. "xargs touch"):format(folder)))
      local list = fs.glob(folder .. "/m/*")
      assert.are.equal(10000, #list)
      local sorted = true
      for i = 2, #list do
        sorted = sorted and list[i - 1] < list[i]
      end
      assert.is_true(sorted)
    end))

  it("takes no time without a limit for a pattern [W12]",
    in_tree(function(_, folder)
      local name = ("a"):rep(200)
      fs.write(folder .. "/" .. name, "")
      assert.are.same({}, fs.glob(folder .. "/" .. ("a*"):rep(100) .. "b"))
      assert.are.same({ folder .. "/" .. name },
        fs.glob(folder .. "/" .. ("a*"):rep(100)))
    end))

  it("refuses patterns that are too large [W13]",
    helper.in_task(function()
      local err = helper.caught(fs.glob, ("{a,b}"):rep(20))
      assert.are.equal("E2BIG", err.code)
      assert.are.equal("glob", err.call)
      err = helper.caught(fs.glob, ("{a,b}"):rep(2000))
      assert.are.equal("ENAMETOOLONG", err.code)
      assert.are.same({}, fs.glob(("*/"):rep(2000) .. "x"))
      assert.are.same({}, fs.glob("/*/" .. ("x"):rep(4090)))
      assert.are.same({}, fs.glob("/" .. ("?"):rep(300)))
      raises("bad argument #1 to 'glob' (a path has no zero byte)", fs.glob,
        "*\0")
      raises("bad argument #1 to 'glob' (string expected", fs.glob, {})
    end))
end)
