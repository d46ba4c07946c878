-- meta.lua and the library have the same names: functions, methods, fields,
-- and options.
--
-- A name that nobody declares is found by trial: each word of the sources is
-- read as a field. An option is tried with a letter too many, since the error
-- then suggests the option; so nothing runs.

local aw = require "aiowire"
local certificates = require "spec.support.certificates"
local helper = require "spec.support.helper"
local luacats = require "docs.make.luacats"
local makers = require "spec.support.makers"
local process = require "spec.support.process"
local sorted = require "spec.support.sorted"

local HAS_ZMQ <const> = pcall(aw.zmq.version)

-- A million reads of fields would take minutes with a full collection at each
-- allocation.
if os.getenv "AIOWIRE_GCSTRESS" then
  describe("the names in meta.lua", function()
    it("are those of the library [docs]", function()
      pending "not with the collector at its most aggressive"
    end)
  end)
  return
end

-- meta.lua --------------------------------------------------------------------

local items = luacats.read(process.read "lua/aiowire/meta.lua")
local classes, functions = {}, {}
for _, item in ipairs(items) do
  if item.kind == "class" then
    classes[item.name] = item
  elseif item.kind == "function" then
    functions[item.name] = item
  end
end

-- Calls `f(field)` for the fields of a class and of its parents.
local function each_field(name, f)
  local item = assert(classes[name], name)
  for _, field in ipairs(item.fields) do
    f(field)
  end
  for parent in item.parent:gmatch "[%w_.]+" do
    each_field(parent, f)
  end
end

-- Returns the public names of a class, as a set.
local function names_of_class(name)
  local set = {}
  each_field(name, function(field)
    set[field.name] = true
  end)
  for full in pairs(functions) do
    local owner, method = full:match "^(.*):(.*)$"
    if owner and owner == classes[name].variable then
      set[method] = true
    end
  end
  return set
end

-- Returns the names of options that a type declares, as a set, and the names
-- that a child of a class refuses: those whose type is nil.
local function options_of_type(type)
  local set, refused = {}, {}
  local class = type:match "aiowire%.[%w_.]+"
  if type:find "^{" then
    for name in type:gmatch "([%w_]+)%??:" do
      set[name] = true
    end
  elseif classes[class] then
    each_field(class, function(field)
      refused[field.name] = refused[field.name] or field.type == "nil"
      set[field.name] = not refused[field.name] and field.name:find "^%a"
        and true or nil
    end)
  end
  return set, refused
end

-- The sources -----------------------------------------------------------------

-- Returns a list of the words of the library's sources that match a pattern.
local function words_of(pattern)
  local seen, list = {}, {}
  for _, path in ipairs(process.files("lua", "%.[chl][ua]*$")) do
    for word in process.read(path):gmatch(pattern) do
      if not seen[word] and #word <= 30 and not path:find "meta%.lua$" then
        seen[word] = true
        list[#list + 1] = word
      end
    end
  end
  return list
end

local QUOTED <const> = words_of '"(%l[%l%d_]*)"'
local WORDS <const> = words_of "%f[%w_](%a[%w_]*)%f[^%w_]"

-- Options ---------------------------------------------------------------------

local function nothing() end

local function udp() return aw.udp.bind("127.0.0.1", 0) end
local function rep() return aw.zmq.socket "REP" end
local function server() return aw.tcp.listen("127.0.0.1", 0) end

local function secure_server()
  return aw.tls.listen("127.0.0.1", 0, certificates.server)
end

-- Returns one end of a connection; the other one is closed with it.
local function connection()
  local door <close> = server()
  local stream = aw.tcp.connect(door:name())
  door:accept():close()
  return stream
end

-- Functions that take options: name in meta.lua, a call, the type if it is not
-- that of the parameter `opts` or `options`. `of` makes an object for the call.
local takers <const> = {
  { "Wire:timeout", function(o) aw.Never:timeout(1, o) end },
  { "Wire:retry", function(o) aw.Never:retry(o) end },
  { "Scope:start", function(o)
    aw.scope(function(s) s:start(nothing, nil, o) end)
  end },
  { "Scope:start_ready", function(o)
    aw.scope(function(s) s:start_ready(nothing, nil, o) end)
  end },
  { "EventLoop:start", function(o, ev) ev:start(nothing, nil, o) end,
    of = aw.EventLoop },
  { "EventLoop:start_ready", function(o, ev)
    ev:start_ready(nothing, nil, o)
  end, of = aw.EventLoop },
  { "aw.Settle", function(o) aw.Settle({}, o) end },
  { "aw.settle", function(o) aw.settle({}, o) end },
  { "aw.each", function(o) aw.each({}, o, nothing) end },
  { "aw.Every", function(o) aw.Every(1, nothing, o) end },
  { "aw.Poller", function(o) aw.Poller({}, o) end },
  { "aw.Drive", function(o) aw.Drive(o) end },
  { "aw.EventLoop", function(o) aw.EventLoop(o) end },
  { "aw.run", function(o) aw.run(nothing, o) end },
  { "aw.start", function(o) aw.start(nothing, nil, o) end },
  { "aw.scope", function(o) aw.scope(o, nothing) end },
  { "aw.channel", function(o) aw.channel(1, o) end },
  { "aw.broadcast", function(o) aw.broadcast(1, "wait", o) end },
  { "aw.event", function(o) aw.event(o) end },
  { "aw.semaphore", function(o) aw.semaphore(1, o) end },
  { "aw.rate", function(o) aw.rate(1, 1, o) end },
  { "Stream:configure", function(o) aw.stdin:configure(o) end },
  { "aw.fs.write", function(o) aw.fs.write("/no/file", "", o) end },
  { "aw.fs.stat", function(o) aw.fs.stat("/no/file", o) end },
  { "aw.fs.mkdir", function(o) aw.fs.mkdir("/no/file", o) end },
  { "aw.fs.watch", function(o) aw.fs.watch("/no/file", o) end },
  { "aw.spawn", function(o) o[1] = "true" aw.spawn(o) end },
  { "aw.exec", function(o) o[1] = "true" aw.exec(o) end },
  { "aw.Exec", function(o) o[1] = "true" aw.Exec(o) end },
  { "aw.pipeline", function(o) o[1] = "true" aw.pipeline(o, { "true" }) end,
    "aiowire.Command" },
  { "aw.pipeline", function(o) aw.pipeline({ "true" }, o) end,
    "aiowire.PipelineOptions" },
  { "aw.tcp.connect", function(o) aw.tcp.connect("127.0.0.1", 1, o) end },
  { "aw.unix.connect", function(o) aw.unix.connect("/no/file", o) end },
  { "aw.dns.resolve", function(o) aw.dns.resolve("127.0.0.1", o) end },
  { "aw.tcp.listen", function(o) aw.tcp.listen("127.0.0.1", 0, o) end },
  { "aw.unix.listen", function(o) aw.unix.listen("/no/file", o) end },
  { "aw.tcp.listen", function(o) aw.tcp.listen(o) end,
    "aiowire.ListenOptions" },
  { "aw.tls.connect", function(o) aw.tls.connect("127.0.0.1", 1, o) end },
  { "aw.tls.listen", function(o) aw.tls.listen("127.0.0.1", 0, o) end },
  { "aw.tls.listen", function(o) aw.tls.listen(o) end,
    "aiowire.TlsListenOptions" },
  { "Stream:starttls", function(o, s) s:starttls(o) end, of = connection },
  { "Stream:starttls", function(o, s)
    o.server = true
    s:starttls(o)
  end, "aiowire.StarttlsOptions", of = connection },
  { "Server:reload", function(o, s) s:reload(o) end, of = secure_server },
  { "aw.Serve", function(o, s) aw.Serve(s, nothing, nil, o) end, of = server },
  { "UdpSocket:configure", function(o, u) u:configure(o) end, of = udp },
  { "aw.udp.bind", function(o) aw.udp.bind("127.0.0.1", 0, o) end },
  { "aw.udp.connect", function(o) aw.udp.connect("127.0.0.1", 9, o) end },
  { "aw.test", function(o) aw.test(o, nothing) end },
  { "aw.trace", function(o) aw.trace("/no/file", o) end },
  { "aw.zmq.auth", function(o) aw.zmq.auth(o) end },
  { "aw.zmq.request", function(o) aw.zmq.request("inproc://x", "x", o) end },
  { "aw.zmq.Service", function(o, s) aw.zmq.Service(s, nothing, o) end,
    of = rep },
  { "Socket:recv_multipart", function(o, s) s:recv_multipart(o) end, of = rep },
}

-- These take options of libzmq, too, which spec/zmq tries.
local OF_LIBZMQ <const> = { ["aw.zmq.context"] = true,
  ["aw.zmq.socket"] = true, ["Context:socket"] = true }

-- Returns the type of the options of a function, or nil.
local function type_of_options(name)
  for _, param in ipairs(functions[name].params) do
    if param.name == "opts" or param.name == "options" then
      return param.type
    end
  end
end

-- Returns the options that a call accepts, as a set.
local function accepted(call, object)
  local set = {}
  for _, word in ipairs(QUOTED) do
    local ok, err = pcall(call, { [word .. "~"] = 1 }, object)
    assert.is_false(ok)
    set[word] = tostring(err):find(("unknown option '%s~', did you mean '%s'?")
      :format(word, word), 1, true) and true
  end
  return set
end

local function zmq_only(name, f)
  return (name:find "zmq" or name:find "^Socket") and not HAS_ZMQ
    and function() pending "libzmq is not installed" end or f
end

describe("the options in meta.lua are those of", function()
  -- By type: the options that some function accepts, and a function.
  local by_type = {}

  for _, taker in ipairs(takers) do
    local name, call, type = taker[1], taker[2], taker[3]
    type = type or type_of_options(name)
    it(name .. " " .. type .. " [docs]", zmq_only(name, function()
      local set
      aw.run(function()
        local object <close> = taker.of and taker.of()
        set = accepted(call, object)
      end)
      assert.is_truthy(next(set))
      local declared, refused = options_of_type(type)
      for option in pairs(refused) do
        declared[option] = true
      end
      assert.are.same({}, sorted.without(set, declared))
      by_type[type] = by_type[type] or {}
      for option in pairs(set) do
        by_type[type][option] = true
      end
    end))
  end

  -- Some options of a type belong to one of its functions, such as `mode` of
  -- aw.unix.listen; some of a parent only to the functions of a child.
  it("some function, each of them [docs]", function()
    for type, set in pairs(by_type) do
      local all = setmetatable({}, { __index = set })
      for child, of_child in pairs(by_type) do
        local class = classes[child]
        local parents = class and class.parent .. "," or ""
        for option in pairs(parents:find(type .. ",", 1, true) and of_child
          or {}) do
          all[option] = true
        end
      end
      assert.are.same({}, sorted.without(options_of_type(type), all), type)
    end
  end)

  it("all functions that take options [docs]", function()
    local tried, missing = {}, {}
    for _, taker in ipairs(takers) do
      tried[taker[1]] = true
    end
    for name in pairs(functions) do
      if type_of_options(name) and not tried[name] and not OF_LIBZMQ[name] then
        missing[#missing + 1] = name
      end
    end
    assert.are.same({}, missing)
  end)
end)

-- Modules ---------------------------------------------------------------------

-- Returns the names below a prefix such as "aw.fs.", as a set.
local function names_below(prefix)
  local set = {}
  for _, item in ipairs(items) do
    local full = item.variable or item.name or ""
    local name = full:sub(1, #prefix) == prefix and full:sub(#prefix + 1)
    if name and name ~= "" and not name:find "[.:]" then
      set[name] = true
    end
  end
  return set
end

-- Returns the public names of an object that are words of the sources.
local function found_in(object)
  local set = {}
  local function look(name)
    local ok, value = pcall(function() return object[name] end)
    if ok and value ~= nil then
      set[name] = true
    end
  end
  for _, word in ipairs(WORDS) do
    look(word)
  end
  return set
end

describe("the names in meta.lua are those of", function()
  for module, class in pairs { aw = "aiowire", ["aw.fs"] = false,
    ["aw.tcp"] = false, ["aw.unix"] = false, ["aw.udp"] = false,
    ["aw.tls"] = false, ["aw.dns"] = false, ["aw.zmq"] = "aiowire.zmq" } do
    local function check()
      local object = aw
      for name in module:gmatch "%.(%w+)" do
        object = object[name]
      end
      local declared = names_below(module .. ".")
      for name in pairs(class and names_of_class(class) or {}) do
        declared[name] = true
      end
      local found, constants = found_in(object), {}
      for name in pairs(found) do
        constants[name] = name:find "^%u[%u%d_]+$" and true
      end
      local extra = sorted.without(found, declared)
      for i = #extra, 1, -1 do
        -- zmq.REP, zmq.LINGER and so on: names of libzmq.
        if module == "aw.zmq" and constants[extra[i]] then
          table.remove(extra, i)
        end
      end
      assert.are.same({}, extra)
      for name in pairs(declared) do
        -- aw.parent is nil in the main program.
        if name:find "^%a" and module .. "." .. name ~= "aw.parent" then
          assert.is_not_nil(object[name], name)
        end
      end
    end
    it(module .. " [docs]", zmq_only(module, check))
  end
end)

-- Objects ---------------------------------------------------------------------

-- Returns the class in meta.lua whose variable is `name`.
local function class_of(name)
  for full, item in pairs(classes) do
    if item.variable == name then
      return full
    end
  end
end

-- Compare what an object has with what its class declares. A field whose type
-- ends in "?" may be nil.
local function compare(object, class)
  local declared = names_of_class(class)
  if not declared["[string]"] then
    assert.are.same({}, sorted.without(found_in(object), declared))
  end
  each_field(class, function(field)
    if field.name:find "^%a" and not field.optional
      and not field.type:find "%?$" and field.type ~= "any" then
      assert.is_not_nil(object[field.name], class .. " " .. field.name)
    end
  end)
  for name in pairs(functions) do
    local owner, method = name:match "^(.*):(.*)$"
    if owner and owner == classes[class].variable then
      assert.are.equal("function", type(object[method]), name)
    end
  end
end

describe("the names in meta.lua are those of a", function()
  for name, make in pairs(makers) do
    local class = class_of(name)
    it(name .. " [docs]", zmq_only(class, function()
      compare(make(), class)
    end))
  end
end)

local function caught(f, ...)
  return select(2, pcall(f, ...))
end

-- Results and errors, by their classes.
local results <const> = {
  Info = function()
    local info
    aw.run(aw.Call(error, "x"):catch(function(_, i) info = i end))
    return info
  end,
  Timeout = function() return caught(aw.timeout, 0, aw.sleep, 1) end,
  TaskCancelled = function()
    local task = aw.start(aw.Never)
    task:cancel()
    return caught(task.wait, task)
  end,
  Closed = function()
    local ch = aw.channel()
    ch:close()
    return caught(ch.send, ch, 1)
  end,
  SystemError = function() return caught(aw.fs.read, "/no/file") end,
  Cancelled = function()
    local err
    aw.start(function()
      err = caught(aw.sleep, 9)
      error(err, 0)
    end):cancel_wait()
    return err
  end,
  ProcessFailed = function() return caught(aw.exec, { "false", check = true })
  end,
  Result = function() return aw.exec "true" end,
  PipelineResult = function() return aw.pipeline { "true" } end,
  Ended = function()
    local p <close> = aw.spawn { "true" }
    return p:wait()
  end,
  FileStat = function() return aw.fs.stat "/" end,
  FolderEntry = function() return aw.fs.scandir("/")[1] end,
  Address = function() return aw.dns.resolve("127.0.0.1")[1] end,
  Outcome = function() return aw.settle({ aw.Call(error, "x") })[1] end,
  Stats = function() return aw.stats() end,
}
local outside <const> = {
  Deadlock = function() return caught(aw.run, aw.Never) end,
  UnhandledException = function()
    local ev = aw.EventLoop()
    ev:start(aw.Call(error, "x"))
    return caught(ev.run, ev)
  end,
}

describe("the fields in meta.lua are those of a", function()
  for name, make in pairs(results) do
    it(name .. " [docs]", function()
      helper.run(function()
        compare(make(), "aiowire." .. name)
      end)
    end)
  end
  for name, make in pairs(outside) do
    it(name .. " [docs]", function()
      compare(make(), "aiowire." .. name)
    end)
  end
end)
