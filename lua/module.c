/* module.c - luaopen_aiowire, and what a C host calls: aiowire_lua.h
 *
 * The module's table is put together here: the C functions by their files,
 * the parts in Lua from the embedded sources, each run once with the table of
 * inner functions (`inner`) when it is first needed, so that `require` parses
 * none of them.
 */
#include "base/classes.h"
#include "base/embedded.h"
#include "base/engine.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/options.h"
#include "base/resources.h"
#include "errors/errors.h"
#include "errors/kept.h"
#include "io/io.h"
#include "objects/locals.h"
#include "objects/ready.h"
#include "objects/scope.h"
#include "open.h"
#include "run/coroutine.h"
#include "run/debug_hooks.h"
#include "run/worker.h"
#include "wire/build.h"
#include "wire/combine.h"
#include "zmq/lzmq.h"

#include <string.h>

static const char MODULE_KEY = 'm'; /* addresses are the keys */
static const char PARTS_KEY = 'p';

/* ---- the end of the state ---- */

/* What objects hold goes before the engine that it belongs to; locations and the
 * claims of loops go after all that may name them. */
const awl_ending awl_endings[] = {
    awl_free_workers, awl_free_holdings, awl_free_scopes, awl_free_engines,
    awl_free_sites,   awl_free_loops,    awl_free_leaves, NULL};

/* ---- parts in Lua ---- */

static void load_part(lua_State *L, const char *name) {
  const struct awl_embedded *part = awl_embedded;
  while (part->name && strcmp(part->name, name) != 0)
    part++;
  if (!part->name)
    luaL_error(L, "no part '%s' in this library", name);
  const char *chunk = lua_pushfstring(L, "=[%s]", name); /* see location.c */
  if (luaL_loadbufferx(L, part->source, part->size, chunk, "t") != LUA_OK)
    lua_error(L);
  lua_remove(L, -2);
}

void awl_push_embedded(lua_State *L, const char *name) {
  luaL_checkstack(L, 8, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &PARTS_KEY); /* name → what it returned */
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    load_part(L, name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &MODULE_KEY);
    lua_getfield(L, -3, "inner");
    lua_call(L, 2, 1); /* chunk(aw, inner) → function */
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
  }
  lua_remove(L, -2);
}

static int after_part(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  if (lua_gethook(L))
    awl_hooks_unscreen(L, awl_of(L));
  return lua_gettop(L);
}

/* Code of ours in Lua runs next: no line of it is for hooks. */
static void screen(lua_State *L) {
  if (lua_gethook(L))
    awl_hooks_screen(L, awl_of(L));
}

/* Call the function of ours on top with all that is below it. */
static int call_ours(lua_State *L) {
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, after_part);
  return after_part(L, LUA_OK, 0);
}

/* A function of the module that is written in Lua: its part is upvalue 2. A
 * part that returned a table has several: upvalue 3 is the name, as ever. */
static int call_part(lua_State *L) {
  screen(L); /* first: the part may be loaded now */
  awl_push_embedded(L, lua_tostring(L, lua_upvalueindex(2)));
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, lua_tostring(L, lua_upvalueindex(3)));
    lua_remove(L, -2);
  }
  return call_ours(L);
}

/* A method that is written in Lua: upvalue 2. */
static int call_method(lua_State *L) {
  screen(L);
  lua_pushvalue(L, lua_upvalueindex(2));
  return call_ours(L);
}

/* method(name, f): the same function, which knows its name */
static int inner_method(lua_State *L) {
  lua_settop(L, 2);
  lua_pushlightuserdata(L, awl_of(L));
  lua_insert(L, 2);
  aw_lua_push_function(L, call_method, 2, lua_tostring(L, 1));
  return 1;
}

static void add_part(lua_State *L, awl_state *s, const char *name,
                     const char *part) {
  lua_pushlightuserdata(L, s);
  lua_pushstring(L, part);
  aw_lua_push_function(L, call_part, 2, name);
  lua_setfield(L, -2, name);
}

/* ---- inner functions of the parts ---- */

/* is_wire(v): is it accepted as a wire [V2]? */
static int inner_is_wire(lua_State *L) {
  lua_pushboolean(L, awl_is_wire(L, awl_of(L), 1));
  return 1;
}

/* is_made(v): is it a Wire itself, not only something that stands for one? */
static int inner_is_made(lua_State *L) {
  lua_pushboolean(L, awl_test_wire(L, awl_of(L), 1) != NULL);
  return 1;
}

/* timeout(ev, seconds): a new Timeout, of a loop whose time was over */
static int inner_timeout(lua_State *L) {
  const awl_loop *loop = awl_check_loop(L, awl_of(L));
  double seconds = luaL_checknumber(L, 2);
  awl_push_timeout(L, seconds, loop->core ? aw_loop_cut(loop->core) : NULL);
  return 1;
}

/* where() → the user's line that this is called from, for start() as option
 * `where`, of a type that no script can make; nil if there is none. */
static int inner_where(lua_State *L) {
  const char *where = awl_where(L, awl_of(L), 1);
  if (*where == '?')
    return 0;
  lua_pushlightuserdata(L, (void *)(uintptr_t)where);
  return 1;
}

/* place() → "file:line" that an error object made here has; or nil */
static int inner_place(lua_State *L) {
  awl_push_place(L, awl_of(L));
  return 1;
}

/* raise(text): at the line of the user's that this is called from, tail calls
 * or not. */
static int inner_raise(lua_State *L) {
  return awl_error(L, "%s", aw_lua_check_string(L, 1, NULL));
}

/* task_cancelled(): a new TaskCancelled */
static int inner_task_cancelled(lua_State *L) {
  awl_push_task_cancelled(L);
  return 1;
}

/* main_chunk(): the main chunk of the program begins, in this body */
static int inner_main_chunk(lua_State *L) {
  awl_hooks_main_chunk(awl_of(L));
  return 0;
}

/* closed(call, about): raise a Closed */
static int inner_closed(lua_State *L) {
  return aw_lua_system_error(L, AW_ECLOSED, luaL_checkstring(L, 1),
                             luaL_checkstring(L, 2));
}

/* part(name): what another part returned */
static int inner_part(lua_State *L) {
  awl_push_embedded(L, luaL_checkstring(L, 1));
  return 1;
}

/* screened(...): a function of the user's has returned these, and what follows
 * is ours again: no line of it is for hooks */
static int inner_screened(lua_State *L) {
  screen(L);
  return lua_gettop(L);
}

static const luaL_Reg inner_functions[] = {
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

/* ---- parts that are opened by their first use ---- */

/* The part whose result is the field `name`, or NULL. */
static const char *late_part(const char *name) {
  if (strcmp(name, "zmq") == 0)
    return "aiowire.zmq";
  return strcmp(name, "locals") == 0 ? "aiowire.locals" : NULL;
}

/* __index of the module: aw.zmq, aw.locals */
static int open_late(lua_State *L) {
  lua_settop(L, 2);
  const char *part = lua_isstring(L, 2) ? late_part(lua_tostring(L, 2)) : NULL;
  if (!part)
    return 0;
  awl_push_embedded(L, part);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

int luaopen_aiowire_zmq(lua_State *L) {
  luaopen_aiowire(L);
  lua_getfield(L, -1, "zmq");
  return 1;
}

/* require "aiowire.zmq" gives aw.zmq, wherever this library came from. */
static void preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, luaopen_aiowire_zmq);
  lua_setfield(L, -2, "aiowire.zmq");
  lua_pop(L, 1);
}

/* ---- opening ---- */

static void fill_module(lua_State *L, awl_state *s) {
  static const char *const forms[] = {"All", "Any", "Race", "Select",
                                      "all", "any", "race", "select"};
  static const char *const outcomes[] = {"Settle", "settle", "each"};
  /* [inner, module] */
  awl_open_info(L, s);
  awl_open_errors(L, s);
  awl_open_wire(L, s);
  awl_open_compose(L, s);
  awl_open_task(L, s);
  awl_open_loop(L, s);
  awl_open_act(L, s);
  awl_open_source(L, s);
  awl_open_scope(L, s);
  awl_open_keep(L, s);
  awl_open_co(L, s);
  awl_open_channel(L, s);
  awl_open_sync(L, s);
  awl_open_rate(L, s);
  awl_open_limit(L, s);
  awl_open_hooks(L, s);
  awl_open_locals(L, s);
  awl_open_ready(L, s);
  awio_open_readiness(L);
  awio_open_signal(L);
  awio_open_wall(L);
  awio_open_stream(L);
  awio_open_process(L);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    add_part(L, s, forms[i], "aiowire.forms");
  for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
    add_part(L, s, outcomes[i], "aiowire.outcomes");
  add_part(L, s, "broadcast", "aiowire.broadcast");
  add_part(L, s, "exec", "aiowire.exec");
  add_part(L, s, "Exec", "aiowire.exec");
  add_part(L, s, "Poller", "aiowire.poller");
  add_part(L, s, "run", "aiowire.run");
  add_part(L, s, "test", "aiowire.test");
  lua_pushstring(L, "aiowire " AW_VERSION_STRING);
  lua_setfield(L, -2, "_VERSION");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, open_late);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  preload(L);
}

int luaopen_aiowire(lua_State *L) {
  luaL_checkversion(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &MODULE_KEY) == LUA_TTABLE)
    return 1;
  lua_pop(L, 1);
  awl_state *s = awl_open(L);
  lua_newtable(L); /* parts */
  lua_newtable(L); /* inner */
  awl_register_inner(L, s, inner_functions);
  awl_register_inner(L, s, awl_options_inner);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "inner");
  lua_insert(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &PARTS_KEY);
  lua_newtable(L); /* the module */
  fill_module(L, s);
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &MODULE_KEY);
  return 1;
}

/* ---- for hosts ---- */

/* os.exit([code [, close]]): keep the code, stop all, raise Cancelled. With
 * the word `false` as second argument, which nil is not, or outside of a run,
 * at once as ever. */
static int host_exit(lua_State *L) {
  awl_state *s = awl_of(L);
  bool at_once = lua_isboolean(L, 2) && !lua_toboolean(L, 2);
  if (at_once || !s->run.engine) /* Lua's own, whose name is in messages */
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
  bool success =
      lua_isnoneornil(L, 1) || (lua_isboolean(L, 1) && lua_toboolean(L, 1));
  s->exit_code = success               ? 0
                 : lua_isboolean(L, 1) ? 1
                                       : (int)luaL_checkinteger(L, 1);
  s->exiting = true;
  for (uint32_t i = 0; i < s->loop_count; i++)
    if (s->loops[i] && s->loops[i]->core)
      aw_loop_stop(s->loops[i]->core, false);
  lua_settop(L, 0);
  lua_pushliteral(L, "os.exit");
  awl_new_cancelled(L, s, "loop");
  return lua_error(L);
}

void aw_lua_install_host(lua_State *L) {
  lua_pushcfunction(L, luaopen_aiowire);
  lua_call(L, 0, 0);
  awl_state *s = awl_open(L);
  s->host = true;
  awl_install(L, s);
  if (lua_getglobal(L, "os") == LUA_TTABLE) {
    lua_pushlightuserdata(L, s);
    lua_getfield(L, -2, "exit");
    lua_pushcclosure(L, host_exit, 2);
    lua_setfield(L, -2, "exit");
  }
  lua_pop(L, 1);
}

/* What main.lua returned: ok, or false, error, info. */
static int end_of_main(lua_State *L, awl_state *s, int base, int *code) {
  if (s->signal) {
    *code = s->signal;
    lua_settop(L, base);
    return AW_LUA_SIGNAL;
  }
  if (s->exiting) {
    *code = s->exit_code;
    lua_settop(L, base);
    return AW_LUA_EXIT;
  }
  if (lua_toboolean(L, base + 1)) {
    lua_settop(L, base);
    return AW_LUA_OK;
  }
  enum { FAILED = 1, DEADLOCKED = 13 };
  lua_settop(L, base + 3);
  lua_remove(L, base + 1);
  *code = awl_is(L, s, base + 1, AWL_DEADLOCK) ? DEADLOCKED : FAILED;
  return AW_LUA_ERROR;
}

int aw_lua_main(lua_State *L, int nargs, int *code) {
  int base = lua_gettop(L) - nargs - 1;
  lua_pushcfunction(L, luaopen_aiowire);
  lua_call(L, 0, 0);
  awl_push_embedded(L, "aiowire.main");
  lua_insert(L, base + 1);
  lua_call(L, nargs + 1, LUA_MULTRET);
  return end_of_main(L, awl_open(L), base, code);
}
