-- aw.fs.watch: what is told of a path, of the entries of a folder, of a tree.

local aw = require "aiowire"
local folder = require "spec.support.folder"
local helper = require "spec.support.helper"
local lfs = require "lfs" -- comes with busted

--- Returns a function for `it` that runs `f(at, d)` in a task, with the path of
--- a new folder and its object.
local function in_folder(f)
  return function()
    local d <close> = folder.new()
    helper.run(function()
      f(d.path, d)
    end)
  end
end

local function write(path, text, mode)
  local file <close> = assert(io.open(path, mode or "w"))
  file:write(text or "")
end

--- Replace a file as editors do.
local function replace(path, text)
  write(path .. "~", text)
  assert(os.rename(path .. "~", path))
end

--- Returns the next event as a text, with a path relative to `at`.
local function next_of(w, at)
  local event = w:recv()
  assert.are.equal(at, event.path:sub(1, #at))
  return event.what .. " " .. event.path:sub(#at + 2)
end

--- Returns the texts of all events that are there.
local function all_of(w, at)
  local list = {}
  while true do
    local event = aw.await(aw.Recv(w) | aw.Sleep(0))
    if not event then
      return list
    end
    assert.are.equal(at, event.path:sub(1, #at))
    list[#list + 1] = event.what .. " " .. event.path:sub(#at + 2)
  end
end

describe("a watch of a folder", function()
  it("tells what comes, changes and goes in it, in order [W30, W32]",
    in_folder(function(at)
      local w <close> = aw.fs.watch(at)
      write(at .. "/f", "1")
      write(at .. "/f", "2", "a")
      os.rename(at .. "/f", at .. "/g")
      os.remove(at .. "/g")
      assert.are.same({ "rename f", "change f", "rename f", "rename g" },
        all_of(w, at))
    end))

  it("tells of attributes as of content [W30]", in_folder(function(at, d)
    write(at .. "/f")
    local w <close> = aw.fs.watch(at)
    d:shell "chmod 600 f"
    assert.are.same({ "change f" }, all_of(w, at))
    d:shell "chmod 700 ."
    assert.are.same({ "change " }, all_of(w, at))
  end))

  it("tells each of many files that come at once [W34]", in_folder(function(at)
    local w <close> = aw.fs.watch(at)
    local expected = {}
    for i = 1, 500 do
      lfs.mkdir(at .. "/d" .. i)
      expected[i] = "rename d" .. i
    end
    assert.are.same(expected, all_of(w, at))
  end))

  it("has names as they are, newlines too [W32]", in_folder(function(at)
    local w <close> = aw.fs.watch(at)
    lfs.mkdir(at .. "/a\nb \xff")
    assert.are.equal("rename a\nb \xff", next_of(w, at))
  end))

  it("tells nothing of what is deeper [W32]", in_folder(function(at)
    lfs.mkdir(at .. "/sub")
    local w <close> = aw.fs.watch(at)
    write(at .. "/sub/f")
    assert.are.same({}, all_of(w, at))
  end))

  it("tells when the folder goes, and when it comes with entries [W31, W32]",
    in_folder(function(at)
      lfs.mkdir(at .. "/d")
      write(at .. "/d/old")
      local w <close> = aw.fs.watch(at .. "/d")
      os.rename(at .. "/d", at .. "/e")
      assert.are.same({ "rename d" }, all_of(w, at))
      write(at .. "/e/old")
      assert.are.same({}, all_of(w, at))
      lfs.mkdir(at .. "/d")
      write(at .. "/d/new")
      assert.are.same({ "rename d", "rename d/new" }, all_of(w, at))
      write(at .. "/d/new", "1")
      assert.are.same({ "change d/new" }, all_of(w, at))
    end))

  it("goes on when the folder is renamed and comes back [W31]",
    in_folder(function(at)
      lfs.mkdir(at .. "/d")
      local w <close> = aw.fs.watch(at .. "/d")
      os.rename(at .. "/d", at .. "/e")
      os.rename(at .. "/e", at .. "/d")
      assert.are.same({ "rename d" }, all_of(w, at))
      write(at .. "/d/f")
      assert.are.same({ "rename d/f" }, all_of(w, at))
    end))

  it("does not follow links in it [W32]", in_folder(function(at)
    lfs.mkdir(at .. "/d")
    write(at .. "/f")
    lfs.link("../f", at .. "/d/link", true)
    local w <close> = aw.fs.watch(at .. "/d")
    write(at .. "/f", "1")
    assert.are.same({}, all_of(w, at))
    os.remove(at .. "/d/link")
    assert.are.same({ "rename d/link" }, all_of(w, at))
  end))
end)

describe("a watch of a file", function()
  it("tells when it is written [W30]", in_folder(function(at)
    write(at .. "/f")
    local w <close> = aw.fs.watch(at .. "/f")
    write(at .. "/f", "1")
    write(at .. "/other", "1")
    assert.are.same({ "change f" }, all_of(w, at))
  end))

  it("goes on when it is replaced by a rename [W31]", in_folder(function(at)
    write(at .. "/f")
    local w <close> = aw.fs.watch(at .. "/f")
    for _ = 1, 3 do
      replace(at .. "/f", "new")
      assert.are.same({ "rename f" }, all_of(w, at))
      write(at .. "/f", "1")
      assert.are.same({ "change f" }, all_of(w, at))
    end
  end))

  it("goes on when it is removed and made again [W31]", in_folder(function(at)
    write(at .. "/f")
    local w <close> = aw.fs.watch(at .. "/f")
    os.remove(at .. "/f")
    assert.are.same({ "rename f" }, all_of(w, at))
    write(at .. "/f")
    assert.are.same({ "rename f" }, all_of(w, at))
    write(at .. "/f", "1")
    assert.are.same({ "change f" }, all_of(w, at))
  end))

  it("goes on when folders above are replaced [W31]", in_folder(function(at, d)
    d:shell "mkdir -p a/b; touch a/b/f"
    local w <close> = aw.fs.watch(at .. "/a/b/f")
    d:shell "mv a old; mkdir -p a/b; echo 1 >a/b/f"
    assert.are.same({ "rename a/b/f" }, all_of(w, at))
    d:shell "echo 2 >>a/b/f; echo 3 >>old/b/f"
    assert.are.same({ "change a/b/f" }, all_of(w, at))
    d:shell "rm -r a"
    assert.are.same({ "rename a/b/f" }, all_of(w, at))
    d:shell "mkdir a"
    d:shell "mkdir a/b"
    assert.are.same({}, all_of(w, at))
    d:shell "echo 4 >a/b/f"
    assert.are.same({ "rename a/b/f" }, all_of(w, at))
  end))

  it("goes on when a folder that was removed is still in use [W31]",
    in_folder(function(at, d)
      d:shell "mkdir a; touch a/f"
      local w <close> = aw.fs.watch(at .. "/a/f")
      local use <close> = assert(io.open(at .. "/a"))
      assert(use and d:shell "rm -r a")
      assert.are.same({ "rename a/f" }, all_of(w, at))
      d:shell "mkdir a; touch a/f"
      assert.are.same({ "rename a/f" }, all_of(w, at))
    end))

  it("follows links, and tells when one is replaced [W31]",
    in_folder(function(at, d)
      d:shell "mkdir 1 2; touch 1/f 2/f; ln -s 1 now; ln -s now/f f"
      local w <close> = aw.fs.watch(at .. "/f")
      d:shell "echo 1 >>1/f; echo 1 >>2/f"
      assert.are.same({ "change f" }, all_of(w, at))
      d:shell "ln -s 2 new; mv -T new now"
      assert.are.same({ "rename f" }, all_of(w, at))
      d:shell "echo 2 >>1/f; echo 2 >>2/f"
      assert.are.same({ "change f" }, all_of(w, at))
      d:shell "ln -sf 1/f f"
      assert.are.same({ "rename f" }, all_of(w, at))
      d:shell "rm 1/f"
      assert.are.same({ "rename f" }, all_of(w, at))
      d:shell "echo 3 >1/f"
      assert.are.same({ "rename f" }, all_of(w, at))
    end))
end)

describe("a recursive watch", function()
  it("tells of all folders below [W33]", in_folder(function(at, d)
    d:shell "mkdir -p a/b c; touch a/b/f"
    local w <close> = aw.fs.watch(at, { recursive = true })
    d:shell "echo 1 >>a/b/f; rm a/b/f; >c/g"
    assert.are.same({ "change a/b/f", "rename a/b/f", "rename c/g" },
      all_of(w, at))
  end))

  it("tells what was made in a folder before it was watched [W33]",
    in_folder(function(at, d)
      local w <close> = aw.fs.watch(at, { recursive = true })
      d:shell "mkdir -p a/b; touch a/b/f"
      assert.are.same({ "rename a", "rename a/b", "rename a/b/f" },
        all_of(w, at))
      d:shell "echo 1 >>a/b/f"
      assert.are.same({ "change a/b/f" }, all_of(w, at))
    end))

  it("follows a folder that is renamed in it [W33]", in_folder(function(at, d)
    d:shell "mkdir -p a/b; touch a/b/f"
    local w <close> = aw.fs.watch(at, { recursive = true })
    d:shell "mv a c"
    assert.are.same({ "rename a", "rename c", "rename c/b", "rename c/b/f" },
      all_of(w, at))
    d:shell "echo 1 >>c/b/f"
    assert.are.same({ "change c/b/f" }, all_of(w, at))
  end))

  it("follows a folder that moves into one that is new [W33]",
    in_folder(function(at, d)
      d:shell "mkdir -p a/b; touch a/b/f"
      local w <close> = aw.fs.watch(at, { recursive = true })
      d:shell "mkdir new; mv a new/a"
      all_of(w, at)
      d:shell "echo 1 >>new/a/b/f; rm -r new/a"
      local seen = table.concat(all_of(w, at), "\n")
      for _, line in ipairs { "change new/a/b/f", "rename new/a/b/f",
        "rename new/a/b", "rename new/a" } do
        assert.is_truthy(seen:find(line, 1, true), seen)
      end
      d:shell "mkdir a; touch a/g"
      assert.are.same({ "rename a", "rename a/g" }, all_of(w, at))
    end))

  it("follows a folder that moves while the new place is being told [W33]",
    in_folder(function(at, d)
      d:shell "mkdir -p old/deep"
      local w <close> = aw.fs.watch(at, { recursive = true })
      lfs.mkdir(at .. "/new")
      assert.are.equal("rename new", next_of(w, at))
      os.rename(at .. "/old", at .. "/new/old")
      all_of(w, at)
      write(at .. "/new/old/f")
      write(at .. "/new/old/deep/g")
      assert.are.same({ "rename new/old/f", "rename new/old/deep/g" },
        all_of(w, at))
    end))

  it("forgets a folder that leaves [W33]", in_folder(function(at, d)
    d:shell "mkdir -p in/a/b; touch in/a/b/f"
    local w <close> = aw.fs.watch(at .. "/in", { recursive = true })
    d:shell "mv in/a out"
    assert.are.same({ "rename in/a" }, all_of(w, at))
    d:shell "echo 1 >>out/b/f; touch out/g"
    assert.are.same({}, all_of(w, at))
  end))

  it("awaits, and can be cancelled [W33]", in_folder(function(at, d)
    d:shell "mkdir -p a/b"
    for yields = 0, 3 do
      local task = aw.start(function()
        local w <close> = aw.fs.watch(at, { recursive = true })
        w:recv()
      end)
      for _ = 1, yields do
        aw.yield()
      end
      task:cancel_wait()
      assert.are.equal("cancelled", task.status)
    end
  end))
end)

describe("the path of a watch", function()
  it("is absolute, whatever the current folder becomes [W30]",
    in_folder(function(at, d)
      d:shell "mkdir a; touch a/f"
      local before = lfs.currentdir()
      local back <close> = helper.closer(lfs.chdir, before)
      assert(back and lfs.chdir(at))
      local w <close> = aw.fs.watch "a/f"
      local here <close> = aw.fs.watch "."
      assert.are.equal(at .. "/a/f", w.path)
      assert.are.equal(at, here.path)
      assert(lfs.chdir "/")
      write(at .. "/a/f", "1")
      write(at .. "/g")
      assert.are.same({ "change a/f" }, all_of(w, at))
      assert.are.same({ "rename g" }, all_of(here, at))
    end))

  it("has no slashes too many [W30]", in_folder(function(at, d)
    d:shell "mkdir a"
    local w <close> = aw.fs.watch(at .. "//./a//")
    assert.are.equal(at .. "/a", w.path)
    write(at .. "/a/f")
    assert.are.same({ "rename a/f" }, all_of(w, at))
    local root <close> = aw.fs.watch "/"
    assert.are.equal("/", root.path)
  end))

  it("may go up [W30]", in_folder(function(at, d)
    d:shell "mkdir a; touch a/f"
    local w <close> = aw.fs.watch(at .. "/a/..")
    write(at .. "/g")
    assert.are.equal("rename g", next_of(w, at .. "/a/.."))
  end))

  it("must exist [W30]", in_folder(function(at)
    local err = helper.raises("no such file", aw.fs.watch, at .. "/none")
    assert.are.equal("ENOENT", err.code)
    assert.are.equal("watch", err.call)
    assert.is_truthy(err.message:find(at .. "/none", 1, true))
    assert.are.equal("ENOENT", helper.caught(aw.fs.watch, "").code)
    write(at .. "/f")
    assert.are.equal("ENOTDIR", helper.caught(aw.fs.watch, at .. "/f/").code)
    lfs.link("loop", at .. "/loop", true)
    assert.are.equal("ELOOP", helper.caught(aw.fs.watch, at .. "/loop").code)
    lfs.link("none", at .. "/dangling", true)
    assert.are.equal("ENOENT",
      helper.caught(aw.fs.watch, at .. "/dangling").code)
    assert.are.equal("ENAMETOOLONG",
      helper.caught(aw.fs.watch, ("x"):rep(5000)).code)
    assert.are.equal("ENAMETOOLONG",
      helper.caught(aw.fs.watch, at .. "/" .. ("x"):rep(300)).code)
    assert.are.equal("ENOENT", helper.caught(aw.fs.watch, at .. "/none",
      { recursive = true }).code)
  end))

  it("has no zero byte [W30]", in_folder(function(at)
    helper.raises("a path has no zero byte", aw.fs.watch, at .. "\0")
    helper.raises("unknown option 'recursiv'", aw.fs.watch, at,
      { recursiv = true })
  end))
end)
