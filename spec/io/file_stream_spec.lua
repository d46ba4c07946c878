-- Streams of files: threads read ahead and write behind [W20-W29].

local aw = require "aiowire"
local clients = require "spec.support.clients"
local helper = require "spec.support.helper"
local process = require "spec.support.process"

local raises = helper.raises

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function make(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- Returns a function for `it` that runs `f(path, ev)` in a loop. There is no
--- file at `path` yet.
local function with_path(f)
  return function()
    clients.in_folder(function(folder)
      helper.run(function(ev)
        f(folder .. "/file", ev)
      end)
    end)
  end
end

--- Starts `f` and returns its task once it waits.
local function waiting(ev, f, ...)
  return helper.waiting(ev, aw.Call(f, ...))
end

--- Starts `f`, lets it begin, and cancels it. It may have ended before.
--- Returns true and its results, or false.
local function cut(ev, f, ...)
  local t = ev:start(aw.Call(f, ...))
  for _ = 1, math.random(0, 3) do
    aw.sleep(0)
  end
  t:cancel_wait()
  return pcall(t.wait, t)
end

local LONG <const> = {}
for i = 1, helper.scale(60000) do
  LONG[i] = ("line %d %s"):format(i, ("x"):rep(i % 40))
end
local TEXT <const> = table.concat(LONG, "\n") .. "\n"

describe("a file that is read", function()
  it("gives what io gives, for all formats [W20]", with_path(function(path)
    make(path, TEXT .. "last")
    local s <close> = aw.fs.open(path)
    local f <close> = assert(io.open(path))
    local random = math.random
    for _ = 1, helper.scale(300) do
      local kind = random(6)
      local formats = kind == 1 and { "l" } or kind == 2 and { "L" }
        or kind == 3 and { random(200) }
        or kind == 4 and { "l", random(9), "L" }
        or kind == 5 and { 0 } or { random(9000) }
      assert.are.same(table.pack(f:read(table.unpack(formats))),
        table.pack(s:read(table.unpack(formats))))
    end
    assert.are.equal(f:seek(), s:seek())
    assert.are.equal(f:read "a", s:read "a")
    assert.are.same({ f:read "l", f:read "a", f:read(0), f:read(3) },
      { s:read "l", s:read "a", s:read(0), s:read(3) })
  end))

  it("gives its lines, by lines() and by read_until() [W20]",
    with_path(function(path)
      make(path, TEXT)
      local n = 0
      for line in aw.fs.open(path):lines() do
        n = n + 1
        assert.are.equal(LONG[n], line)
      end
      assert.are.equal(#LONG, n)
      local s <close> = aw.fs.open(path)
      for i = 1, #LONG do
        assert.are.equal(LONG[i], s:read_until "\n")
      end
      assert.is_nil(s:read_until "\n")
    end))

  it("has no limit but its own for a read of everything [W20]",
    with_path(function(path)
      local text = ("\0\1\2\n"):rep(700000)
      make(path, text)
      local s <close> = aw.fs.open(path)
      assert.are.equal("\0\1\2", s:read())
      assert.is_true(s:read "a" == text:sub(5))
      assert.are.equal("", s:read "a")
      assert.is_nil(s:read_some())
      s:seek "set"
      assert.is_true(s:read(10000000) == text)
    end))

  it("may grow after its end was seen [W20]", with_path(function(path)
    make(path, "one\n")
    local s <close> = aw.fs.open(path)
    assert.are.equal("one", s:read())
    assert.is_nil(s:read())
    local more <close> = assert(io.open(path, "a"))
    more:write("two\n"):flush()
    assert.are.equal("two", s:read())
    assert.is_nil(s:read_some())
    more:write("three"):flush()
    assert.are.equal("three", aw.await(aw.Recv(s)))
    assert.is_nil(aw.await(aw.Recv(s)))
    more:write("four\n"):flush()
    assert.are.equal("four", s:read_until "\n")
  end))

  it("has bytes that came since its end was read [W20]",
    with_path(function(path)
      make(path, "one\nt")
      local s <close> = aw.fs.open(path)
      local more <close> = assert(io.open(path, "a"))
      local function grow(text)
        more:write(text):flush()
      end
      assert.are.equal("one", s:read())
      grow "wo\nth"
      assert.are.equal("two", s:read())
      grow "ree\nfo"
      local next_line = s:lines()
      assert.are.equal("three", next_line(s))
      grow "ur\nfi"
      assert.are.equal("four", next_line(s))
      grow "ve\nsi"
      assert.are.equal("five", s:read_until "\n")
      grow "x\nseven"
      assert.are.equal("six", s:read_until "\n")
      assert.are.equal("seven", s:read "a")
      for _, read in ipairs {
        function() return s:read "a" end,
        function() return s:read(9) end,
        function() return s:read_some() end,
        function() return aw.await(aw.Recv(s)) end,
      } do
        grow "more"
        assert.are.equal("more", read())
      end
    end))

  it("loses nothing when a read is cancelled [W21, C10]",
    with_path(function(path, ev)
      make(path, TEXT)
      local s <close> = aw.fs.open(path)
      local list = {}
      for i = 1, helper.scale(300) do
        local n = i % 7 == 0 and 200000 or 5000
        local ok, first, second = cut(ev, s.read, s, "L", n)
        if ok then
          list[#list + 1] = (first or "") .. (second or "")
        end
      end
      list[#list + 1] = s:read "a"
      assert.is_true(table.concat(list) == TEXT)
    end))

  it("is an event, and loses nothing to a race [W21, X9]",
    with_path(function(path)
      make(path, TEXT)
      local s <close> = aw.fs.open(path)
      local list = {}
      repeat
        local text = aw.await(aw.Recv(s)
          | aw.Sleep(0) >> aw.Value(""))
        list[#list + 1] = text
      until not text
      assert.is_true(table.concat(list) == TEXT)
    end))

  it("is read by several tasks, each of which gets whole lines [W21]",
    with_path(function(path)
      make(path, TEXT)
      local s <close> = aw.fs.open(path)
      local seen = {}
      local readers = {}
      for i = 1, 4 do
        readers[i] = aw.Call(function()
          for line in s:lines() do
            seen[#seen + 1] = line
            if #seen % 5000 == 0 then
              aw.sleep(0)
            end
          end
        end)
      end
      aw.all(readers)
      assert.are.equal(TEXT, table.concat(seen, "\n") .. "\n")
    end))

  it("is always ready, and no socket [W20]", with_path(function(path)
    make(path, "x")
    local s <close> = aw.fs.open(path)
    assert.are.equal(s, aw.await(aw.Readable(s)) or s)
    assert.are.equal("ENOTSOCK", raises("", s.peer, s).code)
    assert.are.equal("ENOTSOCK", raises("", s.name, s).code)
    assert.are.equal("EBADF", raises("", s.write, s, "x").code)
    s:configure { max_line = 1 }
    assert.are.equal("x", s:read())
  end))
end)

describe("a file that is written", function()
  it("has all bytes once it is closed [W22]", with_path(function(path)
    do
      local s <close> = aw.fs.open(path, "w")
      for i = 1, #LONG do
        s:write(LONG[i], "\n")
      end
    end
    assert.is_true(contents(path) == TEXT)
    local s = aw.fs.open(path, "a")
    s:write "more"
    s:close()
    assert.is_true(contents(path) == TEXT .. "more")
  end))

  it("has all bytes after a flush, and after a sync [W22]",
    with_path(function(path)
      local s <close> = aw.fs.open(path, "w")
      assert.are.equal(s, s:write("one"):flush())
      assert.are.equal("one", contents(path))
      assert.are.equal(s, s:write("two"):sync())
      assert.are.equal("onetwo", contents(path))
      assert.are.equal(s, s:sync())
      s:write(TEXT, TEXT):flush()
      assert.is_true(contents(path) == "onetwo" .. TEXT .. TEXT)
      s:write "end"
      s:shutdown()
      assert.are.equal("EPIPE", raises("", s.write, s, "x").code)
      assert.is_true(contents(path) == "onetwo" .. TEXT .. TEXT .. "end")
    end))

  it("takes a large write as one, also if it is cancelled [W23, C10]",
    with_path(function(path, ev)
      local large = TEXT:rep(8)
      local s <close> = aw.fs.open(path, "w")
      s:configure { high_water = 1000 }
      local t = waiting(ev, s.write, s, large)
      local other = waiting(ev, s.write, s, "other")
      t:cancel()
      other:wait()
      assert.are.equal("done", t.status)
      s:write "end"
      s:flush()
      assert.is_true(contents(path) == large .. "otherend")
    end))

  it("is written when its loop has ended without a close [W22]", function()
    clients.in_folder(function(folder)
      local path <const> = folder .. "/file"
      local s
      aw.run(function()
        s = aw.fs.open(path, "w")
        s:write "not closed"
      end)
      assert.are.equal("not closed", contents(path))
      s = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
    end)
  end)

  it("is written when its loop fails, or is stopped [W22]", function()
    clients.in_folder(function(folder)
      local path <const> = folder .. "/file"
      assert.is_false(pcall(aw.run, function()
        local s = aw.fs.open(path, "w")
        s:write(TEXT)
        error "failed"
      end))
      assert.is_true(contents(path) == TEXT)
      local ev = aw.EventLoop()
      ev:start(function()
        local s = aw.fs.open(path, "w")
        s:write(TEXT):write "more"
        ev:stop()
      end)
      ev:run()
      assert.is_true(contents(path) == TEXT .. "more")
      collectgarbage()
      collectgarbage()
    end)
  end)

  it("is written when the program ends, however it does [W22]",
    with_path(function(path)
      for _, ending in ipairs { "", "os.exit(0)", "os.exit(0, true)",
        "error 'x'", "s = nil collectgarbage() collectgarbage()" } do
        local program = ([[
          local aw = require "aiowire"
          aw.run(function()
            s = aw.fs.open(%q, "w")
            s:write(("x"):rep(3000000)):write "end"
            %s
          end)
        ]]):format(path, ending)
        aw.exec { process.binary, "-e", program, check = false,
          stderr = "null" }
        assert.is_true(contents(path) == ("x"):rep(3000000) .. "end", ending)
      end
    end))

  it("is closed with what was written outside of tasks, too [W22]", function()
    clients.in_folder(function(folder)
      local path <const> = folder .. "/file"
      local s
      aw.run(function()
        s = aw.fs.open(path, "w")
        s:write "one"
      end)
      s:close()
      s:close()
      assert.are.equal("one", contents(path))
      assert.are.equal("closed", tostring(s):match "%((.-)%)")
    end)
  end)

  it("takes bytes of aw.copy, and gives them [W24]", with_path(function(path)
    make(path, TEXT)
    do
      local from <close> = aw.fs.open(path)
      local to <close> = aw.fs.open(path .. "2", "w")
      to:write "begin"
      assert.are.equal(#TEXT, aw.copy(from, to))
      to:write "end"
    end
    assert.is_true(contents(path .. "2") == "begin" .. TEXT .. "end")
    local from <close> = aw.fs.open(path)
    local cat <close> = aw.spawn { "cat" }
    local text
    aw.all({ aw.Call(function()
      aw.copy(from, cat.stdin)
      cat.stdin:shutdown()
    end), aw.Call(function()
      local to <close> = aw.fs.open(path .. "3", "w")
      text = aw.copy(cat.stdout, to)
    end) })
    assert.are.equal(#TEXT, text)
    assert.is_true(contents(path .. "3") == TEXT)
    local both <close> = aw.fs.open(path, "r+")
    assert.are.equal(0, aw.copy(from, both))
    assert.are.equal("EINVAL", raises("copy", aw.copy, both, both).code)
  end))
end)

describe("a file that is read and written", function()
  it("has one position, as io has it [W25]", with_path(function(path)
    local other <const> = path .. "2"
    for _, mode in ipairs { "r+", "w+", "a+" } do
      make(path, TEXT:sub(1, 200000))
      make(other, TEXT:sub(1, 200000))
      do
        local s <close> = aw.fs.open(path, mode)
        local f <close> = assert(io.open(other, mode))
        local size = 0
        for i = 1, helper.scale(300) do
          local kind = math.random(5)
          if kind == 1 then
            local n = math.random(3000)
            assert.are.equal(f:read(n), s:read(n))
          elseif kind == 2 then
            assert.are.equal(f:read(), s:read())
          elseif kind == 3 then
            local text = ("<%d>"):format(i):rep(math.random(40))
            f:seek "cur" -- stdio asks for it, ours does not
            f:write(text)
            f:flush()
            s:write(text)
            size = size + #text
          elseif kind == 4 then
            local whence = ({ "set", "cur", "end" })[math.random(3)]
            local offset = whence == "set" and math.random(100000)
              or math.random(-2000, 100)
            local at = f:seek(whence, offset)
            if at then
              assert.are.equal(at, s:seek(whence, offset))
            else
              assert.are.equal("EINVAL",
                raises("seek", s.seek, s, whence, offset).code)
            end
          else
            assert.are.equal(f:seek(), s:seek())
          end
          f:seek "cur"
        end
      end
      assert.is_true(contents(other) == contents(path), mode)
    end
  end))

  it("is read from where a write has ended [W25]", with_path(function(path)
    local s <close> = aw.fs.open(path, "w+")
    s:write "0123456789"
    assert.are.equal(10, s:seek())
    assert.are.equal(2, s:seek("set", 2))
    assert.are.equal("2", s:read(1))
    s:write "abc"
    assert.are.equal("6789", s:read "a")
    assert.are.equal(7, s:seek("end", -3))
    assert.are.equal("789", s:read "a")
    assert.are.equal(0, s:seek "set")
    assert.are.equal("012abc6789", s:read())
  end))

  it("is written where a read has ended, while it is synced [W25]",
    with_path(function(path, ev)
      make(path, "one\ntwo\nthree\n")
      local s <close> = aw.fs.open(path, "r+")
      assert.are.equal("one", s:read())
      local syncing = ev:start(aw.Call(s.sync, s))
      aw.sleep(0)
      s:write "TWO"
      syncing:wait()
      s:flush()
      assert.are.equal("one\nTWO\nthree\n", contents(path))
      assert.are.equal("", s:read())
    end))

  it("keeps its order for tasks that use it at the same time [W25]",
    with_path(function(path)
      make(path, TEXT)
      local s <close> = aw.fs.open(path, "r+")
      local got
      local half <const> = #TEXT // 2
      aw.all({ aw.Call(function()
        got = s:read(half)
      end), aw.Call(function()
        s:write "written"
      end), aw.Call(function()
        s:flush()
        s:sync()
      end) })
      assert.is_true(got == TEXT:sub(1, half))
      assert.are.equal(half + 7, s:seek())
      s:seek("set", half)
      assert.are.equal("written", s:read(7))
    end))
end)

describe("seek and sync", function()
  it("refuse what is no file [W26]", with_path(function()
    local p <close> = aw.spawn { "cat" }
    assert.are.equal("ESPIPE", raises("", p.stdin.seek, p.stdin).code)
    assert.are.equal("EINVAL", raises("", p.stdin.sync, p.stdin).code)
  end))

  it("refuse wrong arguments, closed streams, places before the file [W26]",
    with_path(function(path)
      local s = aw.fs.open(path, "w+")
      raises("#2 to 'seek' (invalid option 'x')", s.seek, s, "x")
      raises("#3 to 'seek'", s.seek, s, "set", "x")
      raises("#3 to 'seek'", s.seek, s, "set", 1.5)
      local err = raises("seek", s.seek, s, "set", -1)
      assert.are.equal("EINVAL", err.code)
      assert.are.equal(path, err.about)
      s:seek("set", 1 << 40)
      assert.are.equal("EOVERFLOW",
        raises("", s.seek, s, "cur", math.maxinteger).code)
      s:close()
      assert.is_true(aw.is_closed(raises("", s.seek, s)))
      assert.is_true(aw.is_closed(raises("", s.sync, s)))
      local r <close> = aw.fs.open(path)
      assert.are.equal("EBADF", raises("", r.sync, r).code)
    end))
end)

describe("a file that is given to a child", function()
  it("is read on from where the script was [W27]", with_path(function(path)
    make(path, TEXT)
    local s = aw.fs.open(path)
    assert.are.equal(LONG[1], s:read())
    assert.are.equal(LONG[2], s:read())
    local p <close> = aw.spawn { "cat", stdin = s }
    assert.is_true(LONG[1] .. "\n" .. LONG[2] .. "\n" .. p.stdout:read "a"
      == TEXT)
    assert.is_true(aw.is_closed(raises("", s.read, s)))
  end))

  it("is written behind what the script has written [W27]",
    with_path(function(path)
      local s = aw.fs.open(path, "w")
      s:write(TEXT)
      local p <close> = aw.spawn { "echo", "child", stdout = s }
      p:wait()
      assert.is_true(contents(path) == TEXT .. "child\n")
    end))

  it("is awaited by a spawn, which a cancel undoes [W27, C10]",
    with_path(function(path, ev)
      local text = ("x"):rep(1 << 23)
      local waited, written, cancels = false, {}, 0
      while not waited or cancels == 0 do
        local s <close> = aw.fs.open(path, "w")
        s:configure { high_water = #text + 1 }
        s:write(text)
        local t = ev:start(aw.Call(aw.spawn, { "echo", "child", stdout = s }),
          aw.keep)
        aw.sleep(0)
        written[1] = text
        if t.status == "waiting" then
          waited = true
          t:cancel_wait()
        end
        local ok, p = pcall(t.wait, t)
        if ok then
          p:wait()
          written[2] = "child\n"
        else
          cancels = cancels + 1
          s:flush()
          written[2] = nil
        end
        assert.is_true(contents(path) == table.concat(written))
      end
    end))
end)

describe("closing a file", function()
  it("ends the reads that wait for it [W28]", with_path(function(path, ev)
    make(path, TEXT)
    for _ = 1, helper.scale(20) do
      local s = aw.fs.open(path)
      local reading = ev:start(aw.Call(pcall, s.read, s, "a"))
      for _ = 1, math.random(0, 3) do
        aw.sleep(0)
      end
      s:close()
      local ok, err = reading:wait()
      assert.is_true(ok or aw.is_closed(err))
    end
  end))

  it("lets go of waits whose job is over already [W28]",
    with_path(function(path, ev)
      make(path, TEXT)
      for _, read in ipairs { aw.Recv, function(s)
        return aw.Call(s.read, s, "a")
      end } do
        for _ = 1, 3 do
          local s = aw.fs.open(path)
          local t = ev:start(read(s) | aw.Never)
          aw.sleep(0)
          local begun = os.clock()
          while os.clock() < begun + 0.01 do -- the thread is over meanwhile
          end
          s:close()
          t:cancel_wait()
        end
      end
    end))

  it("waits for the bytes in a cancelled task, too [W28, C12]",
    with_path(function(path, ev)
      local s = aw.fs.open(path, "w")
      local t = waiting(ev, function()
        local _ <close> = s
        s:write(TEXT)
        aw.sleep(100)
      end)
      t:cancel_wait()
      assert.is_true(contents(path) == TEXT)
    end))

  it("lets a collected stream write what it has [W28]", function()
    clients.in_folder(function(folder)
      local path <const> = folder .. "/file"
      helper.run(function()
        aw.fs.open(path, "w"):write(TEXT)
        collectgarbage()
        collectgarbage()
      end)
      assert.is_true(contents(path) == TEXT)
    end)
  end)
end)

describe("an open that is cancelled", function()
  it("leaves no descriptor [W29, C10]", with_path(function(path, ev)
    make(path, "text")
    for _, mode in ipairs { "r", "w", "a", "r+" } do
      for _ = 1, helper.scale(20) do
        cut(ev, aw.fs.open, path, mode)
      end
      pcall(aw.timeout, 0, aw.fs.open, path, mode)
    end
  end))
end)
