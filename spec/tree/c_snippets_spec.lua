-- The C code of README.md and docs/embedding.md compiles as printed. A block
-- with a main function is a program: it runs, and writes the output that is
-- shown.
--
-- Other blocks are fragments: declarations of a file, or the statements of a
-- function, after the headers that they need. A block that begins with #include
-- has them all. The names of the library in the text are those of the headers.

local process = require "spec.support.process"

local quoted = process.quoted

local FILES <const> = { "README.md", "docs/embedding.md" }

local WARNINGS <const> = "-std=c11 -Wall -Wextra -Wpedantic -Werror "
  .. "-Wno-unused-function -Wno-unused-variable -Wno-unused-parameter "
  .. "-Wno-unused-const-variable"

local HEADERS <const> = [[
#define _POSIX_C_SOURCE 200809L
#include <aiowire.h>
#include <aiowire_lua.h>
#include <errno.h>
#include <lualib.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
]]

-- Returns { line, code, output } for each ```c block of a Markdown text.
-- `output` is the ``` block on the next line, if there is one.
local function blocks_of(text)
  local blocks, line, block = {}, 0, nil
  for row in (text .. "\n"):gmatch "(.-)\n" do
    line = line + 1
    local fence = row:match "^```(%w*)$"
    if block and fence then
      block.ends = line
      local last = blocks[#blocks]
      if block.language == "c" then
        blocks[#blocks + 1] = block
      elseif block.language == "" and last and last.ends == block.line - 1 then
        last.output = block.code
      end
      block = nil
    elseif block then
      block.code = block.code .. row .. "\n"
    elseif fence then
      block = { line = line, language = fence, code = "" }
    end
  end
  return blocks
end

local function is_program(code)
  return code:find "%f[%w_]main%(" ~= nil
end

-- Does the block stand at the level of a file? Else it has statements.
local function is_file(code)
  return code:find "^#include" ~= nil or code:find "%f[%w]static%f[%W]" ~= nil
end

local function whole(code)
  if code:find "^#include" then
    return code
  elseif is_file(code) then
    return HEADERS .. code
  end
  return HEADERS .. [[
int fragment(aw_engine *engine, aw_loop *loop, aw_task *task, lua_State *L);
int fragment(aw_engine *engine, aw_loop *loop, aw_task *task, lua_State *L) {
]] .. code .. "return 0;\n}\n"
end

-- Returns what pkg-config says of this Lua, whatever its name is here.
local function lua_flags(option)
  local version = _VERSION:match "%d.*"
  local pipe <close> = assert(io.popen(([[
    for name in lua%s lua-%s lua%s lua; do
      pkg-config %s $name 2>/dev/null && break
    done]]):format(version, version, version:gsub("%.", ""), option)))
  return pipe:read "l" or ""
end

local INCLUDES <const> = ("-I%s -I%s %s"):format(
  quoted(process.root .. "/core/include"),
  quoted(process.root .. "/lua/include"), lua_flags "--cflags")

local function assert_ran(outcome)
  local said = outcome.out .. outcome.err
  assert.is_nil(outcome.signal, said)
  assert.are.equal(0, outcome.code, said)
  return outcome
end

local compiler = os.getenv "CC" or "cc"

local function compile(options)
  return ("%s %s %s %s"):format(compiler, WARNINGS, INCLUDES, options)
end

-- The library of this build; nil if it has sanitizers.
local function library()
  local folder = process.binary:match "^(.*)/[^/]*$"
  local file = not process.sanitized
    and io.open(folder .. "/libaiowire.so", "rb")
  if not file then
    return nil
  end
  file:close()
  return quoted(folder)
end

local function run(block)
  local folder = library()
  if not folder then
    pending "needs libaiowire.so without sanitizers"
    return
  end
  local lua = block.code:find("aiowire_lua.h", 1, true)
    and "-laiowire_lua " .. lua_flags "--libs" or ""
  local command = compile(("s.c -L%s %s -laiowire -Wl,-rpath,%s -o s"
    .. " && exec ./s </dev/null"):format(folder, lua, folder))
  local outcome = assert_ran(process.run(command, { ["s.c"] = block.code }))
  if block.output then
    assert.are.equal(block.output, outcome.out)
  end
end

local function names_in(text)
  local names = {}
  for name in text:gmatch "%f[%w_]([aA][wW]_%w[%w_]*)" do
    names[name] = true
  end
  return names
end

local declared = {}
for _, folder in ipairs { "core/include", "lua/include" } do
  for _, header in ipairs(process.files(folder, "%.h$")) do
    for name in pairs(names_in(process.read(header))) do
      declared[name] = true
    end
  end
end

-- Returns a list of names that no header has.
local function unknown_names(text)
  local unknown = {}
  for name in pairs(names_in(text)) do
    if not declared[name] then
      unknown[#unknown + 1] = name
    end
  end
  return unknown
end

for _, path in ipairs(FILES) do
  describe(path, function()
    it("names what the headers declare [docs]", function()
      assert.are.same({}, unknown_names(process.read(path)))
    end)

    local blocks = blocks_of(process.read(path))

    it("has programs in C [docs]", function()
      local programs = 0
      for _, block in ipairs(blocks) do
        programs = programs + (is_program(block.code) and 1 or 0)
      end
      assert.is_true(programs > 0)
    end)

    for _, block in ipairs(blocks) do
      local name = ("the block at line %d"):format(block.line)

      it(name .. " is C [docs]", function()
        assert_ran(process.run(compile("-fsyntax-only s.c"),
          { ["s.c"] = whole(block.code) }))
      end)

      if is_program(block.code) then
        it(name .. " runs as it stands [docs]", function()
          run(block)
        end)
      end
    end
  end)
end
