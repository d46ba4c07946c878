-- The threads that work on files: see spec/support/files.c. Each script runs in
-- a process of its own.

local files = require "spec.support.files"

local script = files.prints

describe("a file that hangs", function()
  it("blocks no other, nor a name [W1]", function()
    script("true\ttrue\n", [[
      files.hang "read"
      for _ = 1, 15 do ev:start(aw.Call(fs.read, "s.lua"), aw.keep) end
      hanging(15)
      local size = fs.stat("s.lua").size
      local _, err = pcall(aw.dns.resolve, "no.such.host.invalid")
      print(size > 0, err.call == "resolve")
      files.release()
    ]])
  end)

  it("lets at most 16 run at a time, the others after them [W1]",
    function()
      script("16\t0\t4\n", [[
        files.hang "read"
        for _ = 1, 20 do ev:start(aw.Call(fs.read, "s.lua"), aw.keep) end
        hanging(16)
        local task = ev:start(aw.Call(fs.mkdir, "new"))
        aw.sleep(0.01)
        local most, made = files.hanging(), files.calls "mkdir"
        local opened = files.calls "open"
        files.release()
        task:wait()
        while files.calls "open" < opened + 4 do
          aw.sleep(0.001) -- other threads may be about to open theirs
        end
        print(most, made, files.calls "open" - opened)
      ]])
    end)
end)

describe("a thread that cannot be made", function()
  it("is an error of the operation, and the next one recovers [W1]",
    function()
      script("EAGAIN\tread\ts.lua\ntrue\n", [[
        files.refuse(true)
        local _, err = pcall(fs.read, "s.lua")
        print(err.code, err.call, err.about)
        files.refuse(false)
        print(#fs.read "s.lua" > 0)
      ]])
    end)

  it("is not needed while there are others [W1]", function()
    script("true\n", [[
      fs.stat "s.lua"
      files.refuse(true)
      local tasks = {}
      for i = 1, 50 do tasks[i] = ev:start(aw.Call(fs.read, "s.lua")) end
      for i = 1, 50 do tasks[i]:wait() end
      print(true)
    ]])
  end)
end)

describe("the threads for files", function()
  it("end with the last loop [W1]", function()
    script("1\t0\n", [[
      local before = files.threads()
      local inner <close> = aw.EventLoop { clock = "real", signals = false }
      inner:start(aw.Call(fs.stat, "s.lua"))
      inner:run()
      print(before, files.hanging())
    ]])
  end)

  it("are those of a forked child alone in the child [W1]", function()
    script("child\ttrue\nparent\t0\n", [[
      local fork = require "spec_fork"
      files.hang "read"
      local task = ev:start(aw.Call(fs.read, "s.lua"))
      hanging(1)
      local pid = fork.fork()
      if pid == 0 then
        files.release()
        local child <close> = aw.EventLoop { clock = "real", signals = false }
        child:start(function()
          print("child", #fs.read "s.lua" > 0)
          io.stdout:flush()
        end)
        child:run()
        os.exit(0, false)
      end
      print("parent", (fork.wait(pid)))
      task:cancel()
    ]])
  end)

  it("let tasks of the parent be cancelled in a forked child [W1]",
    function()
      script("cancelled\tforked old\nparent\t0\n", [[
        local fork = require "spec_fork"
        fs.write("old", "old")
        files.hang "rename"
        local under_way = ev:start(aw.Call(fs.rename, "old", "new"))
        hanging(1)
        local pid = fork.fork()
        if pid == 0 then
          files.release()
          under_way:cancel_wait()
          fs.write("forked", "")
          print(under_way.status, names())
          io.stdout:flush()
          os.exit(0, true)
        end
        print("parent", (fork.wait(pid)))
        files.release()
        under_way:wait()
      ]])
    end)

  it("work for tasks on a virtual clock [W1, K6]", function()
    script("true\t0\n", [[
      aw.test(function(_, clock)
        print(#fs.read "s.lua" > 0, clock and 0)
      end)
    ]])
  end)
end)

describe("an atomic write", function()
  it("is on the disk before it takes the name, and the name after it [W4]",
    function()
      script("0\n1 0\n2 1\n", [[
        fs.write("new", "text")
        print(files.calls "fsync")
        files.hang "rename"
        local task = ev:start(aw.Call(fs.write, "new", "text",
          { atomic = true }))
        hanging(1)
        print(files.calls "fsync" .. " " .. files.calls "rename" - 1)
        files.release()
        task:wait()
        print(files.calls "fsync" .. " " .. files.calls "rename")
      ]])
    end)
end)

describe("a failure in the middle", function()
  it("of an atomic write leaves the old file, and no other [W4]", function()
    script("EIO\told\told\nEIO\told\told\nEIO\told\told\n", [[
      fs.write("old", "old")
      for _, call in ipairs { "write", "fsync", "rename" } do
        files.fail(call, 5)
        local _, err = pcall(fs.write, "old", "new", { atomic = true })
        files.release()
        print(err.code, fs.read "old", names())
      end
    ]])
  end)

  it("of a copy leaves no new target [W6]", function()
    script("EIO\told\tfrom\nEIO\told\tfrom\n", [[
      fs.write("from", ("x"):rep(1000000))
      files.fail("copy_file_range", 5)
      local _, err = pcall(fs.copy, "from", "to")
      files.release()
      print(err.code, "old", names())
      files.fail("copy_file_range", 18) -- EXDEV
      files.fail("write", 5, 1)
      _, err = pcall(fs.copy, "from", "to")
      files.release()
      print(err.code, "old", names())
    ]])
  end)

  it("of a read is an error about the file [W2]", function()
    script("EIO\tread\ts.lua\n", [[
      files.fail("read", 5)
      local _, err = pcall(fs.read, "s.lua")
      print(err.code, err.call, err.about)
    ]])
  end)
end)

describe("a task that is killed", function()
  it("leaves its change of files to the thread, which undoes it [W3, C9]",
    function()
      script("true\told\n", [[
        fs.write("old", "old")
        local inner <close> = aw.EventLoop { clock = "real", grace = 0,
          signals = false }
        files.hang "fsync"
        local task = inner:start(aw.Call(fs.write, "old", "new",
          { atomic = true }))
        inner:run(0.05)
        files.release()
        wait_until(function() return names() == "old" end)
        print(task.status ~= "waiting", fs.read "old")
      ]])
    end)
end)
