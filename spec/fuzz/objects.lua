--- The grammar of objects: for each class (see `classes`), how to make an
--- object and what to do with it.

local M = {}

--- Each class has the slots O.<class>1 and O.<class>2; "built" are wires. A
--- class that is off, and productions that need it, do not occur in the
--- program.
M.classes = { "loop", "task", "scope", "built", "channel", "event", "semaphore",
  "permit", "poller", "file", "stream", "server", "process", "thread", "udp",
  "watch", "socket", "context", "auth", "error", "info", "co" }

M.rules = {
  make_loop = { "new_loop{ <loop_options> }" },
  make_task = {
    "6* aw.start(<runnable>, <handler>, <options>)",
    "3* use(<loop>, 'start', <runnable>, <handler>, <options>)",
    "6* use(<scope>, 'start', <runnable>, <handler>)", "aw.current()",
  },
  make_scope = {}, -- see aw.scope in act_scope
  make_built = { "<composed>", "<modified>", "<leaf>", "2* <extended>" },
  make_channel = { "aw.channel(<count>)" },
  make_event = { "aw.event()" },
  make_semaphore = { "aw.semaphore(<count>)" },
  make_permit = { "use(<semaphore>, 'try_acquire')",
    "use(<semaphore>, 'acquire')" },
  make_poller = {
    "4* aw.Poller({ [<source>] = <wire> }, { on_error = <function_> })",
    "2* aw.Poller{ [<source>] = <wire>, [<source>] = <wire> }",
    [[aw.Poller({ [<source>] = <wire> }, { flags = "w" })]], "aw.Poller()",
  },
  make_file = {
    [[2* io.popen("sleep 0.01", "r")]], [[2* io.popen("echo x", "r")]],
    [[io.popen("cat >/dev/null", "w")]], [[io.open("/dev/null")]],
    [[2* <real>io.open(PLAN.fifo, "r+")]],
  },
  make_stream = {
    "get(<process>, 'stdin')", "3* get(<process>, 'stdout')",
    "get(<process>, 'stderr')", [[2* <real>aw.fs.open(PLAN.fifo, "r+")]],
    "3* dial(<server>)", "2* use(<server>, 'accept')",
    "4* pair()", "secure(<server>, { verify = false })",
    [[<real>aw.fs.open(PLAN.fifo, "r")]], [[<real>aw.fs.open(PLAN.fifo, "w")]],
    "<real>aw.fs.open(<any>, <value>)", [[aw.fs.open("/dev/null", "r+")]],
    "2* aw.fs.open('f', <file_mode>)", "aw.fs.tempfile()",
  },
  make_udp = {
    [[3* aw.udp.bind("127.0.0.1", 0)]], [[aw.udp.bind("127.0.0.1", <count>)]],
    [[aw.udp.connect("localhost", select(2, use(<udp>, 'name')) or 9)]],
    [[1* aw.udp.bind("", 0, <shape>)]],
  },
  make_watch = { [[3* aw.fs.watch(".")]], [[aw.fs.watch(PLAN.fifo)]],
    [[2* <real>aw.fs.watch(".", { recursive = true })]],
    "1* aw.fs.watch(<any>)", [[1* aw.fs.watch(".", <shape>)]] },
  make_server = { [[3* aw.tcp.listen("127.0.0.1", 0)]],
    [[2* aw.unix.listen("u")]], "1* aw.tcp.listen(<shape>)",
    [[2* aw.tls.listen("127.0.0.1", 0, TLS_SERVER)]],
    "1* aw.tls.listen('localhost', 0, <shape>)",
    [[aw.tcp.listen("", 0, { backlog = 0, high_water = 10, max_line = 5 })]],
    "1* aw.tcp.listen('localhost', 0, <shape>)" },
  make_process = {
    [[aw.spawn{ "true" }]], [[3* <real>aw.spawn{ "cat" }]],
    [[2* aw.spawn{ "sleep", "0.01", group = true }]],
    [[2* aw.spawn{ "sh", "-c", "echo x; sleep 0.005; echo y" }]],
    [[aw.spawn{ "sleep", "0.01", stdin = "null", grace = 0.001 }]],
    [[1* aw.spawn(<shape>)]],
  },
  make_thread = {
    [[3* aw.thread(function(...) return ... end, <value>)]],
    [[3* aw.thread(function() local p = require "aiowire".parent ]]
      .. [[for v in p:iter() do p:send(v) end end)]],
    [[2* aw.thread(function() require "aiowire".sleep(1) end)]],
    [[aw.thread(function() error { "x" } end)]],
    [[aw.thread(function() os.exit(3) end)]], "aw.thread(<value>, <value>)",
  },
  make_socket = {
    "6* zmq.socket(<socket_type>, { linger = 0 })",
    "2* use(<context>, 'socket', <socket_type>, { linger = 0 })",
    "1* zmq.socket(<socket_type>, <shape>)",
  },
  make_auth = {
    "3* zmq.auth{ handler = <function_>, on_denied = <function_> }",
    "2* zmq.auth{ context = <context>, plain = { u = 'p' } }",
    "1* zmq.auth(<shape>)",
  },
  make_context = { "zmq.context{ patience = 50 }" },
  make_error = { "select(2, pcall(<function_>))", [["text"]], "<shape>",
    "get(<error>, 'cause')" },
  make_info = { "get(<loop>, 'failure')", "get(<error>, 'info')" },
  make_co = { "coroutine.create(<function_>)", "coroutine.running()" },

  act_loop = {
    "5* use(<loop>, 'run')", "2* use(<loop>, 'run', <short>)",
    "3* use(<loop>, 'stop')", "3* use(<loop>, 'close')",
    "use(<loop>, 'tasks')", "2* use(<loop>, 'dump')", "use(<loop>, 'now')",
    "do local _ <close> = <loop> <block>end",
  },
  act_task = {
    "6* use(<task>, 'cancel', <reason>)", "3* use(<task>, 'cancel_wait')",
    "4* use(<task>, 'wait')", "4* use(<task>, 'close')",
    "use(<task>, 'results')", "2* use(<task>, 'traceback')",
    "do local _ <close> = <task> <block>end",
  },
  act_scope = {
    "4* use(<scope>, 'cancel', <reason>)",
    "3* use(<scope>, 'start', <runnable>, <handler>, <options>)",
    "8* aw.scope(function(s) O.scope1 = s <block>end)",
    "3* aw.scope({ timeout = <seconds> }, function(s) O.scope2 = s <block>end)",
  },
  act_built = {
    "10* aw.await(<runnable>)", "2* tostring(<wire>)", "1* W(<wire>)(<loop>)",
    "2* aw.run(<runnable>, { timeout = 0.01, grace = 0.002 })",
  },
  act_channel = {
    "3* use(<channel>, 'send', <value>)", "3* use(<channel>, 'recv')",
    "use(<channel>, 'try_send', <value>)", "use(<channel>, 'try_recv')",
    "3* use(<channel>, 'close')",
    -- The block may send to the channel from which it receives. A virtual clock
    -- stands still then, so the program must end the loop itself.
    "for v in use(<channel>, 'iter') do keep(v) if spent() then break end"
      .. "<block>end",
  },
  act_event = { "2* use(<event>, 'set')", "use(<event>, 'clear')",
    "2* use(<event>, 'wait')" },
  act_semaphore = { "2* use(<semaphore>, 'acquire')",
    "use(<semaphore>, 'try_acquire')", "use(<semaphore>, 'release')" },
  act_permit = { "do local _ <close> = <permit> <block>end",
    "use(<permit>, 'close')" },
  act_poller = {
    "3* use(<poller>, 'register', <source>, <wire>, <flags>)",
    "3* use(<poller>, 'unregister', <source>)", "2* use(<poller>, 'shutdown')",
    "3* aw.await(W(<poller>))",
  },
  act_file = { "3* use(<file>, 'close')", "aw.writable(<source>)",
    "5* aw.readable(<source>)" },
  act_stream = {
    [[3* use(<stream>, 'read', "l")]], [[use(<stream>, 'read', "a")]],
    "2* use(<stream>, 'read', <count>)", "use(<stream>, 'read_some')",
    [[2* use(<stream>, 'write', "x\n")]],
    [[use(<stream>, 'write', ("x"):rep(300000))]],
    "for l in use(<stream>, 'lines') do keep(l)<block>end",
    "2* use(<stream>, 'shutdown')", "4* use(<stream>, 'close')",
    "use(<stream>, 'getfd')",
    "use(<stream>, 'configure', { high_water = 10, max_line = 5 })",
    [[2* use(<stream>, 'read_until', "x\n")]], "use(<stream>, 'peer')",
    "use(<stream>, 'name')", "3* aw.copy(<stream>, <stream>, <count>)",
    "2* use(<stream>, 'starttls', TLS_CLIENT)",
    "use(<stream>, 'starttls', { server = true, cert = PEM, key = PEM })",
    "1* use(<stream>, 'starttls', <shape>)", "use(<stream>, 'handshake')",
    "keep(nil, nil, use(<stream>, 'tls'))",
    "aw.copy(<stream>, <stream>, 1000000)",
    [[use(<stream>, 'read_until', "no", 3)]],
    "2* aw.await(aw.Recv(<stream>) | <wire>)",
    "use(<stream>, 'configure', { nodelay = false, keepalive = 3 })",
    "3* storm(aw.Call(aw.copy, <stream>, <stream>, <count>):timeout(0))",
    "1* use(<stream>, 'configure', <shape>)",
    "2* use(<stream>, 'flush')", "use(<stream>, 'sync')",
    "2* use(<stream>, 'seek', 'set', <count>)", "use(<stream>, 'seek')",
    "1* use(<stream>, 'seek', <value>, <value>)",
    [[1* aw.spawn{ "cat", stdin = <stream>, stdout = "null" }]],
    [[1* aw.spawn{ "echo", stdout = <stream> }]],
    "do local _ <close> = <stream> <block>end",
  },
  act_udp = {
    "4* use(<udp>, 'recv')", "use(<udp>, 'recv', <count>)",
    [[3* use(<udp>, 'send', "x", use(<udp>, 'name'))]],
    [[2* use(<udp>, 'send', "x")]], "4* use(<udp>, 'close')",
    [[3* aw.await(aw.Recv(<udp>) | <wire>)]],
    [[aw.await(aw.Send(<udp>, "y", use(<udp>, 'name')))]],
    "use(<udp>, 'configure', { ttl = 1 })", "use(<udp>, 'peer')",
    [[use(<udp>, 'join', "239.0.0.1", "lo")]],
    "do local _ <close> = <udp> <block>end",
  },
  act_watch = {
    "2* aw.await(aw.Recv(<watch>) | aw.Sleep(<short>))",
    [[3* os.rename("watched", "watched2")]],
    [[3* io.open("watched", "w"):close()]], "2* use(<watch>, 'close')",
    "2* storm(aw.Recv(<watch>):timeout(0))",
    "aw.start(aw.Recv(<watch>), nil, { background = true })",
    "do local _ <close> = <watch> <block>end",
  },
  act_server = {
    "3* use(<server>, 'accept')", "3* use(<server>, 'close')",
    "2* aw.await(aw.Accept(<server>) | aw.Sleep(<short>))",
    "2* dial(<server>)", "use(<server>, 'name')", "use(<server>, 'getfd')",
    "use(<server>, 'reload', TLS_SERVER)", "2* secure(<server>)",
    "1* use(<server>, 'reload', <shape>)",
    "do local _ <close> = <server> <block>end",
    "3* aw.start(aw.Serve(<server>, <function_>, <function_>))",
    "3* aw.start(aw.Serve(<server>, <function_>, nil, "
      .. "{ max_connections = 1 }))",
    "2* aw.await(aw.Recv(<server>) | <wire>)",
    "2* storm(aw.Accept(<server>):timeout(0))",
    "2* aw.await(aw.Serve(<server>, serve(<function_>))"
      .. ":timeout(<seconds>))",
    "aw.run(aw.Serve(<server>, serve(<function_>)), "
      .. "{ timeout = 0.005, grace = 0.002 })",
    "2* aw.readable(<server>)",
    "1* aw.Serve(<server>, <function_>, <function_>, <shape>)",
    "2* dial(<server>, <dial_options>)",
  },
  dial_options = { "{ timeout = <seconds> }", "{ max_line = 3 }",
    "{ local_host = '127.0.0.1' }", "1* <shape>" },
  act_thread = {
    "4* use(<thread>, 'try_send', <value>)", "3* use(<thread>, 'try_recv')",
    "3* aw.await(aw.Recv(<thread>) | <wire>)",
    "3* aw.await(aw.Send(<thread>, <value>):timeout(<seconds>))",
    "2* aw.timeout(<seconds>, use, <thread>, 'wait')",
    "2* aw.timeout(<seconds>, use, <thread>, 'recv')",
    "2* use(<thread>, 'shutdown')", "3* use(<thread>, 'cancel')",
    "5* use(<thread>, 'close')", "get(<thread>, 'status')",
    "do local _ <close> = <thread> <block>end",
  },
  act_process = {
    "4* use(<process>, 'wait')", [[2* use(<process>, 'kill', "KILL")]],
    "use(<process>, 'kill')", "5* use(<process>, 'close')",
    "do local _ <close> = <process> <block>end",
    "2* aw.exec(<command>)",
    [[aw.exec{ "cat", stdin = "x", max_output = <count> }]],
    [[aw.exec{ "cat", stdin = <stream> }]],
    [[aw.exec{ "sh", "-c", "echo x; exit 3", check = true }]],
    "1* aw.exec(<shape>)",
    "2* aw.pipeline({ <command> }, { <command> })",
    [[2* aw.fs.read(<path>)]], [[aw.fs.stat(<path>, { follow = false })]],
    [[aw.fs.scandir(<path>)]], [[aw.fs.glob "/d[e]v/{null,f*}"]],
    [[2* aw.fs.write("/dev/null", "x", { atomic = true })]],
    [[aw.fs.append("/dev/null", "x")]], [[aw.fs.copy(<path>, "/dev/null")]],
    [[aw.await(aw.Call(aw.fs.read, <path>) | <wire>)]],
    [[aw.fs.mkdir("/proc", { parents = true })]],
    [[do local stream, path = aw.fs.tempfile() os.remove(path)
      stream:close() end]],
    "1* aw.fs.write(\"/dev/null\", <shape>, <shape>)",
    [[aw.pipeline({ "cat" }, { "head", "-c", "2" }, { stdin = <stream> })]],
    [[aw.pipeline({ "yes" }, { "cat" }, { max_output = <count> })]],
    "1* aw.pipeline(<shape>, { <command> }, <shape>)",
  },
  path = { [["/dev/null"]], [["/proc/self/status"]], [["/"]],
    [["/no such file"]], "1* <shape>" },
  command = { [["true"]], [["sleep", "0.005"]], [["echo", "x"]],
    [["no such program"]] },
  act_socket = {
    "3* use(<socket>, 'bind', <address>)",
    "3* use(<socket>, 'connect', <address>)",
    "1* use(<socket>, 'unbind', <address>)",
    "1* use(<socket>, 'disconnect', <address>)",
    [[2* use(<socket>, 'send', "a", "b")]],
    [[1* use(<socket>, 'send_multipart', { "a", "b" })]],
    "2* use(<socket>, 'send_multipart', <parts>)",
    "3* use(<socket>, 'recv')", "use(<socket>, 'recv_multipart')",
    "use(<socket>, 'recv_multipart', { meta = true })",
    "2* use(<socket>, 'poll', <flags>, <short>)", "4* use(<socket>, 'close')",
    [[use(<socket>, 'subscribe', "")]],
    "2* use(<socket>, 'wait_subscriber', <prefix>, <short>)",
    [[1* use(<socket>, 'set', "conflate", <flag>)]],
    [[use(<socket>, 'get', "fd")]],
    [[use(<socket>, 'set', "linger", 0)]],
    "2* use(<socket>, 'wait_peers', <count>, <short>)",
    "2* use(use(<socket>, 'monitor', <value>), 'recv')",
    [[1* use(<socket>, 'set', <value>, <value>)]],
    "do local _ <close> = <socket> <block>end",
    [[3* aw.start(zmq.Service(<socket>, <function_>, <service_options>),]]
      .. " <handler>)",
    [[2* zmq.request(<address>, shape(<function_>, "part"),]]
      .. " <request_options>)",
    [[1* zmq.request(<address>, <parts>, <shape>)]],
    "1* zmq.Service(<any>, <function_>, <shape>)",
  },
  prefix = { "nil", [["a"]], [[""]], "<any>" },
  flag = { "true", "false" },
  service_options = { "nil", "{ concurrency = 1, timeout = <short> }",
    "{ concurrency = 2, on_error = <function_> }" },
  request_options = { "{ timeout = <short>, retries = 1 }",
    "{ timeout = <short>, retries = 0 }" },
  parts = { [[shape(<function_>, "part")]] },
  socket_type = { [["pair"]], [["push"]], [["pull"]], [["pub"]], [["sub"]],
    [["dealer"]], [["router"]], [["req"]], [["rep"]], [["xpub"]] },
  address = { [[3* "inproc://a"]], [["inproc://b"]], [["ipc://s"]],
    [["tcp://localhost:5959"]], [["tcp://127.2:5959"]] },
  act_auth = {
    "3* use(<auth>, 'close')", "use(<auth>, 'allow_key', ('x'):rep(32))",
    "use(<auth>, 'deny_key', <value>)",
    "do local _ <close> = <auth> <block>end",
  },
  act_context = { "2* use(<context>, 'close')" },
  act_error = { "error(<error>, 0)", "look(<error>)" },
  act_info = { "look(<info>)" },
  act_co = { "<coroutine_>" },

  source = { "4* <file>", "3* <stream>", "3* <socket>", "2* <udp>",
    "2* <server>",
    "2* source(<function_>, <file>)", "get(<socket>, 'fd')",
    "use(<stream>, 'getfd')", "1* <any>", "1* <shape>" },
}

-- Rules for all classes. A `dropped` object is used once more in the finalizer
-- of another object, which runs before or after its own finalizer.
for _, rule in ipairs { "any", "slot", "make", "act", "dropped",
  "strike_object" } do
  M.rules[rule] = {}
end
local DROPPED <const> = {
  "doomed(fn(function(_, x) O.%s2 = x <block>end), O.%s1) O.%s1 = nil",
  "doomed(fn(function(_, x) O.%s2 = x <block>end), O.%s1) O.%s1 = nil "
    .. "collectgarbage()",
  "4* holder(fn(function(_, x) O.%s2 = x <block>end)).x = O.%s1 O.%s1 = nil "
    .. "collectgarbage()",
  "4* holder(fn(function(_, x) O.%s2 = x <strike> end)).x = <make_%s> "
    .. "collectgarbage()",
}
local UNCLOSABLE <const> = { built = true, error = true, info = true, co = true,
  scope = true, event = true, semaphore = true, poller = true }

local function instances(patterns, class)
  local found = {}
  for i, pattern in ipairs(patterns) do
    found[i] = pattern:gsub("%%s", class)
  end
  return found
end

for _, class in ipairs(M.classes) do
  local names = { "O." .. class .. "1", "O." .. class .. "2" }
  if class == "loop" then
    names[3] = "O.loop3" -- the loop of the task, see keep()
  end
  M.rules[class] = names
  M.rules["slot_" .. class] = { names[1], names[2] }
  M.rules["make_" .. class .. "_"] =
    { ("<slot_%s> = <make_%s>"):format(class, class) }
  table.insert(M.rules.make, ("<make_%s_>"):format(class))
  table.insert(M.rules.act, ("<act_%s>"):format(class))
  table.insert(M.rules.any, ("<%s>"):format(class))
  table.insert(M.rules.slot, ("<slot_%s>"):format(class))
  M.rules["drop_" .. class] = instances(DROPPED, class)
  table.insert(M.rules.dropped, ("<drop_%s>"):format(class))
  if not UNCLOSABLE[class] then
    table.insert(M.rules.strike_object, ("use(<%s>, 'close')"):format(class))
  end
end
--- Returns the rules of a class that rules for all classes choose from.
---@param class string
---@return string[]
function M.rules_of(class)
  return { class, "make_" .. class, "make_" .. class .. "_", "act_" .. class,
    "slot_" .. class, "drop_" .. class }
end

M.rules.empty = { "<slot> = nil" }

return M
