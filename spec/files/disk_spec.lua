-- Files on disks that are full or cannot be written, and without permission:
-- see spec/support/disks.lua [W4, W14].

local disks = require "spec.support.disks"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

describe("a full disk", function()
  it("is an error of write and append; the loop goes on [W14]", function()
    disks.prints("ENOSPC\tENOSPC\tok\n", [[
      local first = code_of(fs.write, "small/a", ("x"):rep(100000))
      local second = code_of(fs.append, "small/a", ("x"):rep(100000))
      fs.unlink "small/a"
      fs.write("small/a", "ok")
      print(first, second, fs.read "small/a")
    ]])
  end)

  it("leaves the old file of an atomic write, and no other [W4]", function()
    disks.prints("ENOSPC\told\t1\n", [[
      fs.write("small/a", "old")
      local code = code_of(fs.write, "small/a", ("x"):rep(100000),
        { atomic = true })
      print(code, fs.read "small/a", #fs.scandir "small")
    ]])
  end)

  it("leaves no copy [W6]", function()
    disks.prints("ENOSPC\tsmall/b\t0\n", [[
      fs.write("large", ("x"):rep(100000))
      local _, err = pcall(fs.copy, "large", "small/b")
      print(err.code, err.about, #fs.scandir "small")
    ]])
  end)

  it("is an error of mkdir [W14]", function()
    disks.prints("ENOSPC\n", [[
      print(code_of(function()
        for i = 1, 100 do fs.mkdir("small/" .. i) end
      end))
    ]])
  end)
end)

describe("a disk that cannot be written", function()
  it("is an error of each change, and can be read [W14]", function()
    disks.prints("text\t2\n" .. ("EROFS\n"):rep(8), [[
      print(fs.read "locked/file", #fs.scandir "locked")
      print(code_of(fs.write, "locked/new", "x"))
      print(code_of(fs.write, "locked/new", "x", { atomic = true }))
      print(code_of(fs.write, "locked/file", "x", { atomic = true }))
      print(code_of(fs.append, "locked/file", "x"))
      print(code_of(fs.unlink, "locked/file"))
      print(code_of(fs.rename, "locked/file", "locked/new"))
      print(code_of(fs.mkdir, "locked/new"))
      print(code_of(fs.copy, "locked/file", "locked/new"))
    ]])
  end)

  it("accepts a folder that is there for mkdir with `parents` [W9]", function()
    disks.prints("ok\tEEXIST\n", [[
      fs.mkdir("locked/folder", { parents = true })
      print("ok", code_of(fs.mkdir, "locked/folder"))
    ]])
  end)
end)

describe("two disks", function()
  it("cannot share a file by rename, but by copy [W10]", function()
    disks.prints("EXDEV\ttext\n", [[
      local code = code_of(fs.rename, "small", "s.lua/x")
      fs.write("a", "text")
      code = code_of(fs.rename, "a", "small/a")
      fs.copy("a", "small/a")
      print(code, fs.read "small/a")
    ]])
  end)
end)

--- Run the body of a task without the rights of root.
local function as_nobody(expected, text)
  local outcome = process.run([[
    chmod 755 .; mkdir open closed; chmod 777 open
    printf text >closed/file; chmod 700 closed
    printf text >open/locked; chmod 444 open/locked
    printf text >open/secret; chmod 600 open/secret
    [ "$(id -u)" = 0 ] || exec echo "not root"
    exec setpriv --reuid 65534 --regid 65534 --clear-groups $aiowire s.lua]],
    { ["s.lua"] = [[
local aw = require "aiowire"
local fs = aw.fs
local function code_of(f, ...)
  local ok, err = pcall(f, ...)
  return ok and "fine" or err.code
end
aw.run(function()
]] .. text .. "\nend)" })
  if outcome.out == "not root\n" or outcome.err:find "setpriv" then
    helper.pending "only root can become another user"
  end
  process.assert_outcome(expected, 0, outcome)
end

describe("a file without permission", function()
  it("is an error of each operation [W14]", function()
    as_nobody(("EACCES\n"):rep(9) .. "text\n", [[
      print(code_of(fs.read, "open/secret"))
      print(code_of(fs.read, "closed/file"))
      print(code_of(fs.stat, "closed/file"))
      print(code_of(fs.scandir, "closed"))
      print(code_of(fs.write, "open/locked", "x"))
      print(code_of(fs.append, "open/locked", "x"))
      print(code_of(fs.write, "closed/new", "x", { atomic = true }))
      print(code_of(fs.mkdir, "closed/new"))
      print(code_of(fs.copy, "open/secret", "open/copy"))
      print(fs.read "open/locked")
    ]])
  end)

  it("is not replaced by an atomic write [W4]", function()
    as_nobody("EACCES\ttext\t2\n", [[
      print(code_of(fs.write, "open/locked", "x", { atomic = true }),
        fs.read "open/locked", #fs.scandir "open")
    ]])
  end)

  it("keeps its mode in an atomic write of its owner [W4]", function()
    as_nobody("2505\n", [[
      fs.write("open/own", "old")
      os.execute "chmod 4711 open/own"
      fs.write("open/own", "new", { atomic = true })
      print(fs.stat("open/own").mode)
    ]])
  end)

  it("has no matches, but is no error of glob [W12]", function()
    as_nobody("open/locked open/secret\tclosed open\n", [[
      print(table.concat(fs.glob "{open,closed}/*", " "),
        table.concat(fs.glob "[oc][lp]*", " "))
    ]])
  end)
end)
