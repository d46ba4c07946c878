-- A script with odd uses of `require`. Each interpreter must print the same.
-- The lowest levels of stacks and the addresses of tables are not printed.

local function shown(v)
  local t = type(v)
  return (t == "table" or t == "function") and t or tostring(v)
end

local function show(...)
  local t = table.pack(...)
  for i = 1, t.n do
    t[i] = shown(t[i])
  end
  print(t.n, table.concat(t, " | "))
end

local function try(...)
  show(pcall(...))
end

-- Require the module from Lua code, whose line may be in the message.
local function try_here(...)
  local name = ...
  show(pcall(function(...)
    local value = require(...)
    return value
  end, name))
end

local function preload(name, f)
  package.preload[name] = f
end

local function twice(name)
  show(require(name))
  show(require(name))
  show(package.loaded[name])
end

local function stack(message)
  return (debug.traceback(message, 2):gsub("(in local 'part').*", "%1"))
end

rawset(_G, "STACK", stack) -- for the files

local parts = {}

function parts.arguments()
  try(require)
  try(require, nil)
  try(require, {})
  try(require, true)
  show(pcall(function()
    require()
  end))
  try_here {}
  try(require, "string", "ignored")
  show(select("#", require "string"))
  preload(7, function(...)
    show(...)
    return "an integer key"
  end)
  try(require, 7)
  preload("7", function(...)
    show(math.type((...)), ...)
    return "seven"
  end)
  try(require, 7)
  try(require, "7")
  show(package.loaded[7], package.loaded["7"])
end

function parts.not_found()
  for _, name in ipairs { "no.such", "", "a\0b", 4.5, 42 } do
    try(require, name)
    try_here(name)
  end
end

function parts.results()
  preload("none", function() end)
  preload("false", function()
    return false
  end)
  preload("args", function(...)
    show(...)
    return "r"
  end)
  preload("own", function(name)
    package.loaded[name] = "own"
  end)
  preload("own and return", function(name)
    package.loaded[name] = "own"
    return "returned"
  end)
  preload("own false", function(name)
    package.loaded[name] = false
  end)
  preload("many", function()
    return 1, 2, 3
  end)
  preload("nil first", function()
    return nil, 2, 3
  end)
  for _, name in ipairs { "none", "false", "args", "own", "own and return",
    "own false", "many", "nil first" } do
    twice(name)
  end
end

function parts.errors()
  for level = 0, 4 do
    preload("level " .. level, function()
      error("raised", level)
    end)
    try(require, "level " .. level)
    try_here("level " .. level)
    show(package.loaded["level " .. level])
  end
  for i, value in pairs { {}, 12, false, print } do
    preload("value " .. i, function()
      error(value)
    end)
    try(require, "value " .. i)
  end
  preload("nil", function()
    error(nil)
  end)
  try(require, "nil")
end

function parts.recursion()
  local depth = 0
  preload("recursive", function()
    depth = depth + 1
    return depth < 5 and require "recursive" or depth
  end)
  twice "recursive"
  preload("a", function()
    return "a" .. require "b"
  end)
  preload("b", function()
    return "b" .. require "c"
  end)
  preload("c", function()
    return "c"
  end)
  twice "a"
  preload("endless", function()
    return (require "endless")
  end)
  local ok, err = pcall(require, "endless")
  print(ok, tostring(err):match "stack overflow")
end

function parts.levels()
  preload("levels", function()
    for level = 0, 3 do
      local i = debug.getinfo(level, "nSltu")
      print(level, i.what, i.name, i.namewhat, i.short_src, i.nparams,
        i.isvararg, i.istailcall)
    end
    print(stack "here")
  end)
  require "levels"
  local i = debug.getinfo(require, "Su")
  print(i.what, i.short_src, i.source, i.linedefined, i.nparams, i.isvararg)
  xpcall(function()
    require "level 1"
  end, function(message)
    print(stack(message))
  end)
  xpcall(function()
    require "no.such"
  end, function()
    print(stack "not found")
  end)
end

local function nothing() end

local function returns(...)
  local values = table.pack(...)
  return function()
    return table.unpack(values, 1, values.n)
  end
end

local function loader(...)
  show("loader", ...)
end

function parts.searchers()
  local ours = package.searchers
  for _, value in ipairs { 1, "x", false } do
    package.searchers = value
    try(require, "q")
    try_here "q"
  end
  package.searchers = nil
  try(require, "q")
  for _, list in ipairs {
    {},
    { returns "\n\tone", returns(12), nothing, returns(nil), returns {},
      returns(false), returns "", returns("two", "ignored") },
    { returns(loader, "data") },
    { returns(loader, nil, 3) },
    { returns(loader) },
    { nothing, returns(loader, {}, 3) },
    { returns(setmetatable({}, { __call = print })) },
    { setmetatable({}, { __call = returns(loader) }) },
    { "no function" },
    setmetatable({}, { __index = returns(returns(loader)) }),
    { function(...)
      show("searcher", ...)
      error "raised"
    end },
    { function()
      error("raised", 2)
    end },
    { function()
      error {}
    end },
  } do
    package.searchers = list
    package.loaded.q = nil
    try(require, "q")
    package.loaded.q = nil
    try_here "q"
  end
  package.searchers = ours
end

function parts.other_tables()
  local package = package
  _G.package = { searchers = { returns(returns "wrong") }, loaded = {} }
  try(require, "no.such")
  _G.package = nil
  try(require, "no.such")
  _G.package = package
  local loaded = package.loaded
  package.loaded = {}
  show(require "string" == string)
  package.loaded = loaded
  setmetatable(loaded, {
    __index = function(_, name)
      return name == "virtual" and "value" or nil
    end,
    __newindex = function(t, name, value)
      print("new", name, value)
      rawset(t, name, value)
    end,
  })
  show(require "virtual")
  preload("set", returns(1))
  twice "set"
  preload("unset", nothing)
  twice "unset"
  setmetatable(loaded, nil)
  show(require == _G.require, loaded._G.require == require)
end

function parts.files()
  for name, text in pairs {
    m_syntax = "x x x",
    m_error = "error 'in a file'",
    m_level = "error('in a file', 2)",
    m_ok = "print(...) print(STACK()) return { ... }",
  } do
    local file = assert(io.open(name .. ".lua", "w"))
    file:write(text)
    file:close()
  end
  for _, name in ipairs { "m_syntax", "m_error", "m_level", "m_ok" } do
    try(require, name)
    try_here(name)
    os.remove(name .. ".lua")
  end
end

function parts.coroutines()
  show(coroutine.wrap(require) "c")
  preload("yields", function()
    return coroutine.yield "y"
  end)
  show(pcall(coroutine.wrap(require), "yields"))
  local co = coroutine.create(function()
    return require "yields"
  end)
  show(coroutine.resume(co))
  show(coroutine.status(co))
  show(coroutine.resume(coroutine.create(require), "no.such"))
  co = coroutine.create(function()
    return require "level 1"
  end)
  show(coroutine.resume(co))
  print(debug.traceback(co))
  show(coroutine.close(co))
  try(require, "level 1")
end

function parts.inside_c_functions()
  table.sort({ 1, 2 }, function(a, b)
    preload("sorted", nothing)
    package.loaded.sorted = nil
    show(require "sorted")
    return a < b
  end)
  print(("abc"):gsub(".", function(c)
    preload("char " .. c, returns(c:upper()))
    return (require("char " .. c))
  end))
  local counted = setmetatable({}, { __index = function(_, name)
    return (require(name))
  end })
  show(counted.c, pcall(function()
    return counted["no.such"]
  end))
end

for _, name in ipairs {
  "arguments", "not_found", "results", "errors", "recursion", "levels",
  "searchers", "other_tables", "files", "coroutines", "inside_c_functions",
} do
  print("-- " .. name)
  local part = parts[name]
  part()
end
