/* lerror.c - error objects and info
 *
 * Error values travel raw [E1]. What is known beside them is an *info* [E2]:
 * a table that is made where the error is raised, by the message handler of
 * the body, and is the value of the core's error from then on. While an error
 * that nobody caught is on its way out of a body, its info stands in
 * AWL_RAISED, under the worker's number; one that an await raised again is the
 * worker's `passing` and keeps its info; one that replaces another (an error
 * in `__close`) has it in `replaced` [E3]. What handlers get is one over it that
 * has the Task as well: with it the kept one would be a cycle through C.
 *
 * Error objects are tables with a locked metatable; `message` is their text.
 */
#include "bridge.h"

#include <string.h>

/* ---- where an error is raised ---- */

/* The info of the error that is on its way in `worker`: push it, or nil. */
static bool push_raised(lua_State *L, awl_state *s, const awl_worker *worker) {
  awl_get(L, s, AWL_RAISED, (lua_Integer)worker->number + 1);
  return lua_istable(L, -1);
}

static bool same_error(lua_State *L, int info, int error) {
  error = lua_absindex(L, error);
  lua_getfield(L, info, "err");
  bool same = lua_rawequal(L, -1, error);
  lua_pop(L, 1);
  return same;
}

/* Push a new info for the error at `error`. It is plain: who asks gets one over
 * it, see push_info_over(). */
static void push_new_info(lua_State *L, int error) {
  error = lua_absindex(L, error);
  lua_createtable(L, 0, 7);
  lua_pushvalue(L, error);
  lua_setfield(L, -2, "err");
}

/* Push the info of the error that an await of `worker` raised last, if that
 * is the error at `error`. */
static bool push_passing(lua_State *L, awl_state *s, const awl_worker *worker,
                         int error) {
  if (!worker->passing)
    return false;
  error = lua_absindex(L, error);
  awl_push_value(L, s, aw_error_value(worker->passing));
  if (lua_istable(L, -1) && same_error(L, -1, error))
    return true;
  lua_pop(L, 1);
  return false;
}

static void set_raised(lua_State *L, awl_state *s, awl_worker *worker) {
  awl_set(L, s, AWL_RAISED, (lua_Integer)worker->number + 1);
  worker->raised = true;
}

void awl_drop_raised(awl_worker *worker) {
  if (worker->raised)
    awl_unset(worker->state, AWL_RAISED, (lua_Integer)worker->number + 1);
  worker->raised = false;
}

/* Will nobody see the error that has left the body of `worker`? */
static bool is_unseen(const awl_worker *worker) {
  return !worker->scopes && !aw_step_wants_error(worker->task);
}

/* The message handler of bodies: notes the traceback, leaves the error. */
static int note_traceback(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_worker *worker = s->run.running;
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "<nil error>");
    lua_replace(L, 1);
  }
  if (!worker || awl_is_cancelled(L, s, 1) || is_unseen(worker))
    return 1;
  bool replaces = push_raised(L, s, worker); /* [err, old] */
  if (replaces && same_error(L, 2, 1)) {
    lua_settop(L, 1);
    return 1; /* it is passed on, and known */
  }
  if (!push_passing(L, s, worker, 1)) {
    push_new_info(L, 1); /* [err, old, info] */
    if (!awl_is(L, s, 1, AWL_TIMEOUT)) {
      awl_push_traceback(L, s, L, 1);
      lua_setfield(L, 3, "traceback");
    }
  }
  if (replaces) {
    lua_pushvalue(L, 2);
    lua_setfield(L, 3, "replaced");
  }
  set_raised(L, s, worker);
  lua_settop(L, 1);
  return 1;
}

/* ---- from Lua to the core ---- */

/* Push the text of the state that `task` is at. */
static void push_state(lua_State *L, awl_state *s, const aw_task *task) {
  const aw_wire *wire = aw_task_wire(task);
  const char *name = aw_wire_name(wire);
  if (name)
    lua_pushstring(L, name);
  else
    awl_show_wire(L, s, wire);
}

/* The states that the task of the info on top was in [D3]: a list of texts,
 * newest first; or the text of the only one, see info_index(). */
static void set_chain(lua_State *L, awl_state *s, const aw_task *task) {
  enum { LONGEST = 8 };
  uint32_t times;
  const char *name = aw_task_chain(task, 0, &times);
  bool has_wire = aw_task_wire(task) != NULL;
  if (has_wire)
    push_state(L, s, task);
  if (name || !has_wire) {
    lua_newtable(L);
    int n = has_wire;
    if (has_wire) {
      lua_insert(L, -2);
      lua_rawseti(L, -2, 1);
    }
    for (size_t i = 0; n < LONGEST && name;
         name = aw_task_chain(task, ++i, &times)) {
      if (times > 1)
        lua_pushfstring(L, "%s (x%d)", name, (int)times);
      else
        lua_pushstring(L, name);
      lua_rawseti(L, -2, ++n);
    }
  }
  lua_setfield(L, -2, "chain");
}

/* What the info on top says of its task, which may be gone later. */
static void describe_task(lua_State *L, awl_state *s, aw_task *task) {
  int info = lua_gettop(L);
  set_chain(L, s, task);
  lua_pushinteger(L, (lua_Integer)aw_task_id(task));
  lua_setfield(L, info, "id");
  if (!aw_task_name(task) && lua_getfield(L, info, "chain") == LUA_TSTRING)
    awl_cut_name(L); /* the state is the name: not put together twice */
  else
    awl_push_plain_name(L, s, task);
  lua_setfield(L, info, "name");
  lua_settop(L, info);
  lua_pushstring(L, aw_task_where(task)); /* NULL: nil */
  lua_setfield(L, -2, "started_at");
}

/* … and of one that has failed, whose Task may be asked for. */
static void describe_failed(lua_State *L, awl_state *s, aw_task *task) {
  lua_pushinteger(L, awl_task_key(s, task));
  lua_setfield(L, -2, "key");
  describe_task(L, s, task);
}

/* The info on top becomes a core error; pops it. */
static aw_error *error_of_info(lua_State *L, awl_loop *loop) {
  aw_value value = awl_hold(L, loop);
  return aw_error_new(loop->engine->core, AW_EHOST, value);
}

/* Suppress what the info at `info` replaced, the oldest first. */
static void suppress_replaced(lua_State *L, awl_state *s, awl_loop *loop,
                              aw_error *error, int info) {
  luaL_checkstack(L, 4, NULL);
  if (lua_getfield(L, info, "replaced") == LUA_TTABLE) {
    lua_pushnil(L);
    lua_setfield(L, info, "replaced");
    suppress_replaced(L, s, loop, error, lua_gettop(L));
    aw_error_suppress(error, error_of_info(L, loop));
  } else {
    lua_pop(L, 1);
  }
}

/* (info, light loop, light error) */
static int protected_suppress(lua_State *L) {
  awl_loop *loop = lua_touserdata(L, 2);
  suppress_replaced(L, loop->state, loop, lua_touserdata(L, 3), 1);
  return 0;
}

/* The same, when `error` is in nobody's hands yet: out of memory loses some of
 * what was replaced, but not the error. */
static void try_suppress(lua_State *L, awl_loop *loop, aw_error *error,
                         int info) {
  lua_pushcfunction(L, protected_suppress);
  lua_pushvalue(L, info);
  lua_pushlightuserdata(L, loop);
  lua_pushlightuserdata(L, error);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

static aw_error *rehome(lua_State *L, awl_state *s, awl_loop *loop,
                        aw_error *error);

/* (light error, light copy, light loop): the copy's suppressed ones. */
static int protected_rehome(lua_State *L) {
  aw_error *error = lua_touserdata(L, 1), *copy = lua_touserdata(L, 2), *later;
  awl_loop *loop = lua_touserdata(L, 3);
  for (size_t i = 0; (later = aw_error_suppressed(error, i)) != NULL; i++)
    aw_error_suppress(copy, rehome(L, loop->state, loop, later));
  return 0;
}

/* `error` for a task of `loop`: if its info is in the table of another loop,
 * which may go before, an error of `loop` with the same; out of memory may
 * lose some of what it suppresses. Gives. */
static aw_error *rehome(lua_State *L, awl_state *s, awl_loop *loop,
                        aw_error *error) {
  if (awl_belongs(s, aw_error_value(error), loop))
    return aw_error_keep(error);
  luaL_checkstack(L, 8, NULL);
  awl_push_value(L, s, aw_error_value(error));
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    return aw_error_keep(error);
  }
  aw_error *copy = error_of_info(L, loop);
  lua_pushcfunction(L, protected_rehome);
  lua_pushlightuserdata(L, error);
  lua_pushlightuserdata(L, copy);
  lua_pushlightuserdata(L, loop);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    lua_pop(L, 1);
  return copy;
}

aw_error *awl_make_error(lua_State *L, awl_state *s, awl_worker *worker) {
  aw_task *task = worker->task;
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  int err = lua_gettop(L);
  bool raised = push_raised(L, s, worker) && same_error(L, -1, err);
  if (!raised) {
    lua_pop(L, 1);
    push_new_info(L, err);
  }
  int info = lua_gettop(L);
  bool replaced = lua_getfield(L, info, "replaced") != LUA_TNIL;
  lua_pop(L, 1);
  aw_error *error = NULL;
  if (push_passing(L, s, worker, err) && lua_rawequal(L, -1, info)) {
    error = rehome(L, s, loop, worker->passing);
  } else {
    lua_settop(L, info);
    describe_failed(L, s, task);
    lua_pushvalue(L, info);
    error = error_of_info(L, loop);
  }
  if (replaced)
    try_suppress(L, loop, error, info);
  awl_drop_raised(worker);
  lua_settop(L, err - 1);
  return error;
}

aw_error *awl_make_plain_error(lua_State *L, awl_state *s, aw_task *task) {
  push_new_info(L, -1);
  describe_failed(L, s, task);
  lua_remove(L, -2);
  return error_of_info(L, awl_loop_of(s, aw_task_loop(task)));
}

/* Push an info that has all of the one at `info`, and room for more of its
 * own: fields that it lacks are looked for there, see info_index(). */
static void push_info_over(lua_State *L, awl_state *s, int info) {
  info = lua_absindex(L, info);
  lua_createtable(L, 1, 3);
  lua_pushvalue(L, info);
  lua_rawseti(L, -2, 1);
  awl_push_class(L, s, AWL_INFO);
  lua_setmetatable(L, -2);
}

/* [info, key, value]: a list that nobody has asked for before: of the one state
 * that `value` is, or of nothing. Keep it in the info. */
static void keep_list(lua_State *L, bool has_one) {
  lua_createtable(L, has_one, 0);
  if (has_one) {
    lua_pushvalue(L, 3);
    lua_rawseti(L, -2, 1);
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
}

/* __index of an info: the field of the one that it is over. Lists that most
 * often are short or empty, and seldom read, are made here. */
static int info_index(lua_State *L) {
  lua_settop(L, 2);
  if (!lua_istable(L, 1) || lua_rawgeti(L, 1, 1) != LUA_TTABLE)
    return 0;
  lua_pushvalue(L, 2);
  int type = lua_gettable(L, 3);
  lua_replace(L, 3);
  if (lua_type(L, 2) != LUA_TSTRING)
    return 1;
  const char *key = lua_tostring(L, 2);
  if (type == LUA_TSTRING && strcmp(key, "chain") == 0)
    keep_list(L, true);
  else if (type == LUA_TNIL && strcmp(key, "suppressed") == 0)
    keep_list(L, false);
  return 1;
}

aw_error *awl_make_derived_error(lua_State *L, awl_loop *loop, int info) {
  if (info != 0) {
    push_info_over(L, loop->state, info);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "err");
  } else {
    push_new_info(L, -1);
  }
  lua_remove(L, -2);
  return error_of_info(L, loop);
}

/* ---- from the core to Lua ---- */

void aw_lua_push_system_error(lua_State *L, int code, const char *call,
                              const char *about) {
  if (code == AW_ECLOSED) {
    if (about)
      lua_pushfstring(L, "Closed: %s of %s", call, about);
    else
      lua_pushfstring(L, "Closed: %s", call);
    awl_push_simple_error(L, AWL_CLOSED, lua_tostring(L, -1));
    lua_remove(L, -2);
    return;
  }
  lua_createtable(L, 0, 5);
  lua_pushstring(L, aw_error_name(code));
  lua_setfield(L, -2, "code");
  lua_pushinteger(L, -(lua_Integer)code);
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, call);
  lua_setfield(L, -2, "call");
  lua_pushstring(L, about);
  lua_setfield(L, -2, "about");
  if (about)
    lua_pushfstring(L, "%s '%s': %s", call, about, aw_strerror(code));
  else
    lua_pushfstring(L, "%s: %s", call, aw_strerror(code));
  lua_setfield(L, -2, "message");
  awl_push_class(L, awl_open(L), AWL_SYSTEM_ERROR);
  lua_setmetatable(L, -2);
}

int aw_lua_system_error(lua_State *L, int code, const char *call,
                        const char *about) {
  aw_lua_push_system_error(L, code, call, about);
  return lua_error(L);
}

/* The Timeout of a wire; `wire` is a Wire that keeps alive what it is of. */
static void push_wire_timeout(lua_State *L, const aw_error *error) {
  const aw_wire *holder;
  uint64_t ns;
  const aw_wire *wire = aw_error_wire(error, &holder, &ns);
  awl_push_timeout(L, awl_seconds(ns));
  if (!wire)
    return;
  if (holder)
    awl_push_owner(L, awl_open(L), holder);
  else
    lua_pushnil(L);
  aw_lua_push_wire(L, aw_wire_keep((aw_wire *)(uintptr_t)wire), -1);
  lua_setfield(L, -3, "wire");
  lua_pop(L, 1);
}

/* What an error that the core made is in Lua. */
static void push_object(lua_State *L, const aw_error *error) {
  int code = aw_error_code(error), fd = aw_error_fd(error);
  const char *call = aw_error_call(error);
  switch (code) {
  case AW_ETASKCANCELLED: awl_push_task_cancelled(L); break;
  case AW_ETIMEOUT: push_wire_timeout(L, error); break;
  case AW_ESTRAY:
    lua_pushliteral(L, "stray Cancelled: nothing was cancelled here");
    break;
  case AW_ENOMEM: lua_pushliteral(L, "not enough memory"); break;
  case AW_ESELF: lua_pushstring(L, aw_strerror(code)); break;
  default:
    if (fd >= 0)
      lua_pushfstring(L, "descriptor %d", fd);
    else
      lua_pushnil(L);
    aw_lua_push_system_error(L, code, call ? call : "wait",
                             lua_tostring(L, -1));
    lua_remove(L, -2);
  }
}

/* Give a core error the info it lacks. */
static void complete(lua_State *L, awl_loop *loop, aw_error *error) {
  push_object(L, error);
  push_new_info(L, -1);
  lua_remove(L, -2);
  if (loop)
    aw_error_set_value(error, awl_hold(L, loop));
  else
    lua_pop(L, 1);
}

void awl_push_error(lua_State *L, awl_state *s, awl_loop *loop,
                    aw_error *error) {
  if (!aw_error_value(error))
    complete(L, loop, error);
  awl_push_value(L, s, aw_error_value(error));
  if (!lua_istable(L, -1)) { /* the engine's own "out of memory" */
    lua_pop(L, 1);
    push_object(L, error);
    return;
  }
  lua_getfield(L, -1, "err");
  lua_remove(L, -2);
}

/* Set info.suppressed of the info on top. */
static void set_suppressed(lua_State *L, awl_state *s, aw_error *error) {
  aw_error *later = aw_error_suppressed(error, 0);
  if (!later)
    return; /* see info_index() */
  lua_newtable(L);
  for (size_t i = 0; (later = aw_error_suppressed(error, i)) != NULL; i++) {
    luaL_checkstack(L, 8, NULL);
    lua_createtable(L, 0, 2);
    awl_push_error(L, s, NULL, later);
    lua_setfield(L, -2, "err");
    awl_push_info(L, s, later, NULL);
    lua_setfield(L, -2, "info");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "suppressed");
}

void awl_push_info(lua_State *L, awl_state *s, aw_error *error, aw_task *task) {
  awl_push_value(L, s, aw_error_value(error));
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    push_object(L, error);
    push_new_info(L, -1);
    lua_remove(L, -2);
  }
  int kept = lua_gettop(L);
  push_info_over(L, s, kept);
  lua_getfield(L, kept, "key");
  awl_get(L, s, AWL_TASKS, lua_tointeger(L, -1));
  if (lua_isnil(L, -1) && task) { /* nobody has a handle of the one it was */
    lua_pop(L, 1);
    awl_push_task(L, s, task);
  }
  lua_setfield(L, kept + 1, "task");
  if (task && lua_getfield(L, kept, "chain") == LUA_TNIL) {
    lua_settop(L, kept + 1);
    describe_failed(L, s, task);
    lua_pushnil(L);
    lua_setfield(L, kept + 1, "key");
  }
  lua_settop(L, kept + 1);
  lua_remove(L, kept);
  set_suppressed(L, s, error);
  if (aw_error_attempts(error) > 0) {
    lua_pushinteger(L, aw_error_attempts(error));
    lua_setfield(L, -2, "attempts");
  }
}

void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task) {
  lua_createtable(L, 0, 4);
  describe_task(L, s, task);
  push_info_over(L, s, -1);
  lua_remove(L, -2);
}

int awl_raise(lua_State *L, awl_worker *worker, aw_error *error) {
  awl_state *s = worker->state;
  if (worker->passing)
    aw_error_release(worker->passing);
  worker->passing = error;
  awl_push_error(L, s, awl_loop_of(s, aw_task_loop(worker->task)), error);
  return lua_error(L);
}

/* ---- error objects ---- */

void awl_push_simple_error(lua_State *L, awl_class class, const char *text) {
  lua_createtable(L, 0, 2);
  lua_pushstring(L, text);
  lua_setfield(L, -2, "message");
  awl_push_class(L, awl_open(L), class);
  lua_setmetatable(L, -2);
}

bool awl_is_cancelled(lua_State *L, awl_state *s, int index) {
  return awl_is(L, s, index, AWL_CANCELLED);
}

void awl_new_cancelled(lua_State *L, awl_state *s, const char *kind) {
  const char *where = awl_where(L, s, 1);
  if (lua_isnil(L, -1)) {
    awl_push_simple_error(L, AWL_CANCELLED, "Cancelled");
  } else {
    const char *text = luaL_tolstring(L, -1, NULL);
    lua_pushfstring(L, "Cancelled: %s", text);
    awl_push_simple_error(L, AWL_CANCELLED, lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
  }
  lua_insert(L, -2);
  lua_setfield(L, -2, "reason");
  lua_pushstring(L, kind);
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, where);
  lua_setfield(L, -2, "where");
}

static const char *const kinds[] = {"nothing", "task", "scope",  "timeout",
                                    "failure", "loop", "parent", "race"};
static const char *const reasons[] = {
    "nothing",
    "the task was cancelled",
    "the scope was cancelled",
    "the time is over",
    "something in the scope failed",
    "the loop is ending",
    "what it belongs to was left",
    "another one was first",
};

void awl_push_cancelled(lua_State *L, awl_state *s, const aw_task *task) {
  aw_value value;
  aw_cancel_kind by = aw_task_cancelled_by(task, &value);
  awl_push_value(L, s, value);
  if (awl_is_cancelled(L, s, -1))
    return;
  lua_pop(L, 1);
  lua_pushfstring(L, "Cancelled: %s", reasons[by]);
  awl_push_simple_error(L, AWL_CANCELLED, lua_tostring(L, -1));
  lua_remove(L, -2);
  lua_pushstring(L, reasons[by]);
  lua_setfield(L, -2, "reason");
  lua_pushstring(L, kinds[by]);
  lua_setfield(L, -2, "kind");
}

void awl_push_unhandled(lua_State *L) {
  int info = lua_gettop(L), cause = info - 1;
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, cause);
  lua_setfield(L, -2, "cause");
  lua_pushvalue(L, info);
  lua_setfield(L, -2, "info");
  awl_push_class(L, awl_open(L), AWL_UNHANDLED);
  lua_setmetatable(L, -2);
  lua_replace(L, cause);
  lua_settop(L, cause);
}

void awl_push_timeout(lua_State *L, double seconds) {
  lua_pushfstring(L, "timeout after %f s", seconds);
  awl_push_simple_error(L, AWL_TIMEOUT, lua_tostring(L, -1));
  lua_remove(L, -2);
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, "after");
}

void awl_push_task_cancelled(lua_State *L) {
  awl_push_simple_error(L, AWL_TASK_CANCELLED,
                        "TaskCancelled: the task was cancelled");
}

void awl_push_deadlock(lua_State *L, const char *tree) {
  lua_pushfstring(L, "Deadlock: all tasks wait, and nothing can wake them\n%s",
                  tree);
  awl_push_simple_error(L, AWL_DEADLOCK, lua_tostring(L, -1));
  lua_remove(L, -2);
}

static int error_tostring(lua_State *L) {
  if (!lua_istable(L, 1))
    return luaL_typeerror(L, 1, "error object");
  lua_getfield(L, 1, "message");
  return 1;
}

/* The text of an UnhandledException begins with its cause [E4]. */
static int unhandled_tostring(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return luaL_typeerror(L, 1, "UnhandledException");
  lua_getfield(L, 1, "cause");
  const char *cause = luaL_tolstring(L, -1, NULL);
  if (lua_getfield(L, 1, "info") == LUA_TTABLE &&
      lua_getfield(L, -1, "started_at") == LUA_TSTRING)
    lua_pushfstring(L, "%s\n(UnhandledException in a task started at %s)",
                    cause, lua_tostring(L, -1));
  else
    lua_pushfstring(L, "%s\n(UnhandledException)", cause);
  return 1;
}

static int info_tostring(lua_State *L) {
  lua_settop(L, 1);
  awl_push_embedded(L, "aiowire.info");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

#define PREDICATE(name, class) \
  static int m_##name(lua_State *L) { \
    lua_settop(L, 1); \
    lua_pushboolean(L, awl_is(L, awl_of(L), 1, class)); \
    return 1; \
  }
PREDICATE(is_cancelled, AWL_CANCELLED)
PREDICATE(is_timeout, AWL_TIMEOUT)
PREDICATE(is_task_cancelled, AWL_TASK_CANCELLED)
PREDICATE(is_unhandled, AWL_UNHANDLED)
PREDICATE(is_closed, AWL_CLOSED)
PREDICATE(is_system_error, AWL_SYSTEM_ERROR)
PREDICATE(is_deadlock, AWL_DEADLOCK)

static const luaL_Reg predicates[] = {
    {"is_cancelled", m_is_cancelled},
    {"is_timeout", m_is_timeout},
    {"is_task_cancelled", m_is_task_cancelled},
    {"is_unhandled", m_is_unhandled},
    {"is_closed", m_is_closed},
    {"is_system_error", m_is_system_error},
    {"is_deadlock", m_is_deadlock},
    {NULL, NULL}};

void awl_open_errors(lua_State *L, awl_state *s) {
  static const struct {
    awl_class class;
    const char *name;
    lua_CFunction show;
  } classes[] = {
      {AWL_INFO, "aiowire.Info", info_tostring},
      {AWL_CANCELLED, "aiowire.Cancelled", error_tostring},
      {AWL_TIMEOUT, "aiowire.Timeout", error_tostring},
      {AWL_TASK_CANCELLED, "aiowire.TaskCancelled", error_tostring},
      {AWL_UNHANDLED, "aiowire.UnhandledException", unhandled_tostring},
      {AWL_CLOSED, "aiowire.Closed", error_tostring},
      {AWL_SYSTEM_ERROR, "aiowire.SystemError", error_tostring},
      {AWL_DEADLOCK, "aiowire.Deadlock", error_tostring},
  };
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, note_traceback, 1);
  lua_xmove(L, s->util, 1);
  lua_replace(s->util, AWL_HANDLER);
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    const luaL_Reg meta[] = {
        {"__tostring", classes[i].show},
        {classes[i].class == AWL_INFO ? "__index" : NULL, info_index},
        {NULL, NULL}};
    awl_new_class(L, s, classes[i].class, classes[i].name, NULL, meta);
    lua_pop(L, 1);
  }
  awl_register(L, s, predicates);
}
