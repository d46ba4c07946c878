-- The standard files of a child, for aw.spawn and aw.exec: a path, a stream, a
-- Lua file or a descriptor.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local pipes = require "spec.support.pipes"
local process = require "spec.support.process"

local caught, run = helper.caught, helper.run

--- Returns a function for `it` that runs `f(path)` in a loop. There is no file
--- at `path` yet.
local function with_path(f)
  return function()
    local path = os.tmpname()
    os.remove(path)
    run(function(ev)
      f(path, ev)
    end)
    os.remove(path)
  end
end

--- Returns a Lua file with this text, at position 0.
local function file_with(text)
  local file = io.tmpfile()
  file:write(text)
  file:seek "set"
  return file
end

describe("an output of a child that is a path", function()
  it("is created or truncated",
    with_path(function(path)
      for _, text in ipairs { "first, which is longer", "second" } do
        local r = aw.exec { "sh", "-c", 'printf %s "$1"', "-", text,
          stdout = path }
        assert.are.same({ ok = true, code = 0, err = "" }, r)
        assert.are.equal(text, process.read(path))
      end
    end))

  it("is appended to with append = true", with_path(function(path)
    for _ = 1, 2 do
      aw.exec { "sh", "-c", "echo out; echo err >&2", stdout = "null",
        stderr = path, append = true }
    end
    assert.are.equal("err\nerr\n", process.read(path))
  end))

  it("is relative to the folder of the script",
    with_path(function(path)
      local up = process.root:gsub("[^/]+", ".."):sub(2)
      local p <close> = aw.spawn { "pwd", cwd = "/", stdout = up .. path,
        append = false }
      assert.is_nil(p.stdout)
      p:wait()
      assert.are.equal("/\n", process.read(path))
    end))

  it("is opened once for stdout and stderr", with_path(function(path)
    aw.exec { "sh", "-c", "echo out; echo err >&2; echo out", stdout = path,
      stderr = path }
    assert.are.equal("out\nerr\nout\n", process.read(path))
    aw.exec { "sh", "-c", "echo out; echo err >&2", stdout = path,
      stderr = "stdout", append = true }
    assert.are.equal("out\nerr\nout\nout\nerr\n", process.read(path))
  end))

  it("may have the name of an option with ./ before it", function()
    local outcome = process.run([[
      $aiowire s.lua; cat ./pipe ./null ./inherit ./stdout]], { ["s.lua"] = [[
      local aw = require "aiowire"
      for _, name in ipairs { "pipe", "null", "inherit", "stdout" } do
        aw.exec { "echo", name, stdout = "./" .. name }
      end
    ]] })
    assert.are.equal("pipe\nnull\ninherit\nstdout\n", outcome.out, outcome.err)
  end)

  it("is a SystemError about the path when it cannot be opened", function()
    run(function()
      for path, code in pairs { ["/no/such/file"] = "ENOENT",
        ["/tmp"] = "EISDIR", [""] = "ENOENT" } do
        for _, name in ipairs { "stdout", "stderr" } do
          local err = caught(aw.exec, { "true", [name] = path })
          assert.are.same({ code, "open", path },
            { err.code, err.call, err.about })
        end
      end
      local err = caught(aw.exec, { "true", stdout = "a\0b" })
      assert.are.same({ "EINVAL", "open", "a (a zero byte in a path)" },
        { err.code, err.call, err.about })
    end)
  end)

  it("does not wait for the reader of a named pipe",
    with_path(function(path)
      assert(os.execute("mkfifo " .. path))
      local err = caught(aw.exec, { "true", stdout = path })
      assert.are.same({ "ENXIO", "open", path },
        { err.code, err.call, err.about })
      local reader <close> = assert(io.open(path, "r+"))
      aw.exec { "echo", "to the reader", stdout = path }
      assert.are.equal("to the reader", reader:read())
    end))
end)

describe("a Lua file for a child", function()
  it("is written from the position of the script", with_path(function(path)
    local file <close> = assert(io.open(path, "w"))
    file:write "script "
    aw.exec { "printf", "child ", stdout = file }
    file:write "script"
    file:flush()
    assert.are.equal("script child script", process.read(path))
  end))

  it("is read from the position of the script", function()
    run(function()
      local file <close> = file_with "one\ntwo\nthree\n"
      assert.are.equal("one", file:read())
      assert.are.equal("two\nthree\n", aw.exec { "cat", stdin = file }.out)
      file:seek "set"
      local p <close> = aw.spawn { "wc", "-l", stdin = file }
      assert.are.equal(3, tonumber(p.stdout:read "a"))
    end)
  end)

  it("is refused if its buffer holds bytes", function()
    run(function()
      local reader, writer = pipes.pipe()
      writer:write "one\ntwo\n"
      reader:read()
      local err = caught(function()
        aw.spawn { "cat", stdin = reader }
      end)
      local line = debug.getinfo(1, "l").currentline - 2
      assert.are.equal("spec/process/redirect_spec.lua:" .. line
        .. ": bad option 'stdin' (the file has read ahead of the script: "
        .. "the child would miss what it holds)", err)
      reader:close()
      writer:close()
    end)
  end)

  it("is refused when it is closed", function()
    run(function()
      local file = io.tmpfile()
      file:close()
      local err = caught(aw.exec, { "cat", stdin = file })
      assert.is_true(aw.is_closed(err))
      assert.are.equal("Closed: spawn of stdin (the file)", err.message)
      err = caught(aw.spawn, { "cat", stdout = file })
      assert.are.equal("Closed: spawn of stdout (the file)", err.message)
    end)
  end)
end)

describe("a descriptor for a child", function()
  it("is its input, or its output", function()
    pipes.with_pipe(function(fd, _, writer)
      run(function()
        local p <close> = aw.spawn { "cat", stdin = fd }
        aw.exec { "echo", "through it", stdout = pipes.fd(writer) }
        assert.are.equal("through it", p.stdout:read())
      end)
    end)
  end)

  it("may be a standard file of the parent, in another place", function()
    local outcome = process.run(
      "$aiowire s.lua 2>&1 >out; echo --; cat out", { ["s.lua"] = [[
      require "aiowire".exec { "sh", "-c", "echo out; echo err >&2",
        stdout = 2, stderr = 1 }
    ]] })
    assert.are.equal("out\n--\nerr\n", outcome.out)
  end)

  it("is refused if it is not open", function()
    run(function()
      local err = caught(aw.exec, { "true", stdout = 999 })
      assert.are.same({ "EBADF", "spawn", "stdout (descriptor 999)" },
        { err.code, err.call, err.about })
    end)
  end)

  it("is refused when it is open for the other direction", function()
    pipes.with_pipe(function(fd, _, writer)
      run(function()
        local _, err = pcall(function()
          aw.spawn { "true", stdout = fd }
        end)
        local line = debug.getinfo(1, "l").currentline - 2
        assert.are.equal(("spec/process/redirect_spec.lua:%d: "
          .. "bad option 'stdout' (descriptor %d is not open for writing)")
          :format(line, fd), err)
        _, err = pcall(function()
          aw.spawn { "true", stdin = writer }
        end)
        line = debug.getinfo(1, "l").currentline - 2
        assert.are.equal(("spec/process/redirect_spec.lua:%d: "
          .. "bad option 'stdin' (the file is not open for reading)")
          :format(line), err)
      end)
    end)
  end)
end)

describe("a stream for a child", function()
  it("is blocking in the child, and closed in the parent", function()
    run(function()
      local numbers <close> = aw.spawn { "sh", "-c",
        "for i in 2 3 1; do echo $i; sleep 0.01; done", stderr = "inherit" }
      local sorted <close> = aw.spawn { "sort", stdin = numbers.stdout,
        stderr = "inherit" }
      assert.are.equal("stream 'stdout of sh' (closed)",
        tostring(numbers.stdout))
      assert.are.equal("1\n2\n3\n", sorted.stdout:read "a")
      assert.is_true(sorted:wait().ok)
      assert.is_true(numbers:wait().ok)
    end)
  end)

  it("ends a writer when its reader has ended", function()
    run(function()
      local yes <close> = aw.spawn { "yes", stderr = "inherit" }
      local r = aw.spawn { "head", "-n", "1", stdin = yes.stdout }
      assert.are.equal("y\n", r.stdout:read "a")
      assert.are.equal(13, yes:wait().signal)
      r:close()
    end)
  end)

  it("ends a reader when its last writer has ended", function()
    run(function()
      local cat <close> = aw.spawn { "cat", stderr = "inherit" }
      cat.stdin:write "ours, "
      local r = aw.exec { "printf", "the child's", stdout = cat.stdin }
      assert.are.same({ ok = true, code = 0, err = "" }, r)
      assert.are.equal("ours, the child's", cat.stdout:read "a")
    end)
  end)

  it("carries a large output, for which the child waits", function()
    run(function()
      local count <close> = aw.spawn { "sh", "-c", "sleep 0.05; wc -c" }
      assert.is_true(aw.exec { "head", "-c", "1000000", "/dev/zero",
        stdout = count.stdin }.ok)
      assert.are.equal(1000000, tonumber(count.stdout:read "a"))
    end)
  end)

  it("may be two of its standard files", function()
    run(function()
      local cat <close> = aw.spawn { "cat" }
      local p <close> = aw.spawn { "sh", "-c", "echo out; echo err >&2",
        stdout = cat.stdin, stderr = cat.stdin }
      assert.are.equal("out\nerr\n", cat.stdout:read "a")
      p:wait()
    end)
  end)

  it("raises Closed in its readers in the parent", function()
    run(function(ev)
      local cat <close> = aw.spawn { "cat" }
      local err
      local reader = ev:start(function()
        cat.stdout:read()
      end, function(_, e) err = e end)
      aw.yield()
      local other <close> = aw.spawn { "cat", stdin = cat.stdout }
      helper.join(reader)
      assert.is_true(aw.is_closed(err))
      cat.stdin:write("x\n"):shutdown()
      assert.are.equal("x\n", other.stdout:read "a")
    end)
  end)

  it("is unchanged if the child cannot be started", function()
    process.needs_failed_starts()
    run(function(ev)
      local cat <close> = aw.spawn { "cat" }
      for _, name in ipairs { "stdin", "stdout" } do
        local err = caught(aw.spawn, { "no-such-command",
          [name == "stdin" and "stdout" or "stdin"] = cat[name] })
        assert.are.equal("ENOENT", err.code)
      end
      local turned = false -- stays false if the read blocks the thread
      ev:start(function()
        turned = true
        cat.stdin:write "x\n"
      end)
      assert.are.equal("x", cat.stdout:read())
      assert.is_true(turned)
    end)
  end)

  it("is refused if its buffer holds bytes", function()
    run(function()
      local cat <close> = aw.spawn { "printf", "one\ntwo\n" }
      assert.are.equal("one", cat.stdout:read())
      local _, err = pcall(function()
        aw.spawn { "cat", stdin = cat.stdout }
      end)
      local line = debug.getinfo(1, "l").currentline - 2
      assert.are.equal(("spec/process/redirect_spec.lua:%d: bad option 'stdin' "
        .. "(stream 'stdout of printf' has read ahead of the script: the "
        .. "child would miss what it holds; aw.exec feeds it)"):format(line),
        err)
      assert.are.equal("two\n", aw.exec { "cat", stdin = cat.stdout }.out)
    end)
  end)

  it("is refused while it has not written all", function()
    run(function()
      local cat <close> = process.stopped "read x; cat"
      cat.stdin:write(("x"):rep(200000), "\n")
      local _, err = pcall(function()
        aw.spawn { "true", stdout = cat.stdin }
      end)
      local line = debug.getinfo(1, "l").currentline - 2
      assert.are.equal(("spec/process/redirect_spec.lua:%d: "
        .. "bad option 'stdout' "
        .. "(stream 'stdin of sh' has not written all yet: flush it first)")
        :format(line), err)
      cat:kill "CONT"
      cat.stdin:flush()
      aw.exec { "echo", "then this", stdout = cat.stdin }
      assert.are.equal("then this\n", cat.stdout:read "a")
    end)
  end)

  it("is refused when it is closed", function()
    run(function()
      local cat <close> = aw.spawn { "cat" }
      cat.stdout:close()
      local err = caught(aw.spawn, { "cat", stdin = cat.stdout })
      assert.is_true(aw.is_closed(err))
      assert.are.equal("Closed: spawn of stdin (stream 'stdout of cat')",
        err.message)
    end)
  end)

  it("of the parent stays open: aw.stdin, aw.stdout", function()
    for _, name in ipairs(process.sanitized and { "$aiowire" }
      or { "$aiowire", "$lua" }) do
      local outcome = process.run("echo x | " .. name .. " s.lua", {
        ["s.lua"] = process.prelude .. [[
        aw.run(function()
          local p <close> = aw.spawn { "cat", stdin = aw.stdin,
            stdout = aw.stdout, stderr = aw.stderr }
          p:wait()
          aw.stdout:write "and this\n"
        end)
      ]] })
      assert.are.equal("x\nand this\n", outcome.out, outcome.err)
    end
  end)
end)

describe("a bad standard file", function()
  local lists = {
    stdin = "a stream, a Lua file or a descriptor",
    stdout = "a path, a stream, a Lua file or a descriptor",
    stderr = '"stdout", a path, a stream, a Lua file or a descriptor',
  }

  for name, list in pairs(lists) do
    it(("is refused at the caller's line: %s [API]"):format(name), function()
      local function refused(value, got)
        local _, err = pcall(function()
          aw.spawn { "cat", [name] = value }
        end)
        local line = debug.getinfo(1, "l").currentline - 2
        assert.are.equal(("spec/process/redirect_spec.lua:%d: bad option '%s' "
          .. '("pipe", "inherit", "null", %s expected, got %s)'):format(line,
          name, list, got), err)
      end
      refused(true, "boolean")
      refused({}, "table")
      refused(1.5, "1.5")
      refused(-1, "-1")
    end)
  end

  it("may be a path for stdin, with advice [API]", function()
    local _, err = pcall(function()
      aw.spawn { "cat", stdin = "in.txt" }
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    assert.are.equal(("spec/process/redirect_spec.lua:%d: bad option 'stdin' "
      .. '("pipe", "inherit", "null", a stream, a Lua file or a descriptor '
      .. "expected, got 'in.txt'; for a file give io.open(path))")
      :format(line), err)
  end)

  it("may be the word stdout for stdout, with advice [API]", function()
    local _, err = pcall(function()
      aw.spawn { "cat", stdout = "stdout" }
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    assert.are.equal(("spec/process/redirect_spec.lua:%d: bad option 'stdout' "
      .. '("pipe", "inherit", "null", a path, a stream, a Lua file or a '
      .. 'descriptor expected, got "stdout"; a file of that name is '
      .. '"./stdout")'):format(line), err)
  end)

  it("may have an append that is no boolean [API]", function()
    local _, err = pcall(function()
      aw.spawn { "cat", stdout = "x", append = 1 }
    end)
    local line = debug.getinfo(1, "l").currentline - 2
    assert.are.equal(("spec/process/redirect_spec.lua:%d: bad option 'append' "
      .. "(boolean expected, got number)"):format(line), err)
  end)
end)

describe("a program that writes to standard output after its reader is gone",
  function()
    it("dies by SIGPIPE, and so does the parent that waits for it", function()
      local outcome = process.run(
        "{ $aiowire s.lua; echo $? >code; } | true; cat code", { ["s.lua"] = [[
          local aw = require "aiowire"
          aw.spawn { "yes", stdout = "inherit" }:wait()
          aw.sleep(1000)
          io.stderr:write "not reached\n"
        ]] })
      process.assert_outcome("141\n", 0, outcome)
      assert.are.equal("", outcome.err)
    end)
  end)
