/* calls_scenarios.h - the scripts of calls_test.c
 *
 * Each runs in an empty folder, in which it may leave files.
 */
#ifndef CALLS_SCENARIOS_H
#define CALLS_SCENARIOS_H

typedef struct calls_scenario {
  const char *name, *script;
} calls_scenario;

/* A task whose waits end soon: a call that fails may leave nothing to wait for.
 */
#define IN_TASK(text) \
  "local ev <close> = aw.EventLoop{signals = false, grace = 0}\n" \
  "local function body()\n" text "end\n" \
  "local ok, err\n" \
  "ev:start(function()\n" \
  "  ok, err = pcall(aw.timeout, patient and 60 or 0.5, body)\n" \
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
    {NULL, NULL},
};

#endif
