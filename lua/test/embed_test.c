/* embed_test.c - Lua states on engines that a host program drives
 *
 * The host is this file: it pulls the steps itself, has steps of its own, and
 * several states on one engine. Each test ends by closing the states and the
 * engine, and checks that no memory of the library is left.
 */
#include "host_of_states.h"

#include <uv.h>

#include <poll.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/epoll.h>
#endif

/* ---- tasks ---- */

static void test_one_task(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  start_text(L, "aw.sleep(0) return 1, 'two', ...", "a");
  CHECK_LOG("");
  pull(L);
  CHECK_LOG("a=1,two ");
  start_text(L, "error 'oops'", "b");
  pull(L);
  CHECK_LOG("b=error:chunk:1: oops ");
  CHECK(aw_loop_state_of(aw_lua_loop(L)) == AW_LOOP_IDLE);
  close_all(L, engine);
}

static int add(lua_State *L) {
  lua_pushinteger(L, luaL_checkinteger(L, 1) + luaL_checkinteger(L, 2));
  return 1;
}

static void test_functions_and_wires(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  aw_lua_task_config config = {.done = log_end, .data = "f"};
  lua_pushcfunction(L, add);
  lua_pushinteger(L, 3);
  lua_pushinteger(L, 4);
  CHECK(aw_lua_start(L, 2, &config, NULL) == 0);
  CHECK(lua_gettop(L) == 0);
  CHECK(luaL_dostring(L, "return aw.All{aw.Value(1), aw.Value(2)}") == LUA_OK);
  config.data = "w";
  CHECK(aw_lua_start(L, 0, &config, NULL) == 0);
  start_text(L, "return aw.Value('run', 'too')", "r");
  pull(L);
  CHECK_LOG("f=7 r=run,too w=1,2 ");
  close_all(L, engine);
}

/* 0 stands for the structs of version 0.1, which have all of this. */
static void test_configs_without_a_size(void) {
  aw_engine_config config = {.deadlocks = false};
  aw_engine *engine;
  aw_lua_config(&config);
  CHECK(aw_engine_new(&config, &engine) == 0);
  lua_State *L = new_state(engine);
  aw_lua_task_config task = {.done = log_end, .data = "s"};
  static const char text[] = "aw.yield() return 's'";
  CHECK(aw_lua_start_buffer(L, text, strlen(text), "=s", &task, NULL) == 0);
  for (int rc = 1; rc == 1;)
    rc = aw_engine_turn(engine);
  CHECK_LOG("s=s ");
  close_all(L, engine);
}

static void test_bad_arguments(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  aw_task *task = NULL;
  lua_pushnil(L);
  CHECK(aw_lua_start(L, 0, NULL, &task) == AW_EINVAL);
  lua_pushinteger(L, 5);
  CHECK(aw_lua_start(L, 0, NULL, &task) == AW_EINVAL);
  CHECK(luaL_dostring(L, "return aw.Sleep(1), 2") == LUA_OK);
  CHECK(aw_lua_start(L, 1, NULL, &task) == AW_EINVAL);
  CHECK(aw_lua_start(L, 0, NULL, &task) == AW_EINVAL);
  CHECK(!task && lua_gettop(L) == 0);
  CHECK(try_start(L, "return +", "s") == AW_EHOST);
  CHECK(strstr(lua_tostring(L, -1), "chunk:1:"));
  lua_settop(L, 0);
  CHECK(try_start(L, "\x1bLua", "b") == AW_EHOST);
  CHECK(strstr(lua_tostring(L, -1), "binary"));
  lua_settop(L, 0);
  CHECK(aw_lua_start_file(L, "/no such file", NULL, NULL) == AW_EHOST);
  CHECK(strstr(lua_tostring(L, -1), "no such file"));
  lua_settop(L, 0);
  CHECK(aw_lua_start_file(L, NULL, NULL, NULL) == AW_EINVAL);
  struct {
    aw_lua_task_config config;
    int more;
  } later = {{.size = sizeof later}, 1};
  lua_pushcfunction(L, lua_say);
  CHECK(aw_lua_start(L, 0, &later.config, NULL) == AW_EINVAL);
  aw_lua_task_config none = {.done = log_end, .size = 4};
  lua_pushcfunction(L, lua_say);
  CHECK(aw_lua_start(L, 0, &none, NULL) == AW_EINVAL);
  none.size = SIZE_MAX;
  lua_pushcfunction(L, lua_say);
  CHECK(aw_lua_start(L, 0, &none, NULL) == AW_EINVAL);
  CHECK(lua_gettop(L) == 0);
  CHECK(aw_lua_open(L, engine) == AW_EBUSY);
  CHECK_LOG("");

  aw_engine *plain;
  CHECK(aw_engine_new(NULL, &plain) == 0);
  lua_State *other = luaL_newstate();
  CHECK(aw_lua_open(other, plain) == AW_EINVAL);
  CHECK(aw_lua_open(other, NULL) == AW_EINVAL);
  CHECK(!aw_lua_loop(other));
  CHECK(aw_lua_close(other) == AW_EINVAL);
  lua_pushcfunction(other, lua_say);
  CHECK(aw_lua_start(other, 0, NULL, NULL) == AW_EINVAL);
  luaL_openlibs(other);
  luaL_requiref(other, "aw", luaopen_aiowire, 1);
  CHECK(luaL_dostring(other, "aw.run(function() end)") == LUA_OK);
  CHECK(aw_lua_open(other, engine) == AW_EBUSY);
  lua_close(other);
  CHECK(aw_engine_free(plain) == 0);
  close_all(L, engine);
}

/* ---- what Lua can do ---- */

static void test_awaits(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  start_text(L,
             "local ch = aw.channel()\n"
             "local t = aw.start(function() ch:send('hi') end)\n"
             "say(ch:recv())\n"
             "t:wait()\n"
             "local r = aw.exec { 'cat', stdin = 'text' }\n"
             "say(r.out)\n"
             "say(aw.current().status)\n"
             "local ev = aw.EventLoop()\n"
             "ev:start(aw.Sleep(0) >> aw.Call(say, 'nested'))\n"
             "say(ev:run())\n"
             "say(pcall(function() aw.timeout(0, aw.sleep, 1) end))\n"
             "aw.run(aw.Call(say, 'run'))\n"
             "local function f() local t <close> = aw.start(aw.Sleep(9)) end\n"
             "f()\n",
             "a");
  pull(L);
  CHECK_LOG("hi text running nested done false run a= ");
  close_all(L, engine);
}

/* Run a chunk outside of tasks, and check the end of its message. */
static void refused(lua_State *L, const char *text, const char *message) {
  CHECK(luaL_dostring(L, text) != LUA_OK);
  const char *raised = luaL_tolstring(L, -1, NULL);
  size_t size = strlen(raised), tail = strlen(message);
  if (size < tail || strcmp(raised + size - tail, message) != 0) {
    fprintf(stderr, "%s\nraised \"%s\", not \"%s\"\n", text, raised, message);
    exit(1);
  }
  lua_settop(L, 0);
}

#define DRIVEN \
  "the host program drives the engine; let the program start a task"

/* What would have to drive the engine is an error outside of tasks [L6]. */
static void test_outside(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  refused(
      L, "aw.run(function() end)",
      "cannot run an EventLoop outside a task here (EventLoop:run): " DRIVEN);
  refused(
      L, "local ev = aw.EventLoop() ev:run()",
      "cannot run an EventLoop outside a task here (EventLoop:run): " DRIVEN);
  refused(
      L,
      "ev = aw.EventLoop() local close <close> = ev\n"
      "ev:start(aw.Call(say, 'no'))",
      "cannot run an EventLoop outside a task here (EventLoop:close): " DRIVEN);
  refused(L, "assert(ev.status == 'closed') error 'closed'", "closed");
  refused(L,
          "ev = aw.EventLoop() t = ev:start(aw.Call(say, 'no'))\n"
          "local close <close> = t",
          "cannot run an EventLoop outside a task here (Task:close): " DRIVEN);
  refused(L, "aw.sleep(0)",
          "cannot await outside a task (aw.sleep): the host program drives the "
          "engine; let the program start a task that waits");
  CHECK(luaL_dostring(L, "ev:close() ev = nil") == LUA_OK);
  CHECK(luaL_dostring(L, "local ev <close> = aw.EventLoop{clock='virtual'}\n"
                         "ev:start(aw.Sleep(5) >> aw.Call(say, 'own'))\n"
                         "ev:run()\n"
                         "aw.run(aw.Call(say, 'run'), {clock='virtual'})") ==
        LUA_OK);
  CHECK_LOG("own run ");
  start_text(L, "aw.current()", "a");
  refused(L, "aw.run(function() end)", DRIVEN);
  pull(L);
  CHECK_LOG("a= ");
  close_all(L, engine);
}

/* The run of the host's loop can be awaited by nobody. */
static void test_own_loop(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  aw_lua_task_config config = {.done = log_end, .data = "a"};
  CHECK(luaL_dostring(L, "return aw.Wire(function(ev)\n"
                         "say(select(2, pcall(ev.run, ev))) end)") == LUA_OK);
  CHECK(aw_lua_start(L, 0, &config, NULL) == 0);
  pull(L);
  CHECK(strstr(logged, "]:2: this EventLoop is already running a= "));
  log_clear();
  close_all(L, engine);
}

/* ---- C steps, and steps of the host ---- */

/* As a thread does when the engine of its ticket has gone. */
static void test_boxes_that_nobody_takes(void) {
  size_t before = blocks;
  aw_lua_box_release(aw_lua_box_string("text", 4));
  aw_lua_box_release(aw_lua_box_integer(1));
  aw_lua_box_release(aw_lua_box_number(0.5));
  aw_lua_box_release(0);
  CHECK(blocks == before);
}

/* A C step: takes the results before it, and gives their sum. */
static aw_turn sum(aw_task *task, void *L) {
  int count = aw_lua_take_results(L, task);
  lua_Integer total = 0;
  for (int i = 1; i <= count; i++)
    total += lua_tointeger(L, -i);
  lua_pop((lua_State *)L, count);
  aw_task_set_value(task, aw_lua_box_integer(total));
  return AW_DONE;
}

static aw_turn give_two(aw_task *task, void *L) {
  lua_pushliteral((lua_State *)L, "from C");
  lua_newtable(L);
  CHECK(aw_lua_give_results(L, task, 2) == 0);
  return AW_DONE;
}

static aw_turn give_text(aw_task *task, void *data) {
  aw_task_set_value(task, aw_lua_box_string(data, strlen(data)));
  return AW_DONE;
}

static aw_turn give_half(aw_task *task, void *data) {
  (void)data;
  aw_task_set_value(task, aw_lua_box_number(0.5));
  return AW_DONE;
}

static aw_turn fail(aw_task *task, void *data) {
  (void)data;
  aw_task_set_error(task,
                    aw_error_new(aw_loop_engine(aw_task_loop(task)), -2, 0));
  return AW_FAIL;
}

/* sum(w): a wire that runs w and ends with the sum of its results */
static int lua_sum(lua_State *L) {
  lua_settop(L, 1);
  aw_wire *wire = aw_lua_part(L, 1);
  CHECK(wire);
  aw_lua_push_wire(L, aw_bind(aw_wire_keep(wire), aw_call(sum, L)), 1);
  return 1;
}

/* begin(w): starts w at the root of the loop; true if w is a wire */
static int lua_begin(lua_State *L) {
  aw_wire *wire = aw_lua_to_wire(L, 1);
  lua_pushboolean(L, wire != NULL);
  if (wire)
    CHECK(aw_loop_start(aw_lua_loop(L), wire, NULL, NULL) == 0);
  return 1;
}

static void test_wires_of_values(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  lua_register(L, "begin", lua_begin);
  start_text(L,
             "say(begin(function() say 'runs' end)) say(begin(5))\n"
             "say(begin(aw.Sleep(0) >> aw.Call(say, 'wire')))",
             "a");
  pull(L);
  CHECK_LOG("true false true a= runs wire ");
  lua_pushcfunction(L, lua_say); /* outside of tasks */
  CHECK(!aw_lua_to_wire(L, -1));
  close_all(L, engine);
}

static const char own_step[] = "own";

static void release_own(void *data) {
  CHECK(data == own_step);
}

static aw_wire *new_own(void) {
  return aw_host_call((void *)(uintptr_t)own_step, release_own, "own");
}

static void push_c_wire(lua_State *L, aw_wire *wire, const char *name) {
  aw_lua_push_wire(L, wire, 0);
  lua_setglobal(L, name);
}

/* Runs the host's own steps. Parks the code of the first one for a turn. */
static void run_own(const aw_step *step) {
  static char parked;
  if (step->what == AW_STEP_CALL) {
    log_add("call ");
    aw_task_park(step->task, &parked);
    CHECK(aw_await_sleep(step->task, 0) == 0);
    return;
  }
  CHECK(step->what == AW_STEP_RESUME && step->data == &parked);
  log_add("resume:%s ", step->result == 0 ? "ok" : "cancelled");
  if (step->result == AW_ECANCELED)
    aw_step_cancelled(step->task);
  else
    aw_step_done(step->task, aw_lua_box_boolean(true));
}

static void pull_with_own(aw_engine *engine, aw_loop *loop) {
  aw_step step;
  while (aw_next(engine, loop, &step) == 1)
    if (!aw_lua_step(engine, &step) && step.what != AW_STEP_WOKEN)
      run_own(&step);
}

static void test_c_wires(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  lua_register(L, "sum", lua_sum);
  push_c_wire(L, aw_call(give_two, L), "two");
  push_c_wire(L, aw_call(give_text, (void *)(uintptr_t) "boxed"), "text");
  push_c_wire(L, aw_call(give_half, NULL), "half");
  push_c_wire(L, aw_call(fail, NULL), "fails");
  push_c_wire(L, new_own(), "own");
  start_text(L,
             "say(aw.await(sum(aw.Value(1, 2, 3))))\n"
             "local s, t = aw.await(two) say(s, type(t))\n"
             "say(aw.await(text)) say(aw.await(half))\n"
             "say((aw.await(aw.All{text, own})))\n"
             "say(select(2, aw.await(aw.Race{aw.Sleep(9), own})))\n"
             "say(aw.is_system_error(select(2, pcall(aw.await, fails))))\n"
             "local t = aw.start(function() aw.await(own) end)\n"
             "repeat aw.yield() until t.status == 'waiting'\n"
             "assert(t:traceback():find('chunk:7:', 1, true))\n",
             "a");
  pull_with_own(engine, aw_lua_loop(L));
  CHECK_LOG(
      "6 from C boxed 0.5 call resume:ok boxed call resume:ok 2 true call "
      "a= resume:ok ");

  /* the host's own loop, with its own wires on the same engine */
  aw_loop *loop = new_loop(engine);
  start(loop, aw_then(new_own(), says("mine")));
  start_text(L, "aw.sleep(0) return 'theirs'", "b");
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  pull_with_own(engine, loop);
  pull_with_own(engine, aw_lua_loop(L));
  CHECK(strstr(logged, "resume:ok mine "));
  CHECK(strstr(logged, "b=theirs "));
  log_clear();

  /* a wire of Lua fails in a loop that is not of its state */
  CHECK(luaL_dostring(L, "return function() say 'never' end") == LUA_OK);
  aw_wire *wire = aw_lua_part(L, -1);
  aw_task *task = start_task(loop, aw_wire_keep(wire));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  while (aw_next(engine, loop, &step) == 1)
    if (!aw_lua_step(engine, &step) && step.what == AW_STEP_FAILED)
      aw_step_handled(step.task);
  CHECK(aw_task_state_of(task) == AW_TASK_FAILED);
  CHECK(aw_error_code(aw_task_error(task)) == AW_EINVAL);
  aw_task_release(task);
  lua_settop(L, 0);
  CHECK_LOG("");
  CHECK(aw_loop_free(loop) == 0);
  close_all(L, engine);
}

/* ---- several states ---- */

static void test_several_states(void) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  start_text(a, "aw.sleep(0) for i = 1, 2 do say('a' .. i) aw.yield() end",
             "a");
  start_text(b, "aw.sleep(0) for i = 1, 2 do say('b' .. i) aw.yield() end",
             "b");
  pull(a);
  pull(b);
  CHECK_LOG("a1 b1 a2 b2 a= b= ");

  /* one is closed in the middle */
  start_text(
      a,
      "local guard <close> = setmetatable({}, {__close = function()\n"
      "  say('closed', pcall(aw.sleep, 0)) end})\n"
      "aw.start(aw.Sleep(99)) aw.await(aw.All{aw.Sleep(99), aw.Sleep(98)})",
      "a");
  start_text(b, "aw.sleep(0.01) return 'lives'", "b");
  aw_task *sleeping;
  CHECK(luaL_dostring(a, "return aw.Sleep(99)") == LUA_OK);
  CHECK(aw_lua_start(a, 0, NULL, &sleeping) == 0);
  aw_loop *loop = aw_lua_loop(b);
  aw_step step;
  for (int i = 0; i < 2; i++) {
    CHECK(aw_next(engine, loop, &step) == 1);
    CHECK(aw_lua_step(engine, &step));
  }
  CHECK(aw_lua_close(a) == 0);
  CHECK_LOG("closed a=cancelled ");
  CHECK(aw_task_state_of(sleeping) == AW_TASK_CANCELLED);
  CHECK(try_start(a, "return", "c") == AW_EENDED);
  CHECK(!aw_lua_loop(a));
  lua_close(a);
  aw_task_release(sleeping);
  pull(b);
  CHECK_LOG("b=lives ");
  close_all(b, engine);
}

/* lua_close() without aw_lua_close(). */
static void test_lua_close_alone(void) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  start_text(a,
             "local ch = aw.channel() local sem = aw.semaphore(0)\n"
             "aw.start(function() ch:recv() end)\n"
             "aw.start(function() sem:acquire() end)\n"
             "aw.start(aw.Signal 'USR1')\n"
             "aw.start(aw.At{hour = 0})\n"
             "aw.start(function() aw.spawn{'sleep', '99'}:wait() end)\n"
             "local ev = aw.EventLoop()\n"
             "ev:start(function() aw.exec{'sleep', '99'} end)\n"
             "aw.shield(function() ev:run() end)",
             "a");
  start_text(b, "aw.sleep(0.05) return 'lives'", "b");
  aw_loop *loop = aw_lua_loop(b);
  aw_step step;
  for (int i = 0; i < 8; i++) {
    CHECK(aw_next(engine, loop, &step) == 1);
    run_step(engine, &step);
  }
  lua_close(a);
  CHECK_LOG("a=gone ");
  pull(b);
  CHECK_LOG("b=lives ");
  lua_close(b);
  CHECK(aw_engine_free(engine) == 0); /* ends the children, and reaps them */
  CHECK(blocks == 0);
}

/* An engine that is freed first leaves its states with engines of their own. */
static void test_engine_ends_first(bool close_first) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  start_text(b, "return 'ran'", "b");
  pull(b);
  CHECK_LOG("b=ran ");
  CHECK(aw_engine_free(engine) == AW_EBUSY); /* b has a loop on it */
  CHECK(aw_lua_close(b) == 0);
  if (close_first)
    CHECK(aw_lua_close(a) == 0);
  CHECK(aw_engine_free(engine) == 0);
  CHECK(!aw_lua_loop(a) && !aw_lua_loop(b));
  CHECK(try_start(a, "return", "a") == AW_EENDED && lua_gettop(a) == 0);
  CHECK(luaL_dostring(a, "aw.run(aw.Sleep(0) >> aw.Call(say, 'own'))") ==
        LUA_OK);
  CHECK_LOG("own ");
  CHECK(aw_lua_close(a) == 0);
  lua_close(a);
  lua_close(b);
  CHECK(blocks == 0);
}

static aw_turn give_to_other(aw_task *task, void *other) {
  lua_pushliteral((lua_State *)other, "lost");
  CHECK(aw_lua_give_results(other, task, 1) == AW_EINVAL);
  return AW_DONE;
}

/* What a C step gives with the state of another task. */
static void test_results_of_another_state(void) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  start_text(b, "aw.yield()", "b");
  pull(b);
  push_c_wire(a, aw_call(give_to_other, b), "other");
  start_text(a, "return select('#', aw.await(other))", "a");
  pull(a);
  CHECK_LOG("b= a=0 ");
  CHECK(lua_gettop(b) == 0);
  CHECK(aw_lua_close(b) == 0);
  lua_close(b);
  close_all(a, engine);
}

/* Steps that are none of Lua, and engines that are none for it. */
static void test_steps_of_others(void) {
  aw_engine *engine = new_engine(), *plain;
  const aw_step woken = {.what = AW_STEP_WOKEN};
  const aw_step slow = {.what = AW_STEP_SLOW};
  CHECK(aw_engine_new(NULL, &plain) == 0);
  CHECK(!aw_lua_step(NULL, &woken) && !aw_lua_step(plain, &woken));
  CHECK(!aw_lua_step(engine, &woken)); /* there is no state yet */
  lua_State *L = new_state(engine);
  CHECK(!aw_lua_step(engine, NULL));
  CHECK(!aw_lua_step(engine, &slow)); /* no state has run a step */
  aw_loop *loop = new_loop(engine);
  const aw_step deadlock = {.what = AW_STEP_DEADLOCK, .loop = loop};
  CHECK(!aw_lua_step(engine, &deadlock)); /* the program's own loop */
  CHECK(aw_loop_free(loop) == 0);
  CHECK(aw_engine_free(plain) == 0);
  close_all(L, engine);
}

/* The numbers of states are used again. */
static void test_many_states(void) {
  enum { COUNT = 20 };
  aw_engine *engine = new_engine();
  lua_State *states[COUNT];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < COUNT; i++) {
      states[i] = new_state(engine);
      start_text(states[i], "aw.yield()", "s");
    }
    for (int i = 0; i < COUNT; i++) {
      pull(states[i]);
      CHECK(aw_lua_close(states[i]) == 0);
      lua_close(states[i]);
    }
  }
  close_engine(engine);
}

/* Waits that are under way when their state is closed. */
static const char *const waits[] = {
    "aw.channel():recv()",
    "aw.channel():send({})",
    "aw.semaphore(0):acquire()",
    "aw.event():wait()",
    "local r = aw.rate(1, 99) r:acquire() r:acquire()",
    "aw.signal 'USR1'",
    "aw.sleep(99)",
    "aw.await(aw.At{hour = 0})",
    "aw.spawn{'sleep', '99'}:wait()",
    "aw.exec{'sleep', '99'}",
    "local p = aw.spawn{'sleep', '99', stdout = 'pipe'} p.stdout:read 'a'",
    "aw.tcp.listen('127.0.0.1', 0):accept()",
    ("local s = aw.tcp.listen('127.0.0.1', 0)\n"
     "aw.tcp.connect('127.0.0.1', select(2, s:name())):read 'a'"),
    "aw.udp.bind('127.0.0.1', 0):recv()",
    "aw.dns.resolve 'localhost' aw.sleep(99)",
    "local z = aw.zmq.socket 'pull' z:bind 'inproc://x' z:recv()",
    ("local z = aw.zmq.socket 'pull' z:bind 'inproc://x'\n"
     "  aw.readable(z)"),
    "local z = aw.zmq.socket 'pull' z:bind 'inproc://x' z:monitor():recv()",
    "local z = aw.zmq.socket 'push' z:bind 'inproc://x' z:wait_peers(1)",
    "local z = aw.zmq.socket 'pub' z:bind 'inproc://x' z:wait_subscriber()",
    "aw.Serve(aw.tcp.listen('127.0.0.1', 0), function() end) aw.sleep(99)",
    "aw.await(aw.Serve(aw.tcp.listen('127.0.0.1', 0), function() end))",
    "aw.await(aw.All{aw.Sleep(99), aw.channel(0) and aw.Sleep(98)})",
    "local e <close> = aw.EventLoop() e:start(aw.Sleep(99))",
    "aw.shield(function() aw.sleep(99) end)",
    "aw.scope(function(s) s:start(aw.Sleep(99)) aw.sleep(98) end)",
    "pcall(aw.sleep, 99) pcall(aw.sleep, 98) aw.sleep(97)",
    "local function again() pcall(aw.sleep, 99) again() end again()",
    "aw.wrap(function() aw.sleep(99) end)()",
    "aw.await(aw.Sleep(99):finally(function() aw.sleep(98) end))",
    ("aw.timeout(99, function()\n"
     "  aw.await(aw.Call(aw.sleep, 98):retry{times = 9}) end)"),
    "aw.locals.x = {} aw.start(aw.Sleep(99)):wait()",
    "repeat aw.yield() until false"};

static void test_closing_in_a_wait(const char *text, bool close_first) {
  enum { TURNS = 12 };
  aw_engine *engine = new_engine();
  CHECK(aw_engine_fd(engine) >= 0);
  lua_State *L = new_state(engine);
  aw_task *task;
  aw_lua_task_config config = {
      .size = sizeof config, .done = log_end, .data = "a"};
  CHECK(aw_lua_start_buffer(L, text, strlen(text), "=t", &config, &task) == 0);
  for (int i = 0; i < TURNS; i++)
    CHECK(aw_engine_turn(engine) >= 0);
  if (aw_task_state_of(task) == AW_TASK_FAILED) {
    fprintf(stderr, "%s\n%s\n", text, logged); /* as without libzmq */
    CHECK(strstr(text, "zmq"));
  } else {
    CHECK(aw_task_state_of(task) < AW_TASK_DONE);
    CHECK_LOG("");
  }
  if (close_first)
    CHECK(aw_lua_close(L) == 0);
  lua_close(L);
  CHECK(aw_task_state_of(task) >= AW_TASK_DONE);
  aw_task_release(task);
  CHECK(aw_engine_free(engine) == 0);
  CHECK(blocks == 0);
}

static void test_closing_in_all_waits(void) {
  for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
    for (int first = 0; first < 2; first++)
      test_closing_in_a_wait(waits[i], first);
}

/* ---- engines that are driven in other ways ---- */

enum { SOME = 3 };

static void start_some(lua_State *L, const char *name) {
  start_text(L,
             "aw.sleep(0)\n"
             "local t = aw.start(aw.Sleep(0.001) >> aw.Value 'slept')\n"
             "return t:wait()",
             name);
}

typedef struct ticker {
  uv_timer_t timer;
  lua_State *L;
  int ticks;
} ticker;

/* A callback of the host: it starts a task. */
static void tick(uv_timer_t *timer) {
  ticker *t = timer->data;
  start_some(t->L, "tick");
  if (++t->ticks == SOME)
    uv_close((uv_handle_t *)timer, NULL);
}

static void note_closed(void *data) {
  ++*(int *)data;
}

static void test_in_the_hosts_uv_loop(void) {
  uv_loop_t uv;
  CHECK(uv_loop_init(&uv) == 0);
  aw_engine_config config = {
      .uv = &uv, .uv_size = sizeof uv, .size = sizeof config};
  aw_engine *engine;
  aw_lua_config(&config);
  CHECK(config.pull == aw_lua_pull);
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  ticker t = {.L = new_state(engine)};
  lua_State *other = new_state(engine);
  CHECK(uv_timer_init(&uv, &t.timer) == 0);
  t.timer.data = &t;
  CHECK(uv_timer_start(&t.timer, tick, 1, 1) == 0);
  start_text(other, "return aw.exec{'cat', stdin = 'text'}.out", "cat");
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(strstr(logged, "cat=text "));
  log_clear();
  start_some(other, "a");
  start_some(t.L, "b");
  refused(other, "aw.run(function() end)", DRIVEN);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK_LOG("a=slept b=slept ");
  start_text(other, "aw.sleep(99)", "c");
  uv_run(&uv, UV_RUN_NOWAIT);
  CHECK(aw_lua_close(other) == 0);
  CHECK_LOG("c=cancelled ");
  lua_close(other);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(aw_lua_close(t.L) == 0);
  lua_close(t.L);
  int closed = 0;
  CHECK(aw_engine_close(engine, note_closed, &closed) == 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(closed == 1 && uv_loop_close(&uv) == 0);
  CHECK(blocks == 0);
}

#if defined(__linux__)

static int change_set(const uv_loop_t *uv, int op, int fd) {
  struct epoll_event none = {0};
  return epoll_ctl(uv_backend_fd(uv), op, fd, &none);
}

/* The forked child closes its copy of everything. It leaves the host's loop,
 * and the epoll set that it shares with its parent, alone. */
static void test_a_forked_child_of_the_host(void) {
  uv_loop_t uv;
  int status, ends[2];
  CHECK(pipe(ends) == 0);
  CHECK(uv_loop_init(&uv) == 0);
  aw_engine_config config = {.uv = &uv, .size = sizeof config};
  aw_engine *engine;
  aw_lua_config(&config);
  CHECK(aw_engine_new(&config, &engine) == 0);
  lua_State *L = new_state(engine);
  start_text(L, "p = aw.spawn{'cat'} say 'up' return p:wait().ok", "cat");
  while (!strstr(logged, "up"))
    uv_run(&uv, UV_RUN_NOWAIT);
  uv_run(&uv, UV_RUN_NOWAIT); /* the kernel watches for the end */
  log_clear();
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    CHECK(change_set(&uv, EPOLL_CTL_ADD, ends[0]) == 0);
    CHECK(aw_lua_close(L) == 0);
    lua_close(L);
    CHECK(aw_engine_close(engine, NULL, NULL) == 0);
    CHECK(change_set(&uv, EPOLL_CTL_DEL, ends[0]) == 0); /* the same set */
    _exit(0);
  }
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  start_text(L, "p.stdin:shutdown()", "eof");
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(strstr(logged, "cat=true "));
  CHECK(aw_lua_close(L) == 0);
  lua_close(L);
  CHECK(aw_engine_close(engine, NULL, NULL) == 0);
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&uv) == 0);
  CHECK(blocks == 0);
  close(ends[0]);
  close(ends[1]);
}

#endif

static void turn(aw_engine *engine) {
  uint64_t ns = aw_engine_timeout(engine);
  int ms = ns == AW_NEVER ? -1 : (int)((ns + 999999) / 1000000);
  struct pollfd poller = {.fd = aw_engine_fd(engine), .events = POLLIN};
  CHECK(poll(&poller, 1, ms) >= 0);
  CHECK(aw_engine_turn(engine) >= 0);
}

static void test_by_a_descriptor(void) {
  aw_engine *engine = new_engine();
  CHECK(aw_engine_fd(engine) >= 0);
  lua_State *L = new_state(engine), *other = new_state(engine);
  start_some(L, "a");
  start_some(other, "b");
  while (aw_loop_state_of(aw_lua_loop(L)) == AW_LOOP_RUNNING ||
         aw_loop_state_of(aw_lua_loop(other)) == AW_LOOP_RUNNING)
    turn(engine);
  CHECK_LOG("a=slept b=slept ");
  start_text(L, "aw.start(function() error 'child' end) aw.sleep(99)", "c");
  aw_loop *loop = aw_lua_loop(L);
  while (aw_loop_state_of(loop) == AW_LOOP_RUNNING)
    turn(engine);
  CHECK_LOG("c=cancelled ");
  CHECK(aw_loop_state_of(loop) == AW_LOOP_FAILED);
  aw_lua_push_error(L, aw_loop_error(loop));
  CHECK(strstr(luaL_tolstring(L, 1, NULL), "chunk:1: child"));
  lua_settop(L, 0);
  start_some(L, "d"); /* in a new loop */
  CHECK(aw_lua_loop(L) != loop);
  while (aw_loop_state_of(aw_lua_loop(L)) == AW_LOOP_RUNNING)
    turn(engine);
  CHECK_LOG("d=slept ");
  CHECK(aw_lua_close(other) == 0);
  lua_close(other);
  close_all(L, engine);
}

/* Each task is started by the end of the one before it. */
static void start_next(lua_State *L, aw_task *task, int status, int count,
                       void *left) {
  (void)task;
  CHECK(status == 0 && count == 1 && lua_tointeger(L, 1) == 7);
  if (--*(int *)left == 0)
    return;
  aw_lua_task_config config = {
      .size = sizeof config, .done = start_next, .data = left};
  CHECK(aw_lua_start_buffer(L, "return 7", 8, "=t", &config, NULL) == 0);
}

static void test_one_after_the_other(bool driven) {
  aw_engine *engine = new_engine();
  if (driven)
    CHECK(aw_engine_fd(engine) >= 0);
  lua_State *L = new_state(engine);
  int left = SOME;
  aw_lua_task_config config = {
      .size = sizeof config, .done = start_next, .data = &left};
  CHECK(aw_lua_start_buffer(L, "return 7", 8, "=t", &config, NULL) == 0);
  while (left > 0) {
    if (driven)
      turn(engine);
    else
      pull(L);
  }
  lua_close(L);
  close_engine(engine);
}

/* ---- engines on several threads ---- */

enum { THREADS = 4, CYCLES = 20 };

static void count_end(lua_State *L, aw_task *task, int status, int count,
                      void *ends) {
  (void)task;
  CHECK(status == 0 && count == 1 && lua_tointeger(L, 1) == 3);
  ++*(int *)ends;
}

static void *live_and_die(void *unused) {
  static const char text[] = "local aw = require 'aiowire'\n"
                             "local ch = aw.channel()\n"
                             "aw.start(function() aw.sleep(0) ch:send(3) end)\n"
                             "return ch:recv()";
  (void)unused;
  for (int i = 0; i < CYCLES; i++) {
    aw_engine_config config = {.size = sizeof config};
    aw_engine *engine;
    aw_lua_config(&config);
    CHECK(aw_engine_new(&config, &engine) == 0);
    if (i % 2)
      CHECK(aw_engine_fd(engine) >= 0);
    lua_State *states[2];
    int ends = 0;
    aw_lua_task_config task = {
        .size = sizeof task, .done = count_end, .data = &ends};
    for (int j = 0; j < 2; j++) {
      states[j] = luaL_newstate();
      luaL_openlibs(states[j]);
      CHECK(aw_lua_open(states[j], engine) == 0);
      CHECK(aw_lua_start_buffer(states[j], text, strlen(text), "=t", &task,
                                NULL) == 0);
    }
    for (int j = 0; j < 2 && i % 2 == 0; j++)
      pull(states[j]);
    while (ends < 2)
      turn(engine);
    for (int j = 0; j < 2; j++)
      lua_close(states[j]);
    CHECK(aw_engine_free(engine) == 0);
  }
  return NULL;
}

static void test_threads(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, live_and_die, NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
  CHECK(blocks == 0);
}

int main(void) {
  aw_set_allocator(count_blocks, NULL);
  test_one_task();
  test_functions_and_wires();
  test_configs_without_a_size();
  test_bad_arguments();
  test_awaits();
  test_outside();
  test_own_loop();
  test_wires_of_values();
  test_c_wires();
  test_boxes_that_nobody_takes();
  test_several_states();
  test_lua_close_alone();
  test_engine_ends_first(false);
  test_engine_ends_first(true);
  test_results_of_another_state();
  test_steps_of_others();
  test_many_states();
  test_closing_in_all_waits();
  test_in_the_hosts_uv_loop();
#if defined(__linux__)
  test_a_forked_child_of_the_host();
#endif
  test_by_a_descriptor();
  test_one_after_the_other(false);
  test_one_after_the_other(true);
  test_threads();
  return 0;
}
