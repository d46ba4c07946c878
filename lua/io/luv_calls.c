/* luv_calls.c - what aiowire/luv.lua needs to run luv's loop
 *
 * luv calls a callback in the Lua state that first opened it, which may be the
 * coroutine of a task that has ended. When the callback raises, luv prints the
 * error and ends the process. luv exports C functions that change both.
 * aiowire/luv.lua finds these functions by package.loadlib(), which makes Lua
 * functions of them; the code here takes the C functions out, and Lua never
 * calls them.
 *
 *     luv_run(calls, uv.run, ns, uv.backend_timeout, fd)
 *       turns of uv.run "nowait", until one calls nothing
 *         callbacks are called in L, by guarded_call()
 *           └─ raises: its error and traceback go to a list in the registry
 *       afterwards in the main thread, by luv's own luv_cfpcall()
 *     luv_failure(): the first error of the list
 *
 * A callback mostly lets libuv watch something else, of which the kernel hears
 * in the next turn only. So the turn that calls nothing is needed anyway, and
 * costs less than a look at luv's descriptor after each turn. But a prepare or
 * a check handle calls something in each turn. So while there is more to do,
 * there is a look now and then.
 *
 * So an await in a callback is refused as in any other call that Lua cannot
 * leave half way, and the callback knows its task.
 *
 * Neighbour: drive.c waits for luv's loop.
 */
#include "io.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <poll.h>
#include <stdbool.h>
#include <string.h>

/* as in luv.h */
typedef int (*luv_pcall)(lua_State *L, int nargs, int nresults, int flags);
typedef struct luv_calls {
  void (*set_callback)(lua_State *L, luv_pcall call);
  luv_pcall plain;
  void (*set_loop)(lua_State *L, void *loop);
  void *(*loop)(lua_State *L);
  bool called; /* a callback in this turn */
  bool failed; /* one in this run */
} luv_calls;

static const char *const CALLS = "aiowire.luv_calls";
/* Their addresses are registry keys. */
static const char ERRORS_KEY = 'e';
static const char CALLS_KEY = 'c';

/* ---- errors of callbacks ---- */

/* Push the list of errors that are not raised yet: { err =, traceback = }. */
static void push_errors(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &ERRORS_KEY);
}

/* The message handler of callbacks: (err) → err. */
static int note_luv_error(lua_State *L) {
  lua_settop(L, 1);
  push_errors(L);
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "err");
  luaL_traceback(L, L, NULL, 1);
  lua_setfield(L, -2, "traceback");
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_settop(L, 1);
  return 1;
}

/* Lua calls no message handler when it is out of memory. */
static void note_unseen(lua_State *L) {
  lua_pushcfunction(L, note_luv_error);
  lua_insert(L, -2);
  (void)lua_pcall(L, 1, 1, 0); /* there may be no memory to keep it, either */
}

/* The calls of this Lua state. */
static luv_calls *find_luv_calls(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &CALLS_KEY);
  luv_calls *luv = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return luv;
}

/* Call as luv_cfpcall() does, and note an error instead of printing it. */
static int guarded_call(lua_State *L, int nargs, int nresults, int flags) {
  (void)flags;
  luv_calls *luv = find_luv_calls(L);
  luv->called = true;
  int handler = lua_gettop(L) - nargs;
  lua_pushcfunction(L, note_luv_error);
  lua_insert(L, handler);
  int status = lua_pcall(L, nargs, nresults, handler);
  if (status == LUA_OK) {
    int count = lua_gettop(L) - handler;
    lua_remove(L, handler);
    return count;
  }
  luv->failed = true;
  if (status != LUA_ERRRUN)
    note_unseen(L);
  lua_settop(L, handler - 1);
  return -status;
}

/* luv_failure() → the first error of the list, taken from it; or nil */
static int inner_luv_failure(lua_State *L) {
  lua_settop(L, 0);
  push_errors(L);
  lua_rawgeti(L, 1, 1);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i + 1);
    lua_rawseti(L, 1, i);
  }
  return 1;
}

/* ---- running luv ---- */

/* Let luv's loop call its callbacks in the main thread, by luv's function. */
static void set_plain_calls(lua_State *L, const luv_calls *luv, void *loop) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  luv->set_callback(L, luv->plain);
  luv->set_loop(lua_tothread(L, -1), loop);
  lua_pop(L, 1);
}

/* luv_calls(set_callback, cfpcall, set_loop, loop) → calls. The functions are
 * symbols of luv. */
static int inner_luv_calls(lua_State *L) {
  lua_CFunction symbols[4];
  for (int i = 0; i < 4; i++) {
    symbols[i] = lua_tocfunction(L, i + 1);
    if (!symbols[i])
      return luaL_error(L, "luv lacks a function");
  }
  luv_calls *luv = lua_newuserdatauv(L, sizeof *luv, 0);
  luaL_setmetatable(L, CALLS);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &CALLS_KEY);
  memcpy(&luv->set_callback, &symbols[0], sizeof symbols[0]);
  memcpy(&luv->plain, &symbols[1], sizeof symbols[1]);
  memcpy(&luv->set_loop, &symbols[2], sizeof symbols[2]);
  memcpy(&luv->loop, &symbols[3], sizeof symbols[3]);
  set_plain_calls(L, luv, luv->loop(L));
  return 1;
}

enum { RUN = 2, NS, TIMEOUT, FD, MODE }; /* arguments of luv_run() */

/* Has luv's loop something to do now? */
static bool is_luv_due(lua_State *L) {
  struct pollfd look = {.fd = (int)lua_tointeger(L, FD), .events = POLLIN};
  lua_pushvalue(L, TIMEOUT);
  lua_call(L, 0, 1);
  bool at_once = lua_tonumber(L, -1) == 0;
  lua_pop(L, 1);
  return at_once || poll(&look, 1, 0) > 0;
}

/* Is there more to do after so many turns? Looks become rarer. */
static bool has_luv_more(lua_State *L, const luv_calls *luv, unsigned turns) {
  bool looks = turns > 1 && (turns & (turns - 1)) == 0;
  return luv->called && !luv->failed && (!looks || is_luv_due(L));
}

/* luv_turns(…) → is the loop alive, and has it more to do now? Raises if luv's
 * loop runs already. */
static int luv_turns(lua_State *L) {
  luv_calls *luv = lua_touserdata(L, 1);
  uint64_t end = uv_hrtime() + (uint64_t)lua_tointeger(L, NS);
  unsigned turns = 0;
  bool alive, more;
  lua_pushliteral(L, "nowait");
  do {
    luv->called = false;
    lua_pushvalue(L, RUN);
    lua_pushvalue(L, MODE);
    lua_call(L, 1, 2);
    if (lua_isnil(L, -2))
      return lua_error(L);
    alive = lua_toboolean(L, -2);
    lua_pop(L, 2);
    more = alive && has_luv_more(L, luv, ++turns);
  } while (more && uv_hrtime() < end);
  lua_pushboolean(L, alive);
  lua_pushboolean(L, more);
  return 2;
}

/* luv_run(calls, run, ns, timeout, fd) → is the loop alive, has it more to do
 * now, did a callback fail? Runs turns as long as there is something to do, and
 * for so long at most. */
static int inner_luv_run(lua_State *L) {
  luv_calls *luv = luaL_checkudata(L, 1, CALLS);
  lua_settop(L, FD);
  luaL_checkstack(L, 2 * LUA_MINSTACK, NULL);
  void *loop = luv->loop(L);
  luv->failed = false;
  luv->set_callback(L, guarded_call);
  luv->set_loop(L, loop);
  lua_pushcfunction(L, luv_turns);
  lua_insert(L, 1);
  int status = lua_pcall(L, FD, 2, 0);
  set_plain_calls(L, luv, loop);
  if (status != LUA_OK)
    return lua_error(L);
  lua_pushboolean(L, luv->failed);
  return 3;
}

/* [inner, module] */
void awio_open_luv(lua_State *L) {
  static const luaL_Reg inner[] = {{"luv_calls", inner_luv_calls},
                                   {"luv_run", inner_luv_run},
                                   {"luv_failure", inner_luv_failure},
                                   {NULL, NULL}};
  luaL_newmetatable(L, CALLS);
  lua_pop(L, 1);
  awio_add_inner(L, inner);
}
