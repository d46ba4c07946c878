-- error() puts the file and line before its message. The program has an `error`
-- of its own (lua/host/state/error.c), which does what Lua's does.

--- Return the message of `call` in a chunk, at line `line` of it.
local function message(call, line, name)
  local source = ("\n"):rep(line - 1) .. call
  local ok, text = pcall(assert(load(source, name)))
  assert.is_false(ok)
  return text
end

describe("the place of error()", function()
  it("has the line, however many digits that has", function()
    for _, line in ipairs { 1, 9, 10, 99, 100, 12345, 1000000 } do
      assert.are.equal(("file.lua:%d: failed"):format(line),
        message("error 'failed'", line, "@file.lua"))
    end
  end)

  it("has the name of the chunk, cut to 59 bytes", function()
    local path = ("x"):rep(200)
    assert.are.equal(("...%s:3: failed"):format(("x"):rep(56)),
      message("error 'failed'", 3, "@" .. path))
    assert.are.equal("name:3: failed", message("error 'failed'", 3, "=name"))
    assert.are.equal('[string "error \'failed\'"]:1: failed',
      message("error 'failed'", 1))
  end)

  it("is right for texts that take turns on one line", function()
    local raise = load("local text = ...\nerror(text)", "=a")
    local other = load("local text = ...\nerror(text)", "=b")
    for _ = 1, 3 do
      for _, text in ipairs { "one", "two", "", ("x"):rep(1000) } do
        assert.are.same({ false, "a:2: " .. text }, { pcall(raise, text) })
        assert.are.same({ false, "b:2: " .. text }, { pcall(other, text) })
      end
    end
  end)

  it("is that of the level", function()
    local source = [[
      local level = ...
      local function inner() error("failed", level) end
      local function outer()
        inner()
      end
      outer()
    ]]
    local chunk = assert(load(source, "=file"))
    for level, text in ipairs {
      "file:2: failed", "file:4: failed", "file:6: failed"
    } do
      local _, got = pcall(chunk, level)
      assert.are.equal(text, got)
    end
  end)

  it("is absent at level 0, for C functions and below the stack", function()
    assert.are.equal("failed", message("error('failed', 0)", 1))
    assert.are.same({ false, "failed" }, { pcall(error, "failed") })
    assert.are.equal("failed", message("error('failed', 1000)", 1))
  end)

  it("stands before a message of any length, with any byte", function()
    for _, length in ipairs { 0, 1, 200, 255, 256, 257, 300, 400, 100000 } do
      local text = ("\0x"):rep(length // 2) .. ("y"):rep(length % 2)
      local _, got = pcall(load("error(...)", "=file"), text)
      assert.are.equal("file:1: " .. text, got)
    end
  end)

  it("is absent for values that are no strings", function()
    for _, value in ipairs { 42, true, {}, print } do
      assert.are.same({ false, value }, { pcall(error, value) })
      assert.are.same({ false, value },
        { pcall(load("error(...)", "=file"), value) })
    end
    assert.are.same({ false, nil }, { pcall(load "error()") })
    assert.are.same({ false, nil }, { pcall(load "error(nil)") })
  end)

  it("has a level that is an integer", function()
    assert.are.same(
      { false, "bad argument #2 to 'error' (number expected, got boolean)" },
      { pcall(error, "failed", true) })
  end)

  it("is absent without debug information", function()
    local chunk = assert(load "error 'failed'")
    local stripped = assert(load(string.dump(chunk, true), "=file", "b"))
    assert.are.same({ false, "failed" }, { pcall(stripped) })
  end)
end)
