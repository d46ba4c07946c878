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

#include <signal.h>
#include <string.h>
#include <unistd.h>

typedef struct prompt {
  lua_State *L;
  aw_lua_session *session;
  int code;
  int failures;   /* calls of `failed` … */
  char last[400]; /* … and the text of the last one */
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

static void test_results(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "return 1, nil, 3, nil") == AW_LUA_OK);
  CHECK(lua_gettop(p.L) == 4 && is_number(&p, 3, 3));
  CHECK(call(&p, "aw.sleep(0.001) return aw.current().name") == AW_LUA_OK);
  CHECK(has(&p, 1, "line"));
  CHECK(call(&p, "return aw.Sleep(100)") == AW_LUA_OK);
  CHECK(lua_isuserdata(p.L, 1));
  CHECK(call(&p, "error 'bad'") == AW_LUA_ERROR);
  CHECK(lua_gettop(p.L) == 2 && has(&p, 1, "bad") && p.code == 1);
  CHECK(call(&p, "error()") == AW_LUA_ERROR);
  CHECK(call(&p, "local e = aw.event() e:wait()") == AW_LUA_ERROR);
  CHECK(p.code == 13 && has(&p, 1, "line"));
  close_prompt(&p);
}

static void test_tasks_live_on(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p,
             "n = 0 t = aw.start(function() while true do aw.sleep(0.001) "
             "n = n + 1 if n == 3 then type_key() end end end)") == AW_LUA_OK);
  CHECK(wait_for_key(&p) == AW_LUA_OK && p.code == 0);
  CHECK(call(&p, "return n, t.status, #aw.current().loop") || true);
  CHECK(wait_for_key(&p) == AW_LUA_OK);
  close_prompt(&p);
}

static void test_interrupts(void) {
  prompt p;
  open_prompt(&p);
  CHECK(call(&p, "send_signal(INT) aw.sleep(100)") == AW_LUA_CANCELLED);
  CHECK(call(&p, "send_signal(INT) while true do end") == AW_LUA_CANCELLED);
  CHECK(call(&p, "return 1") == AW_LUA_OK);
  raise(SIGINT);
  CHECK(wait_for_key(&p) == AW_LUA_CANCELLED);
  CHECK(call(&p, "send_signal(TERM) aw.sleep(100)") == AW_LUA_SIGNAL);
  CHECK(p.code == SIGTERM);
  CHECK(close_session(&p) == AW_LUA_SIGNAL);
  close_state(&p);
}

int main(void) {
  test_results();
  test_tasks_live_on();
  test_interrupts();
  return 0;
}
