/* calls_scenarios.h - the scripts of calls_test.c
 *
 * Each runs in an empty folder, in which it may leave files.
 */
#ifndef CALLS_SCENARIOS_H
#define CALLS_SCENARIOS_H

typedef struct calls_scenario {
  const char *name, *script;
} calls_scenario;

/* check(claim) raises if the claim is false and the script must succeed.
 *
 * A task whose waits end soon: a call that fails may leave nothing to wait for.
 */
#define IN_TASK(text) \
  "local ev <close> = aw.EventLoop{signals = false, grace = 0}\n" \
  "local function body()\n" text "end\n" \
  "local ok, err\n" \
  "ev:start(function()\n" \
  "  ok, err = pcall(aw.timeout, patient and 60 or 0.1, body)\n" \
  "end)\n" \
  "pcall(ev.run, ev)\n" \
  "assert(ok, err)\n"

static const calls_scenario calls_scenarios[] = {
    {"files", IN_TASK("  local fs = aw.fs\n"
                      "  fs.write('f', 'text')\n"
                      "  fs.write('f', 'more', {atomic = true})\n"
                      "  fs.append('f', 'text')\n"
                      "  fs.copy('f', 'g')\n"
                      "  fs.copy('f', 'g')\n"
                      "  assert(fs.read('g') == 'moretext' or not calm)\n"
                      "  fs.mkdir('a/b/c', {parents = true})\n"
                      "  fs.scandir('a')\n"
                      "  fs.glob('a/**')\n"
                      "  os.execute('chmod 640 f')\n"
                      "  fs.write('f', 'mode', {atomic = true})\n"
                      "  fs.rename('f', 'h')\n"
                      "  fs.tempfile():close()\n")},
    {"streams of files",
     IN_TASK("  local f = aw.fs.open('s', 'w+')\n"
             "  f:write(('x'):rep(300000))\n"
             "  f:flush()\n"
             "  f:sync()\n"
             "  f:seek('set', 5)\n"
             "  f:read(10)\n"
             "  f:seek('cur', -3)\n"
             "  f:write('y')\n"
             "  f:read('a')\n"
             "  f:close()\n"
             "  f = aw.fs.open('s', 'a+')\n"
             "  f:write('x')\n"
             "  f:seek('end')\n"
             "  aw.copy(aw.fs.open('s'), f, 100)\n"
             "  aw.exec{'cat', stdin = aw.fs.open('s'), stdout = f}\n"
             "  f:close()\n")},
    {"sockets",
     IN_TASK("  local server <close> = aw.tcp.listen('127.0.0.1', 0)\n"
             "  local _, port = server:name()\n"
             "  local s <close> = aw.tcp.connect('127.0.0.1', port,\n"
             "    {nodelay = true, keepalive = 9})\n"
             "  local peer <close> = server:accept()\n"
             "  s:write('text')\n"
             "  s:shutdown()\n"
             "  peer:read('a')\n")},
    {"local sockets",
     IN_TASK("  os.remove('u')\n"
             "  local server <close> = aw.unix.listen('u', {mode = 384})\n"
             "  local s <close> = aw.unix.connect('u')\n"
             "  local peer <close> = server:accept()\n"
             "  s:write('text')\n"
             "  peer:read(4)\n")},
    {"datagrams",
     IN_TASK("  local a <close> = aw.udp.bind('127.0.0.1', 0, {ttl = 3})\n"
             "  local b <close> = aw.udp.connect('127.0.0.1',\n"
             "    select(2, a:name()))\n"
             "  b:send('text')\n"
             "  a:recv()\n")},
    {"children",
     IN_TASK("  local p <close> = aw.spawn{'cat', grace = 0}\n"
             "  p.stdin:write('text')\n"
             "  p.stdin:close()\n"
             "  p.stdout:read('a')\n"
             "  p:wait()\n"
             "  aw.exec{'true'}\n"
             "  local t <close> = aw.spawn{'true', pty = true, grace = 0}\n"
             "  t:wait()\n")},
    {"names of hosts",
     IN_TASK("  for i = 1, 12 do\n"
             "    local ok, err = pcall(aw.dns.resolve, 'name' .. i)\n"
             "    assert(not ok and err.call == 'resolve')\n"
             "    assert(err.code == 'EAI_NONAME' or not calm)\n"
             "  end\n"
             "  pcall(aw.udp.bind, 'fe80::1%lo', 0)\n")},
    {"times of day",
     IN_TASK("  aw.await(aw.At{hour = 3} | aw.Sleep(0))\n"
             "  aw.await(aw.At{min = 3} | aw.At{sec = 0} | aw.Sleep(0))\n")},
    {"watches",
     IN_TASK("  os.execute('rm -rf w; mkdir -p w/a/b; ln -s a w/l')\n"
             "  local w <close> = aw.fs.watch('w/l/b')\n"
             "  local t <close> = aw.fs.watch('w',\n"
             "    {recursive = true})\n"
             "  os.execute('mkdir -p w/a/b/c/d; mv w/a/b w/e')\n"
             "  w:recv()\n"
             "  t:recv()\n")},
    {"threads",
     IN_TASK("  local t <close> = aw.thread(function(...) return ... end, 1)\n"
             "  assert(t:wait() == 1 or not calm)\n"
             "  local pool <close> = aw.pool(1, function(n) return n end)\n"
             "  pool:call(1)\n")},
    {"servers",
     IN_TASK("  local server <close> = aw.tcp.listen('127.0.0.1', 0,\n"
             "    {nodelay = true, keepalive = 9})\n"
             "  local _, port = server:name()\n"
             "  aw.scope(function(scope)\n"
             "    scope:start(aw.Serve(server, function(_, s)\n"
             "      aw.copy(s, s)\n"
             "    end, function() end, {max_connections = 1}))\n"
             "    for i = 1, 2 do\n"
             "      local s <close> = aw.tcp.connect('localhost', port,\n"
             "        {local_host = '127.0.0.1'})\n"
             "      s:write('text')\n"
             "      check(s:read(4) == 'text')\n"
             "      check(s:peer() == '127.0.0.1')\n"
             "    end\n"
             "    aw.await(aw.Accept(server) | aw.Sleep(0))\n"
             "    scope:cancel()\n"
             "  end)\n")},
    {"servers on given sockets",
     IN_TASK("  local file <close> = aw.tcp.listen(nil, 0)\n"
             "  os.remove('v')\n"
             "  local dead <close> = aw.unix.listen('v')\n"
             "  os.rename('v', 'v2')\n"
             "  dead:close()\n"
             "  os.rename('v2', 'v')\n"
             "  local server <close> = aw.unix.listen('v')\n"
             "  local alive, err = pcall(aw.unix.listen, 'v')\n"
             "  check(not alive)\n"
             "  check(alive or err.code == 'EADDRINUSE')\n"
             "  local s <close> = aw.unix.connect('v')\n"
             "  check(s:peer():find 'v')\n")},
    {"much through sockets",
     IN_TASK("  local server <close> = aw.tcp.listen('127.0.0.1', 0)\n"
             "  local _, port = server:name()\n"
             "  local a <close> = aw.tcp.connect('127.0.0.1', port)\n"
             "  local b <close> = server:accept()\n"
             "  local text = ('x'):rep(3000000)\n"
             "  aw.scope(function(scope)\n"
             "    scope:start(function()\n"
             "      a:write(text, '\\n')\n"
             "      a:write('rest')\n"
             "      a:shutdown()\n"
             "    end)\n"
             "    local n = 0\n"
             "    for bytes in b:lines(100000) do n = n + #bytes end\n"
             "    check(n == #text + 5)\n"
             "    scope:start(function() aw.copy(a, b, 9) end)\n"
             "    b:write(('y'):rep(9))\n"
             "    check(a.read and true)\n"
             "    scope:cancel()\n"
             "  end)\n")},
    {"groups of datagrams",
     IN_TASK("  local a <close> = aw.udp.bind('127.0.0.1', 0,\n"
             "    {reuseport = true, broadcast = true, ttl = 2,\n"
             "     loopback = true, interface = 'lo'})\n"
             "  a:join('239.1.2.3', 'lo')\n"
             "  a:leave('239.1.2.3', '127.0.0.1')\n"
             "  a:configure{ttl = 3, loopback = false}\n"
             "  check(a:peer() == nil)\n"
             "  local _, port = a:name()\n"
             "  aw.scope(function(scope)\n"
             "    local t = scope:start(aw.Recv(a))\n"
             "    aw.yield()\n"
             "    aw.await(aw.Send(a, 'text', '127.0.0.1', port))\n"
             "    check(t:wait() == 'text')\n"
             "  end)\n")},
    {"terminals and redirections",
     IN_TASK("  local t <close> = aw.spawn{'cat', pty = true, grace = 0}\n"
             "  t.stdin:write('text')\n"
             "  t.stdin:close()\n"
             "  t.stdout:read('a')\n"
             "  t:wait()\n"
             "  aw.exec{'echo', 'text', stdout = 'out'}\n"
             "  aw.exec{'echo', 'more', stdout = 'out', append = true,\n"
             "    stderr = 'stdout', env = {A = 'b'}}\n"
             "  check(aw.fs.read 'out' == 'text\\nmore\\n')\n"
             "  local from = io.open 'out'\n"
             "  local _ <close> = from\n"
             "  check(aw.exec{'cat', stdin = from}.out == 'text\\nmore\\n')\n"
             "  local file <close> = aw.fs.open('out')\n"
             "  file:read()\n"
             "  check(aw.exec{'cat', stdin = file, cwd = '/'}.out\n"
             "    == 'more\\n')\n")},
    {"groups of children",
     IN_TASK("  local p <close> = aw.spawn{'sleep', '60', group = true,\n"
             "    grace = 0}\n"
             "  p:kill(0)\n"
             "  p:close()\n"
             "  local d <close> = aw.spawn{'true', detach = true,\n"
             "    stdin = 'null', stdout = 'null', stderr = 'null'}\n"
             "  check(d:wait().ok)\n"
             "  local r = aw.pipeline({'echo', 'text'}, {'cat'})\n"
             "  check(r.out == 'text\\n')\n")},
    {"files without a size, and lists",
     IN_TASK("  local fs = aw.fs\n"
             "  check(fs.read('/proc/self/stat') ~= '')\n"
             "  check(fs.read('/dev/null') == '')\n"
             "  fs.write('n', ('n'):rep(300000))\n"
             "  fs.copy('/proc/self/stat', 'stat')\n"
             "  fs.copy('n', '/dev/null')\n"
             "  fs.write('/dev/null', 'text')\n"
             "  fs.write('n', 'text')\n"
             "  fs.mkdir('d/e', {parents = true})\n"
             "  fs.write('d/e/a b', '')\n"
             "  check(#fs.glob('{d,x}/*/[a-b]*') == 1)\n"
             "  check(#fs.glob('d/**/') >= 1)\n"
             "  check(fs.stat('d', {follow = false}) or true)\n"
             "  fs.unlink('d/e/a b')\n"
             "  fs.rmdir('d/e')\n"
             "  fs.rmdir('d')\n")},
    {"a file that grows",
     IN_TASK("  aw.fs.write('grows', 'one\\ntwo')\n"
             "  local f <close> = aw.fs.open('grows')\n"
             "  local w <close> = aw.fs.open('grows', 'a')\n"
             "  check(f:read() == 'one' and f:read() == 'two')\n"
             "  check(f:read() == nil)\n"
             "  w:write('\\nthree;four'):flush()\n"
             "  check(f:read_until(';') == '\\nthree')\n"
             "  check(aw.await(aw.Recv(f)) == 'four')\n"
             "  check(f:read_some() == nil)\n"
             "  local r <close> = aw.fs.open('grows', 'r+')\n"
             "  r:read(2)\n"
             "  r:write('X')\n"
             "  r:sync()\n"
             "  r:seek('set', 0)\n"
             "  check(r:read(3) == 'onX')\n")},
    {"fifos",
     IN_TASK("  os.execute('rm -f fifo; mkfifo fifo')\n"
             "  aw.scope(function(scope)\n"
             "    scope:start(function() aw.fs.write('fifo', 'text') end)\n"
             "    check(aw.fs.read('fifo') == 'text')\n"
             "    scope:start(function()\n"
             "      local w <close> = aw.fs.open('fifo', 'w')\n"
             "      w:write('more')\n"
             "    end)\n"
             "    local r <close> = aw.fs.open('fifo')\n"
             "    check(r:read('a') == 'more')\n"
             "  end)\n")},
    {"folders that move while they are watched",
     IN_TASK("  os.execute('rm -rf t; mkdir -p t/a/b t/c')\n"
             "  local w <close> = aw.fs.watch('t', {recursive = true})\n"
             "  local f <close> = aw.fs.watch('t/c')\n"
             "  os.execute('mv t/a t/d; mkdir t/a; touch t/a/x t/d/b/y;'\n"
             "    .. ' mv t t2; mkdir -p t/c; touch t/c/z; rm -r t2')\n"
             "  for i = 1, 3 do w:recv() end\n"
             "  f:recv()\n"
             "  aw.await(aw.Recv(w) | aw.Sleep(0))\n")},
    {"keys and rules of sockets",
     IN_TASK(
         "  local zmq = aw.zmq\n"
         "  if not pcall(zmq.version) or not zmq.has 'curve' then return end\n"
         "  local public, secret = zmq.curve_keypair()\n"
         "  os.execute('rm -rf keys; mkdir keys')\n"
         "  zmq.save_keys('keys/k', public)\n"
         "  zmq.save_keys('secret', public, secret)\n"
         "  check(select(2, zmq.load_keys('secret')) == secret)\n"
         "  local auth <close> = zmq.auth{curve = 'keys', plain = {u = 'p'},\n"
         "    deny = {'127.0.0.9'}, handler = function() return true end}\n"
         "  local s <close> = zmq.socket('pull', {linger = 0,\n"
         "    curve_server = true, curve_secretkey = 'secret'})\n"
         "  s:bind('tcp://127.0.0.1:*')\n"
         "  local c <close> = zmq.socket('push', {linger = 0,\n"
         "    curve_serverkey = public, curve_secretkey = secret,\n"
         "    curve_publickey = public})\n"
         "  c:connect(s.last_endpoint)\n"
         "  c:send('text')\n"
         "  check(s:recv() == 'text')\n")},
    {"sockets of messages",
     IN_TASK("  local zmq = aw.zmq\n"
             "  if not pcall(zmq.version) then return end\n"
             "  local s <close> = zmq.socket('pull', {linger = 0})\n"
             "  local m <close> = s:monitor()\n"
             "  s:bind('ipc://zipc')\n"
             "  s:bind('tcp://localhost:*')\n"
             "  local c <close> = zmq.socket('push', {linger = 0})\n"
             "  c:connect('ipc://zipc')\n"
             "  c:wait_peers(1)\n"
             "  s:wait_peers(1, 60)\n"
             "  c:send('text')\n"
             "  check(s:recv() == 'text' and m:recv().event)\n"
             "  c:disconnect('ipc://zipc')\n"
             "  s:unbind('ipc://zipc')\n"
             "  local other <close> = zmq.socket('pull', {linger = 0})\n"
             "  other:bind('ipc://zipc')\n")},
    {NULL, NULL},
};

#endif
