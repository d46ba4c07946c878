/* module.c - luaopen_aiowire, and functions for C hosts (aiowire_lua.h)
 *
 * This file fills the module's table from the rooms of the binding, from io and
 * from zmq. It depends on all of them, and none depends on it. Functions that
 * are written in Lua are in part_calls.c.
 */
#include "base/classes.h"
#include "base/engine.h"
#include "base/location.h"
#include "base/loops.h"
#include "base/options.h"
#include "base/parts.h"
#include "base/resources.h"
#include "base/tasks.h"
#include "base/values.h"
#include "embed/config.h"
#include "embed/hub.h"
#include "embed/session.h"
#include "errors/errors.h"
#include "io/io.h"
#include "module_calls.h"
#include "monitor/inspect/inspect.h"
#include "monitor/listen/instruments.h"
#include "monitor/listen/states.h"
#include "monitor/trace/recorded.h"
#include "monitor/trace/trace.h"
#include "open.h"
#include "part_calls.h"
#include "require.h"
#include "run/pool.h"
#include "wire/build.h"
#include "wire/sleeps.h"
#include "zmq/open.h"

#include <stddef.h>
#include <string.h>

/* the address of MODULE_KEY is the registry key */
static const char MODULE_KEY = 'm';

/* ---- the end of the state ---- */

/* Tasks on an engine of the host program end first, while their workers are
 * there. Things that objects own end before the engines that they belong to.
 * Locations and the claims of loops end after all things that may refer to
 * them. */
const awl_ending awl_endings[] = {awm_end_inspect,
                                  awl_end_session,
                                  awl_end_hosted,
                                  awl_end_left,
                                  awl_free_workers,
                                  awl_free_resources,
                                  awl_free_scopes,
                                  awm_end_trace,
                                  awm_end_instruments,
                                  awl_leave_hub,
                                  awl_free_engines,
                                  awl_free_locations,
                                  awl_free_loops,
                                  awl_free_leaves,
                                  awl_free_sleeps,
                                  awl_free_tasks,
                                  NULL};

/* ---- what is opened by its first use ---- */

typedef void (*io_opener)(lua_State *L);

static const io_opener fs_openers[] = {
    awio_open_file,       awio_open_read_file,
    awio_open_write_file, awio_open_copy_file,
    awio_open_tempfile,   awio_open_entry,
    awio_open_folder,     awio_open_glob,
    awio_open_watch,      NULL};
static const io_opener pool_openers[] = {awio_open_pool, NULL};
static const io_opener socket_openers[] = {awio_open_luasocket, NULL};
static const io_opener inspect_openers[] = {awm_open_inspect_function, NULL};

/* Fields of the module. Openers run first, then the part, if there is one,
 * whose result is the field; else an opener has set it. */
typedef struct late_field {
  const char *name, *part;
  const io_opener *openers; /* or NULL */
} late_field;

static const late_field late_fields[] = {
    {"zmq", "aiowire.zmq", NULL},
    {"locals", "aiowire.locals", NULL},
    {"tcp", "aiowire.tcp", NULL},
    {"unix", "aiowire.unix", NULL},
    {"tls", "aiowire.tls", NULL},
    {"udp", "aiowire.udp", NULL},
    {"dns", "aiowire.dns", NULL},
    {"fs", "aiowire.fs", fs_openers},
    {"pool", NULL, pool_openers},
    {"socket", "aiowire.socket", socket_openers},
    {"inspect", NULL, inspect_openers}};

static const late_field *find_late(lua_State *L, int index) {
  const char *name = lua_isstring(L, index) ? lua_tostring(L, index) : "";
  for (size_t i = 0; i < sizeof late_fields / sizeof *late_fields; i++)
    if (strcmp(name, late_fields[i].name) == 0)
      return &late_fields[i];
  return NULL;
}

/* __index of the module: opens such a field at its first use */
static int open_late(lua_State *L) {
  enum { MODULE = 1, NAME };
  lua_settop(L, NAME);
  const late_field *field = find_late(L, NAME);
  if (!field)
    return 0;
  awl_push_opening(L);
  for (const io_opener *open = field->openers; open && *open; open++)
    (*open)(L);
  if (field->part) {
    lua_pushvalue(L, NAME);
    awl_push_embedded(L, field->part);
    lua_rawset(L, MODULE);
  }
  lua_settop(L, NAME);
  lua_rawget(L, MODULE);
  return 1;
}

int luaopen_aiowire_zmq(lua_State *L) {
  luaopen_aiowire(L);
  lua_getfield(L, -1, "zmq");
  return 1;
}

int luaopen_aiowire_cqueues(lua_State *L) {
  luaopen_aiowire(L);
  awl_push_embedded(L, "aiowire.cqueues");
  return 1;
}

int luaopen_aiowire_luv(lua_State *L) {
  luaopen_aiowire(L);
  awl_push_opening(L);
  awio_open_luv(L);
  awl_push_embedded(L, "aiowire.luv");
  return 1;
}

/* Let `require` find the modules beside this one, wherever Lua has found this
 * library. */
static void preload(lua_State *L) {
  static const luaL_Reg modules[] = {
      {"aiowire.zmq", luaopen_aiowire_zmq},
      {"aiowire.cqueues", luaopen_aiowire_cqueues},
      {"aiowire.luv", luaopen_aiowire_luv},
      {NULL, NULL}};
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, modules, 0);
  lua_pop(L, 1);
}

/* ---- opening ---- */

static int inner_own_exit(lua_State *L);
static int inner_exit_code(lua_State *L);
static const luaL_Reg exit_functions[] = {
    {"own_exit", inner_own_exit}, {"exit_code", inner_exit_code}, {NULL, NULL}};

/* What each file adds to the module. */
static void (*const openers[])(lua_State *L, awl_state *s) = {
    awl_open_driver,      awl_open_info,         awl_open_raised,
    awl_open_errors,      awl_open_constructors, awl_open_combine,
    awl_open_task,        awl_open_loop,         awl_open_tree,
    awl_open_functions,   awl_open_source,       awl_open_scope,
    awl_open_kept,        awl_open_coroutine,    awl_open_channel,
    awl_open_sync,        awl_open_rate,         awl_open_limits,
    awl_open_debug_hooks, awl_open_locals,       awl_open_ready,
    awl_open_background,  awl_open_look,         awl_open_first_await,
    awm_open_recorded,    awm_open_trace,        awm_open_inspect,
    awm_open_states};

/* What adds methods to streams comes after them. */
static const io_opener io_openers[] = {
    awio_open_readiness, awio_open_poller_gate, awio_open_drive,
    awio_open_signal,    awio_open_time_of_day, awio_open_stream,
    awio_open_read,      awio_open_read_until,  awio_open_socket,
    awio_open_events,    awio_open_secure,      awio_open_copy,
    awio_open_lookup,    awio_open_connect,     awio_open_server,
    awio_open_listen,    awio_open_connections, awio_open_udp,
    awio_open_process,   awio_open_spawn,       awio_open_finish,
    awio_open_thread,    awio_open_pool_worker};

/* Functions that are written in Lua, and the part that each is in. */
static const struct {
  const char *name, *part;
} written_in_lua[] = {
    {"All", "aiowire.forms"},         {"Any", "aiowire.forms"},
    {"Race", "aiowire.forms"},        {"Select", "aiowire.forms"},
    {"all", "aiowire.forms"},         {"any", "aiowire.forms"},
    {"race", "aiowire.forms"},        {"select", "aiowire.forms"},
    {"Settle", "aiowire.outcomes"},   {"settle", "aiowire.outcomes"},
    {"each", "aiowire.outcomes"},     {"broadcast", "aiowire.broadcast"},
    {"exec", "aiowire.exec"},         {"Exec", "aiowire.exec"},
    {"Poller", "aiowire.poller"},     {"run", "aiowire.run"},
    {"test", "aiowire.test"},         {"Serve", "aiowire.serve"},
    {"pipeline", "aiowire.pipeline"}, {"Drive", "aiowire.drive"},
    {"graph", "aiowire.graph"},
};

/* [inner, module] */
static void fill_module(lua_State *L, awl_state *s) {
  for (size_t i = 0; i < sizeof openers / sizeof *openers; i++)
    openers[i](L, s);
  for (size_t i = 0; i < sizeof io_openers / sizeof *io_openers; i++)
    io_openers[i](L);
  for (size_t i = 0; i < sizeof written_in_lua / sizeof *written_in_lua; i++)
    awl_add_part(L, s, written_in_lua[i].name, written_in_lua[i].part);
  lua_pushstring(L, "aiowire " AW_VERSION_STRING);
  lua_setfield(L, -2, "_VERSION");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, open_late);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  awl_open_require(s);
  preload(L);
  awl_offer_calls(L);
}

int luaopen_aiowire(lua_State *L) {
  luaL_checkversion(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &MODULE_KEY) == LUA_TTABLE)
    return 1;
  lua_pop(L, 1);
  awl_state *s = awl_open(L);
  lua_newtable(L); /* the table of inner functions */
  awl_register_inner(L, s, awl_inner_functions);
  awl_register_inner(L, s, awl_options_inner);
  awl_register_inner(L, s, exit_functions);
  lua_newtable(L); /* the module */
  awl_set_parts(L);
  fill_module(L, s);
  lua_remove(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &MODULE_KEY);
  return 1;
}

/* ---- for hosts ---- */

/* Keep the status of os.exit([code]), stop all loops, and raise Cancelled. */
static int exit_state(lua_State *L, awl_state *s) {
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

/* os.exit([code [, close]]). If `close` is false (not nil), or nothing runs,
 * exit at once, as Lua does. Upvalue 2: Lua's function. */
static int host_exit(lua_State *L) {
  awl_state *s = awl_of(L);
  bool at_once = lua_isboolean(L, 2) && !lua_toboolean(L, 2);
  /* call Lua's own function; messages name os.exit */
  if (at_once || !s->run.engine)
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
  return exit_state(L, s);
}

/* os.exit([code [, close]]) of a worker: ends that worker alone [J7] */
static int worker_exit(lua_State *L) {
  return exit_state(L, awl_of(L));
}

static void install_exit(lua_State *L, awl_state *s, lua_CFunction exit) {
  if (lua_getglobal(L, "os") == LUA_TTABLE) {
    lua_pushlightuserdata(L, s);
    lua_getfield(L, -2, "exit");
    lua_pushcclosure(L, exit, 2);
    lua_setfield(L, -2, "exit");
  }
  lua_pop(L, 1);
}

/* own_exit(): let os.exit end this state alone */
static int inner_own_exit(lua_State *L) {
  install_exit(L, awl_of(L), worker_exit);
  return 0;
}

/* exit_code() → the status given to os.exit; nil: it was not called */
static int inner_exit_code(lua_State *L) {
  const awl_state *s = awl_of(L);
  if (!s->exiting)
    return 0;
  lua_pushinteger(L, s->exit_code);
  return 1;
}

void aw_lua_install_host(lua_State *L) {
  lua_pushcfunction(L, luaopen_aiowire);
  lua_call(L, 0, 0);
  awl_state *s = awl_open(L);
  s->host = true;
  awl_install(L, s);
  install_exit(L, s, host_exit);
}

/* Interpret the results of main.lua: true, and for a time-out "timeout", its
 * text, error, info; or false, error, info; or "graph" and the picture. */
static int end_of_main(lua_State *L, awl_state *s, int base, int *code) {
  enum { FAILED = 1, DEADLOCKED = 13, TIMED_OUT = 124 };
  if (s->signal) {
    *code = s->signal;
    lua_settop(L, base);
    return AW_LUA_SIGNAL;
  }
  if (lua_type(L, base + 1) == LUA_TSTRING) {
    lua_settop(L, base + 2);
    lua_remove(L, base + 1);
    return AW_LUA_GRAPH;
  }
  if (lua_type(L, base + 2) == LUA_TSTRING && lua_toboolean(L, base + 1)) {
    *code = TIMED_OUT;
    lua_settop(L, base + 5);
    lua_remove(L, base + 1);
    lua_remove(L, base + 1);
    return AW_LUA_TIMEOUT;
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
  lua_settop(L, base + 3);
  lua_remove(L, base + 1);
  *code = awl_is(L, s, base + 1, AWL_DEADLOCK) ? DEADLOCKED : FAILED;
  return AW_LUA_ERROR;
}

static void push_limit(lua_State *L, uint64_t ns, uint64_t none) {
  if (ns == none)
    lua_pushnil(L);
  else
    lua_pushnumber(L, awl_seconds(ns));
}

/* Replace the function at `base` + 1 by main.lua, the limits, the format of the
 * picture or nil, and the function. */
static void push_main(lua_State *L, int base, const aw_lua_main_config *c) {
  lua_pushcfunction(L, luaopen_aiowire);
  lua_call(L, 0, 0);
  luaL_checkstack(L, 5, NULL);
  awl_push_embedded(L, "aiowire.main");
  lua_insert(L, base + 1);
  push_limit(L, c->timeout, AW_NEVER);
  lua_insert(L, base + 2);
  push_limit(L, c->grace, AW_DEFAULT);
  lua_insert(L, base + 3);
  lua_pushstring(L, c->graph); /* NULL pushes nil */
  lua_insert(L, base + 4);
}

int aw_lua_main_with(lua_State *L, int nargs, const aw_lua_main_config *config,
                     int *code) {
  enum { LEAST = offsetof(aw_lua_main_config, size) + sizeof(size_t) };
  aw_lua_main_config c = {.timeout = AW_NEVER, .grace = AW_DEFAULT};
  int base = lua_gettop(L) - nargs - 1;
  if (config && !awl_copy_config(config, config->size, LEAST, &c, sizeof c))
    return luaL_error(L, "bad size of an aw_lua_main_config");
  if (c.graph && strcmp(c.graph, "mermaid") != 0 && strcmp(c.graph, "dot") != 0)
    return luaL_error(L, "bad graph in an aw_lua_main_config");
  push_main(L, base, &c);
  lua_call(L, nargs + 4, LUA_MULTRET);
  return end_of_main(L, awl_open(L), base, code);
}

int aw_lua_main(lua_State *L, int nargs, int *code) {
  return aw_lua_main_with(L, nargs, NULL, code);
}

int aw_lua_instrument_add(lua_State *L, const aw_instrument *instrument,
                          aw_lua_instrument **out) {
  enum { LEAST = offsetof(aw_instrument, size) + sizeof(size_t) };
  awm_listener is = {.engine_begins = NULL};
  awl_state *s = awl_open(L);
  if (!instrument || !out ||
      !awl_copy_config(instrument, instrument->size, LEAST, &is.to,
                       sizeof is.to))
    return AW_EINVAL;
  return awm_listen(s, &is, out);
}
