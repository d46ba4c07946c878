/* context_object.c - zmq.context{...}, and the methods of a context for Lua
 *
 * context.c owns the contexts; their userdata is made here.
 */
#include "context/classes.h"
#include "context/failure.h"
#include "context/shared.h"
#include "zmq.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

const char *const AWZ_CONTEXT_CLASS = "zmq context";

typedef struct setting {
  const char *name;
  int number;
  bool readable, writable;
} setting;

enum { PATIENCE = -1, IO_THREADS = 1, MAX_SOCKETS = 2 };

/* The options of libzmq, and `patience`, which is ours, in ms. */
static const setting settings[] = {
    {"io_threads", IO_THREADS, true, true},
    {"max_sockets", MAX_SOCKETS, true, true},
    {"socket_limit", 3, true, false},
    {"thread_priority", 3, false, true},
    {"thread_sched_policy", 4, true, true},
    {"max_msgsz", 5, true, true},
    {"msg_t_size", 6, true, false},
    {"thread_affinity_cpu_add", 7, false, true},
    {"thread_affinity_cpu_remove", 8, false, true},
    {"thread_name_prefix", 9, true, true},
    {"ipv6", 42, true, true},
    {"blocky", 70, true, true},
    {"patience", PATIENCE, true, true},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static const char *context_option_at(const void *list, size_t index) {
  (void)list;
  return index < SETTINGS ? settings[index].name : NULL;
}

/* Returns the setting that the string at `index` names. Raises. */
static const setting *check_setting(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TSTRING)
    awz_error(L, "the name of an option is a string, got %s",
              aw_lua_type_name(L, index));
  const char *name = lua_tostring(L, index);
  for (size_t i = 0; i < SETTINGS; i++)
    if (strcmp(settings[i].name, name) == 0)
      return &settings[i];
  awz_push_nearest(L, name, context_option_at);
  awz_error(L, "a zmq context has no option '%s'%s", name, lua_tostring(L, -1));
  return NULL;
}

/* Returns the integer or boolean at `index`, for an option. Raises. */
static int check_value(lua_State *L, const setting *what, int index) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, index, &is_integer);
  if (lua_isboolean(L, index))
    return lua_toboolean(L, index);
  if (lua_type(L, index) != LUA_TNUMBER || !is_integer || value < 0 ||
      value > INT_MAX)
    awz_error(L,
              "bad value for option '%s' (integer, not negative, expected, got "
              "%s)",
              what->name, luaL_tolstring(L, index, NULL));
  return (int)value;
}

/* ---- the object ---- */

/* Returns the context at `arg`; NULL: it is finalized. Raises. */
static awz_context *check_any_context(lua_State *L, int arg) {
  const awz_box *box = awz_box_at(L, arg, AWZ_CONTEXT_CLASS);
  if (!box)
    aw_lua_type_error(L, arg, AWZ_CONTEXT_CLASS);
  return box->object;
}

awz_context *awz_check_context(lua_State *L, int arg, const char *verb) {
  awz_context *context = check_any_context(L, arg);
  if (!context)
    aw_lua_system_error(L, AW_ECLOSED, verb, "zmq context (finalized)");
  return context;
}

static awz_context *check_open_context(lua_State *L, const char *verb) {
  awz_context *context = awz_check_context(L, 1, verb);
  if (!context->raw)
    aw_lua_system_error(L, AW_ECLOSED, verb, "zmq context");
  if (context->forks != aw_zmq_forks())
    aw_lua_system_error(L, AW_EFORKED, verb, "zmq context");
  return context;
}

/* Options of our own are the same in all states. */
static void set_own(awz_shared *shared, int *option, int value) {
  if (!awz_shared_lock(shared))
    return;
  *option = value;
  awz_shared_unlock(shared);
}

static int get_own(awz_shared *shared, const int *option) {
  int value = 0;
  if (awz_shared_lock(shared)) {
    value = *option;
    awz_shared_unlock(shared);
  }
  return value;
}

static void set(lua_State *L, const awz_context *context, const setting *what,
                int index) {
  if (!what->writable)
    awz_error(L, "option '%s' of a zmq context can only be read", what->name);
  int value = check_value(L, what, index);
  if (what->number == PATIENCE) {
    set_own(context->shared, &context->shared->patience, value);
    return;
  }
  bool limits = what->number == MAX_SOCKETS;
  int rc = limits ? awz_raw_limit_context(context->shared, value)
                  : awz_raw_set_context(context->shared, what->number, value);
  if (rc == 0 && limits)
    set_own(context->shared, &context->shared->max_sockets, value);
  if (rc < 0)
    aw_lua_system_error(L, rc, "set", what->name);
}

static int context_set(lua_State *L) {
  set(L, check_open_context(L, "set"), check_setting(L, 2), 3);
  return 0;
}

static int context_get(lua_State *L) {
  awz_shared *shared = check_open_context(L, "get")->shared;
  const setting *what = check_setting(L, 2);
  if (!what->readable)
    awz_error(L, "option '%s' of a zmq context can only be set", what->name);
  int rc = 0, value = 0;
  switch (what->number) {
  case PATIENCE: value = get_own(shared, &shared->patience); break;
  case MAX_SOCKETS: value = get_own(shared, &shared->max_sockets); break;
  default: rc = awz_raw_get_context(shared, what->number, &value);
  }
  if (rc < 0)
    aw_lua_system_error(L, rc, "get", what->name);
  lua_pushinteger(L, value);
  return 1;
}

static int context_close(lua_State *L) {
  awz_context *context = check_any_context(L, 1);
  if (context)
    awz_context_close(context);
  return 0;
}

/* Lua did not call the finalizer of the userdata. */
static void release_lost_context(aw_lua_held *held) {
  awz_context_release(
      (awz_context *)((char *)held - offsetof(awz_context, held)));
}

static int context_gc(lua_State *L) {
  awz_box *box = lua_touserdata(L, 1);
  awz_context *context = box->object;
  box->object = NULL;
  if (context) {
    aw_lua_let_go(&context->held);
    awz_context_release(context);
  }
  return 0;
}

static int context_tostring(lua_State *L) {
  const awz_context *context = check_any_context(L, 1);
  if (!context) {
    lua_pushliteral(L, "zmq context (finalized)");
    return 1;
  }
  int count = 0;
  for (const awz_socket *s = context->sockets; s; s = s->next)
    count++;
  if (context->raw)
    lua_pushfstring(L, "zmq context (%d sockets)", count);
  else
    lua_pushliteral(L, "zmq context (closed)");
  return 1;
}

/* ---- making a context ---- */

static int io_threads_of(lua_State *L, int arg) {
  if (!lua_istable(L, arg) || lua_getfield(L, arg, "io_threads") == LUA_TNIL)
    return 1;
  int count = check_value(L, &settings[0], -1);
  lua_pop(L, 1);
  return count;
}

/* Push a userdata without a context. */
static awz_box *push_context_box(lua_State *L) {
  awz_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (awz_box){AWZ_CONTEXT_CLASS, NULL};
  luaL_setmetatable(L, AWZ_CONTEXT_CLASS);
  return box;
}

/* Takes the context. */
static void fill_context(lua_State *L, awz_box *box, awz_context *context) {
  box->object = context;
  context->held.release = release_lost_context;
  aw_lua_hold(L, &context->held);
}

/* zmq.context([options]) */
static int new_context(lua_State *L) {
  if (!lua_isnoneornil(L, 1))
    aw_lua_check_type(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  int io_threads = io_threads_of(L, 1);
  awz_home *home = awz_home_of(L);
  awz_box *box = push_context_box(L);
  awz_context *context;
  int rc = awz_context_new(home, io_threads, &context);
  if (rc < 0)
    return awz_raise(L, rc, "open", "zmq context");
  fill_context(L, box, context);
  if (!lua_istable(L, 1))
    return 1;
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    const setting *what = check_setting(L, -2);
    if (what->number != IO_THREADS)
      set(L, context, what, -1);
    lua_pop(L, 1);
  }
  return 1;
}

/* ---- in other states [J14] ---- */

static void *take_context(lua_State *L, int index) {
  const awz_box *box = awz_box_at(L, index, AWZ_CONTEXT_CLASS);
  const awz_context *context = box->object;
  if (!context || !context->shared)
    aw_lua_system_error(L, AW_ECLOSED, "send", "zmq context");
  if (context->forks != aw_zmq_forks())
    aw_lua_system_error(L, AW_EFORKED, "send", "zmq context");
  return awz_shared_keep(context->shared);
}

/* The state may not have opened this library yet. */
static void open_zmq(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_getfield(L, -1, "aiowire.zmq");
  luaL_requiref(L, "aiowire.zmq", lua_tocfunction(L, -1), false);
  lua_pop(L, 3);
}

static void push_context(lua_State *L, void *reference) {
  if (!awz_home_of(L))
    open_zmq(L);
  awz_home *home = awz_home_of(L);
  awz_box *box = push_context_box(L);
  awz_context *context;
  int rc = awz_context_join(home, reference, &context);
  if (rc < 0)
    awz_raise(L, rc, "receive", "zmq context");
  fill_context(L, box, context);
}

static void release_context(void *reference) {
  awz_context_drop_shared(reference);
}

static const aw_lua_transfer transfer = {
    .take = take_context, .push = push_context, .release = release_context};

/* ---- the class ---- */

static const luaL_Reg methods[] = {
    {"get", context_get},           {"set", context_set},
    {"socket", awz_context_socket}, {"close", context_close},
    {"term", context_close},        {NULL, NULL}};

static const luaL_Reg meta[] = {{"__close", context_close},
                                {"__gc", context_gc},
                                {"__tostring", context_tostring},
                                {NULL, NULL}};

void awz_open_context(lua_State *L) {
  awz_push_class(L, AWZ_CONTEXT_CLASS, meta, methods);
  aw_lua_add_transfer(L, -1, &transfer);
  lua_pop(L, 1);
  aw_lua_push_function(L, new_context, 0, "context");
  lua_setfield(L, -2, "context");
}
