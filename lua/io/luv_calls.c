/* luv_calls.c - what aiowire/luv.lua needs to run luv's loop
 *
 * luv calls a callback in the Lua state that first opened it, which may be the
 * coroutine of a task that has ended. When the callback raises, luv prints the
 * error and ends the process. luv exports C functions that change both.
 * aiowire/luv.lua finds these functions by package.loadlib(), which makes Lua
 * functions of them; the code here takes the C functions out, and Lua never
 * calls them.
 *
 *     luv_run(calls, uv.run)
 *       callbacks are called in L, by guarded_call()
 *         └─ raises: its error and traceback go to a list in the registry
 *       afterwards in the main thread, by luv's own luv_cfpcall()
 *     luv_failure(): the first error of the list
 *
 * So an await in a callback is refused as in any other call that Lua cannot
 * leave half way, and the callback knows its task.
 *
 * Neighbour: drive.c waits for luv's loop.
 */
#include "base/system.h"
#include "io.h"

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <uv.h>

#include <stdbool.h>
#include <string.h>

/* as in luv.h */
typedef int (*luv_pcall)(lua_State *L, int nargs, int nresults, int flags);
typedef struct luv_calls {
  void (*set_callback)(lua_State *L, luv_pcall call);
  luv_pcall plain;
  void (*set_loop)(lua_State *L, void *loop);
  void *(*loop)(lua_State *L);
} luv_calls;

static const char *const CALLS = "aiowire.luv_calls";
static const char ERRORS_KEY = 'e'; /* its address is the registry key */

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

/* Call as luv_cfpcall() does, and note an error instead of printing it. */
static int guarded_call(lua_State *L, int nargs, int nresults, int flags) {
  (void)flags;
  int handler = lua_gettop(L) - nargs;
  lua_pushcfunction(L, note_luv_error);
  lua_insert(L, handler);
  int status = lua_pcall(L, nargs, nresults, handler);
  if (status == LUA_OK) {
    int count = lua_gettop(L) - handler;
    lua_remove(L, handler);
    return count;
  }
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
  memcpy(&luv->set_callback, &symbols[0], sizeof symbols[0]);
  memcpy(&luv->plain, &symbols[1], sizeof symbols[1]);
  memcpy(&luv->set_loop, &symbols[2], sizeof symbols[2]);
  memcpy(&luv->loop, &symbols[3], sizeof symbols[3]);
  set_plain_calls(L, luv, luv->loop(L));
  return 1;
}

/* Run one turn of luv's loop by the function `run`. Returns a status of Lua, or
 * -1: there is nothing more to do now. */
static int run_turn(lua_State *L, int run, int timeout, int fd) {
  enum { OVER = -1 };
  lua_pushvalue(L, run);
  lua_pushliteral(L, "nowait");
  int status = lua_pcall(L, 1, 1, 0);
  if (status != LUA_OK)
    return status;
  bool alive = lua_toboolean(L, -1);
  lua_pop(L, 1);
  push_errors(L);
  bool failed = lua_rawlen(L, -1) > 0;
  lua_pop(L, 1);
  if (!alive || failed)
    return OVER;
  lua_pushvalue(L, timeout);
  lua_call(L, 0, 1);
  bool at_once = lua_tonumber(L, -1) == 0;
  lua_pop(L, 1);
  return at_once || awio_ready(fd, false) ? LUA_OK : OVER;
}

/* luv_run(calls, run, timeout, fd, ns) → number of turns, did a callback fail?
 * Runs turns as long as there is something to do, and for so long at most. */
static int inner_luv_run(lua_State *L) {
  enum { RUN = 2, TIMEOUT, FD, NS };
  const luv_calls *luv = luaL_checkudata(L, 1, CALLS);
  int fd = (int)lua_tointeger(L, FD), status = LUA_OK;
  lua_Integer turns = 0;
  uint64_t end = uv_hrtime() + (uint64_t)lua_tointeger(L, NS);
  luaL_checkstack(L, 2 * LUA_MINSTACK, NULL);
  void *loop = luv->loop(L);
  luv->set_callback(L, guarded_call);
  luv->set_loop(L, loop);
  do {
    status = run_turn(L, RUN, TIMEOUT, fd);
    turns++;
  } while (status == LUA_OK && uv_hrtime() < end);
  set_plain_calls(L, luv, loop);
  if (status > LUA_OK)
    return lua_error(L);
  lua_pushinteger(L, turns);
  push_errors(L);
  lua_pushboolean(L, lua_rawlen(L, -1) > 0);
  lua_remove(L, -2);
  return 2;
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
