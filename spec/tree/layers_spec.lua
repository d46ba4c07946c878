-- Each file uses only files of lower levels. Includes are read from the
-- sources, calls from the symbols of the objects.

local process = require "spec.support.process"
local symbols = require "spec.tree.symbols"

local function base_name(path)
  return path:match "[^/]*$"
end

-- Returns { name, quoted, path of the file, line } for each #include of a file.
local function includes_of(path)
  local list, line = {}, 0
  for text in (process.read(path) .. "\n"):gmatch "(.-)\n" do
    line = line + 1
    local mark, name = text:match '^%s*#%s*include%s*([<"])([^>"]+)[>"]'
    if name then
      list[#list + 1] = {
        name = name, quoted = mark == '"', path = path, line = line,
      }
    end
  end
  return list
end

local function all_includes(paths)
  local list = {}
  for _, path in ipairs(paths) do
    local found = includes_of(path)
    table.move(found, 1, #found, #list + 1, list)
  end
  return list
end

-- Returns a line of text for each include for which `wrong(include)` holds.
local function offences(includes, wrong)
  local list = {}
  for _, include in ipairs(includes) do
    if wrong(include) then
      list[#list + 1] = ("%s:%d includes %s"):format(
        include.path, include.line, include.name
      )
    end
  end
  return list
end

local core = process.files("core", "%.[ch]$")
local core_sources = {}
for _, path in ipairs(core) do
  if not path:find "^core/include/" and not path:find "^core/test/" then
    core_sources[#core_sources + 1] = path
  end
end
local lua = process.files("lua", "%.[ch]$")
local host = process.files("lua/host", "%.[ch]$")
local binding = process.files("lua/bind", "%.[ch]$")

local lua_headers = {
  ["lua.h"] = true, ["lualib.h"] = true, ["lauxlib.h"] = true,
  ["luaconf.h"] = true, ["lua.hpp"] = true, ["aiowire_lua.h"] = true,
}

-- Private headers of core: name without folders -> path.
local private_of_core = {}
for _, path in ipairs(core) do
  if path:find "%.h$" and not path:find "^core/include/" then
    private_of_core[base_name(path)] = path
  end
end

local function exists(path)
  local file <close> = io.open(path, "r")
  return file ~= nil
end

-- Does a file below lua/ match this quoted include?
local function found_in_lua(include)
  local folder = include.path:match "^(.*/)"
  for _, place in ipairs {
    folder, "lua/bind/", "lua/io/", "lua/host/", "lua/include/", "lua/",
  } do
    if exists(place .. include.name) then
      return true
    end
  end
  return false
end

-- The files of core, as paths below core/. The lowest level comes first. A file
-- may include and call only files of lower levels.
local LEVELS <const> = {
  { "include/aiowire", "base/list" },
  { "include/aiowire_zmq", "state" },
  { "base/codes", "base/config", "base/forks", "base/memory" },
  { "base/clock", "base/cut", "base/deadline", "base/libuv", "base/ready" },
  { "base/error" },

  { "wire/kinds" },
  { "wire/wire" },
  { "wire/view" },
  { "wire/build" },
  { "wire/origin" },

  { "run/home", "run/instrument", "run/look", "run/tree" },
  { "run/task" },
  { "run/again", "run/cut_record" },
  { "run/cancelled" },
  { "run/cancel" },
  { "run/wait" },
  { "run/frame", "run/loop" },
  { "run/end", "run/kinds/cold" },
  { "run/start", "run/kinds/bind", "run/kinds/catch", "run/kinds/else",
    "run/kinds/every", "run/kinds/finally", "run/kinds/retry",
    "run/kinds/shield", "run/kinds/slot", "run/kinds/timeout" },
  { "run/groups/group" },
  { "run/groups/race" },
  { "run/groups/any", "run/groups/join", "run/groups/select" },
  { "run/kind_functions" },
  { "run/report", "run/wanted" },
  { "run/step" },

  { "sources/epoll", "sources/libzmq", "sources/meeting", "sources/polled" },
  { "sources/channel", "sources/poller", "sources/rate", "sources/sync",
    "sources/ticket" },
  { "sources/zmq_watch" },
  { "sources/zmq_look" },
  { "sources/zmq_sockets" },
  { "sources/zmq" },

  { "drive/expire" },
  { "drive/block" },
  { "drive/next" },
  { "drive/answer", "drive/end_loops" },
  { "drive/turn" },
  { "drive/foreign", "drive/hosted" },

  { "engine" },
}
local ROOMS <const> = { "base", "wire", "run", "sources", "drive" }

local level_of = {}
for level, names in ipairs(LEVELS) do
  for _, name in ipairs(names) do
    level_of["core/" .. name] = level
  end
end

-- Does a file of core use a file of its own level or of a higher one?
local function uses_up(edge)
  local own, other = level_of[edge.from], level_of[edge.to]
  return own ~= nil and other ~= nil and other >= own
end

-- Returns the includes between files of core, as edges between units.
local function include_edges(includes)
  local edges = {}
  for _, include in ipairs(includes) do
    local name = include.name:gsub("^aiowire", "include/aiowire")
    local from, to = symbols.unit(include.path), symbols.unit("core/" .. name)
    if from ~= to then
      edges[#edges + 1] = { from = from, to = to, what = include.name }
    end
  end
  return edges
end

-- Tests may include the private headers of core.
local function reaches_into_core(include)
  if include.path:find("/test/", 1, true) then
    return false
  end
  if include.name:find("core/", 1, true) then
    return not include.name:find "core/include/aiowire%.h$"
  end
  return include.quoted and private_of_core[base_name(include.name)] ~= nil
    and not found_in_lua(include)
end

describe("the sources", function()
  it("are there to be read [layers]", function()
    assert.is_true(#core_sources > 0)
    assert.is_true(#binding > 0)
    assert.is_true(#host > 0)
    assert.is_true(exists "core/include/aiowire.h")
    assert.is_true(exists "lua/include/aiowire_lua.h")
    assert.is_true(#all_includes(core) > #core)
  end)

  it("include no source file of another [layers]", function()
    local everything = all_includes(core)
    table.move(all_includes(lua), 1, 1e6, #everything + 1, everything)
    assert.are.same({}, offences(everything, function(include)
      return include.name:find "%.c$"
    end))
  end)
end)

describe("core", function()
  it("knows nothing of Lua [I5]", function()
    assert.are.same({}, offences(all_includes(core), function(include)
      return lua_headers[base_name(include.name)]
        or include.name:find("lua/", 1, true)
    end))
  end)

  it("calls nothing of Lua [I5]", function()
    local calls = {}
    for _, path in ipairs(core_sources) do
      local code = process.read(path):gsub("/%*.-%*/", "")
      for name in code:gmatch "%f[%w_](luaL?_%w+)%s*%(" do
        calls[#calls + 1] = path .. " calls " .. name
      end
    end
    assert.are.same({}, calls)
  end)

  it("has public headers that stand on the C library only [layers]",
    function()
      local public = process.files("core/include", "%.h$")
      assert.is_true(#public > 0)
      local here = {}
      for _, path in ipairs(public) do
        here[base_name(path)] = true
      end
      assert.are.same({}, offences(all_includes(public),
        function(include)
          if include.quoted then
            return not here[base_name(include.name)]
          end
          -- The last two are for C++ only.
          return not include.name:find "^std%a+%.h$"
            and not include.name:find "^inttypes%.h$"
            and include.name ~= "exception" and include.name ~= "new"
        end))
    end)

  it("has a main header that knows no ZeroMQ, libuv or Lua [layers]",
    function()
      assert.are.same({}, offences(
        includes_of "core/include/aiowire.h",
        function(include)
          return include.name:find "uv" or include.name:find "zmq"
            or include.name:find "lua"
        end
      ))
      local text = process.read "core/include/aiowire.h"
      assert.is_nil(text:find "aw_zmq")
    end)

  it("has a level for each of its files [layers]", function()
    local without = {}
    for _, path in ipairs(core_sources) do
      if not level_of[symbols.unit(path)] then
        without[#without + 1] = path
      end
    end
    assert.are.same({}, without)
  end)

  it("has no level for files that are not there [layers]", function()
    local gone = {}
    for unit in pairs(level_of) do
      if not exists(unit .. ".h") and not exists(unit .. ".c") then
        gone[#gone + 1] = unit
      end
    end
    assert.are.same({}, gone)
  end)

  it("has levels that follow the order of its rooms [layers]", function()
    local rooms, last = {}, "base"
    for _, names in ipairs(LEVELS) do
      for _, name in ipairs(names) do
        local room = name:match "^(%l+)/"
        if room and room ~= "include" and room ~= last then
          rooms[#rooms + 1], last = last, room
        end
      end
    end
    rooms[#rooms + 1] = last
    assert.are.same(ROOMS, rooms)
  end)

  it("includes headers of lower levels only [layers]", function()
    local edges = include_edges(all_includes(core_sources))
    assert.are.same({}, (symbols.offences(edges, uses_up)))
  end)

  it("calls functions of lower levels only [layers]", function()
    local sources = {}
    for _, path in ipairs(core_sources) do
      if path:find "%.c$" then
        sources[#sources + 1] = path
      end
    end
    local edges, missing = symbols.edges("aiowire_core", sources)
    assert.are.same({}, missing)
    assert.is_true(#edges > #sources)
    assert.are.same({}, (symbols.offences(edges, uses_up)))
  end)

  it("declares functions in the header of the file that has them [layers]",
    function()
      local code = process.read "core/state.h"
      code = code:gsub("/%*.-%*/", "")
      local declared = {}
      for name in code:gmatch "\n[%a][^\n(;{}=#]*[ *](aw_[%w_]+)%([^\n]*%);" do
        declared[#declared + 1] = name
      end
      assert.are.same({}, declared)
    end)

  it("needs no header of libzmq [layers]", function()
    assert.are.same({}, offences(all_includes(core), function(include)
      return base_name(include.name):find "^zmq" and not include.quoted
    end))
  end)
end)

describe("libzmq", function()
  -- Returns the files below `folder` that call libzmq.
  local function callers(folder)
    local list = {}
    for _, path in ipairs(process.files(folder, "%.c$")) do
      local code = process.read(path):gsub("/%*.-%*/", "")
      if code:find "calls%->" and not path:find "/test/" then
        list[#list + 1] = path
      end
    end
    return list
  end

  it("is called in one file of core, and in two of the binding [ZQ1]",
    function()
      assert.are.same({ "core/sources/zmq_look.c" }, callers "core")
      local files = callers "lua"
      table.sort(files)
      assert.are.same({ "lua/zmq/context/apart.c", "lua/zmq/context/raw.c" },
        files)
    end)
end)

describe("the binding", function()
  it("sees nothing of core but its public header [layers]", function()
    assert.are.same({}, offences(all_includes(lua), reaches_into_core))
  end)

  it("builds on that public header [layers]", function()
    local users = offences(all_includes(binding), function(include)
      return base_name(include.name) == "aiowire.h"
    end)
    assert.is_true(#users > 0)
  end)

  it("is not seen by the program, but for its header [layers]",
    function()
      local own = {}
      for _, path in ipairs(host) do
        own[base_name(path)] = true
      end
      assert.are.same({}, offences(all_includes(host),
        function(include)
          local name = base_name(include.name)
          return include.quoted and not own[name]
            and name ~= "aiowire.h" and name ~= "aiowire_lua.h"
            and not lua_headers[name]
        end))
    end)

  it("does not see the program [layers]", function()
    local rest = {}
    for _, path in ipairs(lua) do
      if not path:find "^lua/host/" then
        rest[#rest + 1] = path
      end
    end
    assert.are.same({}, offences(all_includes(rest), function(include)
      return include.name:find("host/", 1, true)
    end))
  end)
end)

describe("the reading of includes", function()
  local function written(text)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
    local list = includes_of(path)
    os.remove(path)
    return list
  end

  it("finds every form of include [layers]", function()
    local list = written('#include "a.h"\n  # include <b/c.h>\nint x;\n')
    assert.are.equal(2, #list)
    assert.are.equal("a.h", list[1].name)
    assert.is_true(list[1].quoted)
    assert.are.equal("b/c.h", list[2].name)
    assert.is_false(list[2].quoted)
    assert.are.equal(2, list[2].line)
  end)

  it("finds none in a comment at the line's end [layers]", function()
    assert.are.equal(0, #written 'int x; /* #include "a.h" */\n')
  end)

  it("notices an include that points up [layers]", function()
    local function up(from, to)
      local edges = include_edges { { path = "core/" .. from, name = to } }
      return #symbols.offences(edges, uses_up) > 0
    end
    assert.is_true(up("wire/wire.c", "run/task.h"))
    assert.is_true(up("run/cancel.h", "run/step.h"))
    assert.is_true(up("run/end.c", "run/kinds/cold.h"))
    assert.is_true(up("state.h", "run/task.h"))
    assert.is_false(up("engine.c", "run/step.h"))
    assert.is_false(up("run/task.c", "run/task.h"))
    assert.is_false(up("run/task.c", "state.h"))
    assert.is_false(up("run/step.c", "wire/wire.h"))
  end)

  it("notices a call that points up [layers]", function()
    local found = symbols.offences({
      { from = "core/base/error", to = "core/run/task", what = "aw_task_id" },
      { from = "core/run/task", to = "core/base/error", what = "aw_error_new" },
    }, uses_up)
    assert.are.same(
      { "core/base/error needs aw_task_id of core/run/task" }, found
    )
  end)

  it("notices an include that reaches into core [layers]", function()
    local function reaches(name)
      return reaches_into_core {
        path = "lua/bind/x.c", name = name, quoted = true,
      }
    end
    assert.is_true(reaches "../../core/any.h")
    assert.is_true(reaches "core/any.h")
    assert.is_false(reaches "aiowire.h")
    for name in pairs(private_of_core) do
      assert.is_true(reaches(name) or exists("lua/bind/" .. name))
    end
  end)
end)
