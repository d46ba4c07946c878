-- Every example, and every program in README.md, runs as it stands.

local process = require "spec.process"
local sockets = require "spec.sockets"

local quoted, read = process.quoted, process.read

-- Is this a program with sockets, and no libzmq for it?
local function lacks_libzmq(text)
  return text:find("zmq", 1, true) ~= nil and not sockets.installed
end

local function assert_ran(outcome)
  local said = outcome.out .. outcome.err
  assert.is_nil(outcome.signal, said)
  assert.are_not.equal(124, outcome.code, "it did not end: " .. said)
  assert.are.equal(0, outcome.code, said)
end

-- Awaits outside of wires are for the program only; all else must do the same
-- under a stock lua5.4.
local function assert_ran_or_awaits_in_main_chunk(outcome)
  if outcome.err:find("cannot await outside a task", 1, true) then
    assert.are.equal(1, outcome.code)
    return
  end
  assert_ran(outcome)
end

local examples = process.files("examples", "^examples/[^/]+%.lua$")

describe("the examples", function()
  it("are there [examples]", function()
    assert.is_true(#examples > 0)
  end)

  for _, path in ipairs(examples) do
    local full = quoted(process.root .. "/" .. path)

    it(path .. " runs in the program [examples]", function()
      if lacks_libzmq(path) then
        pending "libzmq is not installed"
        return
      end
      assert_ran(process.run("exec $aiowire " .. full .. " </dev/null"))
    end)

    it(path .. " runs under lua5.4 [examples]", function()
      if process.sanitized or lacks_libzmq(path) then
        pending "needs a stock lua5.4, and for sockets libzmq"
        return
      end
      assert_ran_or_awaits_in_main_chunk(
        process.run("exec $lua " .. full .. " </dev/null")
      )
    end)
  end
end)

-- { line, code } for each ```lua block of a Markdown text.
local function blocks_of(text)
  local blocks, block, line = {}, nil, 0
  for row in (text .. "\n"):gmatch "(.-)\n" do
    line = line + 1
    if block and row:find "^%s*```%s*$" then
      block.code = table.concat(block, "\n") .. "\n"
      blocks[#blocks + 1], block = block, nil
    elseif block then
      block[#block + 1] = row
    elseif row:find "^%s*```lua%s*$" then
      block = { line = line }
    end
  end
  return blocks
end

-- A block that asks for the module is a program; others are fragments.
local function is_program(code)
  return code:find 'require%s*%(?["\']aiowire["\']' ~= nil
end

describe("README.md", function()
  local blocks = blocks_of(read "README.md")
  local programs = 0

  for _, block in ipairs(blocks) do
    local name = ("the block at line %d"):format(block.line)

    it(name .. " is Lua [README]", function()
      local chunk, message = load(block.code, "=README.md", "t")
      chunk = chunk or load("return " .. block.code, "=README.md", "t")
      assert.is_truthy(chunk, message)
    end)

    if is_program(block.code) then
      programs = programs + 1
      it(name .. " runs as it stands [README]", function()
        if lacks_libzmq(block.code) then
          pending "libzmq is not installed"
          return
        end
        assert_ran(process.host(block.code))
      end)

      it(name .. " runs under lua5.4 [README]", function()
        if process.sanitized or lacks_libzmq(block.code) then
          pending "needs a stock lua5.4, and for sockets libzmq"
          return
        end
        assert_ran_or_awaits_in_main_chunk(process.stock(block.code))
      end)
    end
  end

  it("shows at least one whole program [README]", function()
    assert.is_true(programs > 0)
  end)
end)

describe("the reading of Markdown", function()
  it("finds the blocks of Lua, and no others [README]", function()
    local blocks = blocks_of(table.concat({
      "text", "```lua", 'local aw = require "aiowire"', "```",
      "```sh", "ls", "```", "```lua", "x = 1", "y = 2", "```",
    }, "\n"))
    assert.are.equal(2, #blocks)
    assert.are.equal(2, blocks[1].line)
    assert.is_true(is_program(blocks[1].code))
    assert.are.equal("x = 1\ny = 2\n", blocks[2].code)
    assert.is_false(is_program(blocks[2].code))
  end)
end)
