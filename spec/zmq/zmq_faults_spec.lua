-- Calls of libzmq that fail: see spec/support/zmq.c. Signals interrupt calls,
-- the host ends a context that is in use, and memory runs out. Each of these
-- happens to each call in turn while a program runs.

local helper = require "spec.support.helper"
local preloaded = require "spec.support.preloaded"
local process = require "spec.support.process"
local sockets = require "spec.support.sockets"

local FRAME <const> = [[
  local faults, zmq = zmq, require "aiowire.zmq"
  local EINTR, ENOMEM, EMFILE, ETERM = 4, 12, 24, 156384765
  local CALLS = "getsockopt setsockopt bind connect unbind disconnect send "
    .. "msg_send msg_recv"
  local MAKERS = "ctx_new socket socket_monitor msg_init_size msg_copy bind "
    .. "connect curve_keypair curve_public"

  --- Run `program` with a fault in each call in turn, and report by `check`.
  local function sweep(program, names, fault, count, check)
    for skip = 0, 400 do
      faults.fail(names, fault, skip, count)
      local ok, err = pcall(aw.run, function()
        aw.timeout(100, program)
      end, { clock = "real" })
      local failed = faults.failed()
      faults.fail("", 0)
      check(ok, err, skip)
      collectgarbage()
      if failed == 0 then
        break
      end
    end
  end
  local function program()
%s
  end

%s
  print "survived"
]]

local INTERRUPTED <const> = [[
  sweep(program, CALLS, EINTR, 1, function(ok, err, skip)
    assert(ok, ("call %d: %s"):format(skip, err))
  end)]]

local ENDED <const> = [[
  sweep(program, CALLS, ETERM, nil, function(ok, err, skip)
    assert(ok or tostring(err):find "Closed",
      ("call %d: %s"):format(skip, err))
  end)
  assert(pcall(aw.run, program))]]

local SHORT <const> = [[
  sweep(program, MAKERS, ENOMEM, 1, function(ok, err, skip)
    assert(ok or tostring(err):find "memory",
      ("call %d: %s"):format(skip, err))
  end)
  assert(pcall(aw.run, program))]]

-- Programs to run; each ends by itself, and leaves nothing behind.
local programs <const> = {
  { "messages of one part and of many", [[
    local ctx <close> = zmq.context()
    local a <close> = ctx:socket("pair", { linger = 0 }):bind "inproc://a"
    local b <close> = ctx:socket("pair", { linger = 0 }):connect "inproc://a"
    a:send "1"
    assert(b:recv() == "1")
    b:send("x", ("y"):rep(2000), "z")
    assert(#a:recv_multipart() == 3)
    local many = {}
    for i = 1, 12 do many[i] = tostring(i) end
    a:send_multipart(many)
    assert(#b:recv_multipart() == 12)
    local receiver = aw.start(function()
      assert(a:recv() == "later")
    end)
    aw.yield()
    aw.await(aw.Send(b, "later"))
    receiver:wait()
    assert(a:poll("r", 0) == 0 and a:poll("rw", 1) ~= 0)]] },
  { "requests to a ROUTER", [[
    local ctx <close> = zmq.context()
    local router <close> = ctx:socket("router", { linger = 0 })
    router:bind "tcp://127.0.0.1:*"
    local dealer <close> = ctx:socket("dealer",
      { linger = 0, routing_id = "me" }):connect(router.last_endpoint)
    dealer:send "q"
    local id, text = router:recv()
    assert(id == "me" and text == "q")
    assert(router:send(id, "a"))
    assert(dealer:recv() == "a")
    assert(router:send("nobody", "a") == false)
    dealer:disconnect(router.last_endpoint)
    router:unbind(router.last_endpoint)]] },
  { "subscribers", [[
    local ctx <close> = zmq.context()
    local pub <close> = ctx:socket("xpub", { linger = 0 }):bind "inproc://p"
    local sub <close> = ctx:socket("sub", { linger = 0 }):connect "inproc://p"
    sub:subscribe "t"
    pub:wait_subscriber("t", 100)
    pub:send "topic"
    assert(sub:recv() == "topic")
    sub:unsubscribe "t"
    assert(pub.type == zmq.XPUB and sub.rcvhwm)]] },
  { "the newest message", [[
    local ctx <close> = zmq.context()
    local pull <close> = ctx:socket("pull", { linger = 0, conflate = true })
    pull:bind "inproc://n"
    local push <close> = ctx:socket("push", { linger = 0 })
    push:connect "inproc://n"
    for i = 1, 5 do push:send(i) end
    pull:recv()]] },
  { "a monitor and a wait for peers", threads = true, [[
    local ctx <close> = zmq.context()
    local pull <close> = ctx:socket("pull", { linger = 0 })
    local events <close> = pull:monitor()
    pull:bind "tcp://127.0.0.1:*"
    local push <close> = ctx:socket("push", { linger = 0 })
    push:connect(pull.last_endpoint)
    push:wait_peers(1, 100)
    events:recv()
    push:send "x"
    assert(pull:recv() == "x")]] },
  { "a proxy with a capture", threads = true, [[
    local ctx <close> = zmq.context()
    local o = { linger = 0 }
    local front <close> = ctx:socket("pull", o):bind "inproc://f"
    local back <close> = ctx:socket("push", o):bind "inproc://b"
    local seen <close> = ctx:socket("pub", o):bind "inproc://c"
    local spy <close> = ctx:socket("sub", o):connect "inproc://c"
    spy:subscribe ""
    local from <close> = ctx:socket("push", o):connect "inproc://f"
    local to <close> = ctx:socket("pull", o):connect "inproc://b"
    aw.scope(function(s)
      local proxy = s:start(zmq.Proxy(front, back, seen))
      from:send("a", "b")
      assert(table.concat(to:recv_multipart()) == "ab")
      assert(table.concat(spy:recv_multipart()) == "ab")
      proxy:cancel()
    end)]] },
  { "an authenticator and keys", threads = true, [[
    local ctx <close> = zmq.context()
    local public, secret = zmq.curve_keypair()
    assert(zmq.curve_public(secret) == public)
    local auth <close> = zmq.auth { context = ctx, plain = { u = "p" } }
    local o = { linger = 0 }
    local pull <close> = ctx:socket("pull", o)
    pull.plain_server = true
    pull:bind "tcp://127.0.0.1:*"
    local push <close> = ctx:socket("push", o)
    push.plain_username, push.plain_password = "u", "p"
    push:connect(pull.last_endpoint)
    push:send "x"
    local ok, text = aw.pcall(aw.timeout, 2, pull.recv, pull)
    if not ok and not aw.is_timeout(text) then error(text, 0) end]] },
  { "a service and its client", [[
    local ctx <close> = zmq.context()
    local o = { linger = 0 }
    local at <close> = ctx:socket("rep", o):bind "inproc://s"
    local client <close> = ctx:socket("req", o):connect "inproc://s"
    client:send "q"
    assert(at:recv() == "q")
    at:send "a"
    assert(client:recv() == "a")]] },
}

local faults <const> = {
  { "a signal in any call", "changes nothing for", INTERRUPTED },
  { "a context that ends in any call", "ends", ENDED },
  { "a lack of memory in any call", "is an error of", SHORT },
}

local library <const> = process.binary:match "^(.*)/" .. "/spec_zmq.so"

-- It is built where libzmq was found at that time.
local function need_library()
  local file <close> = io.open(library)
  if not (file and sockets.installed) or process.sanitized then
    helper.pending "needs libzmq, and a build without sanitizers"
  end
end

local function run(kind, text, rest)
  need_library()
  local frame = FRAME:gsub("%%s", function() return "%s" end, 2)
  return preloaded.runner("zmq", "SPEC_ZMQ=" .. kind,
    "%s")(frame:format(text, rest))
end

for _, fault in ipairs(faults) do
  describe(fault[1], function()
    for _, program in ipairs(programs) do
      -- Only some calls say that the context has ended: it goes on, and with
      -- it the threads and peers that would end with it.
      if not (program.threads and fault[3] == ENDED) then
        it(("%s %s [ZQ1]"):format(fault[2], program[1]), function()
          process.assert_outcome("survived\n", 0,
            run("", program[2], fault[3]))
        end)
      end
    end
  end)
end

describe("a signal that comes again and again", function()
  it("is an error in the end [ZQ16]", function()
    process.assert_outcome("EINTR\nsurvived\n", 0, run("", "", [[
      local s <close> = zmq.socket "pull"
      faults.fail("bind", EINTR)
      local ok, err = pcall(s.bind, s, "tcp://127.0.0.1:*")
      print(not ok and err.code)
      assert(faults.met() == 1000)]]))
  end)
end)

describe("a libzmq", function()
  for kind, what in pairs {
    missing = "that is not installed",
    foreign = "without its functions",
    old = "that is too old",
  } do
    it(what .. " is an error of the first socket [ZQ11]", function()
      process.assert_outcome("ENOZMQ\nsurvived\n", 0, run(kind, "", [[
        local ok, err = pcall(zmq.socket, "pull")
        print(not ok and err.code)
        assert(not pcall(zmq.version) and not pcall(zmq.curve_keypair))
        assert(tostring(err):find("4.3.3 or later is not installed", 1, true))]]
      ))
    end)
  end
end)

describe("a libzmq with drafts", function()
  it("has all types of sockets [M24]", function()
    need_library()
    local outcome = process.run(("cd %s && exec env SPEC_ZMQ=drafts "
      .. "LD_PRELOAD=%s $aiowire spec/run.lua spec/zmq/zmq_draft_spec.lua")
      :format(process.quoted(process.root), process.quoted(library)))
    assert.are.equal(0, outcome.code, outcome.out .. outcome.err)
    assert.is_truthy(outcome.out:find(" 0 failures / 0 errors / 1 pending"),
      outcome.out)
  end)

  it("may have no poller for a socket [M24]", function()
    process.assert_outcome("survived\n", 0, run("drafts", "", [[
      for _, name in ipairs { "poller_new", "poller_add" } do
        faults.fail(name, EMFILE)
        local ok, err = pcall(zmq.socket, "server")
        assert(not ok and faults.failed() == 1, name)
        assert(name == "poller_new" and tostring(err):find "memory"
          or err.code == "EMFILE", tostring(err))
      end
      faults.fail("", 0)
      zmq.socket("server"):close()]]))
  end)

  it("may refuse a label, and memory for a part [M24]", function()
    process.assert_outcome("survived\n", 0, run("drafts", "", [[
      local function refuses(s, names, text, ...)
        faults.fail(names, ENOMEM, 0, 1)
        local ok, err = pcall(s.send, s, ...)
        assert(not ok and tostring(err):find(text), tostring(err))
        assert(faults.failed() == 1)
      end
      aw.run(function()
        local server <close> = zmq.socket "server"
        local radio <close> = zmq.socket "radio"
        for _, name in ipairs { "msg_set_routing_id", "msg_init_size" } do
          refuses(server, name, "memory", 1, "part")
        end
        for _, name in ipairs { "msg_set_group", "msg_init_size" } do
          refuses(radio, name, "memory", "group", "part")
        end
      end)]]))
  end)
end)
