-- aw.fs.stat, scandir, mkdir, unlink, rename, tempfile: names and folders
-- [W7-W11].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"

local fs = aw.fs
local in_folder = clients.with_folder
local raises = helper.raises

local function shell(command, ...)
  local r = assert(aw.exec { "sh", "-c", command, "sh", ... })
  assert.are.equal("", r.err)
  return r.out
end

--- Calls `f(...)`, which must fail with a SystemError of this code and call,
--- about this path.
local function fails(code, call, about, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.is_true(aw.is_system_error(err), tostring(err))
  assert.are.same({ code, call, about }, { err.code, err.call, err.about })
end

describe("aw.fs.stat", function()
  it("tells size, type, mode, times and owner [W7]",
    in_folder(function(folder)
      local path <const> = folder .. "/file"
      fs.write(path, "12345")
      shell('chmod 604 "$1"; touch -d @1234567890.25 "$1"', path)
      local s = fs.stat(path)
      assert.are.equal("file", s.type)
      assert.are.equal("integer", math.type(s.size))
      assert.are.equal(5, s.size)
      assert.are.equal(tonumber("604", 8), s.mode)
      assert.are.equal(1234567890.25, s.mtime)
      assert.are.equal(1234567890.25, s.atime)
      assert.is_true(s.ctime > 1234567890.25)
      local facts = shell('stat -c "%u %g %h %i %d" "$1"', path)
      assert.are.equal(facts, ("%d %d %d %d %d\n"):format(s.uid, s.gid,
        s.nlink, s.ino, s.dev))
    end))

  it("knows each type of file [W7]", in_folder(function(folder)
    shell([[cd "$1"; mkfifo fifo; mkdir directory; ln -s nothing link
      >file]], folder)
    local _ <close> = aw.unix.listen(folder .. "/socket")
    for _, type in ipairs { "fifo", "directory", "link", "file", "socket" } do
      local path = folder .. "/" .. type
      assert.are.equal(type, fs.stat(path, { follow = false }).type)
    end
    assert.are.equal("char", fs.stat("/dev/null").type)
  end))

  it("follows links unless `follow` is false [W7]", in_folder(function(folder)
    shell('cd "$1"; ln -s file link; printf 12345 >file', folder)
    assert.are.equal(5, fs.stat(folder .. "/link").size)
    assert.are.equal(4, fs.stat(folder .. "/link", { follow = false }).size)
    fs.unlink(folder .. "/file")
    fails("ENOENT", "stat", folder .. "/link", fs.stat, folder .. "/link")
    assert.are.equal("link", fs.stat(folder .. "/link",
      { follow = false }).type)
  end))

  it("refuses wrong arguments and options", in_folder(function()
    raises("unknown option 'folow', did you mean 'follow'?", fs.stat, "/",
      { folow = false })
    raises("bad argument #1 to 'stat' (a path has no zero byte)", fs.stat,
      "/\0")
    raises("bad argument #1 to 'stat' (string expected, got nil)",
      fs.stat)
  end))
end)

describe("aw.fs.scandir", function()
  it("lists names and types, in the order of their bytes [W8]",
    in_folder(function(folder)
      shell([[cd "$1"; >b; >a; >B; mkdir c; ln -s c d; mkfifo e; >.hidden
        >'new
line'; >ü]], folder)
      local list = {}
      for i, entry in ipairs(fs.scandir(folder)) do
        list[i] = entry.name .. " " .. entry.type
      end
      assert.are.same({ ".hidden file", "B file", "a file", "b file",
        "c directory", "d link", "e fifo", "new\nline file", "ü file" }, list)
    end))

  it("lists nothing of an empty folder, and all of a large one [W8]",
    in_folder(function(folder)
      assert.are.same({}, fs.scandir(folder))
      shell([[cd "$1"; seq 5000 | xargs touch]], folder)
      local list = fs.scandir(folder)
      assert.are.equal(5000, #list)
      local sorted = true
      for i = 2, #list do
        sorted = sorted and list[i - 1].name < list[i].name
      end
      assert.is_true(sorted)
    end))

  it("lets others have a turn after each 1,000 entries [W8, W12]",
    in_folder(function(folder, ev)
      --- How often has another task a turn while the list is made?
      local function turns(f, path)
        local task, count = ev:start(aw.Call(f, path), aw.keep), 0
        aw.yield()
        while task.status ~= "done" do
          count = count + (task.status == "ready" and 1 or 0)
          aw.yield()
        end
        return count
      end
      shell([[cd "$1"; mkdir small large; cd large; seq 3500 | xargs touch]],
        folder)
      assert.is_true(turns(fs.scandir, folder .. "/small") < 3)
      assert.is_true(turns(fs.scandir, folder .. "/large") >= 3)
      assert.is_true(turns(fs.glob, folder .. "/large/*") >= 3)
      assert.are.equal(3500, #fs.glob(folder .. "/large/{*,*}"))
    end))

  it("names what it has tried, and on what [E4]", in_folder(function(folder)
    fails("ENOENT", "scandir", folder .. "/none", fs.scandir,
      folder .. "/none")
    fs.write(folder .. "/file", "")
    fails("ENOTDIR", "scandir", folder .. "/file", fs.scandir,
      folder .. "/file")
  end))
end)

describe("aw.fs.mkdir", function()
  it("makes one folder, which must not be there [W9]",
    in_folder(function(folder)
      local path <const> = folder .. "/new"
      assert.are.equal(0, select("#", fs.mkdir(path)))
      assert.are.equal("directory", fs.stat(path).type)
      fails("EEXIST", "mkdir", path, fs.mkdir, path)
      fails("ENOENT", "mkdir", folder .. "/a/b", fs.mkdir, folder .. "/a/b")
    end))

  it("makes the folders above with `parents` [W9]",
    in_folder(function(folder)
      for _, path in ipairs { "a/b/c", "a/b/d/", "e//f", "a/./g", "a/b/../h",
        "a/b/c", "a" } do
        fs.mkdir(folder .. "/" .. path, { parents = true })
        assert.are.equal("directory", fs.stat(folder .. "/" .. path).type)
      end
    end))

  it("accepts links to folders with `parents`, but no file [W9]",
    in_folder(function(folder)
      shell('cd "$1"; mkdir real; ln -s real link; >file', folder)
      fs.mkdir(folder .. "/link", { parents = true })
      fs.mkdir(folder .. "/link/new", { parents = true })
      local path = folder .. "/file"
      fails("EEXIST", "mkdir", path, fs.mkdir, path, { parents = true })
      path = path .. "/new"
      fails("ENOTDIR", "mkdir", path, fs.mkdir, path, { parents = true })
      fails("ENOENT", "mkdir", "", fs.mkdir, "", { parents = true })
      fs.mkdir("/", { parents = true })
    end))

  it("lets several tasks make the same folders [W9]",
    in_folder(function(folder)
      aw.scope(function(s)
        for _ = 1, 8 do
          s:start(function()
            for i = 1, 10 do
              fs.mkdir(folder .. ("/%d/a/b"):format(i), { parents = true })
            end
          end)
        end
      end)
      assert.are.equal(10, #fs.scandir(folder))
    end))

  it("refuses wrong options", in_folder(function(folder)
    raises("unknown option 'parent', did you mean 'parents'?", fs.mkdir,
      folder .. "/x", { parent = true })
  end))
end)

describe("aw.fs.unlink", function()
  it("removes a file or a link, never a folder [W10]",
    in_folder(function(folder)
      shell('cd "$1"; mkdir real; ln -s real link; >file', folder)
      assert.are.equal(0, select("#", fs.unlink(folder .. "/file")))
      fs.unlink(folder .. "/link")
      fails("EISDIR", "unlink", folder .. "/real", fs.unlink,
        folder .. "/real")
      fails("ENOENT", "unlink", folder .. "/file", fs.unlink,
        folder .. "/file")
      assert.are.equal(1, #fs.scandir(folder))
    end))
end)

describe("aw.fs.rmdir", function()
  it("removes a folder that is empty, and nothing else [W10]",
    in_folder(function(folder)
      shell('cd "$1"; mkdir -p full/empty; ln -s full link; >file', folder)
      local full, file = folder .. "/full", folder .. "/file"
      fails("ENOTEMPTY", "rmdir", full, fs.rmdir, full)
      fails("ENOTDIR", "rmdir", file, fs.rmdir, file)
      fails("ENOTDIR", "rmdir", folder .. "/link", fs.rmdir,
        folder .. "/link")
      fails("ENOENT", "rmdir", folder .. "/none", fs.rmdir,
        folder .. "/none")
      assert.are.equal(0, select("#", fs.rmdir(full .. "/empty/")))
      fs.rmdir(full)
      assert.are.equal(2, #fs.scandir(folder))
    end))

  it("refuses what is no path", in_folder(function()
    raises("bad argument #1 to 'rmdir' (a path has no zero byte)", fs.rmdir,
      "a\0b")
    raises("bad argument #1 to 'rmdir' (string expected, got nil)", fs.rmdir)
  end))
end)

describe("aw.fs.rename", function()
  it("moves files and folders, and replaces a file [W10]",
    in_folder(function(folder)
      fs.write(folder .. "/a", "a")
      fs.write(folder .. "/b", "b")
      assert.are.equal(0, select("#", fs.rename(folder .. "/a",
        folder .. "/b")))
      assert.are.equal("a", fs.read(folder .. "/b"))
      fs.mkdir(folder .. "/c")
      fs.rename(folder .. "/c", folder .. "/d")
      fs.rename(folder .. "/b", folder .. "/d/b")
      assert.are.equal("a", fs.read(folder .. "/d/b"))
    end))

  it("names what it has tried, and on what [E4]", in_folder(function(folder)
    local a, b = folder .. "/a", folder .. "/b"
    fails("ENOENT", "rename", a .. " -> " .. b, fs.rename, a, b)
    fs.write(a, "")
    fs.mkdir(b)
    fails("EISDIR", "rename", a .. " -> " .. b, fs.rename, a, b)
    raises("bad argument #2 to 'rename' (a path has no zero byte)", fs.rename,
      a, "\0")
  end))
end)

describe("aw.fs.tempfile", function()
  it("makes a file that only its owner may use [W11]",
    in_folder(function()
      local stream, path = fs.tempfile()
      local _ <close> = stream
      local s = fs.stat(path)
      assert.are.equal("file", s.type)
      assert.are.equal(0, s.size)
      assert.are.equal(tonumber("600", 8), s.mode)
      stream:write "text"
      stream:flush()
      assert.are.equal("text", fs.read(path))
      fs.unlink(path)
    end))

  it("gives a stream that writes, seeks and reads [W11]",
    in_folder(function()
      local stream, path = fs.tempfile()
      local _ <close> = stream
      fs.unlink(path)
      stream:write("one\n", "two\n")
      assert.are.equal(0, stream:seek "set")
      assert.are.equal("one\ntwo\n", stream:read "a")
    end))

  it("gives each one another name [W11]", in_folder(function()
    local seen = {}
    for _ = 1, 50 do
      local stream, path = fs.tempfile()
      stream:close()
      fs.unlink(path)
      assert.is_nil(seen[path])
      seen[path] = true
    end
  end))
end)
