--- The lists of the public functions, made from the headers.
---
---     core/aiowire.map                 what libaiowire.so shows
---     lua/aiowire_lua.map              what libaiowire_lua.so shows
---     lua/include/aiowire_module.h     the table for C modules
---
--- `./dev exports` writes them. The first two are in the order of names. The
--- table is in the order in which functions were added, because compiled
--- modules know their places: new ones are appended.

local M = {}

local HEADERS <const> = { core = { "core/include/aiowire.h",
  "core/include/aiowire_zmq.h" }, lua = { "lua/include/aiowire_lua.h" } }
local MAPS <const> = { core = "core/aiowire.map",
  lua = "lua/aiowire_lua.map" }
M.module_header = "lua/include/aiowire_module.h"

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

--- Returns the functions that the text of a header declares, in their order.
---@param text string
---@return string[]
function M.declared(text)
  local list = {}
  text = text:gsub("/%*.-%*/", ""):gsub("#define[^\n]*", "")
  for declaration in text:gmatch "AW_API%s([^;]*);" do
    list[#list + 1] = declaration:match "([%w_]+)%s*%("
  end
  return list
end

--- Returns the functions of the headers of "core" or "lua", in their order.
---@param part string
---@return string[]
function M.functions(part)
  local list = {}
  for _, path in ipairs(HEADERS[part]) do
    table.move(M.declared(read(path)), 1, 1000, #list + 1, list)
  end
  return list
end

-- ── version scripts ────────────────────────────────────────────────────────

--- Returns the binary interface of a version: its minor version belongs to it
--- until 1.0. CMakeLists.txt names the shared libraries by the same rule.
---@param version string such as "0.1.0"
---@return string interface
function M.interface(version)
  local major, minor = version:match "^(%d+)%.(%d+)%.%d+$"
  return major == "0" and "0." .. minor or major
end

--- Returns the name that the symbols of "core" or "lua" have for a version.
---@param part string
---@param version string? default: that of the header
---@return string
function M.node(part, version)
  version = version
    or read(HEADERS.core[1]):match '#define AW_VERSION_STRING "([%d.]+)"'
  return (part == "core" and "AIOWIRE_" or "AIOWIRE_LUA_")
    .. M.interface(version)
end

--- Returns the path and the text of a version script, and the text that it
--- should have.
---@param part string
---@return string path, string text, string wanted
function M.map(part)
  local text = read(MAPS[part])
  local names = M.functions(part)
  table.sort(names)
  local body = "    " .. table.concat(names, ";\n    ") .. ";\n"
  local comment = text:match "^/%*.-%*/\n"
  return MAPS[part], text, ("%s%s {\n  global:\n%s  local: *;\n};\n")
    :format(comment, M.node(part), body)
end

-- ── the table for C modules ────────────────────────────────────────────────

--- Returns the functions of the table in the text of aiowire_module.h, in
--- their order.
---@param text string
---@return string[]
function M.table_of(text)
  local list = {}
  for name in text:match "#define AW_MODULE_CALLS%(F%)(.-)\n/%*"
    :gmatch "F%(([%w_]+)%)" do
    list[#list + 1] = name
  end
  return list
end

--- Returns the functions that C modules can call, in the order of the headers.
--- Those that open the library are not among them.
---@return string[]
function M.callable()
  local list = {}
  for _, part in ipairs { "core", "lua" } do
    for _, name in ipairs(M.functions(part)) do
      if not name:find "^luaopen_" then
        list[#list + 1] = name
      end
    end
  end
  return list
end

--- Returns what is in `list` and not in `other`, in its order.
---@param list string[]
---@param other string[]
---@return string[]
function M.without(list, other)
  local known, left = {}, {}
  for _, name in ipairs(other) do
    known[name] = true
  end
  for _, name in ipairs(list) do
    if not known[name] then
      left[#left + 1] = name
    end
  end
  return left
end

-- The rows of AW_MODULE_CALLS and the macros that map the names.
local function module_lists(names)
  local rows, macros = {}, {}
  for i, name in ipairs(names) do
    rows[i] = ("  F(%s)"):format(name)
    macros[i] = ("#define %s (aw_module_table->at_%s)\n"):format(name, name)
  end
  return " \\\n" .. table.concat(rows, " \\\n"), table.concat(macros)
end

--- Returns the text of aiowire_module.h, and the text that it should have: with
--- the functions that it lacks at the end of its lists.
---@return string text, string wanted
function M.module()
  local text = read(M.module_header)
  local names = M.table_of(text)
  local added = M.without(M.callable(), names)
  table.move(added, 1, #added, #names + 1, names)
  local rows, macros = module_lists(names)
  local function put(what)
    return function(before, after)
      return before .. what .. after
    end
  end
  local wanted = text
    :gsub("(#define AW_MODULE_CALLS%(F%)).-(\n/%*)", put(rows))
    :gsub("(format off %*/\n#ifndef AW_MODULE_LINKED\n).-(#endif)", put(macros))
  return text, wanted
end

--- Returns a number that depends on each character of `names` and on their
--- order.
---@param names string[]
---@return integer
function M.checksum(names)
  local sum = 5381
  for byte in table.concat(names, " "):gmatch "." do
    sum = (sum * 33 + byte:byte()) % 4294967291
  end
  return sum
end

--- Are the functions of a release the first ones of the table still?
---@param names string[] the functions of the table, in its order
---@param row { count: integer, checksum: integer } of the release
---@return boolean
function M.keeps(names, row)
  return M.checksum(table.move(names, 1, row.count, 1, {})) == row.checksum
end

--- Writes all lists.
function M.save()
  for _, part in ipairs { "core", "lua" } do
    local path, _, wanted = M.map(part)
    write(path, wanted)
  end
  local _, wanted = M.module()
  write(M.module_header, wanted)
end

return M
