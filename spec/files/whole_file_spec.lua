-- aw.fs.read, write, append, copy: whole files [W1-W8].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local fs = aw.fs
local in_folder = clients.with_folder
local raises = helper.raises

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local function shell(command, ...)
  return assert(aw.exec { "sh", "-c", command, "sh", ... }).out
end

--- Calls `f(...)`, which must fail with a SystemError of this code and call,
--- about this path.
local function fails(code, call, about, f, ...)
  local ok, err = pcall(f, ...)
  assert.is_false(ok)
  assert.is_true(aw.is_system_error(err), tostring(err))
  assert.are.same({ code, call, about }, { err.code, err.call, err.about })
end

describe("aw.fs.read", function()
  it("returns all bytes of a file, zeros too [W2]", in_folder(function(folder)
    local text <const> = ("a\0b\n"):rep(100000)
    write(folder .. "/file", text)
    assert.are.equal(text, fs.read(folder .. "/file"))
  end))

  it("returns an empty string for an empty file [W2]",
    in_folder(function(folder)
      write(folder .. "/file", "")
      assert.are.equal("", fs.read(folder .. "/file"))
    end))

  it("reads files that say a size of 0, as in /proc [W2]",
    in_folder(function()
      assert.are.equal(0, fs.stat("/proc/self/status").size)
      assert.is_truthy(fs.read("/proc/self/status"):find "VmSize")
      assert.is_truthy(#fs.read("/proc/self/maps") > 4096)
    end))

  it("reads files that say more than they have, as in /sys [W2]",
    in_folder(function()
      local path <const> = "/sys/kernel/mm/transparent_hugepage/enabled"
      local file <close> = io.open(path)
      if file then
        assert.are.equal(file:read "a", fs.read(path))
      end
    end))

  it("reads a sparse file [W2]", in_folder(function(folder)
    shell('truncate -s 20M "$1"', folder .. "/file")
    local text = fs.read(folder .. "/file")
    assert.are.equal(20 * 1024 * 1024, #text)
    assert.is_nil(text:find("[^\0]"))
  end))

  it("returns what a growing file has when its end is reached [W2]",
    in_folder(function(folder, ev)
      local path <const> = folder .. "/file"
      fs.write(path, "begin\n")
      local going = true
      ev:start(function()
        while going do
          fs.append(path, "line\n")
        end
      end)
      for _ = 1, 50 do
        local text = fs.read(path)
        assert.are.equal("begin\n", text:sub(1, 6))
        assert.is_nil(text:sub(7):gsub("line\n", ""):find(".", 1, true))
      end
      going = false
    end))

  it("copes with a file that shrinks and grows [W2]",
    in_folder(function(folder, ev)
      local path <const> = folder .. "/file"
      local long, going = ("x"):rep(200000), true
      fs.write(path, long)
      ev:start(function()
        while going do
          fs.write(path, "y")
          fs.write(path, long)
        end
      end)
      for _ = 1, 50 do
        local text = fs.read(path)
        assert.is_true(#text <= #long)
      end
      going = false
    end))

  it("waits for the writer of a FIFO, and reads to its end [W5]",
    in_folder(function(folder, ev)
      shell('mkfifo "$1"', folder .. "/fifo")
      local reader = helper.waiting(ev, aw.Call(fs.read, folder .. "/fifo"))
      fs.write(folder .. "/fifo", "through")
      assert.are.equal("through", reader:wait())
    end))

  it("reads devices [W5]", in_folder(function()
    assert.are.equal("", fs.read "/dev/null")
  end))

  it("names what it has tried, and on what [E4]", in_folder(function(folder)
    local missing, file = folder .. "/missing", folder .. "/file"
    fails("ENOENT", "read", missing, fs.read, missing)
    fails("EISDIR", "read", folder, fs.read, folder)
    fs.write(file, "")
    fails("ENOTDIR", "read", file .. "/x", fs.read, file .. "/x")
    shell('ln -s loop "$1"', folder .. "/loop")
    fails("ELOOP", "read", folder .. "/loop", fs.read, folder .. "/loop")
    local long = folder .. "/" .. ("x"):rep(300)
    fails("ENAMETOOLONG", "read", long, fs.read, long)
    fails("ENOENT", "read", "", fs.read, "")
  end))

  it("blames the line of the caller [E4]", in_folder(function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = pcall(function() return (fs.read "/none") end)
    assert.are.equal(("%s:%d: read '/none': no such file or directory"):format(
      debug.getinfo(1, "S").short_src, line), tostring(err))
  end))

  it("names the file that memory has no room for", function()
    if process.sanitized then
      pending "needs a limit of memory"
      return
    end
    local outcome = process.run([[
      truncate -s 1G large && ulimit -v 500000 && exec $aiowire s.lua]],
      { ["s.lua"] = [[
        local aw = require "aiowire"
        aw.run(function()
          print(pcall(aw.fs.read, "large"))
        end)
      ]] })
    process.assert_outcome("false\ts.lua:3: read 'large': not enough memory\n",
      0, outcome)
  end)

  it("lets other tasks run meanwhile [W1]", helper.in_task(function(ev)
    local turns = 0
    local task = ev:start(aw.Call(fs.read, "/proc/self/status"))
    while task.status ~= "done" do
      turns = turns + 1
      aw.yield()
    end
    assert.is_true(turns > 0)
  end))
end)

describe("aw.fs.write", function()
  it("makes a file, and replaces its content [W3]", in_folder(function(folder)
    local path <const> = folder .. "/file"
    assert.are.equal(0, select("#", fs.write(path, "long text\0")))
    assert.are.equal("long text\0", fs.read(path))
    fs.write(path, "short")
    assert.are.equal("short", fs.read(path))
    fs.write(path, 12)
    assert.are.equal("12", fs.read(path))
    fs.write(path, "")
    assert.are.equal("", fs.read(path))
  end))

  it("takes any name but one with a zero byte [W1]",
    in_folder(function(folder)
      for _, name in ipairs { "a\nb", "\xff\xfe", "-n", "*", "ü", " " } do
        fs.write(folder .. "/" .. name, name)
        assert.are.equal(name, fs.read(folder .. "/" .. name))
      end
      raises("bad argument #1 to 'write' (a path has no zero byte)", fs.write,
        folder .. "/a\0b", "x")
    end))

  it("follows links, and keeps the mode [W3]", in_folder(function(folder)
    fs.write(folder .. "/file", "old")
    shell('cd "$1"; chmod 640 file; ln -s file link', folder)
    fs.write(folder .. "/link", "new")
    assert.are.equal("new", fs.read(folder .. "/file"))
    assert.are.equal(tonumber("640", 8), fs.stat(folder .. "/file").mode)
  end))

  it("writes to devices and FIFOs, which stay what they are [W5]",
    in_folder(function(folder, ev)
      local path <const> = folder .. "/fifo"
      fs.write("/dev/null", "x")
      fs.write("/dev/null", "x", { atomic = true })
      fails("ENOSPC", "write", "/dev/full", fs.write, "/dev/full", "x")
      assert.are.equal("char", fs.stat("/dev/null").type)
      shell('mkfifo "$1"', path)
      for _, opts in ipairs { {}, { atomic = true } } do
        local writer = helper.waiting(ev, aw.Call(fs.write, path, "x", opts))
        assert.are.equal("x", fs.read(path))
        writer:wait()
      end
      assert.are.equal("fifo", fs.stat(path).type)
    end))

  it("names what it has tried, and on what [E4]", in_folder(function(folder)
    local inner = folder .. "/none/file"
    for _, opts in ipairs { {}, { atomic = true } } do
      fails("ENOENT", "write", inner, fs.write, inner, "x", opts)
      fails("EISDIR", "write", folder, fs.write, folder, "x", opts)
      shell('ln -sf loop "$1"', folder .. "/loop")
      fails("ELOOP", "write", folder .. "/loop", fs.write, folder .. "/loop",
        "x", opts)
      fails("ENOENT", "write", "", fs.write, "", "x", opts)
    end
  end))

  it("refuses wrong arguments and options", in_folder(function(folder)
    raises("unknown option 'atomci', did you mean 'atomic'?", fs.write,
      folder .. "/x", "x", { atomci = true })
    raises("bad option 'atomic' (boolean expected, got number)", fs.write,
      folder .. "/x", "x", { atomic = 1 })
    raises("bad argument #2 to 'write' (string expected, got nil)", fs.write,
      folder .. "/x")
    fails("ENOENT", "stat", folder .. "/x", fs.stat, folder .. "/x")
  end))
end)

describe("an atomic write", function()
  it("replaces the file, and leaves no other [W4]", in_folder(function(folder)
    local path <const> = folder .. "/file"
    fs.write(path, "one", { atomic = true })
    local first = fs.stat(path)
    fs.write(path, "two", { atomic = true })
    assert.are.equal("two", fs.read(path))
    assert.are_not.equal(first.ino, fs.stat(path).ino)
    assert.are.equal(1, #fs.scandir(folder))
  end))

  it("makes a new file with the mode of any new file [W4]",
    in_folder(function(folder)
      fs.write(folder .. "/plain", "x")
      fs.write(folder .. "/atomic", "x", { atomic = true })
      assert.are.equal(fs.stat(folder .. "/plain").mode,
        fs.stat(folder .. "/atomic").mode)
    end))

  it("keeps the mode of the file [W4]", in_folder(function(folder)
    local path <const> = folder .. "/file"
    fs.write(path, "old")
    for _, mode in ipairs { "600", "755", "4711", "666" } do
      shell('chmod "$1" "$2"', mode, path)
      fs.write(path, mode, { atomic = true })
      assert.are.equal(tonumber(mode, 8), fs.stat(path).mode)
    end
  end))

  it("follows links, also several and to nothing [W4]",
    in_folder(function(folder)
      shell([[cd "$1"; mkdir a b; ln -s ../b/two a/one; ln -s "$1/b/file" b/two
        ln -s a/one link]], folder)
      fs.write(folder .. "/link", "new", { atomic = true })
      assert.are.equal("new", fs.read(folder .. "/b/file"))
      assert.are.equal("link", fs.stat(folder .. "/link",
        { follow = false }).type)
      fs.write(folder .. "/link", "again", { atomic = true })
      assert.are.equal("again", fs.read(folder .. "/b/file"))
      assert.are.equal(2, #fs.scandir(folder .. "/b"))
    end))

  it("writes in the folder in which the program runs [W4]",
    in_folder(function(folder)
      local outcome = process.run("exec $aiowire s.lua", { ["s.lua"] = [[
        local aw = require "aiowire"
        aw.run(function()
          aw.fs.write("file", "text", { atomic = true })
          print(aw.fs.read "file", #aw.fs.glob "*")
        end)]] })
      assert.are.equal("text\t2\n", outcome.out, outcome.err)
      assert.are.equal(0, #fs.scandir(folder))
    end))

  it("is seen whole by each reader [W4]", in_folder(function(folder, ev)
    local path <const> = folder .. "/file"
    local texts, going = { ("a"):rep(100000), ("b"):rep(50000) }, true
    fs.write(path, texts[1])
    ev:start(function()
      for i = 1, 40 do
        fs.write(path, texts[i % 2 + 1], { atomic = true })
      end
      going = false
    end)
    while going do
      local text = fs.read(path)
      assert.is_true(text == texts[1] or text == texts[2])
    end
  end))
end)

describe("aw.fs.append", function()
  it("makes a file, and adds to its end [W3]", in_folder(function(folder)
    local path <const> = folder .. "/file"
    assert.are.equal(0, select("#", fs.append(path, "one\n")))
    fs.append(path, "two\n")
    assert.are.equal("one\ntwo\n", fs.read(path))
  end))

  it("mixes no lines of tasks that append at the same time [W3]",
    in_folder(function(folder)
      local path <const> = folder .. "/file"
      aw.scope(function(s)
        for i = 1, 8 do
          s:start(function()
            for _ = 1, 20 do
              fs.append(path, ("%d"):format(i):rep(99) .. "\n")
            end
          end)
        end
      end)
      local count = 0
      for line in fs.read(path):gmatch "[^\n]+" do
        assert.are.equal(line:sub(1, 1):rep(99), line)
        count = count + 1
      end
      assert.are.equal(160, count)
    end))

  it("fails as write does [E4]", in_folder(function(folder)
    fails("EISDIR", "append", folder, fs.append, folder, "x")
    fails("ENOSPC", "write", "/dev/full", fs.append, "/dev/full", "x")
    raises("bad argument #2 to 'append'", fs.append, folder .. "/x")
  end))
end)

describe("aw.fs.copy", function()
  it("copies the content and the mode [W6]", in_folder(function(folder)
    local from, to = folder .. "/from", folder .. "/to"
    local text <const> = ("0123456789"):rep(100000) .. "\0"
    fs.write(from, text)
    shell('chmod 755 "$1"', from)
    assert.are.equal(0, select("#", fs.copy(from, to)))
    assert.are.equal(text, fs.read(to))
    assert.are.equal(tonumber("755", 8), fs.stat(to).mode)
  end))

  it("replaces the content of a file, which keeps its mode [W6]",
    in_folder(function(folder)
      local from, to = folder .. "/from", folder .. "/to"
      fs.write(from, "new")
      fs.write(to, "a longer text")
      shell('chmod 600 "$1"', to)
      fs.copy(from, to)
      assert.are.equal("new", fs.read(to))
      assert.are.equal(tonumber("600", 8), fs.stat(to).mode)
    end))

  it("copies files of /proc, and empty ones [W6]", in_folder(function(folder)
    fs.copy("/proc/self/status", folder .. "/status")
    assert.is_truthy(fs.read(folder .. "/status"):find "VmSize")
    fs.write(folder .. "/empty", "")
    fs.copy(folder .. "/empty", folder .. "/to")
    assert.are.equal("", fs.read(folder .. "/to"))
  end))

  it("copies from and to FIFOs and devices [W5]",
    in_folder(function(folder, ev)
      local path <const> = folder .. "/fifo"
      shell('mkfifo "$1"', path)
      fs.write(folder .. "/from", "through")
      local writer = helper.waiting(ev,
        aw.Call(fs.copy, folder .. "/from", path))
      fs.write(folder .. "/to", "a longer text than that")
      fs.copy(path, folder .. "/to")
      writer:wait()
      assert.are.equal("through", fs.read(folder .. "/to"))
      fs.copy("/dev/null", folder .. "/to")
      assert.are.equal("", fs.read(folder .. "/to"))
    end))

  it("leaves no file if the other cannot be read [W6]",
    in_folder(function(folder)
      local mem = "/proc/self/mem" -- opens, but has nothing at 0
      if not io.open(mem) then
        helper.pending "there is no /proc"
      end
      local err = helper.caught(fs.copy, mem, folder .. "/new")
      assert.are.same({ "EIO", "copy", mem }, { err.code, err.call, err.about })
      assert.is_nil(io.open(folder .. "/new"))
      assert.are.equal("EIO", helper.caught(fs.read, mem).code)
    end))

  it("never copies a file to itself [W6]", in_folder(function(folder)
    local path <const> = folder .. "/file"
    fs.write(path, "text")
    shell('cd "$1"; ln file hard; ln -s file link', folder)
    for _, name in ipairs { "file", "hard", "link" } do
      fails("EINVAL", "copy", folder .. "/" .. name, fs.copy, path,
        folder .. "/" .. name)
    end
    assert.are.equal("text", fs.read(path))
  end))

  it("names what it has tried, and on what [E4]", in_folder(function(folder)
    fs.write(folder .. "/file", "x")
    fails("ENOENT", "copy", folder .. "/none", fs.copy, folder .. "/none",
      folder .. "/to")
    fails("EISDIR", "copy", folder, fs.copy, folder, folder .. "/to")
    fails("EISDIR", "copy", folder, fs.copy, folder .. "/file", folder)
    fails("ENOENT", "copy", folder .. "/none/to", fs.copy, folder .. "/file",
      folder .. "/none/to")
    assert.are.equal(1, #fs.scandir(folder))
    raises("bad argument #2 to 'copy'", fs.copy, folder .. "/file")
  end))
end)
