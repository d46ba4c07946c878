-- Tables of options. For an unknown name, the error suggests the nearest name.
-- For a bad value, the error names the option. Both errors blame the caller's
-- line.

local aw = require "aiowire"
local helper = require "spec.support.helper"
local places = require "spec.support.places"

local blamed = places.blamed
local caught, sealed = helper.caught, helper.sealed
local HERE <const> = debug.getinfo(1, "S").short_src

local function nothing() end

-- Calls with a table of options, by name.
local with <const> = {
  scope = function(o) aw.scope(o, nothing) end,
  run = function(o) aw.run(nothing, o) end,
  test = function(o) aw.test(o, nothing) end,
  EventLoop = function(o) aw.EventLoop(o) end,
  start = function(o) aw.EventLoop():start(nothing, nil, o) end,
  timeout = function(o) aw.Never:timeout(1, o) end,
  retry = function(o) aw.Never:retry(o) end,
  Every = function(o) aw.Every(1, nothing, o) end,
  channel = function(o) aw.channel(1, o) end,
  watch = function(o) aw.fs.watch(".", o) end,
  event = function(o) aw.event(o) end,
  semaphore = function(o) aw.semaphore(1, o) end,
  Poller = function(o) aw.Poller({}, o) end,
  settle = function(o) aw.settle({}, o) end,
  Settle = function(o) aw.Settle({}, o) end,
  each = function(o) aw.each({}, o, nothing) end,
  configure = function(o) aw.stdin:configure(o) end,
  pipeline = function(o) aw.pipeline({ "true" }, o) end,
  udp_bind = function(o) aw.udp.bind("127.0.0.1", 0, o) end,
  udp_connect = function(o) aw.udp.connect("127.0.0.1", 9, o) end,
  tcp_listen = function(o) aw.tcp.listen("127.0.0.1", 0, o) end,
  unix_listen = function(o) aw.unix.listen("never made", o) end,
  Serve = function(o)
    local server <close> = aw.tcp.listen("127.0.0.1", 0)
    aw.Serve(server, nothing, nil, o)
  end,
  tcp_connect = function(o) aw.tcp.connect("127.0.0.1", 1, o) end,
  tls_connect = function(o) aw.tls.connect("127.0.0.1", 1, o) end,
  tls_listen = function(o) aw.tls.listen("127.0.0.1", 0, o) end,
  unix_connect = function(o) aw.unix.connect("/nobody", o) end,
  resolve = function(o) aw.dns.resolve("127.0.0.1", o) end,
  request = function(o) aw.zmq.request("inproc://x", "x", o) end,
  auth = function(o) aw.zmq.auth(o) end,
  trace = function(o) aw.trace("/no/file", o) end,
  -- The table is a command, too.
  spawn = function(o) aw.spawn(o) end,
  exec = function(o) aw.exec(o) end,
  Exec = function(o) aw.Exec(o) end,
  first_of_pipeline = function(o) aw.pipeline(o, { "true" }) end,
}

-- Functions that take options: the name, the number of the argument, a call
-- with the options, a mistyped name, the correct name.
local takers <const> = {
  { "auth", 1, with.auth, "curv", "curve" },
  { "scope", 1, with.scope, "timout", "timeout" },
  { "run", 2, with.run, "gracce", "grace" },
  { "test", 1, with.test, "sed", "seed" },
  { "EventLoop", 1, with.EventLoop, "clok", "clock" },
  { "start", 3, with.start, "backgruond", "background" },
  { "timeout", 2, with.timeout, "grac", "grace" },
  { "retry", 1, with.retry, "tims", "times" },
  { "Every", 3, with.Every, "mised", "missed" },
  { "watch", 2, with.watch, "recursve", "recursive" },
  { "channel", 2, with.channel, "nam", "name" },
  { "event", 1, with.event, "NAME", "name" },
  { "semaphore", 2, with.semaphore, "mx", "max" },
  { "Poller", 2, with.Poller, "on_eror", "on_error" },
  { "settle", 2, with.settle, "limt", "limit" },
  { "Settle", 2, with.Settle, "limt", "limit" },
  { "each", 2, with.each, "lmit", "limit" },
  { "configure", 1, with.configure, "maxline", "max_line" },
  { "pipeline", 2, with.pipeline, "chekc", "check" },
  { "bind", 3, with.udp_bind, "reusport", "reuseport" },
  { "connect", 3, with.udp_connect, "localport", "local_port" },
  { "listen", 3, with.tcp_listen, "baklog", "backlog" },
  { "listen", 2, with.unix_listen, "mod", "mode" },
  { "Serve", 4, with.Serve, "max_connection", "max_connections" },
  { "connect", 3, with.tcp_connect, "local_prt", "local_port" },
  { "connect", 3, with.tls_connect, "handshaketimeout", "handshake_timeout" },
  { "listen", 3, with.tls_listen, "certt", "cert" },
  { "connect", 2, with.unix_connect, "timout", "timeout" },
  { "resolve", 2, with.resolve, "famly", "family" },
  { "request", 3, with.request, "tiemout", "timeout" },
  { "trace", 2, with.trace, "evnts", "events" },
}

-- Functions whose table of options is also the command.
local commands <const> = {
  { "spawn", 1, with.spawn, "cdw", "cwd" },
  { "exec", 1, with.exec, "chekc", "check" },
  { "Exec", 1, with.Exec, "max_ouput", "max_output" },
  { "pipeline", 1, with.first_of_pipeline, "cdw", "cwd" },
  { "pipeline", 2, with.pipeline, "gruop", "group" },
}

--- Returns the text of the error that `f(options)` raises, without its place,
--- which must be a line of `f`.
local function text_of(f, options)
  local text = caught(f, options)
  blamed(text, f)
  return (text:gsub("^" .. HERE:gsub("%p", "%%%0") .. ":%d+: ", ""))
end

local function unknown(taker, name, more)
  return ("bad argument #%d to '%s' (unknown option '%s'%s)"):format(taker[2],
    taker[1], name, more or "")
end

local function describe_unknown(list, base)
  for _, taker in ipairs(list) do
    it(taker[1], sealed(function()
      local options = { table.unpack(base) }
      options[taker[4]] = 1
      assert.are.equal(unknown(taker, taker[4],
        (", did you mean '%s'?"):format(taker[5])), text_of(taker[3], options))
      options = { table.unpack(base) }
      options.something_else = 1
      assert.are.equal(unknown(taker, "something_else"),
        text_of(taker[3], options))
      options = { table.unpack(base) }
      options[7] = 1
      assert.are.equal(("bad argument #%d to '%s' (the name of an option is a "
        .. "string, got number 7)"):format(taker[2], taker[1]),
        text_of(taker[3], options))
      options = { table.unpack(base) }
      options[print] = 1
      assert.are.equal(("bad argument #%d to '%s' (the name of an option is a "
        .. "string, got function)"):format(taker[2], taker[1]),
        text_of(taker[3], options))
    end))
  end
end

describe("an unknown option is refused, and the nearest named, by", function()
  describe_unknown(takers, {})
  describe_unknown(commands, { "true" })
end)

describe("options that are no table are refused by", function()
  for _, taker in ipairs(takers) do
    -- scope takes such a value for its function; retry and pipeline have other
    -- texts.
    if taker[1] ~= "scope" and taker[1] ~= "retry"
      and taker[1] ~= "pipeline" then
      it(taker[1], sealed(function()
        assert.are.equal(("bad argument #%d to '%s' (table expected, got "
          .. "aiowire.Event)"):format(taker[2], taker[1]),
          text_of(taker[3], aw.event()))
      end))
    end
  end
end)

-- A function, options with a bad value, the expected text.
local wrong_values <const> = {
  { with.scope, { timeout = "1" },
    "'timeout' (number of seconds expected, got string)" },
  { with.scope, { grace = -1 }, "'grace' (seconds must not be negative)" },
  { with.scope, { name = 1 }, "'name' (string expected, got number)" },
  { with.run, { timeout = aw.event() },
    "'timeout' (number of seconds expected, got aiowire.Event)" },
  { with.run, { timeout = 0 / 0 }, "'timeout' (seconds must not be NaN)" },
  { with.test, { limit = {} },
    "'limit' (number of seconds expected, got table)" },
  { with.test, { limit = -1 }, "'limit' (seconds must not be negative)" },
  { with.test, { seed = "x" }, "'seed' (integer expected, got string)" },
  { with.EventLoop, { clock = 1 },
    "'clock' (\"virtual\" or \"real\" expected, got 1)" },
  { with.EventLoop, { seed = 1.5 }, "'seed' (integer expected, got number)" },
  { with.EventLoop, { signals = 1 },
    "'signals' (boolean expected, got number)" },
  { with.EventLoop, { name = io.stdout },
    "'name' (string expected, got FILE*)" },
  { with.start, { background = "yes" },
    "'background' (boolean expected, got string)" },
  { with.start, { name = 1 }, "'name' (string expected, got number)" },
  { with.timeout, { grace = true },
    "'grace' (number of seconds expected, got boolean)" },
  { with.retry, { when = 1 }, "'when' (function expected, got number)" },
  { with.retry, { jitter = true },
    "'jitter' (false or \"full\" expected, got true)" },
  { with.channel, { name = print }, "'name' (string expected, got function)" },
  { with.semaphore, { max = {} },
    "'max' (positive integer expected, got table)" },
  { with.Poller, { on_error = 1 },
    "'on_error' (function expected, got number)" },
  { with.Poller, { flags = "x" },
    "'flags' ('r', 'w' or 'rw' expected, got x)" },
  { with.configure, { high_water = "1" },
    "'high_water' (positive number of bytes expected, got string)" },
  { with.configure, { nodelay = 1 },
    "'nodelay' (boolean expected, got number)" },
  { with.configure, { keepalive = "x" },
    "'keepalive' (boolean or seconds expected, got string)" },
  { with.configure, { keepalive = 0 },
    "'keepalive' (1 to 32767 seconds expected)" },
  { with.udp_bind, { ttl = 256 },
    "'ttl' (whole number from 1 to 255 expected)" },
  { with.udp_bind, { broadcast = 1 },
    "'broadcast' (boolean expected, got number)" },
  { with.udp_bind, { family = "ip" },
    "'family' (\"inet\" or \"inet6\" expected, got 'ip')" },
  { with.udp_bind, { interface = {} },
    "'interface' (name of an interface expected, got table)" },
  { with.udp_connect, { local_host = {} },
    "'local_host' (string expected, got table)" },
  { with.udp_connect, { local_port = -1 },
    "'local_port' (a port is a number from 0 to 65535, got -1)" },
  { with.tcp_connect, { local_host = 1 },
    "'local_host' (address expected, got number)" },
  { with.tcp_connect, { local_host = "x" },
    "'local_host' (an address of this machine, as \"127.0.0.1\", expected, "
    .. "got 'x')" },
  { with.tcp_connect, { local_host = "::1", family = "inet" },
    "'local_host' (it is not of option 'family')" },
  { with.tcp_connect, { local_port = "x" },
    "'local_port' (port expected, got string)" },
  { with.tcp_connect, { local_port = 70000 },
    "'local_port' (a port is a number from 0 to 65535, got 70000)" },
  { with.tcp_connect, { timeout = "1" },
    "'timeout' (number of seconds expected, got string)" },
  { with.tcp_connect, { keepalive = "x" },
    "'keepalive' (boolean or seconds expected, got string)" },
  { with.tls_connect, { ca = 1 },
    "'ca' (path, PEM text or list of those expected, got number)" },
  { with.tls_connect, { alpn = "h2" },
    "'alpn' (list of names expected, got string)" },
  { with.tls_connect, { handshake_timeout = -1 },
    "'handshake_timeout' (seconds must not be negative)" },
  { with.tls_connect, { verify = "no" },
    "'verify' (boolean expected, got string)" },
  { with.tls_listen, { cert = "x" }, "'cert' (it needs 'key', too)" },
  { with.unix_connect, { timeout = -1 },
    "'timeout' (seconds must not be negative)" },
  { with.resolve, { family = 4 },
    "'family' (\"inet\" or \"inet6\" expected, got number)" },
  { with.resolve, { family = "ipx" },
    "'family' (\"inet\" or \"inet6\" expected, got 'ipx')" },
  { with.resolve, { port = -1 },
    "'port' (a port is a number from 0 to 65535, got -1)" },
  { with.spawn, { "true", group = 1 },
    "'group' (boolean expected, got number)" },
  { with.spawn, { "true", grace = {} },
    "'grace' (number of seconds expected, got table)" },
  { with.spawn, { "true", env = aw.event() },
    "'env' (table expected, got aiowire.Event)" },
  { with.spawn, { "true", stdin = aw.event() },
    "'stdin' (\"pipe\", \"inherit\", \"null\", a stream, a Lua file or a "
    .. "descriptor expected, got aiowire.Event)" },
  { with.spawn, { "true", append = 1 },
    "'append' (boolean expected, got number)" },
  { with.exec, { "true", cwd = 1 },
    "'cwd' (string expected, got number)" },
  { with.exec, { "true", check = 1 },
    "'check' (boolean expected, got number)" },
  { with.Exec, { "true", stdin = aw.event() },
    "'stdin' (text, a stream, a Lua file, a descriptor, \"inherit\" or "
    .. "\"null\" expected, got aiowire.Event)" },
  { with.Exec, { "true", max_output = "1" },
    "'max_output' (positive number of bytes expected, got string)" },
  { with.Exec, { "true", cwd = true },
    "'cwd' (string expected, got boolean)" },
  { with.first_of_pipeline, { "true", stderr = true },
    "'stderr' (\"pipe\", \"inherit\", \"null\", \"stdout\", a path, a "
    .. "stream, a Lua file or a descriptor expected, got boolean)" },
  { with.pipeline, { stdin = true },
    "'stdin' (text, a stream, a Lua file, a descriptor, \"inherit\" or "
    .. "\"null\" expected, got boolean)" },
  { with.pipeline, { check = "x" },
    "'check' (boolean expected, got string)" },
  { with.pipeline, { grace = -1 },
    "'grace' (seconds must not be negative)" },
}

describe("a bad value is one of its option", function()
  for _, case in ipairs(wrong_values) do
    it("as option " .. case[3]:match "'.-'" .. " " .. case[3], sealed(function()
      assert.are.equal("bad option " .. case[3], text_of(case[1], case[2]))
    end))
  end
end)

describe("the line of a bad option is the caller's", function()
  it("are reported when they come after the function", function()
    local _, err = pcall(aw.scope, nothing, { timeout = 1 })
    assert.are.equal(("%s:%d: bad argument #2 to 'scope' (options come before "
      .. "the function)"):format(HERE, debug.getinfo(1, "l").currentline - 2),
      err)
  end)

  it("through pcall, and the name is the function's", sealed(function()
    local _, err = pcall(aw.scope, { timout = 1 }, nothing)
    local line = places.line() - 1
    assert.are.equal(("%s:%d: bad argument #1 to 'scope' (unknown option "
      .. "'timout', did you mean 'timeout'?)"):format(HERE, line), err)
  end))

  it("is that of a wire that Lua runs", sealed(function()
    local line
    local _, err = pcall(aw.run, function()
      line = places.line() + 1
      aw.scope({ timout = 1 }, nothing)
    end)
    assert.are.equal(("%s:%d: bad argument #1 to 'scope' (unknown option "
      .. "'timout', did you mean 'timeout'?)"):format(HERE, line), err)
  end))

  it("that started the task, where no Lua calls", sealed(function()
    local w = aw.Call(aw.exec, { "true", chekc = 1 })
    local line = places.line() + 1
    local _, err = pcall(aw.run, w)
    assert.are.equal(("%s:%d: bad argument #1 to 'exec' (unknown option "
      .. "'chekc', did you mean 'check'?)"):format(HERE, line), err)
  end))

  it("that makes a tail call", sealed(function()
    local line
    local function tail()
      line = places.line() + 1
      return aw.exec { "true", chekc = 1 }
    end
    local _, err = pcall(function()
      tail()
    end)
    assert.are.equal(("%s:%d: bad argument #1 to 'exec' (unknown option "
      .. "'chekc', did you mean 'check'?)"):format(HERE, line), err)
  end))
end)

describe("a wire of aw.Exec", function()
  it("is not made with an option that its run would refuse", sealed(function()
    for _, options in ipairs {
      { "true", cwdd = "/" }, { "true", stderr = true },
      { "true", env = { 1 } }, { "true", false },
    } do
      blamed(caught(with.Exec, options), with.Exec)
    end
  end))
end)

describe("options that a table inherits", function()
  local defaults <const> = { __index = { timeout = 1, grace = 0, cwd = "/" } }

  it("count beside other inherited fields", sealed(function()
    local ev = helper.virtual()
    local results
    ev:start(function()
      results = table.pack(aw.scope(setmetatable({}, defaults), function()
        aw.sleep(5)
      end))
    end)
    ev:run()
    assert.are.same({ n = 3, [2] = "cancelled", [3] = "timeout" }, results)
    assert.are.equal(1, ev:now())
  end))

  it("count for exec as for spawn", function()
    helper.run(function()
      assert.are.equal("/\n",
        aw.exec(setmetatable({ "pwd" }, defaults)).out)
      local p <close> = aw.spawn(setmetatable({ "pwd" }, defaults))
      assert.are.equal("/", p.stdout:read())
      p:wait()
    end)
  end)

  it("are checked as others", sealed(function()
    local text = text_of(with.scope,
      setmetatable({}, { __index = function() return "x" end }))
    assert.are.equal("bad option 'timeout' (number of seconds expected, got "
      .. "string)", text)
  end))

  it("do not excuse a name of the table itself", sealed(function()
    assert.are.equal("bad argument #1 to 'scope' (unknown option 'timout', did "
      .. "you mean 'timeout'?)",
      text_of(with.scope, setmetatable({ timout = 1 }, defaults)))
  end))
end)

describe("the nearest name", function()
  local function meant(name)
    return caught(aw.EventLoop, { [name] = 1 }):match "did you mean '(.-)'"
  end

  it("is one with a letter more, less, changed or swapped", sealed(function()
    assert.are.equal("timeout", meant "timout")
    assert.are.equal("timeout", meant "timeoutt")
    assert.are.equal("timeout", meant "timeaut")
    assert.are.equal("timeout", meant "tiemout")
    assert.are.equal("timeout", meant "Timeout")
    assert.are.equal("signals", meant "signal")
  end))

  it("is not given if none is near", sealed(function()
    assert.is_nil(meant "interval")
    assert.is_nil(meant(("timeout"):rep(10)))
    assert.is_nil(meant "")
  end))

  it("is never an internal option", sealed(function()
    local err = caught(with.start, { wher = 1 })
    assert.is_nil(err:find("did you mean", 1, true), err)
    assert.is_truthy(caught(with.start, { where = "x:1" })
      :find("unknown option 'where'", 1, true))
  end))
end)
