/* threads_test.c - two threads, each with its own Lua states
 *
 * Signals, libzmq, the allocator and the pools of threads exist once in the
 * process, and both threads use them. Run it under ThreadSanitizer: ./dev tsan.
 */
#include "scripts.h"

#include <semaphore.h>
#include <signal.h>
#include <time.h>

/* Send a signal to this thread. The handler has run when this returns. */
static int raise_here(lua_State *L) {
  pthread_kill(pthread_self(), (int)luaL_checkinteger(L, 1));
  return 0;
}

static sem_t begun;

static int tell_begun(lua_State *L) {
  (void)L;
  sem_post(&begun);
  return 0;
}

/* ThreadSanitizer delays signals until a blocking call, such as this one. */
static int let_signals_in(lua_State *L) {
  static const struct timespec MOMENT = {0, 1000};
  (void)L;
  nanosleep(&MOMENT, NULL);
  return 0;
}

static void add_functions(lua_State *L) {
  luaL_requiref(L, "aiowire.zmq", luaopen_aiowire_zmq, 0);
  lua_register(L, "raise_here", raise_here);
  lua_register(L, "tell_begun", tell_begun);
  lua_register(L, "let_signals_in", let_signals_in);
}

static void test_tasks(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "for _, signals in ipairs { true, false } do\n"
                 "  aw.run(function()\n"
                 "    for i = 1, 20 do aw.start(function()\n"
                 "      for _ = 1, 20 do aw.yield() end\n"
                 "    end) end\n"
                 "    aw.wrap(function() aw.sleep(0.001) end)()\n"
                 "  end, { signals = signals })\n"
                 "end",
                 add_functions);
}

static void test_children(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "aw.run(function()\n"
                 "  local r = aw.exec { 'cat', stdin = 'text', group = true }\n"
                 "  assert(r.ok and r.out == 'text')\n"
                 "end)\n"
                 "aw.run(function()\n"
                 "  held = aw.spawn { 'sleep', '30' }\n"
                 "end)",
                 add_functions);
}

/* Both threads wait for the same signal. A signal to one thread may end the
 * wait of the other. */
static void test_signals(void) {
  run_on_threads("local aw = require 'aiowire'\n"
                 "local USR1 <const> = 10\n"
                 "for _ = 1, 10 do\n"
                 "  aw.run(function()\n"
                 "    local told = aw.start(aw.Signal 'USR1')\n"
                 "    aw.yield()\n"
                 "    raise_here(USR1)\n"
                 "    told:wait()\n"
                 "  end)\n"
                 "end",
                 add_functions);
  struct sigaction now;
  for (int i = 0; i < 2; i++) {
    CHECK(sigaction(i ? SIGUSR1 : SIGINT, NULL, &now) == 0);
    CHECK(now.sa_handler == SIG_DFL);
  }
}

static void test_sockets(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "local ok, zmq = pcall(require, 'aiowire.zmq')\n"
      "if not ok or not pcall(zmq.socket, 'pull') then return end\n"
      "aw.run(function()\n"
      "  local pull <close> = zmq.socket 'pull':bind 'inproc://x'\n"
      "  local push <close> = zmq.socket 'push':connect 'inproc://x'\n"
      "  for i = 1, 50 do\n"
      "    push:send(tostring(i))\n"
      "    assert(pull:recv() == tostring(i))\n"
      "  end\n"
      "end)",
      add_functions);
}

/* All threads share the threads that look names up. Some look-ups are given up
 * half way; the last ones are under way when their state ends. */
static void test_names(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "aw.run(function(ev)\n"
      "  local ask = aw.Call(aw.dns.resolve, '127.1')\n"
      "  for i = 1, 20 do\n"
      "    aw.await(ask & ask & aw.Call(aw.dns.resolve, '127.' .. i))\n"
      "    aw.await(ask | aw.Sleep(0))\n"
      "  end\n"
      "  assert(not pcall(aw.dns.resolve, 'no such host'))\n"
      "end)\n"
      "aw.run(function(ev)\n"
      "  for i = 1, 40 do ev:start(aw.Call(aw.dns.resolve, '127.1.' "
      ".. i)) end\n"
      "  aw.yield()\n"
      "  ev:stop()\n"
      "end)",
      add_functions);
}

/* All threads share the threads that work on files. Some reads are given up
 * half way, some changes are cancelled, and the last ones are under way when
 * their state ends. */
static void test_files(void) {
  run_on_threads(
      "local aw = require 'aiowire'\n"
      "local fs = aw.fs\n"
      "aw.run(function(ev)\n"
      "  local stream, path = fs.tempfile()\n"
      "  stream:close()\n"
      "  for i = 1, 20 do\n"
      "    fs.write(path, ('x'):rep(i * 1000), { atomic = i % 2 == 0 })\n"
      "    assert(#fs.read(path) == i * 1000)\n"
      "    aw.await(aw.Call(fs.read, path) | aw.Sleep(0))\n"
      "    local w = aw.Call(fs.write, path, 'y', { atomic = true })\n"
      "    aw.await(w & aw.Call(fs.stat, path) & aw.Call(fs.read, path))\n"
      "    local task = ev:start(w)\n"
      "    aw.yield()\n"
      "    task:cancel_wait()\n"
      "  end\n"
      "  fs.unlink(path)\n"
      "  assert(#fs.scandir '/' > 0 and #fs.glob '/d[e]v' == 1)\n"
      "  assert(not pcall(fs.read, '/no/such/file'))\n"
      "end)\n"
      "aw.run(function(ev)\n"
      "  for i = 1, 40 do\n"
      "    ev:start(aw.Call(fs.read, '/proc/self/status'))\n"
      "  end\n"
      "  aw.yield()\n"
      "  ev:stop()\n"
      "end)",
      add_functions);
}

/* Body of a thread: run a script until a signal interrupts it. */
static void *interrupted(void *out) {
  lua_State *L = new_script_state(add_functions);
  int rc = luaL_dostring(
      L, "local aw = require 'aiowire'\n"
         "aw.run(function()\n"
         "  tell_begun()\n"
         "  while true do for _ = 1, 10000 do end let_signals_in() end\n"
         "end)");
  *(bool *)out = rc != LUA_OK && strstr(lua_tostring(L, -1), "interrupted!");
  lua_close(L);
  return NULL;
}

/* The thread that runs the body sets the hook, even if another thread gets the
 * signal. */
static void test_signal_to_another_thread(void) {
  pthread_t thread;
  bool was_interrupted = false;
  CHECK(sem_init(&begun, 0, 0) == 0);
  CHECK(pthread_create(&thread, NULL, interrupted, &was_interrupted) == 0);
  while (sem_wait(&begun) < 0)
    ;
  CHECK(pthread_kill(pthread_self(), SIGINT) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(was_interrupted);
  sem_destroy(&begun);
}

int main(void) {
  test_tasks();
  test_children();
  test_signals();
  test_sockets();
  test_names();
  test_files();
  test_signal_to_another_thread();
  return 0;
}
