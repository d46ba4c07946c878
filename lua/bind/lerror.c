/* lerror.c - error objects: what errors of the library are in Lua
 *
 * Tables with a locked metatable for each class; `message` is their text.
 * Some stand for an error that the core made, which has a code.
 * Neighbours: linfo.c has what is known beside an error.
 */
#include "lerror.h"

#include "held.h"
#include "lvalue.h"
#include "module.h"
#include "show.h"
#include "site.h"

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

static void push_cancelled_by(lua_State *L, size_t by) {
  lua_pushfstring(L, "Cancelled: %s", reasons[by]);
  awl_push_simple_error(L, AWL_CANCELLED, lua_tostring(L, -1));
  lua_remove(L, -2);
  lua_pushstring(L, reasons[by]);
  lua_setfield(L, -2, "reason");
  lua_pushstring(L, kinds[by]);
  lua_setfield(L, -2, "kind");
}

/* Without memory a crowd is cancelled with one that was made ahead of need:
 * each attempt to make another one collects all that there is. */
void awl_push_cancelled(lua_State *L, awl_state *s, const aw_task *task) {
  aw_value value;
  aw_cancel_kind by = aw_task_cancelled_by(task, &value);
  awl_push_value(L, s, value);
  if (awl_is_cancelled(L, s, -1))
    return;
  lua_pop(L, 1);
  if (s->starved)
    awl_get(L, s, AWL_CANCELLED_BY, (lua_Integer)by + 1);
  else
    push_cancelled_by(L, by);
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

/* ---- of the core ---- */

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

/* Push what a wait that failed was about [E4]: as it was told, a descriptor, or
 * what its wire says; nil if none is known. */
static void push_about(lua_State *L, const aw_error *error) {
  const aw_wire *holder;
  uint64_t ns;
  const aw_wire *wire = aw_error_wire(error, &holder, &ns);
  char about[AWL_LONGEST_WAIT] = "";
  if (wire) {
    aw_wire_view view;
    aw_wire_look(wire, &view);
    if (view.kind == AW_WIRE_WAIT)
      awl_describe(view.operation, view.data, about, sizeof about);
  }
  if (aw_error_subject(error))
    lua_pushstring(L, aw_error_subject(error));
  else if (aw_error_fd(error) >= 0)
    lua_pushfstring(L, "descriptor %d", aw_error_fd(error));
  else
    lua_pushstring(L, *about ? about : NULL);
}

void awl_push_error_object(lua_State *L, const aw_error *error) {
  int code = aw_error_code(error);
  const char *call = aw_error_call(error);
  switch (code) {
  case AW_ETASKCANCELLED: awl_push_task_cancelled(L); break;
  case AW_ETIMEOUT: push_wire_timeout(L, error); break;
  case AW_ESTRAY:
    lua_pushliteral(L, "stray Cancelled: nothing was cancelled here");
    break;
  case AW_ENOMEM: lua_pushliteral(L, "not enough memory"); break;
  case AW_EDEPTH:
  case AW_ESELF: lua_pushstring(L, aw_strerror(code)); break;
  default:
    push_about(L, error);
    aw_lua_push_system_error(L, code, call ? call : "wait",
                             lua_tostring(L, -1));
    lua_remove(L, -2);
  }
}

/* ---- classes ---- */

static int error_tostring(lua_State *L) {
  if (!lua_istable(L, 1))
    return aw_lua_type_error(L, 1, "error object");
  lua_getfield(L, 1, "message");
  return 1;
}

/* The text of an UnhandledException begins with its cause [E4]. */
static int unhandled_tostring(lua_State *L) {
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return aw_lua_type_error(L, 1, "UnhandledException");
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
      {AWL_CANCELLED, "aiowire.Cancelled", error_tostring},
      {AWL_TIMEOUT, "aiowire.Timeout", error_tostring},
      {AWL_TASK_CANCELLED, "aiowire.TaskCancelled", error_tostring},
      {AWL_UNHANDLED, "aiowire.UnhandledException", unhandled_tostring},
      {AWL_CLOSED, "aiowire.Closed", error_tostring},
      {AWL_SYSTEM_ERROR, "aiowire.SystemError", error_tostring},
      {AWL_DEADLOCK, "aiowire.Deadlock", error_tostring},
  };
  for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
    const luaL_Reg meta[] = {{"__tostring", classes[i].show}, {NULL, NULL}};
    awl_new_class(L, s, classes[i].class, classes[i].name, NULL, meta);
    lua_pop(L, 1);
  }
  awl_register(L, s, predicates);
  for (size_t by = 0; by < sizeof kinds / sizeof *kinds; by++) {
    push_cancelled_by(L, by);
    awl_set(L, s, AWL_CANCELLED_BY, (lua_Integer)by + 1);
  }
}
