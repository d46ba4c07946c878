/* alloc_scenarios.h - the scripts of alloc_test.c
 *
 * In a script, `aw` is the module, loop() makes an EventLoop in virtual time,
 * session(f, …) calls the functions in a session, check(claim) raises if the
 * claim is false, unless a request has failed, and `calm` is true in the run in
 * which none fails.
 */
#ifndef ALLOC_SCENARIOS_H
#define ALLOC_SCENARIOS_H

#include <stdbool.h>

typedef struct alloc_scenario {
  const char *name, *script;
  bool opening; /* requests fail from the creation of the state on */
} alloc_scenario;

/* A certificate for x.test, signed by itself, until the year 2999. Its key
 * protects nothing. */
#define TLS_CERT \
  "-----BEGIN CERTIFICATE-----\n" \
  "MIIBOzCB46ADAgECAgEBMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwIBcNMDAw\n" \
  "MTAxMDAwMDAwWhgPMjk5OTAxMDEwMDAwMDBaMAwxCjAIBgNVBAMMAXgwWTATBgcq\n" \
  "hkjOPQIBBggqhkjOPQMBBwNCAARXP4d91w17ueRBSkk9nDAny8rufJiXYITBAN9q\n" \
  "wquoFpAxzeHECvnUhPu1DO/dmPMaIi7IMIx2lWf5jDREHeI9ozQwMjARBgNVHREE\n" \
  "CjAIggZ4LnRlc3QwHQYDVR0OBBYEFAm/t/F+2EilSPxSoYPLdMAuoUOUMAoGCCqG\n" \
  "SM49BAMCA0cAMEQCIGDtsvT90fboRzrFn7OKM3LzxkzstQXri9uLxPY4an59AiA1\n" \
  "vmp0bPu3b4R396rASOCT3lUfRXy2UWpUj1Xn2a/smA==\n" \
  "-----END CERTIFICATE-----\n"
#define TLS_KEY \
  "-----BEGIN PRIVATE KEY-----\n" \
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgXfrsM+BwMoppPzfa\n" \
  "ukR8tQwpr8XWp9jQzLXBprmFCZmhRANCAARXP4d91w17ueRBSkk9nDAny8rufJiX\n" \
  "YITBAN9qwquoFpAxzeHECvnUhPu1DO/dmPMaIi7IMIx2lWf5jDREHeI9\n" \
  "-----END PRIVATE KEY-----\n"

static const char alloc_prelude[] = "function loop(o)\n"
                                    "  o = o or {}\n"
                                    "  o.clock, o.signals = 'virtual', false\n"
                                    "  return aw.EventLoop(o)\n"
                                    "end\n";

static const alloc_scenario alloc_scenarios[] = {
    {"opening", "", true},
    {"making wires",
     "local w = aw.Sleep(1) >> aw.Call(print, 'x', {}) >> aw.Value(1, nil)\n"
     "w = (w * 2):named('both'):whole() >> aw.Forever(function() end)\n"
     "w = aw.Repeat(w:shielded(1), 3) >> aw.Sequence(w, w)\n"
     "for i = 1, 80 do w = aw.Wire(check, i) >> aw.Never end\n"
     "collectgarbage()",
     false},
    {"showing wires",
     "local w = (aw.Sleep(0.5) >> aw.Call(print, 'beep', 1.5, {})) * 4\n"
     "check(#tostring(w) > 20)\n"
     "check(#tostring(aw.Wire(check):named('x') >> aw.Forever(w)) > 5)\n"
     "check(#tostring(aw.SleepUntil(3) >> aw.Value('long' .. ('x'):rep(50)))"
     " > 9)",
     false},
    {"pictures",
     "local w = aw.All{a = check, b = aw.Sleep(1) >> check} // check\n"
     "check(#aw.graph(w) > 20)\n"
     "local ev = loop()\n"
     "local function last() aw.sleep(1) end\n"
     "ev:start(function() return last end)\n"
     "ev:start(aw.Sleep(1):timeout(3):named('x'))\n"
     "ev:start(function() check(#aw.graph(ev, 'dot') > 20) end)\n"
     "ev:run()",
     false},
    {"a body",
     "local ev = loop()\n"
     "local n = 0\n"
     "ev:start(function()\n"
     "  for i = 1, 3 do aw.sleep(1) n = n + 1 end\n"
     "end)\n"
     "check(ev:run() == 'done' and n == 3)",
     false},
    {"a session",
     "session(function()\n"
     "  aw.locals.n = 1\n"
     "  aw.start(function() aw.sleep(0) error 'own error' end)\n"
     "  aw.start(function() aw.event():wait() end)\n"
     "  return 1, 2, aw.Sleep(1)\n"
     "end, function()\n"
     "  aw.yield()\n"
     "  check(aw.locals.n == 1)\n"
     "end)\n"
     "local ok, err = pcall(session, function() error 'own error' end)\n"
     "check(not ok)\n"
     "ok, err = pcall(session, function() aw.event():wait() end)\n"
     "check(aw.is_deadlock(err))",
     false},
    {"hooks",
     "local seen = 0\n"
     "local function hook() seen = seen + 1 end\n"
     "debug.sethook(hook, 'crl', 100)\n"
     "local ev = loop()\n"
     "for i = 1, 2 do\n"
     "  ev:start(function()\n"
     "    aw.sleep(1)\n"
     "    if i == 1 then debug.sethook(function() end, 'l') end\n"
     "    aw.sleep(1)\n"
     "    if i == 2 then error 'own error' end\n"
     "  end, function() debug.sethook() end)\n"
     "end\n"
     "local ok, err = pcall(ev.run, ev)\n"
     "debug.sethook()\n"
     "check(ok and seen > 20)",
     false},
    {"locals",
     "local ev = loop()\n"
     "local heard\n"
     "aw.locals.app = 1\n"
     "ev:start(function()\n"
     "  aw.locals.id = 2\n"
     "  aw.await(aw.All { aw.Sleep(1), function()\n"
     "    aw.locals.id = aw.locals.id + 1\n"
     "    heard = aw.locals.id\n"
     "    error('own error', 0)\n"
     "  end })\n"
     "end, function() heard = heard and heard + aw.locals.id end)\n"
     "ev:run()\n"
     "aw.locals.app = nil\n"
     "check(heard == 5)",
     false},
    {"waiting until it is ready, and limits",
     "local ev = loop()\n"
     "local got\n"
     "ev:start(function()\n"
     "  aw.scope({ timeout = 5 }, function(s)\n"
     "    got = s:start_ready(function() aw.ready(7) aw.sleep(1) end)\n"
     "    s:extend(9)\n"
     "    pcall(aw.timeout, 1, s.start_ready, s, aw.Never)\n"
     "    pcall(s.start_ready, s, function() error('own error', 0) end)\n"
     "  end)\n"
     "end, function() got = 7 end)\n"
     "ev:run()\n"
     "check(got == 7)",
     false},
    {"a chain of states",
     "local ev = loop()\n"
     "local ready, n = nil, 0\n"
     "local function working(ev, k)\n"
     "  aw.yield()\n"
     "  n = n + 1\n"
     "  return n < 6 and aw.Wire(ready, k):named('state' .. n) or nil\n"
     "end\n"
     "function ready(ev, k) return aw.Wire(working, k + 1) end\n"
     "ev:start(aw.Wire(ready, 0))\n"
     "ev:run()\n"
     "check(n == 6)",
     false},
    {"states in turn",
     "local ev = loop()\n"
     "local n, one, two, three = 0\n"
     "function one() n = n + 1 return two end\n"
     "function two() aw.sleep(1) return n < 9 and aw.Wire(three, {}, n) or nil "
     "end\n"
     "three = function(_, t, i) check(#t == 0 and i <= n) return one end\n"
     "two = aw.Wire(two):named('two')\n"
     "local a, b = ev:start(one), ev:start(one)\n"
     "check(ev:run() == 'done' and n == 10 and tostring(aw.Wire(one, a, b)))",
     false},
    {"a body that returns itself",
     "local ev = loop()\n"
     "local n = 0\n"
     "local function f() n = n + 1 if n < 20 then return f end end\n"
     "ev:start(f) ev:start(f)\n"
     "ev:run()",
     false},
    {"scopes",
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local r = aw.scope(function(s)\n"
     "    for i = 1, 3 do s:start(aw.Sleep(i)) end\n"
     "    s:start(function() aw.sleep(1) end)\n"
     "    return 'r'\n"
     "  end)\n"
     "  check(r == 'r')\n"
     "  local a, b, c = aw.scope({timeout = 1}, function(s)\n"
     "    s:start(aw.Never)\n"
     "    aw.sleep(5)\n"
     "  end)\n"
     "  check(a == nil and b == 'cancelled' and c == 'timeout')\n"
     "  a, b, c = aw.scope(function(s) s:cancel('why') aw.sleep(1) end)\n"
     "  check(b == 'cancelled' and c == 'why')\n"
     "end)\n"
     "ev:run()",
     false},
    {"a failing child",
     "local ev = loop()\n"
     "local e = setmetatable({}, {__tostring = function() return 'own error' "
     "end})\n"
     ""
     "ev:start(function()\n"
     "  local ok, err = pcall(aw.scope, function(s)\n"
     "    s:start(function() aw.sleep(1) error(e) end)\n"
     "    s:start(function() aw.sleep(9) end)\n"
     "    aw.sleep(3)\n"
     "  end)\n"
     "  check(not ok and err == e)\n"
     "  if not ok and err ~= e then error(err, 0) end\n"
     "end)\n"
     "ev:run()",
     false},
    {"shields",
     "local ev = loop{timeout = 1}\n"
     "local clean = 0\n"
     "ev:start(function()\n"
     "  local c <close> = setmetatable({}, {__close = function()\n"
     "    aw.shield(function() aw.sleep(1) clean = clean + 1 end, 3)\n"
     "  end})\n"
     "  aw.sleep(100)\n"
     "end)\n"
     "ev:start((aw.Sleep(2) >> aw.Call(aw.now)):shielded(9))\n"
     "check(ev:run() == 'timeout' and clean == 1)",
     false},
    {"timeouts",
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local ok, e = pcall(aw.timeout, 1, aw.sleep, 5)\n"
     "  check(not ok and aw.is_timeout(e) and #tostring(e) > 3)\n"
     "  check(aw.timeout(5, function(x) aw.sleep(1) return x end, 'v') == "
     "'v')\n"
     "end)\n"
     "ev:run()",
     false},
    {"spin-offs",
     "local ev = loop()\n"
     "local n = 0\n"
     "local function spun() aw.sleep(1) n = n + 1 end\n"
     "local function f() return spun end\n"
     "ev:start((aw.Wire(f) * 3) >> aw.Wire(f) >> aw.Call(check, true))\n"
     "ev:run()\n"
     "check(n == 4)",
     false},
    {"a handler",
     "local ev = loop()\n"
     "local seen\n"
     "local function h(ev, err, info)\n"
     "  seen = tostring(info)\n"
     "  ev:start(aw.Sleep(1))\n"
     "end\n"
     "local function fails() aw.sleep(1) error('own error') end\n"
     "ev:start(function() aw.yield() return fails end, h, {name = 'task'})\n"
     "ev:run()\n"
     "check(seen and seen:find('own error', 1, true) and seen:find('trace'))",
     false},
    {"infos that are read late",
     "local ev = loop()\n"
     "local kept = {}\n"
     "local function fails(n) aw.yield() error('own error ' .. n, 0) end\n"
     "local function keep(_, _, info) kept[#kept + 1] = info end\n"
     "for n = 1, 3 do ev:start(aw.Call(fails, n), keep) end\n"
     "ev:start(aw.Readable(987654):catch(function(_, info)\n"
     "  check(#info.chain == 1)\n"
     "end))\n"
     "ev:start(aw.Call(fails, 4):catch(function() end))\n"
     "ev:run()\n"
     "ev = nil\n"
     "for n, info in ipairs(kept) do\n"
     "  check(info.err == 'own error ' .. n and info.id == n)\n"
     "  check(info.name == info.chain[1] and info.started_at)\n"
     "  check(info.traceback == kept[1].traceback and #info.suppressed == 0)\n"
     "end",
     false},
    {"no handler",
     "local ev = loop()\n"
     "local own = setmetatable({}, {__tostring = function() return 'own error' "
     "end})\n"
     "ev:start(function() aw.sleep(1) error(own) end)\n"
     "ev:start(function() aw.sleep(2) end)\n"
     "local ok, e = pcall(ev.run, ev)\n"
     "check(not ok and tostring(e):find('own error'))\n"
     "check(#tostring(ev.failure) > 5 and ev.status == 'failed')\n"
     "if not tostring(e):find('own error') then error(e, 0) end",
     false},
    {"a failing handler",
     "local ev = loop()\n"
     "local raised = {}\n"
     "ev:start(function() error('own error') end, function() error(raised) "
     "end)\n"
     "ev:start(function() error('the other own error') end, function() end)\n"
     "local ok, e = pcall(ev.run, ev)\n"
     "check(not ok and e == raised and tostring(e.cause):find('own error'))\n"
     "if e ~= raised then error(e, 0) end",
     false},
    {"waiting for tasks",
     "local ev = loop()\n"
     "local t = ev:start(aw.Sleep(1) >> aw.Value('a', nil, 'c'))\n"
     "local u = ev:start(function() aw.sleep(1) error('own error', 0) end,\n"
     "                   function() end)\n"
     "local v = ev:start(aw.Never)\n"
     "ev:start(function()\n"
     "  local a, _, c = t:wait()\n"
     "  check(a == 'a' and c == 'c')\n"
     "  check(select(2, pcall(u.wait, u)) == 'own error')\n"
     "  v:cancel('enough')\n"
     "  check(not pcall(v.wait, v))\n"
     "  check(aw.await(aw.Done(t)) == 'a')\n"
     "end)\n"
     "ev:run()\n"
     "check(select('#', t:results()) == 3 and t.status == 'done')",
     false},
    {"cancel and wait",
     "local ev = loop()\n"
     "local n = 0\n"
     "ev:start(function()\n"
     "  local t = ev:start(function()\n"
     "    local ok, e = pcall(aw.sleep, 9)\n"
     "    check(aw.is_cancelled(e) and #tostring(e) > 3)\n"
     "    n = n + 1\n"
     "    error(e, 0)\n"
     "  end)\n"
     "  aw.sleep(1)\n"
     "  t:cancel_wait()\n"
     "  check(t.status == 'cancelled')\n"
     "  local u <close> = ev:start(aw.Sleep(100))\n"
     "end)\n"
     "ev:run()\n"
     "check(n == 1)",
     false},
    {"a cancel at each await",
     "for k = 0, 4 do\n"
     "  local ev = loop()\n"
     "  local t = ev:start(function()\n"
     "    local c <close> = setmetatable({}, {__close = function()\n"
     "      aw.shield(aw.sleep and function() aw.sleep(0.1) end)\n"
     "    end})\n"
     "    for i = 1, 4 do aw.sleep(1) end\n"
     "  end)\n"
     "  ev:start(aw.Sleep(k) >> aw.Call(t.cancel, t))\n"
     "  ev:run()\n"
     "end",
     false},
    {"results",
     "local ev = loop()\n"
     "local t = ev:start(aw.Call(function() return table.unpack({}, 1, 50) "
     "end))"
     "\n"
     "local u = ev:start(aw.Call(string.rep, 'x', 100))\n"
     "ev:run()\n"
     "check(select('#', t:results()) == 50 and #u:results() == 100)",
     false},
    {"awaiting wires",
     "local ev = loop()\n"
     "ev:start(function(ev)\n"
     "  check(aw.await(aw.Sleep(1) >> aw.Value('v')) == 'v')\n"
     "  local function f() return aw.Value('next') end\n"
     "  check(aw.await(f) == 'next')\n"
     "  local w = aw.Wire(f)(ev)\n"
     "  check(aw.await(w) == 'next')\n"
     "  check(not pcall(aw.await, function() error('in') end))\n"
     "end)\n"
     "ev:run()",
     false},
    {"wrapped coroutines",
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local sum = 0\n"
     "  for i in aw.wrap(function()\n"
     "    for i = 1, 3 do aw.sleep(1) coroutine.yield(i) end\n"
     "  end) do sum = sum + i end\n"
     "  check(sum == 6)\n"
     "end)\n"
     "ev:run()",
     false},
    {"modules that await",
     "aw.install()\n"
     "package.loaded.m, package.loaded.n = nil, nil\n"
     "function package.preload.m() aw.sleep(1) return require 'n' end\n"
     "function package.preload.n() aw.sleep(1) return 7 end\n"
     "local ev = loop()\n"
     "for i = 1, 3 do\n"
     "  ev:start(function() check(require 'm' == 7) end)\n"
     "end\n"
     "ev:run()",
     false},
    {"after install",
     "aw.install()\n"
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local co = coroutine.create(function(a)\n"
     "    aw.sleep(1)\n"
     "    return coroutine.yield(a) + 1\n"
     "  end)\n"
     "  local _, x = coroutine.resume(co, 1)\n"
     "  local _, y = coroutine.resume(co, 2)\n"
     "  check(x == 1 and y == 3)\n"
     "end)\n"
     "ev:run()",
     false},
    {"aw.test",
     "check(aw.test(function(ev, clock)\n"
     "  local n = 0\n"
     "  ev:start((aw.Sleep(1) >> aw.Call(function() n = n + 1 end)) * 3)\n"
     "  clock:advance(2)\n"
     "  check(n == 2)\n"
     "  return n\n"
     "end) == 2)",
     false},
    {"aw.test that leaks",
     "local ok, e = pcall(aw.test, function(ev)\n"
     "  ev:start(aw.Never, nil, {name = 'leaked'})\n"
     "end)\n"
     "check(not ok and tostring(e):find('leaked'))\n"
     "if not tostring(e):find('leaked') and not tostring(e):find('deadlock') "
     "then\n"
     "  error(e, 0)\n"
     "end",
     false},
    {"aw.run",
     "aw.run(function(ev)\n"
     "  ev:start(function() aw.yield() end)\n"
     "  aw.yield()\n"
     "end, {clock = 'virtual', signals = false})\n"
     "check(not pcall(aw.run, function() error('x') end,\n"
     "                {clock = 'virtual', signals = false}))",
     false},
    {"a loop run twice",
     "local ev = loop{name = 'again'}\n"
     "for i = 1, 2 do\n"
     "  ev:start(function() aw.sleep(1) end)\n"
     "  ev:start(aw.Sleep(1))\n"
     "  check(ev:run(5) == 'done')\n"
     "end\n"
     "check(#tostring(ev) > 3)",
     false},
    {"a loop in a task",
     "local out = loop()\n"
     "out:start(function()\n"
     "  local ev <close> = aw.EventLoop{timeout = 2}\n"
     "  ev:start(function() aw.sleep(1) end)\n"
     "  ev:start(aw.Never)\n"
     "end)\n"
     "out:run()",
     false},
    {"a dump",
     "local ev = loop()\n"
     "ev:start(aw.Sleep(5), nil, {name = 'sleeper'})\n"
     "ev:start(function()\n"
     "  aw.scope(function(s)\n"
     "    s:start(aw.Sleep(2))\n"
     "    check(ev:dump():find('sleeper'))\n"
     "    check(#ev:tasks() == 3)\n"
     "    check(#aw.current():traceback() > 5)\n"
     "  end)\n"
     "end)\n"
     "ev:run()",
     false},
    {"showing tasks",
     "local ev = loop()\n"
     "local t = ev:start(aw.Sleep(5) >> aw.Call(print))\n"
     "ev:start(function()\n"
     "  check(#tostring(t) > 5 and #t.waiting > 3 and #t.name > 3)\n"
     "  check(#t.started_at > 3 and t.status == 'waiting')\n"
     "  check(#tostring(aw.current()) > 3 and aw.stats().tasks == 2)\n"
     "  ev:stop()\n"
     "end)\n"
     "check(ev:run() == 'stopped')",
     false},
    {"a deadlock",
     "local ev = loop()\n"
     "ev:start(aw.Never)\n"
     "ev:start(function() aw.await(aw.Never) end)\n"
     "local ok, e = pcall(ev.run, ev)\n"
     "check(not ok and aw.is_deadlock(e))\n"
     "check(#tostring(e) > 5)",
     false},
    {"the stuck",
     "local ev = loop{timeout = 1, grace = 1}\n"
     "ev:start(function()\n"
     "  for _ = 1, 1100 do pcall(aw.sleep, 1) end\n"
     "end)\n"
     "ev:run()\n"
     "check(#ev.stuck == 1 and #(ev.stuck[1].traceback or '') > 5)",
     false},
    {"errors that meet",
     "local ev = loop()\n"
     "local info\n"
     "ev:start(function()\n"
     "  local c <close> = setmetatable({}, {__close = function()\n"
     "    error('own error: closing')\n"
     "  end})\n"
     "  aw.scope(function(s)\n"
     "    for i = 1, 3 do s:start(function() error('own error: child' .. i) "
     "end) end\n"
     "  end)\n"
     "end, function(_, e, i) info = tostring(i) end)\n"
     "ev:run()\n"
     "check(info and info:find('closing'))",
     false},
    {"errors on their way at once",
     "local ev, first, last = loop(), nil, nil\n"
     "local function closer(f) return setmetatable({}, {__close = f}) end\n"
     "local function level(n)\n"
     "  local _ <close> = closer(function()\n"
     "    if n < 4 then\n"
     "      pcall(aw.shield, function()\n"
     "        aw.scope(function() level(n + 1) end)\n"
     "      end)\n"
     "    end\n"
     "  end)\n"
     "  error('own error ' .. n, 0)\n"
     "end\n"
     "ev:start(function() level(2) end, function(_, _, i) first = i end)\n"
     "ev:start(function()\n"
     "  local _ <close> = closer(function() error('own error 6', 0) end)\n"
     "  local _ <close> = closer(function() level(3) end)\n"
     "  local inner = loop()\n"
     "  inner:start(function() error('own error 5', 0) end)\n"
     "  inner:run()\n"
     "end, function(_, _, i) last = i end)\n"
     "ev:run()\n"
     "check(first.err == 'own error 2' and first.id == 1)\n"
     "check(last.err == 'own error 6' and #last.suppressed == 2)\n"
     "for _, later in ipairs(last.suppressed) do\n"
     "  check(later.info.traceback and later.info.err == later.err)\n"
     "end",
     false},
    {"aw.pcall",
     "local ev = loop{timeout = 2}\n"
     "ev:start(function()\n"
     "  local ok, e = aw.pcall(function() aw.sleep(1) error('x', 0) end)\n"
     "  check(not ok and e == 'x')\n"
     "  check(aw.pcall(aw.sleep, 0))\n"
     "  aw.pcall(aw.sleep, 100)\n"
     "  check(false)\n"
     "end)\n"
     "check(ev:run() == 'timeout')",
     false},
    {"stack overflow",
     "local ev = loop()\n"
     "local function f() return (string.gsub('x', 'x', f)) end\n"
     "local e\n"
     "ev:start(f, function(_, err) e = err end)\n"
     "ev:run()\n"
     "check(tostring(e):find('overflow'))",
     false},
    {"misuse",
     "local ev = loop()\n"
     "check(not pcall(ev.start, ev, 42))\n"
     "check(not pcall(aw.sleep, 1))\n"
     "check(not pcall(function() return aw.Sleep(1) * 1.5 end))\n"
     "check(not pcall(function() return aw.Sleep(1) + 1 end))\n"
     "ev:start(function() return true end, function() end)\n"
     "ev:start(function() return nil, 'msg' end, function() end)\n"
     "ev:start(function() coroutine.yield() end, function() end)\n"
     "ev:start(function()\n"
     "  check(not pcall(table.sort, {2, 1}, function() aw.yield() end))\n"
     "end)\n"
     "pcall(ev.run, ev)",
     false},
    {"a loop left with an error",
     "local closed = 0\n"
     "pcall(function()\n"
     "  local ev <close> = loop()\n"
     "  ev:start(function() closed = 1 end)\n"
     "  ev:start(aw.Call(check, false))\n"
     "  error('left')\n"
     "end)\n"
     "check(closed == 0)",
     false},
    {"seeds and background",
     "local ev = loop{seed = 42}\n"
     "for i = 1, 12 do ev:start(function() aw.yield() aw.sleep(i) end) end\n"
     "ev:start(aw.Forever(aw.Sleep(1)), nil, {background = true, grace = 1})\n"
     "check(ev:run() == 'done')",
     false},
    {"garbage",
     "for i = 1, 5 do\n"
     "  local ev = loop()\n"
     "  local w\n"
     "  w = aw.Wire(function() return w end) >> aw.Call(function() return ev "
     "end)"
     "\n"
     "  ev:start(w)\n"
     "  ev:start(function() aw.sleep(1) return w end)\n"
     "  if i % 2 == 0 then ev:close() end\n"
     "end\n"
     "collectgarbage() collectgarbage()",
     false},
    {"finalizers without C stack",
     "local function make()\n"
     "  local ch = aw.channel(1)\n"
     "  ch:try_send({})\n"
     "  local ev = loop()\n"
     "  return {ev, ev:start(aw.Never), aw.Value({}), aw.event(), ch,\n"
     "    aw.semaphore(1)}\n"
     "end\n"
     "local made, depth = {}, 0\n"
     "for i = 192, 200 do made[i] = make() end\n"
     "local deep = setmetatable({}, {__tostring = function(self)\n"
     "  depth = depth + 1\n"
     "  made[depth] = nil\n"
     "  if depth > 191 then collectgarbage() end\n"
     "  return tostring(self)\n"
     "end})\n"
     "pcall(tostring, deep)\n"
     "aw.stats()",
     false},
    {"objects made while the state is closed",
     "kept = setmetatable({}, {__gc = function()\n"
     "  aw.channel(1):try_send({})\n"
     "  made = {aw.Value(1) >> aw.Never, loop(), aw.event(),\n"
     "    aw.semaphore(1), loop():start(aw.Never)}\n"
     "end})",
     false},
    {"readiness",
     "local f = io.popen('echo x; echo y')\n"
     "local ev = loop()\n"
     "ev:start(aw.Readable(f) >> aw.Writable(1))\n"
     "ev:start(function() aw.readable(f) aw.readable(f) end)\n"
     "local ok, e = pcall(ev.run, ev)\n"
     "ev:close() f:close()\n"
     "if not ok then error(e, 0) end",
     false},
    {"a Poller",
     "local f <close> = io.popen('echo x; echo y')\n"
     "local n, p = 0, nil\n"
     "p = aw.Poller({[f] = function()\n"
     "  if not f:read() then p:unregister(f) p:shutdown() end\n"
     "  n = n + 1\n"
     "  return aw.Value(n)\n"
     "end}, {on_error = function(ev, e) p:shutdown() error(e, 0) end})\n"
     "check(#tostring(p) > 5)\n"
     "local ev <close> = loop()\n"
     "ev:start(p)\n"
     "ev:run()\n"
     "check(n == 3)",
     false},
    {"a Drive",
     "local n, ev <close> = 0, loop()\n"
     "ev:start(aw.Drive {timeout = 0.0001, step = function()\n"
     "  n = n + 1\n"
     "  return n == 4\n"
     "end})\n"
     "ev:start(function() aw.sleep(0) aw.sleep(0.0001) end)\n"
     "ev:run()\n"
     "check(n == 4)",
     false},
    {"exec",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local r = aw.exec{'cat', stdin = 'text', cwd = '/', env = {A = 'b'}}\n"
     "  check(r.ok and r.out == 'text')\n"
     "end)\n"
     "ev:run()",
     false},
    {"pipeline",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local r = aw.pipeline({'cat'}, {'cat', grace = 0},\n"
     "    {stdin = 'text', env = {A = 'b'}, grace = 0})\n"
     "  check(r.ok and r.out == 'text' and #r.codes == 2)\n"
     "end)\n"
     "ev:run()",
     false},
    {"a child that is read",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local p <close> = aw.spawn{'echo', 'a line', grace = 0}\n"
     "  check(p.stdout:read() == 'a line')\n"
     "  check(p.stdout:read_some() == nil)\n"
     "  check(p:wait().ok and #tostring(p) > 5 and #tostring(p.stdin) > 5)\n"
     "end)\n"
     "ev:run()",
     false},
    {"a stream that is written",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local p <close> = aw.spawn{'cat', grace = 0, high_water = 1000}\n"
     "  aw.scope(function(s)\n"
     "    s:start(function()\n"
     "      p.stdin:write(('x'):rep(200000), 'end'):shutdown()\n"
     "    end)\n"
     "    local n = 0\n"
     "    for bytes in p.stdout:lines(5000) do n = n + #bytes end\n"
     "    check(n == 200003)\n"
     "  end)\n"
     "end)\n"
     "ev:run()",
     false},
    {"files, copies and what is received",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local zero <close> = aw.fs.open('/dev/zero')\n"
     "  local null <close> = aw.fs.open('/dev/null', 'w')\n"
     "  check(aw.copy(zero, null, 300000) == 300000)\n"
     "  check(#aw.await(aw.Recv(zero)) > 0)\n"
     "  check(zero:read_until('\\0\\0') == '')\n"
     "  check(not pcall(zero.peer, zero) and not pcall(null.name, null))\n"
     "  check(not pcall(zero.configure, zero, {nodelay = true}))\n"
     "  check(not pcall(aw.fs.open, '/dev/none'))\n"
     "end)\n"
     "ev:run()",
     false},
    {"a file that is written, sought in and read",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local s <close> = aw.fs.open('file', 'w+')\n"
     "  s:write(('x'):rep(3000), '\\n', 'end'):flush()\n"
     "  check(s:sync() == s)\n"
     "  check(s:seek('set', 1) == 1)\n"
     "  check(#s:read() == 2999 and s:read(1) == 'e')\n"
     "  s:write('more')\n"
     "  s:seek('set')\n"
     "  check(#aw.await(aw.Recv(s)) > 3000)\n"
     "end)\n"
     "ev:run()",
     false},
    {"channels",
     "local ev = loop()\n"
     "for i = 0, 2 do\n"
     "  local ch, n = aw.channel(i, {name = 'jobs'}), 0\n"
     "  check(#tostring(ch) > 5)\n"
     "  ev:start(function()\n"
     "    for k = 1, 6 do ch:send({k}) end\n"
     "    ch:send(nil)\n"
     "    ch:close()\n"
     "    check(not pcall(ch.send, ch, 1))\n"
     "  end)\n"
     "  ev:start(aw.Recv(ch) >> aw.Recv(ch))\n"
     "  ev:start(function()\n"
     "    for k = 1, 4 do n = n + #ch:recv() end\n"
     "    check(select('#', ch:recv()) == 1)\n"
     "    check(select(2, ch:recv()) == 'closed')\n"
     "  end)\n"
     "end\n"
     "check(ev:run() == 'done')",
     false},
    {"senders that wait after install",
     "aw.install()\n"
     "local ev = loop()\n"
     "for i = 0, 1 do\n"
     "  local ch, n = aw.channel(i), 0\n"
     "  ev:start(function()\n"
     "    for k = 1, 6 do ch:send({k}) end\n"
     "    ch:send(nil)\n"
     "    ch:close()\n"
     "  end)\n"
     "  ev:start(aw.Recv(ch) >> aw.Recv(ch))\n"
     "  ev:start(function()\n"
     "    for k = 1, 4 do n = n + #ch:recv() end\n"
     "    check(select('#', ch:recv()) == 1)\n"
     "  end)\n"
     "end\n"
     "check(ev:run() == 'done')",
     false},
    {"wires of channels",
     "local ev = loop()\n"
     "local ch = aw.channel()\n"
     "ch:try_send({})\n"
     "ev:start(aw.Send(ch, {}) * 9)\n"
     "local last = ev:start(aw.Recv(ch) * 9)\n"
     "for i = 1, 9 do ev:start(aw.Send(ch, i)) end\n"
     "ev:start(function()\n"
     "  for i = 1, 9 do aw.await(aw.Recv(ch)) end\n"
     "end)\n"
     "check(ev:run() == 'done')\n"
     "check(last:results() ~= nil)\n"
     "local full = aw.channel(99)\n"
     "for i = 1, 40 do full:try_send({full}) end\n"
     "check(#tostring(aw.Send(full, 1)) > 5)",
     false},
    {"outcomes",
     "local ev = loop()\n"
     "local t = ev:start(aw.Settle{aw.Sleep(1) >> aw.Value('a', nil), b ="
     " aw.Call(error, 'own error')})\n"
     "local calls = 0\n"
     "local u = ev:start(function()\n"
     "  aw.each({aw.Sleep(1), aw.Call(error, 'own error'), aw.Never},"
     " {limit = 2}, function(key, ok)\n"
     "    calls = calls + 1\n"
     "    return key == 1\n"
     "  end)\n"
     "end)\n"
     "ev:run()\n"
     "local r = t:results()\n"
     "check(r[1].n == 2 and not r.b.ok and calls == 2)",
     false},
    {"rates",
     "local ev, r = loop(), aw.rate(2, 10, {name = 'api'})\n"
     "for i = 1, 6 do ev:start(aw.Acquire(r, 1 + i % 2)) end\n"
     "ev:start(function() r:acquire(2) r:try_acquire() end)\n"
     "ev:start((aw.Acquire(r) | aw.Sleep(1)):timeout(5))\n"
     "ev:run()\n"
     "check(#tostring(r) > 5)",
     false},
    {"broadcasts",
     "local ev, b = loop(), aw.broadcast(1, 'wait', {name = 'news'})\n"
     "local n = 0\n"
     "for i = 1, 2 do\n"
     "  local sub = b:subscribe()\n"
     "  ev:start(function() for v in sub:iter() do n = n + 1 end end)\n"
     "end\n"
     "ev:start(aw.Recv(b:subscribe()) * 3)\n"
     "ev:start(function() for i = 1, 3 do b:send(i) end b:close() end)\n"
     "ev:run()\n"
     "b = aw.broadcast(1, 'drop')\n"
     "local sub = b:subscribe()\n"
     "b:try_send('x') b:try_send({})\n"
     "check(n == 6 and sub.dropped == 1 and #tostring(sub) > 5)",
     false},
    {"events and semaphores",
     "local ev = loop()\n"
     "local e, sem = aw.event{name = 'go'}, aw.semaphore(1, {max = 1})\n"
     "check(#tostring(e) + #tostring(sem) > 9)\n"
     "for i = 1, 3 do\n"
     "  ev:start(aw.Wait(e) >> aw.Acquire(sem) >> function()\n"
     "    sem:release()\n"
     "  end)\n"
     "  ev:start(function()\n"
     "    e:wait()\n"
     "    local permit <close> = sem:acquire()\n"
     "    aw.sleep(1)\n"
     "  end)\n"
     "end\n"
     "ev:start(aw.Sleep(1) >> function() e:set() end)\n"
     "check(ev:run() == 'done')\n"
     "check(sem:try_acquire() and not sem:try_acquire())",
     false},
    {"sockets",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local o = {linger = 0, hwm = 2}\n"
     "  local a <close> = zmq.socket('pair', o):bind 'inproc://a'\n"
     "  local b <close> = zmq.socket('pair', o):connect 'inproc://a'\n"
     "  ev:start(function()\n"
     "    for i = 1, 8 do b:send('m' .. i, ('x'):rep(50), 1, 2, 3) end\n"
     "    aw.await(aw.Send(b, 'last'))\n"
     "  end)\n"
     "  for i = 1, 4 do check(a:recv() == 'm' .. i) end\n"
     "  for i = 5, 8 do check(#aw.await(aw.Recv(a)) == 2) end\n"
     "  check(a:recv_multipart()[1] == 'last' and a:poll('r', 0) == 0)\n"
     "  b:send('x')\n"
     "  local parts, meta = a:recv_multipart{meta = true}\n"
     "  check(parts[1] == 'x' and next(meta) == nil)\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"names of hosts",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev <close> = aw.EventLoop{signals = false}\n"
     "ev:start(function()\n"
     "  local o = {linger = 0}\n"
     "  local a <close> = zmq.socket('pull', o):bind 'tcp://127.1:*'\n"
     "  local b <close> = zmq.socket('push', o)\n"
     "  b:connect 'tcp://127.2:9'\n"
     "  b:connect 'tcp://localhost:9'\n"
     "  aw.sleep(0.01)\n"
     "  b:disconnect 'tcp://127.2:9'\n"
     "  b:disconnect 'tcp://localhost:9'\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"messages sent as they came",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local o = {linger = 0}\n"
     "  local router <close> = zmq.socket('router', o):bind 'inproc://on'\n"
     "  local dealer <close> = zmq.socket('dealer', o):connect 'inproc://on'\n"
     "  for n = 0, 3 do\n"
     "    local parts = {'head', ('x'):rep(400 * n)}\n"
     "    dealer:send_multipart(parts)\n"
     "    local got = router:recv_multipart()\n"
     "    for _ = 1, 2 do\n"
     "      router:send_multipart(got)\n"
     "      local back = dealer:recv_multipart()\n"
     "      check(back[1] == parts[1] and back[2] == parts[2])\n"
     "    end\n"
     "  end\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"subscribers",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local o = {linger = 0, hwm = 2}\n"
     "  for _, kind in ipairs {'pub', 'xpub'} do\n"
     "    local at = 'inproc://' .. kind\n"
     "    local pub <close> = zmq.socket(kind, o):bind(at)\n"
     "    local sub <close> = zmq.socket('xsub', o):connect(at)\n"
     "    local t = ev:start(function() pub:wait_subscriber 'more' end)\n"
     "    aw.yield()\n"
     "    sub:send '\\1m'\n"
     "    check(pub:wait_subscriber() and pub:wait_subscriber('m', 9))\n"
     "    check(kind == 'pub' or pub:recv() == '\\1m')\n"
     "    t:wait()\n"
     "    sub:send '\\0m'\n"
     "    check(not aw.pcall(pub.wait_subscriber, pub, 'm', 0))\n"
     "  end\n"
     "  local pub <close> = zmq.socket('pub', {conflate = true})\n"
     "  pub.linger = 0\n"
     "  pub.conflate = false\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"keys",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) or not zmq.has 'curve' then return end\n"
     "local path = 'keys'\n"
     "os.remove(path)\n"
     "local public, secret = zmq.curve_keypair()\n"
     "check(zmq.curve_public(secret) == public)\n"
     "zmq.save_keys(path, public, secret)\n"
     "check(select(2, zmq.load_keys(path)) == secret)\n"
     "local s <close> = zmq.socket('pair', {curve_secretkey = path})\n"
     "check(s.curve_publickey == public and s.curve_secretkey == secret)",
     false},
    {"a proxy",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  local all, o = {}, {linger = 0}\n"
     "  local _ <close> = setmetatable({}, {__close = function()\n"
     "    for _, s in ipairs(all) do s:close() end\n"
     "  end})\n"
     "  local function pair(a, b, name)\n"
     "    all[#all + 1] = zmq.socket(a, o):bind('inproc://' .. name)\n"
     "    local x = all[#all]\n"
     "    all[#all + 1] = zmq.socket(b, o):connect('inproc://' .. name)\n"
     "    return x, all[#all]\n"
     "  end\n"
     "  local f, push = pair('pull', 'push', 'f')\n"
     "  local b, pull = pair('push', 'pull', 'b')\n"
     "  local x, seen = pair('pair', 'pair', 'x')\n"
     "  local proxy = ev:start(zmq.Proxy(f, b, x))\n"
     "  for i = 1, 3 do push:send('m' .. i, 1, 2, 3, 4, 5) end\n"
     "  for i = 1, 3 do check(pull:recv() == 'm' .. i) end\n"
     "  for i = 1, 3 do check(seen:recv() == 'm' .. i) end\n"
     "  proxy:cancel_wait()\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"requests and a service",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev = aw.EventLoop{signals = false}\n"
     "ev:start(function()\n"
     "  local s <close> = zmq.socket('router', {linger = 0})\n"
     "  s:bind 'inproc://a'\n"
     "  local service <close> = ev:start(zmq.Service(s, function(_, a)\n"
     "    if a == 'bad' then error('own error') end\n"
     "    return a\n"
     "  end, {on_error = function() end, concurrency = 2}))\n"
     "  for _, a in ipairs {'good', 'bad'} do\n"
     "    local r = zmq.request('inproc://a', a, {timeout = 1})\n"
     "    check(r == 'good' or r == 'error')\n"
     "  end\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"a monitor and peers",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local ev = aw.EventLoop{signals = false}\n"
     "local function body()\n"
     "  local s <close> = zmq.socket('pull')\n"
     "  local m <close> = s:monitor{'listening', 'accepted'}\n"
     "  s:bind 'tcp://127.0.0.1:*'\n"
     "  local p <close> = zmq.socket('push'):connect(s.last_endpoint)\n"
     "  check(m:recv().event == 'listening')\n"
     "  check(aw.await(aw.Recv(m)).event == 'accepted')\n"
     "  check(s:wait_peers(1) and p:wait_peers(1, 60))\n"
     "  s:bind 'inproc://m'\n"
     "  p:connect 'inproc://m'\n"
     "  check(s:wait_peers(2) and m.dropped == 0)\n"
     "  s:close()\n"
     "  check(select(2, m:recv()) == 'closed')\n"
     "end\n"
     "ev:start(function()\n" /* a thread without memory drops events */
     "  local ok, err = pcall(aw.timeout, calm and 60 or 1, body)\n"
     "  check(ok or not calm)\n"
     "  if not ok and not aw.is_timeout(err) then error(err, 0) end\n"
     "end)\n"
     "check(ev:run() == 'done')",
     false},
    {"an authenticator",
     "local zmq = aw.zmq\n"
     "if not pcall(zmq.version) then return end\n"
     "local asked = 0\n"
     "local auth <close> = zmq.auth{plain = {u = 'p'}, allow = {'127.0.0.1'},\n"
     "  curve = {('k'):rep(32)}, handler = function(r)\n"
     "    asked = asked + 1\n"
     "    return r.username\n"
     "  end, on_denied = print}\n"
     "auth:allow_key(('x'):rep(32))\n"
     "auth:deny_key(('y'):rep(32))\n"
     "local o = {plain_server = true, zap_domain = 'x', linger = 0}\n"
     "local s <close> = zmq.socket('pull', o):bind 'tcp://127.0.0.1:*'\n"
     "local ev = loop()\n"
     "ev:start(function()\n"
     "  aw.yield()\n"
     "  auth:close()\n"
     "end)\n"
     "check(ev:run() == 'done' and asked == 0)",
     false},
    {"a worker",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local t <close> = aw.thread(function(...)\n"
     "    require 'aiowire'.sleep(0)\n"
     "    return ...\n"
     "  end, 1, {2})\n"
     "  check(t:wait() == 1 and #tostring(t) > 5)\n"
     "end)\n"
     "ev:run()",
     false},
    {"looking into a program",
     "local path = aw.inspect()\n"
     "local ends = 0\n"
     "local function ask()\n" /* a server without memory cuts clients off */
     "  local s <close> = aw.unix.connect(path)\n"
     "  s:write 'tasks\\ndump\\ngraph\\nquit\\n'\n"
     "  for line in s:lines() do\n"
     "    ends = ends + (line == '.' and 1 or 0)\n"
     "  end\n"
     "end\n"
     "local ev = aw.EventLoop { signals = false }\n"
     "ev:start(function()\n"
     "  ev:start(aw.Sleep(60), nil, { background = true })\n"
     "  aw.pcall(ask)\n"
     "  check(ends == 3)\n"
     "end)\n"
     "ev:run()\n"
     "aw.inspect(false)",
     false},
    {"a pool",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local pool <close> = aw.pool(1, function(a)\n"
     "    if not a then error 'own error' end\n"
     "    return a\n"
     "  end)\n"
     "  local list = pool:call {1}\n"
     "  check(list[1] == 1 and aw.await(pool:Call(2)) == 2)\n"
     "  check(not pcall(pool.call, pool))\n"
     "end)\n"
     "ev:run()",
     false},
    {"messages of a worker, and its error",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local t <close> = aw.thread(function()\n"
     "    local aw = require 'aiowire'\n"
     "    for v in aw.parent:iter() do aw.parent:send(v) end\n"
     "    error 'own error'\n"
     "  end)\n"
     "  local ok, err = pcall(function()\n"
     "    t:send(1)\n"
     "    check(t:recv() == 1)\n"
     "    aw.await(aw.Send(t, {2}))\n"
     "    local v = aw.await(aw.Recv(t))\n"
     "    check(v and v[1] == 2)\n"
     "  end)\n"
     "  if not ok and not aw.is_closed(err) then error(err, 0) end\n"
     "  t:shutdown()\n"
     "  check(not pcall(t.wait, t))\n"
     "end)\n"
     "ev:run()",
     false},
    {"times of day",
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false}\n"
     "ev:start(function()\n"
     "  aw.await(aw.At{sec = 0} | aw.At{hour = 3} | aw.Sleep(0))\n"
     "  pcall(aw.timeout, 0, aw.at, {min = 7})\n"
     "end)\n"
     "ev:run()\n"
     "local other <close> = loop()\n"
     "other:start(function()\n"
     "  local before = aw.time()\n"
     "  aw.at{hour = 3}\n"
     "  check(aw.time() > before)\n"
     "end)\n"
     "other:run()",
     false},
    {"a signal",
     "local ev <close> = loop()\n"
     "ev:start(function()\n"
     "  local p <close> = aw.spawn{'cat', grace = 0}\n"
     "  aw.scope(function(s)\n"
     "    s:start(aw.Signal 'CHLD')\n"
     "    aw.yield()\n"
     "    p:kill()\n"
     "  end)\n"
     "end)\n"
     "ev:run()",
     false},
    {"datagrams",
     "local ev <close> = aw.EventLoop{signals = false}\n"
     "ev:start(function()\n"
     "  local a <close> = aw.udp.bind('127.0.0.1', 0, {ttl = 3})\n"
     "  local host, port = a:name()\n"
     "  local b <close> = aw.udp.connect('localhost', port)\n"
     "  aw.scope({timeout = 5}, function(s)\n"
     "    local t = s:start(aw.Recv(a, 100))\n"
     "    aw.yield()\n"
     "    b:send('one')\n"
     "    check(t:wait() == 'one')\n"
     "    a:send('two', b:name())\n"
     "    check(b:recv() == 'two')\n"
     "    aw.await(aw.Send(b, ('x'):rep(1000)))\n"
     "    check(#a:recv() == 1000)\n"
     "  end)\n"
     "  check(#tostring(a) > 10)\n"
     "end)\n"
     "ev:run()",
     false},
    {"sockets as LuaSocket's",
     "local ev <close> = aw.EventLoop{signals = false}\n"
     "ev:start(function()\n"
     "  local server <close> = aw.socket.bind('127.0.0.1', 0)\n"
     "  local host, port = server:getsockname()\n"
     "  local a <close> = aw.socket.connect(host, port)\n"
     "  local b <close> = server:accept()\n"
     "  aw.scope({timeout = 5}, function(s)\n"
     "    local t = s:start(function()\n"
     "      check(a:receive('*l', 'pre') == 'prefixone')\n"
     "    end)\n"
     "    aw.yield()\n"
     "    b:send('fixone\\n' .. ('x'):rep(20000))\n"
     "    t:wait()\n"
     "    check(#a:receive(20000) == 20000)\n"
     "  end)\n"
     "  a:settimeout(0.001)\n"
     "  check(select(2, a:receive()) == 'timeout')\n"
     "  local u <close> = aw.socket.udp4()\n"
     "  local v <close> = aw.socket.udp()\n"
     "  u:setsockname(host, 0)\n"
     "  v:sendto('datagram', u:getsockname())\n"
     "  check(u:receivefrom() == 'datagram')\n"
     "  check(#aw.socket.select({a}, {a}, 1) == 0)\n"
     "end)\n"
     "ev:run()",
     false},
    {"watching files",
     "local d = 'folder'\n"
     "os.rename('folder/b', 'folder/a')\n"
     "local w <close> = aw.fs.watch(d)\n"
     "local ev <close> = aw.EventLoop{signals = false}\n"
     "ev:start(function()\n"
     "  local t <close> = aw.fs.watch(d, {recursive = true})\n"
     "  check(tostring(t) and t.path:find(d))\n"
     "  check(os.rename(d .. '/a', d .. '/b'))\n"
     "  check(os.rename(d .. '/b', d .. '/a'))\n"
     "  for _, watch in ipairs{w, t} do\n"
     "    local e = watch:recv()\n"
     "    check(e.what == 'rename' or e.what == 'overflow')\n"
     "    e = aw.await(aw.Recv(watch))\n"
     "    check(e.what)\n"
     "    watch:close()\n"
     "    check(select(2, watch:recv()) == 'closed')\n"
     "  end\n"
     "end)\n"
     "ev:run()",
     false},
    {"accepting",
     "local server <close> = aw.tcp.listen('127.0.0.1', 0)\n"
     "check(not pcall(aw.tcp.listen, '192.0.2.1', 0))\n"
     "local other <close> = aw.unix.listen('\\0aiowire alloc ' .. "
     "tostring(server))\n"
     "check(tostring(server) and tostring(aw.Accept(server)))\n"
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false}\n"
     "ev:start(function()\n"
     "  aw.await(aw.Accept(server) | aw.Accept(other) | aw.Sleep(0))\n"
     "  aw.scope({timeout = 0.0001}, function() server:accept() end)\n"
     "end)\n"
     "ev:run()",
     false},
    {"serving",
     "local server <close> = aw.tcp.listen('127.0.0.1', 0)\n"
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false,\n"
     "  grace = 0.001}\n"
     "local got\n"
     "local function body(_, s) aw.copy(s, s, 3) end\n"
     "ev:start(function()\n"
     "  aw.scope({timeout = 0.01}, function(scope)\n"
     "    scope:start(aw.Serve(server, body, function() end,\n"
     "      {max_connections = 1}))\n"
     "    local s <close> = aw.tcp.connect(server:name())\n"
     "    s:write('abc')\n"
     "    got = s:read(3)\n"
     "    scope:cancel()\n"
     "  end)\n"
     "end, function() end)\n"
     "ev:run()\n"
     "check(got == nil or got == 'abc')",
     false},
    {"contexts of TLS",
     "local cert, key = [[" TLS_CERT "]], [[" TLS_KEY "]]\n"
     "local own = {cert = cert, key = key, alpn = {'a', 'b'}, ca = {cert},\n"
     "  verify = 'optional', hosts = {['*.y.test'] = {cert = cert, key = "
     "key},\n"
     "  ['x.test'] = {cert = cert, key = key, password = 'p'}}}\n"
     "local ok, server = pcall(aw.tls.listen, '127.0.0.1', 0, own)\n"
     "if not ok and aw.is_tls_error(server) and server.code == 'NO_OPENSSL'\n"
     "then return end\n"
     "if not ok then error(server, 0) end\n"
     "server:reload()\n"
     "check(not pcall(server.reload, server, {key = 'x'}))\n"
     "check(not pcall(server.reload, server, {hosts = {x = {}}}))\n"
     "check(not pcall(server.reload, server, {crl = key}))\n"
     "server:reload{hosts = {}, password = 'p', crl = nil, alpn = {'b'}}\n"
     "check(server:name() and tostring(server))\n"
     "server:close()\n"
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false}\n"
     "ev:start(function()\n"
     "  for i = 1, 2 do\n"
     "    local ok, err = pcall(aw.tls.connect, '127.0.0.1', 1, {ca = cert,\n"
     "      host = 'x.test', alpn = {'a'}})\n"
     "    check(not ok and err.code == 'ECONNREFUSED')\n"
     "  end\n"
     "end)\n"
     "ev:run()",
     false},
    {"handshakes of TLS",
     "local cert, key = [[" TLS_CERT "]], [[" TLS_KEY "]]\n"
     "local ok, server = pcall(aw.tls.listen, '127.0.0.1', 0,\n"
     "  {cert = cert, key = key})\n"
     "if not ok and aw.is_tls_error(server) and server.code == 'NO_OPENSSL'\n"
     "then return end\n"
     "if not ok then error(server, 0) end\n"
     "local _ <close> = server\n"
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false,\n"
     "  grace = 0.001}\n"
     "local host, port = server:name()\n"
     "local function both(scope)\n"
     "  scope:start(aw.Serve(server, function(_, s) s:write 'x' s:read() end,\n"
     "    function() end))\n"
     "  for i = 1, 2 do\n"
     "    local s <close> = aw.tls.connect(host, port,\n"
     "      {ca = cert, host = 'x.test'})\n"
     "    check(s:read(1) == 'x' and s:tls().resumed == (i == 2))\n"
     "  end\n"
     "  scope:cancel()\n"
     "end\n"
     "ev:start(function()\n"
     "  local ok, err = pcall(aw.scope, {timeout = calm and 60 or 0.05}, "
     "both)\n"
     "  check(ok)\n" /* the error of the other end may come first */
     "  if not ok and not (aw.is_timeout(err) or aw.is_tls_error(err) or\n"
     "    aw.is_system_error(err)) then error(err, 0) end\n"
     "end)\n"
     "ev:run()",
     false},
    {"connecting",
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false}\n"
     "local server, _ = aw.tcp.listen and aw.tcp.listen('127.0.0.1', 0)\n"
     "local port = 1\n"
     "if server then _, port = server:name() end\n"
     "ev:start(function()\n"
     "  local ok, s = pcall(aw.tcp.connect, '127.0.0.1', port)\n"
     "  if ok then s:close() end\n"
     "  ok, s = pcall(aw.tcp.connect, 'localhost', port, {timeout = 9})\n"
     "  if ok then s:close() end\n"
     "  check(not pcall(aw.tcp.connect, 'localhost', 1))\n"
     "  check(not pcall(aw.unix.connect, '/nobody'))\n"
     "end)\n"
     "ev:run()\n"
     "if server then server:close() end",
     false},
    {"looking names up",
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false}\n"
     "ev:start(function()\n"
     "  local ask = aw.Call(aw.dns.resolve, '127.1')\n"
     "  aw.await(ask & ask)\n"
     "  check(not pcall(aw.dns.resolve, 'no such host'))\n"
     "  pcall(aw.dns.reverse, '127.0.0.1')\n"
     "  aw.await(ask | aw.Sleep(0))\n"
     "end)\n"
     "ev:run()",
     false},
    {"files",
     "local path\n"
     "local function clean()\n"
     "  if path then os.remove(path) os.remove(path .. '.b') end\n"
     "end\n"
     "local _ <close> = setmetatable({}, {__close = clean})\n"
     "local ev <close> = aw.EventLoop{clock = 'real', signals = false}\n"
     "ev:start(function()\n"
     "  local fs, s = aw.fs\n"
     "  s, path = fs.tempfile()\n"
     "  s:close()\n"
     "  fs.write(path, 'text', {atomic = true})\n"
     "  fs.append(path, 'text')\n"
     "  check(fs.read(path) == 'texttext' and fs.stat(path).size == 8)\n"
     "  fs.copy(path, path .. '.b')\n"
     "  fs.rename(path .. '.b', path)\n"
     "  fs.mkdir('/proc', {parents = true})\n"
     "  check(#fs.scandir '/proc/self/fd' > 0 and #fs.glob '/d[e]v' == 1)\n"
     "  check(fs.read '/dev/null' == '' and not pcall(fs.read, '/'))\n"
     "  fs.copy('/dev/null', path)\n"
     "  aw.await(aw.Call(fs.read, path) | aw.Sleep(0))\n"
     "  fs.unlink(path)\n"
     "end)\n"
     "ev:run()",
     false},
    {"a recorder and a trace",
     "aw.record()\n"
     "aw.trace('trace.json', {events = 20})\n"
     "local ev = loop()\n"
     "for i = 1, 3 do\n"
     "  ev:start(function() aw.sleep(i) end, nil, {name = 'x' .. i})\n"
     "end\n"
     "ev:start(aw.Sleep(9)):cancel('why')\n"
     "ev:run()\n"
     "check(#aw.recorded() > 0)\n"
     "check(aw.trace() > 0)\n"
     "aw.record(false)\n"
     "check(aw.recorded() == nil)",
     false},
    {"combining wires",
     "local w = (aw.Sleep(1) & aw.Sleep(2) | aw.Never // aw.Call(check)) / "
     "check\n"
     "w = w:timeout(1):retry{times = 3, when = check}:catch(check)\n"
     "w = w:finally(check):supervise(check):map(check):bind(check)\n"
     "w = aw.All{w, w, a = w, limit = 2} & aw.Race{w, b = w} | aw.Any{w}\n"
     "w = aw.Every(1, w) // aw.Select{aw.Never, c = aw.Never}\n"
     "check(#tostring(w) > 50)",
     false},
    {"joins",
     "local ev = loop()\n"
     "local t = ev:start((aw.Sleep(1) >> aw.Value(1, 2) & aw.Value(3)) /\n"
     "  function(a, b) check(a == 1 and b == 3) return a + b end)\n"
     "local u = ev:start(aw.All{x = aw.Value(1), y = aw.Sleep(1), limit = 1})\n"
     "ev:run()\n"
     "check(t:results() == 4 and u:results().x == 1)",
     false},
    {"races",
     "local ev = loop()\n"
     "local t = ev:start(aw.Race{a = aw.Sleep(1), b = aw.Sleep(2)})\n"
     "local u = ev:start(aw.Sleep(3) | function() aw.sleep(1) end)\n"
     "local v = ev:start(aw.Select{aw.Sleep(9), aw.Sleep(1):map(function() "
     "end)})\n"
     "ev:run()\n"
     "check(t:results() == 'a' and u.status == 'done' and v:results() == 2)",
     false},
    {"instead, and again",
     "local ev = loop()\n"
     "local n = 0\n"
     "local function fails() n = n + 1 error('own error ' .. n, 0) end\n"
     "local t = ev:start(aw.Call(fails) // aw.Value('b'))\n"
     "ev:run() check(t:results() == 'b')\n"
     "t = ev:start(aw.Call(fails):retry{times = 3, delay = 1}\n"
     "  :catch(function(e, i) return aw.Value(e, i.attempts) end))\n"
     "ev:run() check(select(2, t:results()) == 3)\n"
     "t = ev:start(aw.Any{aw.Call(fails), aw.Sleep(1) >> aw.Value('c')})\n"
     "ev:run() check(t:results() == 'c')",
     false},
    {"instead of a step that gets its scope late",
     "local ev = loop()\n"
     "local function child() aw.sleep(1) error('own error', 0) end\n"
     "local function goes_on() return child end\n"
     "local spins = aw.Wire(goes_on) >> aw.Sleep(2)\n"
     "local function awaits() aw.await(spins) end\n"
     "local t = ev:start(aw.Wire(goes_on) // aw.Wire(awaits) // aw.Value(3))\n"
     "ev:run() check(t:results() == 3)",
     false},
    {"very many bodies",
     "local ev = loop()\n"
     "local n = 0\n"
     "local function f() aw.yield() n = n + 1 end\n"
     "for i = 1, 76 do ev:start(f) end\n"
     "ev:run()\n"
     "check(n == 76)",
     false},
    {"clean-up of wires",
     "local ev = loop()\n"
     "local clean = 0\n"
     "local w = aw.Sleep(9):finally(function() aw.sleep(1) clean = 1 end)\n"
     "ev:start(w:timeout(2):catch(function(e)\n"
     "  check(aw.is_timeout(e) and e.after == 2 and #tostring(e.wire) > 5)\n"
     "end))\n"
     "ev:run()\n"
     "check(clean == 1)",
     false},
    {NULL, NULL, false},
};

#endif
