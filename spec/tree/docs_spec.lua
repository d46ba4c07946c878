-- Every program in README.md and in docs/ runs as printed, under `aiowire` and
-- under lua5.4, and writes the output that is shown.
--
-- A program whose output is shown runs on a virtual clock, so a busy machine
-- does not change the order of its lines. If it runs other programs, or repeats
-- requests, the clock is the real one, since a virtual clock stands still while
-- a task waits for a child or a socket: its lines must not depend on times.

local certificates = require "spec.support.certificates"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

-- Documents whose blocks of Lua are no programs, or that have none.
local WITHOUT_PROGRAMS <const> = { ["docs/semantics.md"] = true,
  ["docs/pitfalls.md"] = true, ["docs/performance.md"] = true,
  ["docs/embedding.md"] = true, ["docs/api.md"] = true,
  ["docs/README.md"] = true, ["docs/packages.md"] = true,
  ["docs/developing.md"] = true }

local FILES <const> = { "README.md" }
for _, path in ipairs(process.files("docs", "^docs/[^/]+%.md$")) do
  if not WITHOUT_PROGRAMS[path] then
    FILES[#FILES + 1] = path
  end
end

-- Blocks ---------------------------------------------------------------------

-- Returns { line, code, output } for each ```lua block of a Markdown text.
-- `output` is the ``` block on the next line, if there is one, or a picture
-- that the program prints: a ```mermaid block.
local function blocks_of(text)
  local blocks, block, line, last = {}, nil, 0, nil
  for row in (text .. "\n"):gmatch "(.-)\n" do
    line = line + 1
    local fence = row:match "^%s*```(%w*)%s*$"
    if block and fence == "" then
      local body = table.concat(block, "\n") .. "\n"
      if block.language == "lua" then
        last = { line = block.line, code = body, ends = line }
        blocks[#blocks + 1] = last
      elseif (block.language == "" or block.language == "mermaid") and last
        and last.ends == block.line - 1 then
        last.output = body
      end
      block = nil
    elseif block then
      block[#block + 1] = row
    elseif fence then
      block = { line = line, language = fence }
    end
  end
  return blocks
end

-- A block that requires the module is a program; other blocks are fragments.
local function is_program(code)
  return code:find 'require%s*%(?["\']aiowire["\']' ~= nil
end

-- Does this program need sockets while libzmq is not installed?
local function lacks_libzmq(code)
  return code:find("zmq", 1, true) ~= nil and not sockets.installed
end

-- Certificates -------------------------------------------------------------

-- Returns the files that the commands in docs/tls.md make.
local function make_certificates()
  local commands = process.read("docs/tls.md"):match "```sh\n(openssl .-)```"
  local outcome = process.run("{ set -e\n" .. commands .. "} >&2\n"
    .. "for f in *; do printf '%s\\n' \"$f\"; cat \"$f\"; printf '\\f'; done")
  assert.are.equal(0, outcome.code, outcome.err)
  local files = {}
  for name, text in outcome.out:gmatch "(.-)\n(.-)\f" do
    files[name] = text
  end
  assert.is_truthy(files["ca.pem"] and files["server.key"], outcome.err)
  return files
end

local made

-- Does this program need certificates?
local function needs_certificates(code)
  return code:find "[\"'][%w_]+%.pem[\"']" ~= nil
end

-- Does this program run other programs, or repeat requests after a time-out?
local function needs_real_clock(code)
  return code:find "aw%.[Ee]xec" or code:find "aw%.spawn"
    or code:find "aw%.pipeline" or code:find "zmq%.request"
end

-- Running --------------------------------------------------------------------

-- A module for `-l virtual` that puts all loops on a virtual clock. Its chunk
-- is named like a part of the library, so the library does not name its lines
-- as the place where a task was started.
local virtual <const> = [==[
load([[
local aw = require "aiowire"
local loop, run = aw.EventLoop, aw.run
local function opts_of(opts)
  opts = type(opts) == "number" and { timeout = opts } or opts or {}
  local task = aw.current()
  if not task or task.name == "main" then -- others are on a virtual clock
    opts.clock = "virtual"
  end
  return opts
end
function aw.EventLoop(opts)
  return loop(opts_of(opts))
end
function aw.run(w, opts)
  return run(w, opts_of(opts))
end
]], "=[aiowire.docs]")()
]==]

-- Returns the file name of the program in the output of its block, or a
-- default.
local function name_of(block)
  return block.output and block.output:match "([%w_]+%.lua):%d" or "s.lua"
end

local function run(block, interpreter)
  local name = name_of(block)
  local files = { [name] = block.code, ["virtual.lua"] = virtual }
  for file, text in pairs(needs_certificates(block.code) and made
    or {}) do
    files[file] = text
  end
  return process.run(("exec $%s %s %s </dev/null"):format(interpreter,
    block.output and not needs_real_clock(block.code) and "-l virtual" or "",
    name), files)
end

local function check(block, interpreter)
  if lacks_libzmq(block.code)
    or interpreter == "lua" and process.sanitized then
    pending "needs a stock lua5.4, and for sockets libzmq"
    return
  end
  if needs_certificates(block.code) then
    if not certificates.installed() then
      pending "needs TLS, and the program openssl"
      return
    end
    made = made or make_certificates()
  end
  local outcome = run(block, interpreter)
  local said = outcome.out .. outcome.err
  if interpreter == "lua"
    and said:find("cannot await outside a task", 1, true) then
    assert.are.equal(1, outcome.code)
    return
  end
  assert.is_nil(outcome.signal, said)
  assert.are_not.equal(124, outcome.code, "it did not end: " .. said)
  assert.are.equal(0, outcome.code, said)
  if block.output then
    assert.are.equal(block.output, outcome.out)
  end
end

for _, path in ipairs(FILES) do
  describe(path, function()
    local programs = 0
    for _, block in ipairs(blocks_of(process.read(path))) do
      local name = ("the block at line %d"):format(block.line)

      it(name .. " is Lua [docs]", function()
        local chunk, message = load(block.code, "=" .. path, "t")
        chunk = chunk or load("return " .. block.code, "=" .. path, "t")
        assert.is_truthy(chunk, message)
      end)

      if is_program(block.code) then
        programs = programs + 1
        it(name .. " runs as it stands [docs]", function()
          check(block, "aiowire")
        end)

        it(name .. " runs under lua5.4 [docs]", function()
          check(block, "lua")
        end)
      end
    end

    it("shows at least one whole program [docs]", function()
      assert.is_true(programs > 0)
    end)
  end)
end

describe("the reading of Markdown", function()
  it("finds the blocks of Lua, their output, and no others [docs]", function()
    local blocks = blocks_of(table.concat({
      "text", "```lua", 'local aw = require "aiowire"', "```", "```", "out",
      "```", "```sh", "ls", "```", "```lua", "x = 1", "y = 2", "```", "",
      "```", "no output", "```", "```lua", "z = 1", "```", "```mermaid",
      "flowchart LR", "```", "```text", "none", "```",
    }, "\n"))
    assert.are.equal(3, #blocks)
    assert.are.equal(2, blocks[1].line)
    assert.are.equal("out\n", blocks[1].output)
    assert.is_true(is_program(blocks[1].code))
    assert.are.equal("x = 1\ny = 2\n", blocks[2].code)
    assert.is_nil(blocks[2].output)
    assert.is_false(is_program(blocks[2].code))
    assert.are.equal("flowchart LR\n", blocks[3].output)
  end)
end)
