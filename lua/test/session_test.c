/* session_test.c - sessions: calls and waits of an interactive prompt
 *
 * Signals are sent by the lines themselves, or by a task that runs during a
 * wait, so that each one comes at a known point.
 *
 * Run it under ThreadSanitizer, too: ./dev tsan.
 */
#include "check.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct prompt {
  lua_State *L;
  aw_lua_session *session;
  int code;
  int failures;   /* calls of `failed` … */
  char last[400]; /* … and the text of the last one */
  char warnings[400];
  int pipe[2];
} prompt;

static int send_signal(lua_State *L) {
  raise((int)luaL_checkinteger(L, 1));
  return 0;
}

static prompt *prompt_of(lua_State *L) {
  return *(prompt **)lua_getextraspace(L);
}

/* Make the descriptor readable that the prompt waits for. */
static int type_key(lua_State *L) {
  CHECK(write(prompt_of(L)->pipe[1], "x", 1) == 1);
  return 0;
}

static void note_failure(lua_State *L, void *data) {
  prompt *p = data;
  p->failures++;
  CHECK(lua_gettop(L) == 2);
  snprintf(p->last, sizeof p->last, "%s", luaL_tolstring(L, 1, NULL));
}

static void open_state(prompt *p) {
  memset(p, 0, sizeof *p);
  lua_State *L = p->L = luaL_newstate();
  *(prompt **)lua_getextraspace(L) = p;
  CHECK(pipe(p->pipe) == 0);
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  lua_register(L, "send_signal", send_signal);
  lua_register(L, "type_key", type_key);
  lua_pushinteger(L, SIGINT);
  lua_setglobal(L, "INT");
  lua_pushinteger(L, SIGTERM);
  lua_setglobal(L, "TERM");
  lua_pushinteger(L, SIGHUP);
  lua_setglobal(L, "HUP");
}

static void open_prompt(prompt *p) {
  open_state(p);
  const aw_lua_session_config config = {
      .failed = note_failure, .data = p, .size = sizeof config};
  p->session = aw_lua_session_open(p->L, &config);
  CHECK(p->session);
}

static int call(prompt *p, const char *text) {
  lua_settop(p->L, 0);
  if (luaL_loadbuffer(p->L, text, strlen(text), "=line") != LUA_OK)
    fprintf(stderr, "%s\n", lua_tostring(p->L, -1));
  int end = aw_lua_session_call(p->session, p->L, 0, &p->code);
  if (end == AW_LUA_ERROR)
    fprintf(stderr, "  (%s)\n", luaL_tolstring(p->L, -2, NULL)),
        lua_pop(p->L, 1);
  return end;
}

static int wait_for_key(prompt *p) {
  lua_settop(p->L, 0);
  return aw_lua_session_wait(p->session, p->L, &p->pipe[0], 1, &p->code);
}

static int close_session(prompt *p) {
  return aw_lua_session_close(p->session, p->L, &p->code);
}

static void close_state(prompt *p) {
  lua_close(p->L);
  close(p->pipe[0]);
  close(p->pipe[1]);
}

static void close_prompt(prompt *p) {
  CHECK(close_session(p) == AW_LUA_OK);
  close_state(p);
}

static bool is_number(prompt *p, int index, int number) {
  return lua_isinteger(p->L, index) && lua_tointeger(p->L, index) == number;
}

static bool has(prompt *p, int index, const char *text) {
  const char *all = luaL_tolstring(p->L, index, NULL);
  bool found = strstr(all, text) != NULL;
  if (!found)
    fprintf(stderr, "not in: %s\n", all);
  lua_pop(p->L, 1);
  return found;
}

static void read_key(prompt *p) {
  char key;
  CHECK(read(p->pipe[0], &key, 1) == 1);
}

static int open_again(lua_State *L) {
  aw_lua_session_open(L, NULL);
  return 0;
}

static int call_inside(lua_State *L) {
  prompt *p = prompt_of(L);
  lua_settop(L, 0);
  lua_pushcfunction(L, open_again);
  return aw_lua_session_call(p->session, L, 0, &p->code);
}

static int wait_for_none(lua_State *L) {
  prompt *p = prompt_of(L);
  return aw_lua_session_wait(p->session, L, p->pipe, 0, &p->code);
}

static int wait_for_one(lua_State *L) {
  prompt *p = prompt_of(L);
  return aw_lua_session_wait(p->session, L, p->pipe, 1, &p->code);
}

static int call_again(lua_State *L) {
  lua_pushcfunction(L, send_signal);
  return aw_lua_session_call(prompt_of(L)->session, L, 0, &prompt_of(L)->code);
}

static int call_nothing(lua_State *L) {
  prompt *p = prompt_of(L);
  lua_settop(L, 0);
  return aw_lua_session_call(p->session, L, 0, &p->code);
}

static int call_with_too_few(lua_State *L) {
  lua_settop(L, 0);
  lua_pushcfunction(L, call_nothing);
  prompt *p = prompt_of(L);
  return aw_lua_session_call(p->session, L, -1, &p->code);
}

static int close_inside(lua_State *L) {
  prompt *p = prompt_of(L);
  return aw_lua_session_close(p->session, L, &p->code);
}

static bool raises(prompt *p, lua_CFunction f, const char *text) {
  lua_settop(p->L, 0);
  lua_pushcfunction(p->L, f);
  return lua_pcall(p->L, 0, 0, 0) == LUA_ERRRUN && has(p, 1, text);
}

/* ---- calls ---- */

/* [R23] */
static void test_results(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "return 1, nil, 3, nil") == AW_LUA_OK);
  CHECK(lua_gettop(p.L) == 4 && is_number(&p, 3, 3));
  CHECK(call(&p, "aw.sleep(0.001) return aw.current().name") == AW_LUA_OK);
  CHECK(has(&p, 1, "line"));
  CHECK(call(&p, "") == AW_LUA_OK && lua_gettop(p.L) == 0);
  CHECK(call(&p, "return table.unpack({}, 1, 200000)") == AW_LUA_OK);
  CHECK(lua_gettop(p.L) == 200000);
  close_prompt(&p);
}

/* [R23] */
static void test_arguments(void) {
  prompt p;
  open_prompt(&p);
  lua_State *L = p.L;
  lua_pushliteral(L, "below");
  CHECK(luaL_loadstring(L, "return ...") == LUA_OK);
  lua_pushinteger(L, 1);
  lua_pushinteger(L, 2);
  CHECK(aw_lua_session_call(p.session, L, 2, &p.code) == AW_LUA_OK);
  CHECK(lua_gettop(L) == 3 && is_number(&p, 2, 1) && is_number(&p, 3, 2));
  close_prompt(&p);
}

/* [R23] */
static void test_wires_are_results(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "return aw.Sleep(100), 2") == AW_LUA_OK);
  CHECK(has(&p, 1, "Sleep(100)") && is_number(&p, 2, 2));
  CHECK(call(&p, "return aw.Poller()") == AW_LUA_OK);
  CHECK(lua_gettop(p.L) == 1);
  close_prompt(&p);
}

/* [R23] */
static void test_errors(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "error 'bad'") == AW_LUA_ERROR);
  CHECK(lua_gettop(p.L) == 2 && p.code == 1 && has(&p, 1, "line:1: bad"));
  CHECK(lua_getfield(p.L, 2, "traceback") == LUA_TSTRING);
  CHECK(has(&p, -1, "line:1: in") &&
        !strstr(lua_tostring(p.L, -1), "[C]: in ?"));
  CHECK(call(&p, "error({1})") == AW_LUA_ERROR && lua_istable(p.L, 1));
  CHECK(call(&p, "error()") == AW_LUA_ERROR);
  CHECK(call(&p, "not_a_function()") == AW_LUA_ERROR);
  CHECK(call(&p, "aw.run(function() error 'inner' end)") == AW_LUA_ERROR);
  CHECK(has(&p, 1, "inner"));
  CHECK(p.failures == 0);
  close_prompt(&p);
}

/* [R26] */
static void test_deadlock_fails_the_call_alone(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "e = aw.event() other = aw.start(function() e:wait() end)") ==
        AW_LUA_OK);
  CHECK(call(&p, "local e <const> = aw.event() e:wait()") == AW_LUA_ERROR);
  CHECK(p.code == 13 && has(&p, 1, "line"));
  CHECK(call(&p, "return other.status") == AW_LUA_OK && has(&p, 1, "waiting"));
  CHECK(call(&p, "e:set() other:wait() return 7") == AW_LUA_OK);
  /* the clean-up waits in vain, too */
  CHECK(call(&p, "local g <close> = setmetatable({}, {__close = function()\n"
                 "aw.shield(function() aw.event():wait() end, 0.01) end})\n"
                 "aw.event():wait()") == AW_LUA_ERROR);
  CHECK(p.code == 13);
  CHECK(call(&p, "return pcall(aw.run, function() aw.event():wait() end)") ==
        AW_LUA_OK);
  CHECK(has(&p, 2, "Deadlock"));
  CHECK(call(&p, "aw.run(function() aw.event():wait() end)") == AW_LUA_ERROR);
  CHECK(p.code == 13);
  close_prompt(&p);
}

/* [R23] */
static void test_locals_and_tasks_of_lines(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "aw.locals.user = 'ada'") == AW_LUA_OK);
  CHECK(call(&p, "return aw.locals.user") == AW_LUA_OK && has(&p, 1, "ada"));
  CHECK(call(&p,
             "t = aw.start(function() return aw.Value(aw.locals.user) end)") ==
        AW_LUA_OK);
  CHECK(call(&p, "return t:wait()") == AW_LUA_OK && has(&p, 1, "ada"));
  CHECK(call(&p, "return aw.scope(function(s) s:start(aw.Sleep(0.001)) end)") ==
        AW_LUA_OK);
  CHECK(
      call(&p, "local ev <close> = aw.EventLoop() ev:start(aw.Sleep(0.001))") ==
      AW_LUA_OK);
  close_prompt(&p);
}

/* [R23] */
static void test_misuse(void) {
  prompt p;
  open_prompt(&p);
  lua_State *L = p.L;
  lua_pushcfunction(L, open_again);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN && has(&p, 1, "has one"));
  lua_settop(L, 0);
  lua_register(L, "call_inside", call_inside);
  CHECK(call(&p, "return pcall(call_inside)") == AW_LUA_OK);
  CHECK(has(&p, 2, "something runs"));
  lua_register(L, "close_inside", close_inside);
  CHECK(call(&p, "return pcall(close_inside)") == AW_LUA_OK);
  CHECK(has(&p, 2, "cannot be closed here: something runs"));
  CHECK(raises(&p, call_nothing, "calls a function, and there is none"));
  CHECK(raises(&p, call_with_too_few, "there is none"));
  CHECK(call(&p, "ev = ... ") == AW_LUA_OK);
  aw_lua_session_push_loop(p.session, L);
  lua_setglobal(L, "ev");
  CHECK(call(&p, "return pcall(ev.run, ev)") == AW_LUA_OK);
  CHECK(has(&p, 2, "already running"));
  lua_settop(L, 0);
  CHECK(luaL_dostring(L, "ev:run()") != LUA_OK);
  CHECK(has(&p, 1, "already running"));
  close_prompt(&p);
}

static int open_with_size(lua_State *L) {
  const aw_lua_session_config config = {.size = 3};
  aw_lua_session_open(L, &config);
  return 0;
}

/* [R23] */
static void test_refused_sessions(void) {
  prompt p;
  open_state(&p);
  lua_State *L = p.L;
  lua_register(L, "open_again", open_again);
  CHECK(luaL_dostring(L, "aw.run(function() open_again() end)") != LUA_OK);
  CHECK(has(&p, 1, "something runs"));
  lua_settop(L, 0);
  lua_pushcfunction(L, open_with_size);
  CHECK(lua_pcall(L, 0, 0, 0) != LUA_OK && has(&p, 1, "size"));
  lua_settop(L, 0);
  p.session = aw_lua_session_open(L, NULL);
  CHECK(call(&p, "return 1") == AW_LUA_OK);
  CHECK(call(&p, "nothing = nil return nothing()") == AW_LUA_ERROR);
  lua_settop(L, 0);
  lua_pushnil(L);
  CHECK(aw_lua_session_call(p.session, L, 0, &p.code) == AW_LUA_ERROR);
  CHECK(lua_gettop(L) == 2);
  close_prompt(&p);

  aw_engine *engine;
  aw_engine_config config = {.size = sizeof config};
  aw_lua_config(&config);
  CHECK(aw_engine_new(&config, &engine) == 0);
  L = luaL_newstate();
  CHECK(aw_lua_open(L, engine) == 0);
  lua_pushcfunction(L, open_again);
  CHECK(lua_pcall(L, 0, 0, 0) != LUA_OK);
  CHECK(strstr(lua_tostring(L, -1), "host program"));
  CHECK(aw_lua_close(L) == 0);
  lua_close(L);
  CHECK(aw_engine_free(engine) == 0);
}

/* ---- tasks that live on ---- */

/* [R24] */
static void test_tasks_live_on(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "n = 0\n"
                 "t = aw.start(function()\n"
                 "while n < 3 do aw.sleep(0.001) n = n + 1 end\n"
                 "type_key() aw.sleep(1000) end)") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_OK && p.code == 0);
  CHECK(call(&p, "return n, t.status") == AW_LUA_OK);
  CHECK(is_number(&p, 1, 3) && has(&p, 2, "waiting"));
  CHECK(wait_for_key(&p) == AW_LUA_OK);
  close_prompt(&p);
}

/* [R24] */
static void test_nobody_sees_the_tasks_of_the_session(void) {
  prompt p;
  open_prompt(&p);
  aw_lua_session_push_loop(p.session, p.L);
  lua_setglobal(p.L, "ev");
  CHECK(call(&p, "return #ev:tasks(), ev:dump(), aw.stats().tasks") ==
        AW_LUA_OK);
  CHECK(is_number(&p, 1, 1) && is_number(&p, 3, 1));
  CHECK(has(&p, 2, "line") && !strstr(lua_tostring(p.L, 2), "session  "));
  CHECK(call(&p, "t = aw.start(function() aw.sleep(0.001)\n"
                 "n, dump, stats = #ev:tasks(), ev:dump(), aw.stats()\n"
                 "type_key() end)") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_OK);
  lua_settop(p.L, 0);
  CHECK(luaL_dostring(p.L, "return n, stats.tasks, stats.scopes") == LUA_OK);
  CHECK(is_number(&p, 1, 1) && is_number(&p, 2, 1) && is_number(&p, 3, 0));
  int fds[2] = {p.pipe[0], p.pipe[0]};
  CHECK(call(&p, "t = aw.start(function() aw.sleep(0.001)\n"
                 "n, dump, stats = #ev:tasks(), ev:dump(), aw.stats()\n"
                 "type_key() end)") == AW_LUA_OK);
  read_key(&p);
  CHECK(aw_lua_session_wait(p.session, p.L, fds, 2, &p.code) == AW_LUA_OK);
  lua_settop(p.L, 0);
  CHECK(luaL_dostring(p.L, "return n, stats.tasks, stats.scopes") == LUA_OK);
  CHECK(is_number(&p, 1, 1) && is_number(&p, 2, 1) && is_number(&p, 3, 0));
  close_prompt(&p);
}

/* [R24] */
static void test_background_tasks_live_on(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "t = aw.start(function() aw.sleep(0.001) type_key()\n"
                 "aw.sleep(1000) end, nil, {background = true})") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_OK);
  CHECK(call(&p, "return t.status") == AW_LUA_OK && has(&p, 1, "waiting"));
  close_prompt(&p);
}

/* [R25] */
static void test_failures_are_told(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "aw.start(function() error 'early' end) aw.sleep(0.001)\n"
                 "return 1") == AW_LUA_OK);
  CHECK(p.failures == 1 && strstr(p.last, "early"));
  CHECK(call(&p, "aw.start(function() error 'late' end)") == AW_LUA_OK);
  CHECK(p.failures == 1);
  CHECK(call(&p, "type_key()") == AW_LUA_OK && wait_for_key(&p) == AW_LUA_OK);
  CHECK(p.failures == 2 && strstr(p.last, "late"));
  CHECK(call(&p,
             "aw.start(function() error 'x' end, function() error 'y' end)\n"
             "aw.sleep(0.001)") == AW_LUA_OK);
  CHECK(p.failures == 3 && strstr(p.last, "y"));
  CHECK(call(&p, "aw.start(function() error 'x' end, function() end)\n"
                 "aw.start(function() error 'x' end, aw.keep)\n"
                 "aw.sleep(0.001)") == AW_LUA_OK);
  CHECK(p.failures == 3);
  CHECK(call(&p,
             "local ev = aw.EventLoop() ev:start(function() error 'in' end)\n"
             "return pcall(ev.run, ev)") == AW_LUA_OK);
  CHECK(p.failures == 3 && has(&p, 2, "in"));
  close_prompt(&p);
}

static void fail_too(lua_State *L, void *data) {
  note_failure(L, data);
  luaL_error(L, "failed fails");
}

static void note_warning(void *data, const char *text, int more) {
  prompt *p = data;
  (void)more;
  strncat(p->warnings, text, sizeof p->warnings - strlen(p->warnings) - 1);
}

/* [R25] */
static void test_failures_of_the_function_failed(void) {
  prompt p;
  open_state(&p);
  lua_setwarnf(p.L, note_warning, &p);
  p.session = aw_lua_session_open(
      p.L, &(aw_lua_session_config){.failed = fail_too, .data = &p});
  CHECK(call(&p, "aw.start(function() error 'a' end) aw.sleep(0.001)") ==
        AW_LUA_OK);
  CHECK(p.failures == 1 && strstr(p.warnings, "failed fails"));
  close_prompt(&p);

  open_state(&p);
  lua_setwarnf(p.L, note_warning, &p);
  p.session = aw_lua_session_open(p.L, NULL);
  CHECK(call(&p, "aw.start(function() error 'plain' end) aw.sleep(0.001)") ==
        AW_LUA_OK);
  CHECK(strstr(p.warnings, "plain"));
  close_prompt(&p);
}

/* [R27] */
static void test_stopping_cancels_the_tasks(void) {
  prompt p;
  open_prompt(&p);
  aw_lua_session_push_loop(p.session, p.L);
  lua_setglobal(p.L, "ev");
  static const char *const stops[] = {"ev:stop()", "ev:close()",
                                      "local x <close> = ev"};
  for (int i = 0; i < 3; i++) {
    char line[200];
    snprintf(line, sizeof line,
             "t = aw.start(aw.Sleep(100)) aw.yield() do %s end aw.sleep(100)",
             stops[i]);
    CHECK(call(&p, line) == AW_LUA_CANCELLED);
    CHECK(call(&p, "pcall(t.wait, t) return t.status, ev.status") == AW_LUA_OK);
    CHECK(has(&p, 1, "cancelled") && has(&p, 2, "running"));
  }
  CHECK(luaL_dostring(p.L, "ev:stop() ev:close()") == LUA_OK);
  CHECK(call(&p, "return 1") == AW_LUA_OK);
  CHECK(call(&p, "t = aw.start(function() aw.scope(function(s)\n"
                 "child = s:start(function() aw.sleep(100) end)\n"
                 "aw.sleep(100) end) end) aw.yield() aw.yield()\n"
                 "ev:stop() aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&p, "pcall(t.wait, t) return t.status, child.status") ==
        AW_LUA_OK);
  CHECK(has(&p, 1, "cancelled") && has(&p, 2, "cancelled"));
  CHECK(call(&p,
             "local t = aw.start(function() aw.sleep(0.001) me:cancel() end)\n"
             "me = aw.current() aw.sleep(100)") == AW_LUA_CANCELLED);
  close_prompt(&p);
}

/* ---- descriptors ---- */

/* [R24] */
static void test_descriptors(void) {
  prompt p;
  open_prompt(&p);
  int file = open("/dev/null", O_RDONLY);
  FILE *regular = tmpfile();
  CHECK(file >= 0 && regular);
  int fds[3] = {p.pipe[0], p.pipe[0], file};
  CHECK(aw_lua_session_wait(p.session, p.L, fds, 3, &p.code) == AW_LUA_OK);
  CHECK(p.code == 2);
  fds[1] = fileno(regular);
  CHECK(aw_lua_session_wait(p.session, p.L, fds, 2, &p.code) == AW_LUA_OK);
  CHECK(p.code == 1);
  fds[1] = 12345; /* closed: a read fails at once */
  CHECK(aw_lua_session_wait(p.session, p.L, fds, 2, &p.code) == AW_LUA_OK);
  CHECK(p.code == 1);
  lua_settop(p.L, 0);
  lua_pushcfunction(p.L, wait_for_none);
  CHECK(lua_pcall(p.L, 0, 0, 0) == LUA_ERRRUN && has(&p, 1, "1 to 16"));
  close(file);
  fclose(regular);
  close_prompt(&p);
}

/* Each of two pipes is readable in turn, or both are. [R24] */
static void test_many_waits(void) {
  prompt p;
  open_prompt(&p);
  int other[2];
  CHECK(pipe(other) == 0);
  int fds[2] = {p.pipe[0], other[0]};
  CHECK(call(&p, "return aw.current().id") == AW_LUA_OK);
  lua_Integer id = lua_tointeger(p.L, 1);
  for (int i = 0; i < 300; i++) {
    int first = i % 3 != 1, second = i % 3 != 0;
    if (first)
      CHECK(write(p.pipe[1], "x", 1) == 1);
    if (second)
      CHECK(write(other[1], "x", 1) == 1);
    int left = first + second;
    while (left-- > 0) {
      char key;
      CHECK(aw_lua_session_wait(p.session, p.L, fds, 2, &p.code) == AW_LUA_OK);
      CHECK(p.code == 0 ? first-- == 1 : second-- == 1);
      CHECK(read(fds[p.code], &key, 1) == 1);
    }
  }
  CHECK(call(&p, "return aw.current().id") == AW_LUA_OK);
  CHECK(is_number(&p, 1, (int)id + 2)); /* the task of the second descriptor */
  close(other[0]);
  close(other[1]);
  close_prompt(&p);
}

/* ---- SIGINT ---- */

/* [R28] */
static void test_interrupts(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "send_signal(INT) aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&p, "send_signal(INT) while true do end") == AW_LUA_CANCELLED);
  CHECK(call(&p, "send_signal(INT)\n"
                 "while true do pcall(function() while true do end end) end") ==
        AW_LUA_CANCELLED);
  CHECK(call(&p, "send_signal(INT)\n"
                 "coroutine.wrap(function() while true do end end)()") ==
        AW_LUA_CANCELLED);
  CHECK(call(&p, "send_signal(INT) return 1") == AW_LUA_OK);
  CHECK(call(&p, "return 1") == AW_LUA_OK);
  raise(SIGINT);
  CHECK(wait_for_key(&p) == AW_LUA_CANCELLED);
  raise(SIGINT);
  CHECK(call(&p, "aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&p, "aw.start(function() aw.sleep(0.001) send_signal(INT) end)") ==
        AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_CANCELLED);
  CHECK(call(&p, "return 1") == AW_LUA_OK && p.failures == 0);
  close_prompt(&p);
}

/* [R28] */
static void test_second_interrupt_ends_the_grace(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "cleaned = false\n"
                 "local g <close> = setmetatable({}, {__close = function()\n"
                 "aw.shield(function() aw.sleep(0.001) cleaned = true end)\n"
                 "end})\n"
                 "send_signal(INT) aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&p, "return cleaned") == AW_LUA_OK && lua_toboolean(p.L, 1));
  CHECK(call(&p, "local g <close> = setmetatable({}, {__close = function()\n"
                 "aw.shield(function() send_signal(INT) send_signal(INT)\n"
                 "send_signal(INT) aw.sleep(100) end) end})\n"
                 "send_signal(INT) aw.sleep(100)") == AW_LUA_CANCELLED);
  close_prompt(&p);
}

/* [R28] */
static void test_interrupt_of_busy_tasks(void) {
  prompt p;
  open_prompt(&p);
  CHECK(
      call(&p, "aw.start(function() send_signal(INT) while true do end end)") ==
      AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_CANCELLED);
  CHECK(call(&p, "aw.yield()") == AW_LUA_OK);
  CHECK(p.failures == 1 && strstr(p.last, "interrupted!"));
  CHECK(call(&p, "aw.start(function() send_signal(INT) while true do end end)\n"
                 "aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(p.failures == 2);
  close_prompt(&p);
}

/* [R28] */
static void test_interrupt_of_virtual_time(void) {
  prompt p;
  open_prompt(&p);
  CHECK(
      call(&p,
           "aw.run(function() send_signal(INT) while true do aw.sleep(1) end\n"
           "end, {clock = 'virtual'})\n aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(
      call(&p,
           "aw.run(function() send_signal(INT) while true do aw.sleep(1) end\n"
           "end) aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&p, "return 1") == AW_LUA_OK);
  close_prompt(&p);
}

/* [R28] */
static void test_scripts_take_signals(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p,
             "t = aw.start(function() got = aw.signal 'INT' end) aw.yield()\n"
             "aw.sleep(0.001) send_signal(INT) t:wait() return got") ==
        AW_LUA_OK);
  /* the script has it until the loop ends [H5] */
  CHECK(call(&p, "send_signal(INT) send_signal(INT) aw.sleep(100)") ==
        AW_LUA_CANCELLED);
  close_prompt(&p);
}

/* ---- the end ---- */

/* [R29] */
static void test_other_signals_end_the_session(void) {
  static const char *const lines[] = {
      "send_signal(TERM) aw.sleep(100)", "send_signal(TERM) while true do end",
      "aw.run(function() send_signal(TERM) while true do aw.sleep(1) end\n"
      "end, {clock = 'virtual'})",
      "local g <close> = setmetatable({}, {__close = function()\n"
      "send_signal(TERM) aw.shield(function() aw.sleep(0.001) end) end})\n"
      "send_signal(INT) aw.sleep(100)"};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    prompt p;
    open_prompt(&p);
    CHECK(call(&p, "cleaned = 0\n"
                   "aw.start(function()\n"
                   "local g <close> = setmetatable({}, {__close = function()\n"
                   "aw.shield(function() aw.sleep(0.001)\n"
                   "cleaned = cleaned + 1 end) end})\n"
                   "aw.sleep(100) end) aw.yield()") == AW_LUA_OK);
    CHECK(call(&p, lines[i]) == AW_LUA_SIGNAL && p.code == SIGTERM);
    lua_getglobal(p.L, "cleaned");
    CHECK(is_number(&p, -1, 1));
    lua_settop(p.L, 0);
    lua_pushcfunction(p.L, call_again);
    CHECK(lua_pcall(p.L, 0, 0, 0) == LUA_ERRRUN && has(&p, 1, "has ended"));
    CHECK(close_session(&p) == AW_LUA_SIGNAL && p.code == SIGTERM);
    close_state(&p);
  }
}

/* [R29] */
static void test_hangup_and_busy_bodies(void) {
  prompt p;
  open_prompt(&p);
  CHECK(close_session(&p) == AW_LUA_OK);
  aw_lua_install_host(p.L);
  p.session = aw_lua_session_open(p.L, NULL);
  CHECK(call(&p, "send_signal(HUP) aw.sleep(100)") == AW_LUA_SIGNAL);
  CHECK(p.code == SIGHUP && close_session(&p) == AW_LUA_SIGNAL);
  close_state(&p);

  open_prompt(&p);
  CHECK(call(&p, "aw.start(function() send_signal(TERM) while true do end\n"
                 "end)") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_SIGNAL && p.code == SIGTERM);
  CHECK(close_session(&p) == AW_LUA_SIGNAL);
  close_state(&p);

  open_prompt(&p);
  CHECK(call(&p, "aw.start(function()\n"
                 "local g <close> = setmetatable({}, {__close = function()\n"
                 "send_signal(TERM) aw.sleep(100) end})\n"
                 "aw.sleep(100) end) aw.yield()") == AW_LUA_OK);
  CHECK(close_session(&p) == AW_LUA_SIGNAL && p.code == SIGTERM);
  close_state(&p);
}

/* The descriptor is readable when the signal comes. [R29] */
static void test_signal_with_a_key(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p,
             "aw.start(function()\n"
             "local g <close> = setmetatable({}, {__close = function()\n"
             "aw.shield(function() aw.sleep(0.001) cleaned = 1 end) end})\n"
             "type_key() send_signal(TERM) aw.sleep(100) end)") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_SIGNAL);
  lua_getglobal(p.L, "cleaned");
  CHECK(is_number(&p, -1, 1));
  CHECK(close_session(&p) == AW_LUA_SIGNAL);
  close_state(&p);
}

static int request_dump(lua_State *L) {
  (void)L;
  CHECK(aw_lua_request_dump());
  return 0;
}

static void note_notice(void *data, aw_lua_notice kind, const char *text) {
  prompt *p = data;
  snprintf(p->last, sizeof p->last, "%d %s", (int)kind, text);
}

/* [R24] */
static void test_dumps(void) {
  prompt p;
  open_prompt(&p);
  lua_register(p.L, "request_dump", request_dump);
  aw_lua_set_notice(p.L, note_notice, &p);
  CHECK(call(&p, "request_dump() aw.sleep(0.001)") == AW_LUA_OK);
  CHECK(strstr(p.last, "'line'") && !strstr(p.last, "session  "));
  p.last[0] = '\0';
  CHECK(call(&p, "aw.start(function() request_dump() aw.sleep(0.001)\n"
                 "type_key() end, nil, {name = 'dumped'})") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_OK);
  CHECK(strstr(p.last, "'dumped'") && !strstr(p.last, "descriptor"));
  request_dump(p.L);
  CHECK(call(&p, "send_signal(INT) while true do end") == AW_LUA_CANCELLED);
  CHECK(strstr(p.last, "1 aiowire: interrupted at line:1"));
  close_prompt(&p);
}

/* [R29] */
static void test_signals_while_nothing_runs(void) {
  prompt p;
  open_prompt(&p);
  raise(SIGTERM);
  CHECK(wait_for_key(&p) == AW_LUA_SIGNAL && p.code == SIGTERM);
  CHECK(close_session(&p) == AW_LUA_SIGNAL);
  close_state(&p);

  open_prompt(&p);
  raise(SIGTERM);
  CHECK(close_session(&p) == AW_LUA_SIGNAL && p.code == SIGTERM);
  close_state(&p);

  open_prompt(&p);
  raise(SIGINT);
  CHECK(close_session(&p) == AW_LUA_OK);
  close_state(&p);
}

/* [R29] */
static void test_exit(void) {
  prompt p;
  open_prompt(&p);
  aw_lua_install_host(p.L);
  CHECK(call(&p, "os.exit(7)") == AW_LUA_EXIT && p.code == 7);
  CHECK(raises(&p, call_nothing, "there is none"));
  CHECK(raises(&p, wait_for_one, "this session has ended (os.exit)"));
  CHECK(close_session(&p) == AW_LUA_EXIT && p.code == 7);
  close_state(&p);

  open_prompt(&p);
  aw_lua_install_host(p.L);
  CHECK(call(&p, "aw.start(function()\n"
                 "local g <close> = setmetatable({}, {__close = function()\n"
                 "aw.shield(function() aw.sleep(0.001) cleaned = 1 end) end})\n"
                 "aw.sleep(0.001) os.exit(false) end)") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_EXIT && p.code == 1);
  lua_getglobal(p.L, "cleaned");
  CHECK(is_number(&p, -1, 1));
  CHECK(close_session(&p) == AW_LUA_EXIT);
  close_state(&p);
}

static void exit_in_failed(lua_State *L, void *data) {
  note_failure(L, data);
  lua_getglobal(L, "exit");
  lua_pushinteger(L, 9);
  lua_call(L, 1, 0);
}

/* The function `failed` may end the program. */
static void test_exit_in_failed(void) {
  prompt p;
  open_state(&p);
  aw_lua_install_host(p.L);
  CHECK(luaL_dostring(p.L, "exit = os.exit") == LUA_OK);
  lua_setwarnf(p.L, note_warning, &p);
  const aw_lua_session_config config = {
      .failed = exit_in_failed, .data = &p, .size = sizeof config};
  p.session = aw_lua_session_open(p.L, &config);
  CHECK(call(&p, "aw.start(function() error 'x' end) aw.sleep(100)") ==
        AW_LUA_EXIT);
  CHECK(p.code == 9 && p.failures == 1 && p.warnings[0] == '\0');
  CHECK(close_session(&p) == AW_LUA_EXIT && p.code == 9);
  close_state(&p);
}

/* Lua's own os.exit closes the state in the middle of a call. */
static void test_state_closed_in_a_call(void) {
  int status;
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    prompt p;
    open_prompt(&p);
    (void)call(&p, "aw.start(aw.Sleep(100)) aw.yield() os.exit(5, true)");
    _exit(1);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static const char SLOW[] =
    "cleaned = 0\n"
    "aw.start(function()\n"
    "local g <close> = setmetatable({}, {__close = function()\n"
    "aw.shield(function() if busy then send_signal(INT) aw.sleep(100)\n"
    "else aw.sleep(0.001) end cleaned = cleaned + 1 end) end})\n"
    "aw.sleep(100) end) aw.yield()";

/* [R30] */
static void test_closing(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, SLOW) == AW_LUA_OK);
  CHECK(close_session(&p) == AW_LUA_OK);
  lua_getglobal(p.L, "cleaned");
  CHECK(is_number(&p, -1, 1));
  /* the state can have another one */
  p.session = aw_lua_session_open(p.L, NULL);
  CHECK(call(&p, "busy = true return 1") == AW_LUA_OK);
  CHECK(call(&p, SLOW) == AW_LUA_OK);
  CHECK(close_session(&p) == AW_LUA_OK);
  lua_getglobal(p.L, "cleaned");
  CHECK(is_number(&p, -1, 0));
  CHECK(luaL_dostring(p.L, "aw.run(function() aw.sleep(0.001) end)") == LUA_OK);
  CHECK(aw_lua_session_close(NULL, p.L, &p.code) == AW_LUA_OK);
  close_state(&p);
  struct sigaction now;
  sigaction(SIGINT, NULL, &now);
  CHECK(now.sa_handler == SIG_DFL);
}

/* [R30] */
static void test_grace(void) {
  static const uint64_t graces[] = {1, AW_NEVER, AW_DEFAULT};
  for (int i = 0; i < 3; i++) {
    prompt p;
    open_state(&p);
    const aw_lua_session_config config = {
        .name = "entry", .grace = graces[i], .size = sizeof config};
    p.session = aw_lua_session_open(p.L, &config);
    CHECK(call(&p, "return aw.current().name") == AW_LUA_OK);
    CHECK(has(&p, 1, "entry"));
    CHECK(call(&p, "cleaned = 0 aw.start(function()\n"
                   "local g <close> = setmetatable({}, {__close = function()\n"
                   "aw.shield(function() aw.sleep(0.01)\n"
                   "cleaned = 1 end) end})\n"
                   "aw.sleep(100) end) aw.yield()") == AW_LUA_OK);
    CHECK(close_session(&p) == AW_LUA_OK);
    lua_getglobal(p.L, "cleaned");
    CHECK(is_number(&p, -1, i > 0));
    close_state(&p);
  }
}

/* [R30] */
static void test_state_ends_first(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, SLOW) == AW_LUA_OK);
  close_state(&p);
  struct sigaction now;
  sigaction(SIGINT, NULL, &now);
  CHECK(now.sa_handler == SIG_DFL);
}

/* [R30] */
static void test_two_states(void) {
  prompt a, b;
  open_prompt(&a);
  open_prompt(&b);
  CHECK(call(&a, "aw.sleep(0.001) return 1") == AW_LUA_OK);
  CHECK(call(&b, "aw.sleep(0.001) return 1") == AW_LUA_OK);
  CHECK(call(&a, "send_signal(INT) aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&b, "aw.sleep(0.001) return 1") == AW_LUA_OK);
  close_prompt(&a);
  CHECK(call(&b, "return 2") == AW_LUA_OK);
  close_prompt(&b);
}

/* The stack of the caller has no room for them all. */
static void test_too_many_results(void) {
  enum { HELD = 5000 };
  static const char many[] = "return table.unpack({}, 1, 998000)";
  prompt p;
  open_prompt(&p);
  lua_settop(p.L, 0);
  CHECK(lua_checkstack(p.L, HELD + LUA_MINSTACK));
  lua_settop(p.L, HELD);
  CHECK(luaL_loadstring(p.L, many) == LUA_OK);
  CHECK(aw_lua_session_call(p.session, p.L, 0, &p.code) == AW_LUA_ERROR);
  CHECK(p.code == 1 && lua_gettop(p.L) == HELD + 2);
  CHECK(has(&p, HELD + 1, "too many results") && lua_isnil(p.L, -1));
  CHECK(call(&p, many) == AW_LUA_OK && lua_gettop(p.L) == 998000);
  close_prompt(&p);
}

/* [R28, R29] */
static void test_third_signal(void) {
  pid_t child = fork();
  if (child == 0) {
    prompt p;
    open_prompt(&p);
    CHECK(call(&p, "for i = 1, 5 do send_signal(INT) end return 1") ==
          AW_LUA_OK);
    call(&p, "for i = 1, 3 do send_signal(TERM) end");
    _exit(0);
  }
  int status;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void *run_sessions(void *data) {
  (void)data;
  for (int i = 0; i < 5; i++) {
    prompt p;
    open_prompt(&p);
    CHECK(call(&p, "aw.start(function() aw.sleep(0.001) type_key() end)") ==
          AW_LUA_OK);
    CHECK(wait_for_key(&p) == AW_LUA_OK);
    CHECK(call(&p, "error 'bad'") == AW_LUA_ERROR);
    close_prompt(&p);
  }
  return NULL;
}

/* One of them holds the signals. [R30] */
static void test_threads(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; i++)
    CHECK(pthread_create(&threads[i], NULL, run_sessions, NULL) == 0);
  for (int i = 0; i < 3; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
}

/* [R23] */
static void test_hooks(void) {
  prompt p;
  open_prompt(&p);
  CHECK(
      call(&p,
           "lines = 0 debug.sethook(function() lines = lines + 1 end, 'l')") ==
      AW_LUA_OK);
  CHECK(lua_gethook(p.L) == NULL);
  CHECK(call(&p, "local before = lines\nlocal x = 1\nreturn lines - before") ==
        AW_LUA_OK);
  CHECK(lua_tointeger(p.L, 1) >= 2);
  CHECK(call(&p, "debug.sethook()") == AW_LUA_OK);
  CHECK(call(&p, "lines = 0\nlocal x = 1\nreturn lines") == AW_LUA_OK);
  CHECK(is_number(&p, 1, 0));
  close_prompt(&p);
}

/* [R24] */
static void test_finalizers_between_calls(void) {
  prompt p;
  open_prompt(&p);
  aw_lua_session_push_loop(p.session, p.L);
  lua_setglobal(p.L, "ev");
  CHECK(call(&p, "setmetatable({}, {__gc = function()\n"
                 "ev:start(function() type_key() end) end})") == AW_LUA_OK);
  lua_gc(p.L, LUA_GCCOLLECT);
  CHECK(wait_for_key(&p) == AW_LUA_OK);
  close_prompt(&p);
}

int main(void) {
  test_results();
  test_arguments();
  test_wires_are_results();
  test_errors();
  test_deadlock_fails_the_call_alone();
  test_locals_and_tasks_of_lines();
  test_misuse();
  test_refused_sessions();
  test_tasks_live_on();
  test_nobody_sees_the_tasks_of_the_session();
  test_background_tasks_live_on();
  test_failures_are_told();
  test_failures_of_the_function_failed();
  test_stopping_cancels_the_tasks();
  test_descriptors();
  test_many_waits();
  test_interrupts();
  test_second_interrupt_ends_the_grace();
  test_interrupt_of_busy_tasks();
  test_interrupt_of_virtual_time();
  test_scripts_take_signals();
  test_other_signals_end_the_session();
  test_hangup_and_busy_bodies();
  test_signal_with_a_key();
  test_dumps();
  test_signals_while_nothing_runs();
  test_exit();
  test_exit_in_failed();
  test_state_closed_in_a_call();
  test_closing();
  test_grace();
  test_state_ends_first();
  test_two_states();
  test_too_many_results();
  test_third_signal();
  test_threads();
  test_hooks();
  test_finalizers_between_calls();
  return 0;
}
