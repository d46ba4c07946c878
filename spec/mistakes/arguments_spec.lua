-- Bad arguments of every public function and method, called in several ways.
-- The error names the function, blames the caller's line, and shows no code of
-- the library. The list of functions is read from meta.lua.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local makers = require "spec.support.makers"
local process = require "spec.support.process"

local sealed = helper.sealed

-- Not called: aw.install, since it replaces coroutine.*; aw.inspect, whose
-- socket lasts; and aw.trace, for which any text is the name of a file.
local LEFT_OUT <const> = { ["aw.install"] = true, ["aw.inspect"] = true,
  ["aw.trace"] = true }

-- Methods that close the standard input of the specs themselves.
local CLOSES_INPUT <const> = { ["Stream:close"] = true }

local function nothing() end

--- Returns lists of arguments. In a call of a method they follow the object.
local function argument_lists()
  local wire = aw.Value(1)
  return {
    {}, { n = 1 }, { true }, { "\1 nonsense" }, { -1 }, { 0 / 0 }, { {} },
    { io.stdout }, { aw.channel() }, { coroutine.create(nothing) },
    { aw.event(), aw.event() }, { n = 3 }, { true, true, true },
    { {}, { nonsense = 1 }, {} }, { wire, { nonsense = 1 } },
    { 1, { nonsense = 1 } }, { 1, wire, { nonsense = 1 } },
    { nothing, nothing, { nonsense = 1 } }, { { nonsense = 1 }, nothing },
    { 1, wire, aw.channel() }, { wire, nil, aw.event(), n = 3 },
  }
end

--- Returns { full name, class or nil, name, owner } of each function in
--- meta.lua.
local function declared()
  local list = {}
  for full in process.read "lua/aiowire/meta.lua"
    :gmatch "\nfunction ([%w_.:]+)%(" do
    local owner, name = full:match "^(.*)[.:]([%w_]+)$"
    if not LEFT_OUT[full] then
      list[#list + 1] = { full, full:find ":" and owner or nil, name, owner }
    end
  end
  return list
end

local function function_of(entry)
  if entry[2] then
    return nil
  end
  local owner = aw
  for name in entry[4]:gmatch "%.(%w+)" do
    owner = owner[name]
  end
  return owner[entry[3]]
end

--- Returns the ways to call a function: name of the way -> function(object or
--- nil, …). Line 1 of the chunk "caller" is the line of each call.
local function ways(entry)
  local function chunk(code)
    return assert(load("local f, pcall = ... return function(o, ...) " .. code
      .. " end", "=caller"))(function_of(entry), pcall)
  end
  if entry[2] then
    local name = entry[3]
    return {
      method = chunk("local r = o:" .. name .. "(...) return r"),
      tail = chunk("return o:" .. name .. "(...)"),
      ["no object"] = chunk("local r = o." .. name .. "(...) return r"),
      protected = chunk("local ok, e = pcall(o." .. name .. ", o, ...) "
        .. "if not ok then error(e, 0) end"),
      wrapped = chunk("local ok, e = coroutine.resume(coroutine.create(o."
        .. name .. "), o, ...) if not ok then error(e, 0) end"),
    }
  end
  return {
    direct = chunk "local r = f(...) return r",
    tail = chunk "return f(...)",
    protected = chunk
      "local ok, e = pcall(f, ...) if not ok then error(e, 0) end",
    wrapped = chunk("local ok, e = coroutine.resume(coroutine.create(f), ...) "
      .. "if not ok then error(e, 0) end"),
  }
end

local OF_ZMQ <const> = { ["aw.zmq"] = true, Socket = true, Context = true,
  Monitor = true, Auth = true }

--- Returns what is wrong with the text of an error, or nil.
local function fault(entry, way, err)
  local text = tostring(err)
  for _, bad in ipairs { "'?'", "userdata", "[aiowire", "[C]" } do
    if text:find(bad, 1, true) then
      return bad
    end
  end
  local named = text:match "bad argument #%-?%d+ to '(.-)'"
    or text:match "calling '(.-)' on bad self"
  if named and named ~= entry[3] then
    return "the name"
  end
  if text:find "bad argument #%-?[0-]" then
    return "the number"
  end
  -- In a new coroutine, a C function has no calling line.
  if type(err) == "string" and way ~= "wrapped"
    and not text:find "^caller:1: " then
    return "the place"
  end
end

--- As pcall, but inside string.gsub, where awaits raise. So no call waits for
--- ever.
local function at_once(...)
  local given, result = table.pack(...), nil
  ("x"):gsub("x", function()
    result = table.pack(pcall(table.unpack(given, 1, given.n)))
  end)
  return result[1], result[2]
end

--- Append to `lines` a line for each fault of one function.
local function sweep(entry, lines)
  local object = entry[2] and makers[entry[2]]()
  for way, call in pairs(ways(entry)) do
    for i, list in ipairs(argument_lists()) do
      local closes = CLOSES_INPUT[entry[1]] and way ~= "no object"
      local ok, err = true, nil
      if not closes then
        ok, err = at_once(call, object, table.unpack(list, 1, list.n or #list))
      end
      local why = not ok and fault(entry, way, err)
      if why then
        lines[#lines + 1] = ("%s, %s, list %d: %s is wrong in: %s"):format(
          entry[1], way, i, why, tostring(err))
      end
    end
  end
end

describe("bad arguments are reported at the caller's line by", function()
  for _, entry in ipairs(declared()) do
    local function check()
      local lines = {}
      sweep(entry, lines)
      assert.are.equal("", table.concat(lines, "\n"))
    end
    -- The shared context of the sockets stays open, which is no leak.
    it(entry[1], not OF_ZMQ[entry[4]] and sealed(check) or function()
      if not pcall(aw.zmq.version) then
        helper.pending "libzmq is not installed"
      end
      check()
    end)
  end
end)

describe("the classes that are declared", function()
  it("all have an object in spec/support/makers.lua", function()
    for _, entry in ipairs(declared()) do
      if entry[2] then
        assert.is_truthy(makers[entry[2]], entry[2])
      elseif entry[4] ~= "aw.zmq" and not function_of(entry) then
        error("no function " .. entry[1])
      end
    end
  end)
end)

--- Append to `list` the table `index`, or the tables that the function `index`
--- uses. `index` is the `__index` of a metatable.
local function add_tables(index, list)
  if type(index) == "table" then
    list[#list + 1] = index
    local own = debug.getmetatable(index)
    add_tables(own and own.__index, list)
  elseif type(index) == "function" then
    for i = 1, 255 do
      local name, value = debug.getupvalue(index, i)
      if not name then
        return
      end
      add_tables(value, list)
    end
  end
end

--- Returns the names of an object's methods, as a set.
local function methods_of(object)
  local tables, methods = {}, {}
  add_tables(debug.getmetatable(object).__index, tables)
  for _, t in ipairs(tables) do
    for name, value in pairs(t) do
      local has, got = pcall(function() return object[name] end)
      if has and type(value) == "function" and got == value then
        methods[name] = true
      end
    end
  end
  return methods
end

--- Returns the public names of `set` for which `names` has no `prefix .. name`.
local function undeclared(set, prefix, names)
  local list = {}
  for name in pairs(set) do
    if name:find "^%a" and not names[prefix .. name] then
      list[#list + 1] = prefix .. name
    end
  end
  table.sort(list)
  return list
end

describe("the declarations in meta.lua", function()
  local names = {}
  for full in process.read "lua/aiowire/meta.lua"
    :gmatch "\nfunction ([%w_.:]+)%(" do
    names[full] = true
  end

  it("have every function of the module", function()
    local functions = {}
    for name, value in pairs(aw) do
      functions[name] = type(value) == "function" or nil
    end
    assert.are.same({}, undeclared(functions, "aw.", names))
  end)

  for class, make in pairs(makers) do
    local function check()
      if OF_ZMQ[class] and not pcall(aw.zmq.version) then
        helper.pending "libzmq is not installed"
      end
      local methods = methods_of(make())
      assert.is_truthy(next(methods))
      assert.are.same({}, undeclared(methods, class .. ":", names))
    end
    -- The shared context of the sockets stays open, which is no leak.
    it("have every method of a " .. class, OF_ZMQ[class] and check
      or sealed(check))
  end
end)

describe("a function of the library", function()
  it("knows its name under another one", sealed(function()
    local other = aw.sleep
    local _, err = pcall(function()
      other "x"
    end)
    assert.is_truthy(err:find("bad argument #1 to 'sleep' (number expected, "
      .. "got string)", 1, true), err)
  end))

  it("knows its name as a call of a task", sealed(function()
    for _, call in ipairs { aw.Call(aw.signal, "X"),
      aw.Wire(aw.signal, "X") } do
      local line = debug.getinfo(1, "l").currentline + 1
      local ok, err = pcall(aw.run, call)
      assert.is_false(ok)
      local got = tostring(err):match "got .*" or ""
      assert.is_nil(got:find "userdata")
      assert.are.equal(debug.getinfo(1, "S").short_src .. ":" .. line,
        tostring(err):match "^(.-:%d+): bad argument #1 to 'signal' ")
    end
  end))

  it("names the class of a bad argument", sealed(function()
    local ch = aw.channel()
    for got, value in pairs {
      ["aiowire.Channel"] = ch, ["aiowire.EventLoop"] = aw.EventLoop(),
      ["aiowire.Event"] = aw.event(), ["aiowire.Wire"] = aw.Never,
      ["aiowire.Stream"] = aw.stdin, ["FILE*"] = io.stdout, ["table"] = {},
      ["Poller"] = aw.Poller(),
    } do
      local _, err = pcall(aw.sleep, value)
      assert.is_truthy(err:find(("bad argument #1 to 'sleep' (number expected, "
        .. "got %s)"):format(got), 1, true), err)
    end
  end))

  it("names the class of a bad operand with an article", sealed(function()
    local _, err = pcall(function()
      return aw.Never >> aw.channel()
    end)
    assert.is_truthy(err:find("attempt to use an aiowire.Channel as a wire "
      .. "(operand of '>>')", 1, true), err)
  end))
end)
