/* states_test.c - Lua states that share an engine, and how they end
 *
 * Values and errors meet tasks of other states; states are closed between any
 * two steps, and by the functions that hear of the ends of tasks.
 */
#include "host_of_states.h"

#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

/* ---- values and errors of other states ---- */

static void push_end(lua_State *L, aw_task *task, const char *name) {
  aw_lua_push_wire(L, aw_when_done(task), 0);
  lua_setglobal(L, name);
}

static aw_task *start_kept(lua_State *L, const char *text) {
  aw_task *task;
  CHECK(aw_lua_start_buffer(L, text, strlen(text), "=t", NULL, &task) == 0);
  return task;
}

/* When is the state of the awaited tasks closed? */
typedef enum closing { LAST, AFTER_THE_END, UNDER_WAY, AT_ONCE } closing;

/* Tasks of `b` wait for tasks of `a`. */
static void test_waiting_for_others(closing when) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  aw_task *well = start_kept(a, "aw.sleep(0) return 'a value', {}");
  aw_task *badly = start_kept(a, "aw.sleep(0) error {code = 5}");
  if (when == AFTER_THE_END)
    pull(a);
  if (when == AFTER_THE_END || when == AT_ONCE)
    lua_close(a);
  push_end(b, well, "well");
  push_end(b, badly, "badly");
  start_text(b,
             "local function try(w) return table.pack(pcall(aw.await, w)) end\n"
             "local got = try(well)\n"
             "say(got[1], got.n) say(tostring(got[2]):match 'Cancelled')\n"
             "pcall(aw.await, aw.All{well, well, badly})\n"
             "pcall(aw.await, aw.Race{well, aw.Sleep(1)})\n"
             "local err = try(badly)[2]\n"
             "say(tostring(err):match 'error of the host' or\n"
             "  aw.is_task_cancelled(err))\n"
             "local t = aw.start(badly, aw.keep)\n"
             "pcall(t.wait, t)\n"
             "aw.await(badly:catch(function(e, info)\n"
             "  assert(tostring(info)) say(e == nil) end))",
             "b");
  if (when == UNDER_WAY) {
    aw_step step;
    for (int i = 0; i < 2; i++) {
      CHECK(aw_next(engine, aw_lua_loop(b), &step) == 1);
      run_step(engine, &step);
    }
    lua_close(a);
  }
  pull(b);
  if (when == LAST)
    lua_close(a);
  if (when == LAST || when == AFTER_THE_END)
    CHECK_LOG("true nil error of the host false b= ");
  else
    CHECK_LOG("false Cancelled true false b= ");
  aw_task_release(well);
  aw_task_release(badly);
  close_all(b, engine);
}

/* A step in C that sends what the wire before it has left. */
static aw_turn send_on(aw_task *task, void *channel) {
  CHECK(aw_channel_try_send(channel, aw_task_take_value(task)) == 0);
  return AW_DONE;
}

/* Of the values that C moves to another state, only boxes arrive. */
static void test_moved_values(void) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  aw_channel_config config = {.size = sizeof config, .capacity = 9};
  aw_channel *channel;
  CHECK(aw_channel_new(&config, &channel) == 0);
  CHECK(luaL_dostring(a, "return aw.Value('a value', {})") == LUA_OK);
  aw_wire *value = aw_wire_keep(aw_lua_part(a, 1));
  aw_lua_push_wire(a, aw_bind(value, aw_call(send_on, channel)), 1);
  lua_setglobal(a, "put");
  lua_settop(a, 0);
  aw_lua_push_wire(b, aw_recv(channel), 0);
  lua_setglobal(b, "get");
  start_text(a, "for i = 1, 4 do aw.await(put) end", "a");
  pull(a);
  start_text(b, "for i = 1, 2 do say(select('#', aw.await(get))) end", "b");
  pull(b);
  lua_close(a);
  CHECK(aw_channel_try_send(channel, aw_lua_box_string("box", 3)) == 0);
  start_text(b, "for i = 1, 3 do say(select('#', aw.await(get))) end", "b");
  pull(b);
  CHECK_LOG("a= 0 0 b= 0 0 1 b= ");
  aw_channel_release(channel);
  close_all(b, engine);
}

/* ---- closing between any two steps ---- */

/* Close `a` after `count` steps. Returns false if its task has ended before. */
static bool test_closing_after(int count, bool pull_a, bool first) {
  aw_engine *engine = new_engine();
  lua_State *a = new_state(engine), *b = new_state(engine);
  aw_task *task = start_kept(
      a, "local guard <close> = setmetatable({}, {__close = type})\n"
         "local ch = aw.channel()\n"
         "aw.start(function() for i = 1, 3 do ch:send(i) aw.sleep(0) end end)\n"
         "ch:recv() aw.await(aw.All{aw.Sleep(0), aw.Call(type, 'c')})\n"
         "pcall(aw.await, aw.Call(error, 'y'))\n"
         "aw.scope(function(s) s:start(aw.Sleep(0)) end)\n"
         "aw.timeout(5, aw.sleep, 0) aw.yield()\n"
         "aw.start(aw.Call(error, 'z'), function() end):wait()");
  start_text(b, "aw.sleep(0) aw.start(aw.Sleep(0)):wait() return 'lives'", "b");
  aw_loop *loop = aw_lua_loop(pull_a ? a : b);
  aw_step step;
  for (int i = 0; i < count && aw_next(engine, loop, &step) == 1; i++)
    run_step(engine, &step);
  bool under_way = aw_task_state_of(task) < AW_TASK_DONE &&
                   aw_loop_state_of(loop) == AW_LOOP_RUNNING;
  if (first)
    CHECK(aw_lua_close(a) == 0);
  lua_close(a);
  CHECK(aw_task_state_of(task) >= AW_TASK_DONE);
  aw_task_release(task);
  if (aw_loop_state_of(aw_lua_loop(b)) == AW_LOOP_RUNNING)
    pull(b);
  CHECK_LOG("b=lives ");
  close_all(b, engine);
  return under_way;
}

static void test_closing_between_steps(void) {
  for (int how = 0; how < 4; how++)
    for (int i = 0; test_closing_after(i, how & 1, how & 2); i++)
      continue;
}

/* ---- what `done` may do ---- */

typedef struct doer {
  lua_State *other;
  aw_engine *engine;
  void (*act)(struct doer *doer, lua_State *L);
} doer;

static void act_in_done(lua_State *L, aw_task *task, int status, int count,
                        void *data) {
  (void)task;
  doer *d = data;
  log_add("%d/%d ", status, count);
  void (*act)(doer *, lua_State *) = d->act;
  d->act = NULL;
  if (act)
    act(d, L);
}

static void act_raise(doer *d, lua_State *L) {
  (void)d;
  luaL_error(L, "oops");
}

static void act_yield(doer *d, lua_State *L) {
  (void)d;
  lua_yield(L, 0);
}

static void act_close(doer *d, lua_State *L) {
  (void)d;
  CHECK(aw_lua_close(L) == 0);
}

static void act_close_other(doer *d, lua_State *L) {
  (void)L;
  lua_close(d->other);
  d->other = NULL;
}

static void act_stop(doer *d, lua_State *L) {
  (void)d;
  aw_loop_stop(aw_lua_loop(L), false);
}

static void act_free(doer *d, lua_State *L) {
  CHECK(aw_lua_close(L) == 0);
  CHECK(aw_engine_free(d->engine) == AW_EBUSY); /* the other state has a loop */
}

static void act_wait(doer *d, lua_State *L) {
  (void)d;
  CHECK(luaL_dostring(L, "aw.sleep(0)") != LUA_OK);
  CHECK(strstr(lua_tostring(L, -1), "let the program start a task"));
}

static void test_done(void (*act)(doer *, lua_State *), const char *expected) {
  aw_engine *engine = new_engine();
  CHECK(aw_engine_fd(engine) >= 0);
  lua_State *L = new_state(engine);
  doer d = {new_state(engine), engine, act};
  aw_lua_task_config config = {
      .size = sizeof config, .done = act_in_done, .data = &d};
  CHECK(aw_lua_start_buffer(d.other, "aw.sleep(99)", 12, "=t", NULL, NULL) ==
        0);
  CHECK(aw_lua_start_buffer(L, "return 1, 2", 11, "=t", &config, NULL) == 0);
  CHECK(aw_lua_start_buffer(L, "error {}", 8, "=t", &config, NULL) == 0);
  CHECK(aw_lua_start_buffer(L, "aw.sleep(99)", 12, "=t", &config, NULL) == 0);
  enum { TURNS = 5 };
  for (int i = 0; i < TURNS; i++)
    CHECK(aw_engine_turn(engine) >= 0);
  lua_close(L);
  if (d.other)
    lua_close(d.other);
  CHECK_LOG(expected);
  close_engine(engine);
}

static void test_all_dones(void) {
  static const char plain[] = "0/2 -20001/2 -125/0 ";
  test_done(act_raise, "0/2 aiowire: error in the function done of a task: "
                       "oops\n-20001/2 -125/0 ");
  test_done(act_yield, "0/2 aiowire: error in the function done of a task: "
                       "attempt to yield across a C-call boundary\n"
                       "-20001/2 -125/0 ");
  test_done(act_close, "0/2 -125/0 -125/0 ");
  test_done(act_close_other, plain);
  test_done(act_stop, plain);
  test_done(act_free, "0/2 -125/0 -125/0 ");
  test_done(act_wait, plain);
}

/* ---- failures, and where they are told ---- */

static void test_unheard_failure(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  static const char text[] = "error 'lost'";
  CHECK(aw_lua_start_buffer(L, text, strlen(text), "=t", NULL, NULL) == 0);
  aw_task *heard = start_kept(L, "error 'heard'");
  pull(L);
  CHECK_LOG("aiowire: a task has failed, and the program is not told: t:1: "
            "lost\n");
  aw_lua_push_error(L, aw_task_error(heard));
  CHECK(strcmp(lua_tostring(L, 1), "t:1: heard") == 0);
  aw_task_release(heard);
  aw_lua_push_error(L, aw_loop_error(aw_lua_loop(L))); /* it has none */
  CHECK(lua_gettop(L) == 4 && lua_isnil(L, 3) && lua_isnil(L, 4));
  lua_settop(L, 0);
  close_all(L, engine);
}

static void log_line(lua_State *L, lua_Debug *ar) {
  lua_getinfo(L, "S", ar);
  if (strcmp(ar->short_src, "chunk") != 0)
    log_add("%s ", ar->short_src);
}

/* Errors blame no line of the library, and hooks see none. */
static void test_no_line_of_the_library(void) {
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  aw_lua_task_config config = {
      .size = sizeof config, .done = log_end, .data = "e"};
  lua_getglobal(L, "error");
  lua_pushliteral(L, "plain");
  CHECK(aw_lua_start(L, 1, &config, NULL) == 0);
  pull(L);
  CHECK_LOG("e=error:plain ");
  lua_sethook(L, log_line, LUA_MASKLINE, 0);
  start_text(L, "aw.sleep(0)\nreturn 5", "h");
  start_text(L, "say(aw.current().name, aw.current():traceback())", "t");
  lua_sethook(L, log_line, LUA_MASKLINE, 0);
  pull(L);
  CHECK(!strstr(logged, "hosted"));
  lua_sethook(L, NULL, 0, 0);
  log_clear();
  close_all(L, engine);
}

/* A C stack that is nearly full. */
static int recurse(lua_State *L) {
  lua_Integer depth = luaL_checkinteger(L, 1);
  if (depth == 0) {
    lua_pushcfunction(L, lua_say);
    int rc = aw_lua_start(L, 0, NULL, NULL);
    CHECK(rc == 0 || rc == AW_ENOMEM);
    return 0;
  }
  lua_pushcfunction(L, recurse);
  lua_pushinteger(L, depth - 1);
  return lua_pcall(L, 1, 0, 0) == LUA_OK ? 0 : lua_error(L);
}

static void test_full_c_stack(void) {
  enum { FEWEST = 180, MOST = 200 };
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  for (int depth = FEWEST; depth < MOST; depth++) {
    lua_pushcfunction(L, recurse);
    lua_pushinteger(L, depth);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK)
      lua_pop(L, 1);
    CHECK(lua_gettop(L) == 0);
  }
  close_all(L, engine);
}

/* ---- manners ---- */

/* Was SIGINT taken over? */
static int lua_taken(lua_State *L) {
  struct sigaction action;
  CHECK(sigaction(SIGINT, NULL, &action) == 0);
  lua_pushboolean(L, action.sa_handler != SIG_DFL);
  return 1;
}

static void test_signals_stay(void) {
  static const char text[] =
      "assert(not taken())\n"
      "aw.run(function() assert(not taken()) end, {clock = 'virtual'})\n"
      "local ev = aw.EventLoop{seed = 5}\n"
      "ev:start(function() assert(not taken()) end) ev:run()\n"
      "assert(not taken())";
  aw_engine *engine = new_engine();
  lua_State *L = new_state(engine);
  lua_register(L, "taken", lua_taken);
  CHECK(luaL_dostring(L, text) == LUA_OK);
  start_text(L, text, "a");
  pull(L);
  CHECK_LOG("a= ");
  close_all(L, engine);
}

/* os.exit() closes the state in the middle of one of its steps. */
static void test_exit(const char *text, bool driven) {
  enum { CODE = 9, TURNS = 50 };
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    aw_engine *engine = new_engine();
    if (driven)
      CHECK(aw_engine_fd(engine) >= 0);
    lua_State *L = new_state(engine);
    CHECK(aw_lua_start_buffer(new_state(engine), "aw.sleep(99)", 12, "=t", NULL,
                              NULL) == 0);
    start_text(L, text, "x");
    for (int i = 0; driven && i < TURNS; i++)
      CHECK(aw_engine_turn(engine) >= 0);
    if (!driven)
      pull(L);
    _exit(1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != CODE)
    fprintf(stderr, "%d: %s\n", status, text);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == CODE);
}

static void test_exits(void) {
  static const char *const texts[] = {
      "os.exit(9)",
      "aw.sleep(0) aw.start(aw.Sleep(3)) os.exit(9, true)",
      "local c <close> = setmetatable({}, {__close = function() aw.sleep(1) "
      "end}) os.exit(9, true)",
      "aw.run(function() os.exit(9, true) end, {clock='virtual'})",
      "aw.scope(function(s) s:start(function() os.exit(9, true) end) "
      "aw.sleep(1) end)",
      "aw.wrap(function() aw.sleep(0) os.exit(9, true) end)()",
      "aw.start(aw.Call(error, 'x'), function() os.exit(9, true) end)\n"
      "aw.sleep(1)",
      "setmetatable({}, {__gc = function() os.exit(9, true) end})\n"
      "collectgarbage()"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    for (int driven = 0; driven < 2; driven++)
      test_exit(texts[i], driven);
}

int main(void) {
  aw_set_allocator(count_blocks, NULL);
  for (closing when = LAST; when <= AT_ONCE; when++)
    test_waiting_for_others(when);
  test_moved_values();
  test_closing_between_steps();
  test_all_dones();
  test_unheard_failure();
  test_no_line_of_the_library();
  test_full_c_stack();
  test_signals_stay();
  test_exits();
  return 0;
}
