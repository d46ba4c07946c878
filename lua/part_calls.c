/* part_calls.c - functions of the module that are written in Lua, and the
 * functions in C that they call
 *
 * Each function of the module that is written in Lua is wrapped in a C
 * function. The wrapper knows its name, and finds the part when it is called.
 * While a part runs, debug hooks of the user see none of its lines
 * (debug_hooks.h).
 *
 * Neighbours: bind/base/parts.c loads parts; module.c says which function is in
 * which part. If a function for parts belongs to a class, it is in the file of
 * the class.
 */
#include "part_calls.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/parts.h"
#include "errors/error_object.h"
#include "errors/errors.h"
#include "errors/timeout.h"
#include "io/io.h"
#include "run/debug_hooks.h"
#include "wire/build.h"
#include "zmq/open.h"

/* ---- calling a part ---- */

static int after_part(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  if (lua_gethook(L))
    awl_hooks_unscreen(L, awl_of(L));
  return lua_gettop(L);
}

/* A part in Lua runs next: hooks must not see its lines. */
static void screen_part(lua_State *L) {
  if (lua_gethook(L))
    awl_hooks_screen(L, awl_of(L));
}

/* Call the function on top with all values below it as arguments. */
static int call_ours(lua_State *L) {
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, after_part);
  return after_part(L, LUA_OK, 0);
}

/* The wrapper of a function written in Lua: upvalue 2 is the name of its part,
 * upvalue 3 its own name. A part with several functions returns them in a
 * table. */
static int call_part(lua_State *L) {
  screen_part(L); /* screen first: the next line may load and run the part */
  awl_push_embedded(L, lua_tostring(L, lua_upvalueindex(2)));
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, lua_tostring(L, lua_upvalueindex(3)));
    lua_remove(L, -2);
  }
  return call_ours(L);
}

/* The wrapper of a method written in Lua; upvalue 2 is the method. */
static int call_method(lua_State *L) {
  screen_part(L);
  lua_pushvalue(L, lua_upvalueindex(2));
  return call_ours(L);
}

/* method(name, f): a wrapper of f that knows its name */
static int inner_method(lua_State *L) {
  lua_settop(L, 2);
  lua_pushlightuserdata(L, awl_of(L));
  lua_insert(L, 2);
  aw_lua_push_function(L, call_method, 2, lua_tostring(L, 1));
  return 1;
}

void awl_add_part(lua_State *L, awl_state *s, const char *name,
                  const char *part) {
  lua_pushlightuserdata(L, s);
  lua_pushstring(L, part);
  aw_lua_push_function(L, call_part, 2, name);
  lua_setfield(L, -2, name);
}

/* ---- inner functions of the parts ---- */

/* is_wire(v): is v accepted as a wire [V2]? */
static int inner_is_wire(lua_State *L) {
  lua_pushboolean(L, awl_is_wire(L, awl_of(L), 1));
  return 1;
}

/* is_made(v): is v itself a Wire, not only a value that is accepted as one? */
static int inner_is_made(lua_State *L) {
  lua_pushboolean(L, awl_is_made(L, awl_of(L), 1));
  return 1;
}

/* timeout(ev, seconds): a new Timeout, for a loop whose time is over */
static int inner_timeout(lua_State *L) {
  const awl_loop *loop = awl_check_loop(L, awl_of(L));
  double seconds = luaL_checknumber(L, 2);
  awl_push_timeout(L, seconds, loop->core ? aw_loop_cut(loop->core) : NULL);
  return 1;
}

/* where() → the user's line that called the part, for option `where` of
 * start(); nil if there is none. The result is a light userdata, which no
 * script can make. */
static int inner_where(lua_State *L) {
  const char *where = awl_where(L, awl_of(L), 1);
  if (*where == '?')
    return 0;
  lua_pushlightuserdata(L, (void *)(uintptr_t)where);
  return 1;
}

/* place() → the "file:line" that an error object would get now; or nil */
static int inner_place(lua_State *L) {
  awl_push_place(L, awl_of(L));
  return 1;
}

/* raise(text): raise an error at the user's line that called the part, also
 * after a tail call */
static int inner_raise(lua_State *L) {
  return awl_error(L, "%s", aw_lua_check_string(L, 1, NULL));
}

/* task_cancelled(): a new TaskCancelled */
static int inner_task_cancelled(lua_State *L) {
  awl_push_task_cancelled(L);
  return 1;
}

/* main_chunk(): note that the main chunk of the program begins in this body */
static int inner_main_chunk(lua_State *L) {
  awl_hooks_main_chunk(awl_of(L));
  return 0;
}

/* closed(call, about): raise a Closed */
static int inner_closed(lua_State *L) {
  return aw_lua_system_error(L, AW_ECLOSED, luaL_checkstring(L, 1),
                             luaL_checkstring(L, 2));
}

/* part(name): the result of another part */
static int inner_part(lua_State *L) {
  awl_push_embedded(L, luaL_checkstring(L, 1));
  return 1;
}

/* screened(...): returns its arguments, the results of a function of the user.
 * The part goes on, so hooks must not see its lines. */
static int inner_screened(lua_State *L) {
  screen_part(L);
  return lua_gettop(L);
}

const luaL_Reg awl_inner_functions[] = {
    {"screened", inner_screened},
    {"is_wire", inner_is_wire},
    {"is_made", inner_is_made},
    {"timeout", inner_timeout},
    {"where", inner_where},
    {"place", inner_place},
    {"raise", inner_raise},
    {"task_cancelled", inner_task_cancelled},
    {"part", inner_part},
    {"method", inner_method},
    {"closed", inner_closed},
    {"zmq", awz_open},
    {"main_chunk", inner_main_chunk},
    {"unread", awio_unread},
    {"file_kind", awio_file_kind},
    {NULL, NULL}};
