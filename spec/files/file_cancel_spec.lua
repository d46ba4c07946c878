-- Cancelling operations on files whose system calls hang: see
-- spec/support/files.c. Each script runs in a process of its own.

local files = require "spec.support.files"

local script = files.prints

--- Returns a script whose inner loop copies to "new" without end, and runs
--- `meanwhile` when "new" is there. What is left after `grace` seconds is
--- killed.
local function copying(grace, meanwhile)
  return ([[
      local inner <close> = aw.EventLoop { clock = "real", grace = %s,
        signals = false }
      local task = inner:start(aw.Call(fs.copy, "/dev/zero", "new"))
      inner:start(function()
        wait_until(function() return names() == "new" end)
        %s
      end)
      inner:run()
  ]]):format(grace, meanwhile)
end

describe("a cancelled read of a file", function()
  it("is forgotten at once, however long its thread hangs [W2, C10]",
    function()
      script("cancelled\t1\n", [[
        files.hang "read"
        local task = ev:start(aw.Call(fs.read, "s.lua"))
        hanging(1)
        task:cancel_wait()
        print(task.status, files.hanging())
      ]])
    end)

  it("does not keep the program from ending [W2]", function()
    script("over\n", [[
      files.hang "read"
      local task = ev:start(aw.Call(fs.read, "s.lua"))
      hanging(1)
      task:cancel()
      print "over"
    ]])
  end)

  it("leaves its place to others [W1]", function()
    script("true\n", [[
      files.hang "read"
      local tasks = {}
      for i = 1, 4 do tasks[i] = ev:start(aw.Call(fs.read, "s.lua")) end
      hanging(4)
      for i = 1, 4 do tasks[i]:cancel_wait() end
      print(fs.stat("s.lua").size > 0)
      files.release()
    ]])
  end)

  it("loses a time-out and a race [W2, O8, O5]", function()
    script("true\tlate\n", [[
      files.hang "read"
      local ok, err = pcall(aw.timeout, 0.001, fs.read, "s.lua")
      local late = aw.Sleep(0.001) >> aw.Value "late"
      print(not ok and aw.is_timeout(err),
        aw.await(aw.Call(fs.read, "s.lua") | late))
    ]])
  end)
end)

describe("a change of files that waits for a thread", function()
  it("is taken back, and has not happened [W3]", function()
    script("cancelled\tcancelled\t\n0\n", [[
      files.hang "read"
      for _ = 1, 4 do ev:start(aw.Call(fs.read, "s.lua"), aw.keep) end
      hanging(4)
      local write = ev:start(aw.Call(fs.write, "new", "text"))
      local make = ev:start(aw.Call(fs.mkdir, "folder"))
      aw.yield() aw.yield()
      write:cancel_wait() make:cancel_wait()
      files.release()
      print(write.status, make.status, names())
      print(files.calls "mkdir")
    ]])
  end)
end)

--- A spec: `operation` is cancelled while a call of `call` hangs. It then ends
--- as `status`, and leaves the files `left`.
local function cancelled(fact, call, operation, status, left, after)
  it(fact, function()
    script(("waiting\n%s\t%s\n"):format(status, left), ([[
      fs.write("old", "old")
      files.hang("%s", %d)
      local outcome = "cancelled"
      local task = ev:start(function()
        fs.%s
        outcome = "told"
      end)
      hanging(1)
      task:cancel()
      aw.yield() aw.yield()
      print(task.status)
      files.release()
      task:cancel_wait()
      print(outcome, names())
    ]]):format(call, after or 0, operation))
  end)
end

describe("a change of files that is cancelled under way", function()
  cancelled("leaves the old file of an atomic write, and no other [W3]",
    "fsync", 'write("old", "new", { atomic = true })', "cancelled", "old")

  cancelled("removes the new folders of mkdir [W3]", "mkdir",
    'mkdir("a/b/c", { parents = true })', "cancelled", "old", 1)

  cancelled("removes the new target of a copy [W3]", "copy_file_range",
    'copy("old", "new")', "cancelled", "old")

  cancelled("removes a tempfile [W3]", "open", "tempfile()", "cancelled",
    "old")

  cancelled("finishes a plain write, and tells so [W3, C6]", "write",
    'write("new", "new")', "told", "new old")

  cancelled("finishes an append [W3, C6]", "write",
    'append("old", "new")', "told", "old")

  cancelled("finishes a rename [W3, C6]", "rename",
    'rename("old", "new")', "told", "new")

  cancelled("finishes an unlink [W3, C6]", "unlink", 'unlink("old")', "told",
    "")
end)

describe("a cancelled mkdir", function()
  it("leaves folders that others have made [W3]", function()
    script("cancelled\tb\t0\n", [[
      files.hang("mkdir", 1)
      local task = ev:start(aw.Call(fs.mkdir, "a/b/c", { parents = true }))
      hanging(1)
      aw.exec { "mkdir", "a/b", env = { PATH = os.getenv "PATH" } }
      task:cancel()
      aw.yield()
      files.release()
      task:cancel_wait()
      print(task.status, fs.scandir("a")[1].name, #fs.scandir "a/b")
    ]])
  end)
end)

describe("what a cancelled operation on files had", function()
  it("is released at once, without the collector [W2, X10]", function()
    script("true\n", [[
      collectgarbage "stop"
      aw.exec { "mkfifo", "fifo", env = { PATH = os.getenv "PATH" } }
      local before = #fs.scandir "/proc/self/fd"
      files.hang "open"
      local task = ev:start(aw.Call(fs.read, "fifo"))
      hanging(1)
      task:cancel_wait()
      files.release()
      wait_until(function()
        return #fs.scandir "/proc/self/fd" == before
      end)
      print(true)
    ]])
  end)
end)

--- A copy to "new" hangs, and another file takes that name; then `ends`.
local function replaced(fact, ends)
  it(fact, function()
    script("other\n", ([[
      fs.write("old", "old")
      fs.write("other", "other")
      files.hang "copy_file_range"
      local task = ev:start(aw.Call(fs.copy, "old", "new"), aw.keep)
      hanging(1)
      os.rename("other", "new")
      %s
      files.release "copy_file_range"
      pcall(task.wait, task)
      print(fs.read "new")
    ]]):format(ends))
  end)
end

describe("a new copy whose name another file has taken", function()
  replaced("is left alone by a cancel [W3]", "task:cancel() aw.yield()")
  replaced("is left alone by a failure [W6]",
    'files.fail("copy_file_range", 5)')
end)

describe("a copy from a device to a new file", function()
  it("removes it when it is cancelled [W3]", function()
    script("cancelled\t\n", [[
      local task = ev:start(aw.Call(fs.copy, "/dev/zero", "new"))
      wait_until(function() return names() == "new" end)
      task:cancel_wait()
      print(task.status, names())
    ]])
  end)

  it("removes it in the end, even if the clean-up is killed", function()
    script("cancelled\tnew\n", 'files.hang "unlink"\n'
      .. copying(0.05, "task:cancel()") .. [[
      print(task.status, names())
      files.release()
      wait_until(function() return names() == "" end)
    ]])
  end)

  it("removes it in the end, even if the task is killed meanwhile", function()
    script("cancelled\tnew\n", 'files.hang "unlink"\n'
      .. copying(0, "task:cancel() hanging(1) inner:stop()") .. [[
      print(task.status, names())
      files.release()
      wait_until(function() return names() == "" end)
    ]])
  end)

  it("removes it when it is killed [W3, C9]", function()
    script("cancelled\n", copying(0, "inner:stop()") .. [[
      wait_until(function() return names() == "" end)
      print(task.status)
    ]])
  end)

  it("removes it when it fails [W6]", function()
    script("EIO\t\n", [[
      files.fail("write", 5, 1)
      local _, err = pcall(fs.copy, "/dev/zero", "new")
      print(err.code, names())
    ]])
  end)
end)

describe("a write to a file that hangs", function()
  it("is told by a dump with the name of the file", function()
    script("stream:write f\n", [[
      local f <close> = fs.open("f", "w")
      files.hang "write"
      f:write "text"
      hanging(1)
      print(ev:dump():match "stream:write f")
      files.release()
    ]])
  end)
end)
