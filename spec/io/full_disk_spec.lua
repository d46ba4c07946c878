-- Files on a disk that is full, a small tmpfs, and without threads [W23, W26].

local helper = require "spec.support.helper"
local process = require "spec.support.process"
local resolver = require "spec.support.resolver"

local PREPARE <const> = [[
mkdir disk && mount -t tmpfs -o size=1m none disk 2>mount.err || exit 77
exec "$1" s.lua
]]

local PRELUDE <const> = [[
local aw = require "aiowire"
local BIG <const> = ("x"):rep(3 << 20)
local function open(mode)
  os.remove "disk/file"
  return aw.fs.open("disk/file", mode or "w")
end
local function try(f, ...)
  local ok, err = pcall(f, ...)
  print(ok and "fine" or type(err) == "string" and err:gsub("^.-: ", "")
    or ("%s %s %s"):format(err.call, err.about, err.code))
end
]]

--- Run the body of a task beside the folder `disk`, which holds 1 MiB.
local function full(expected, text)
  if not os.execute "unshare -Urm true 2>/dev/null" then
    helper.pending "no file system of its own is to be had"
  end
  local outcome = process.run("exec unshare -Urm sh ./prepare $aiowire", {
    prepare = PREPARE,
    ["s.lua"] = PRELUDE .. "aw.run(function(ev)\n" .. text .. "\nend)",
  })
  if outcome.code == 77 then
    helper.pending "no tmpfs can be mounted"
  end
  process.assert_outcome(expected, 0, outcome)
  return outcome.err
end

local ENOSPC <const> = " disk/file ENOSPC\n"

describe("a full disk", function()
  it("fails the write that meets it, and each one after it [W23]", function()
    local err = full("write" .. ENOSPC .. "flush" .. ENOSPC .. "write" .. ENOSPC
      .. "sync" .. ENOSPC .. "fine\n1048576\n", [[
      local s = open()
      try(s.write, s, BIG)
      try(s.flush, s)
      try(s.write, s, "x")
      try(s.sync, s)
      try(s.close, s)
      local file = io.open "disk/file"
      print(file:seek "end")
    ]])
    assert.are.equal("", err)
  end)

  it("fails the flush, the sync or the close that meets it [W23]", function()
    full("flush" .. ENOSPC .. "fine\nsync" .. ENOSPC .. "close" .. ENOSPC
      .. "fine\nclose" .. ENOSPC .. "seek" .. ENOSPC .. "fine\n", [[
      local function filled(mode)
        local s = open(mode)
        s:configure { high_water = 1 << 24 }
        return s:write(BIG)
      end
      local s = filled()
      try(s.flush, s)
      try(s.close, s)
      s = filled()
      try(s.sync, s)
      s = filled()
      try(s.close, s)
      try(s.close, s)
      try(function()
        local s <close> = filled()
      end)
      s = filled "w+"
      try(s.seek, s)
      try(s.read, s)
    ]])
  end)

  it("is told by a warning if another error leaves the block, or the stream "
    .. "is garbage [W23, D4]", function()
    local err = full("mine\nfine\n", [[
      try(function()
        local s <close> = open()
        s:configure { high_water = 1 << 24 }
        s:write(BIG)
        error "mine"
      end)
      try(function()
        local s = open()
        s:configure { high_water = 1 << 24 }
        s:write(BIG)
        while not tostring(s):find "ENOSPC" do
          aw.sleep(0.001)
        end
        s = nil
        collectgarbage()
        collectgarbage()
      end)
    ]])
    local count = select(2,
      err:gsub("bytes written to 'disk/file' are lost %(no space", ""))
    assert.are.equal(2, count, err)
  end)

  it("fails a copy, and the start of a child that gets the file [W23, W27]",
    function()
      full("write" .. ENOSPC .. "spawn stdout (stream 'disk/file') ENOSPC\n", [[
        try(aw.copy, aw.fs.open "/dev/zero", open())
        local s = open()
        s:configure { high_water = 1 << 24 }
        s:write(BIG)
        try(aw.spawn, { "echo", stdout = s })
      ]])
    end)
end)

describe("a file without threads", function()
  it("is read and written by the thread of the loop [W29]", function()
    resolver.prints("one\t100004\n", [[
      local aw = require "aiowire"
      aw.run(function()
        resolver.refuse(true)
        local path = os.tmpname()
        local s = aw.fs.open(path, "w")
        s:write("one\n"):write(("x"):rep(100000))
        s:sync()
        s:close()
        s = aw.fs.open(path)
        os.remove(path)
        print(s:read(), 4 + #s:read "a")
        s:close()
      end)
    ]])
  end)
end)
