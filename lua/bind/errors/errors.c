/* errors.c - error objects: the errors of the library as Lua values
 *
 * Some objects stand for an error of the core, which has a code. The rows of
 * AWL_ERROR_TYPES are the classes.
 *
 * Neighbours: error_object.c has what all of them share, timeout.c Timeout,
 * info.c what is known beside an error; core_error.c calls this for errors that
 * the core made.
 */
#include "errors/errors.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/show_value.h"
#include "base/values.h"
#include "errors/error_object.h"
#include "errors/timeout.h"
#include "open.h"

#include <string.h>

/* ---- the objects ---- */

bool awl_is_cancelled(lua_State *L, awl_state *s, int index) {
  return lua_istable(L, index) && awl_is(L, s, index, AWL_CANCELLED);
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
/* The texts; a reason is what follows "Cancelled: ". */
enum { BEFORE_REASON = sizeof "Cancelled: " - 1 };
static const char *const texts[] = {
    "Cancelled: nothing",
    "Cancelled: the task was cancelled",
    "Cancelled: the scope was cancelled",
    "Cancelled: the time is over",
    "Cancelled: something in the scope failed",
    "Cancelled: the loop is ending",
    "Cancelled: what it belongs to was left",
    "Cancelled: another one was first",
};

static void push_cancelled_by(lua_State *L, awl_state *s, size_t by) {
  enum { FIELDS = 2 };
  lua_pushstring(L, texts[by]);
  awl_new_error(L, s, AWL_CANCELLED, FIELDS);
  lua_pushstring(L, texts[by] + BEFORE_REASON);
  lua_setfield(L, -2, "reason");
  lua_pushstring(L, kinds[by]);
  lua_setfield(L, -2, "kind");
}

/* Out of memory, Cancelled is an object that was made in advance: each attempt
 * to make a new object would collect all garbage. */
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
    push_cancelled_by(L, s, by);
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
  enum { FIELDS = 4 };
  if (code == AW_ECLOSED) {
    lua_pushfstring(L, about ? "Closed: %s of %s" : "Closed: %s", call, about);
    awl_new_error(L, awl_open(L), AWL_CLOSED, 0);
    return;
  }
  if (about)
    lua_pushfstring(L, "%s '%s': %s", call, about, aw_strerror(code));
  else
    lua_pushfstring(L, "%s: %s", call, aw_strerror(code));
  awl_new_error(L, awl_open(L), AWL_SYSTEM_ERROR, FIELDS);
  lua_pushstring(L, aw_error_name(code));
  lua_setfield(L, -2, "code");
  lua_pushinteger(L, -(lua_Integer)code);
  lua_setfield(L, -2, "errno");
  lua_pushstring(L, call);
  lua_setfield(L, -2, "call");
  lua_pushstring(L, about);
  lua_setfield(L, -2, "about");
}

int aw_lua_system_error(lua_State *L, int code, const char *call,
                        const char *about) {
  aw_lua_push_system_error(L, code, call, about);
  return lua_error(L);
}

static void push_error_about(lua_State *L, const aw_error *error) {
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
  case AW_ETIMEOUT: awl_push_wire_timeout(L, error); break;
  case AW_ESTRAY:
    lua_pushliteral(L, "stray Cancelled: nothing was cancelled here");
    break;
  case AW_ENOMEM: lua_pushliteral(L, "not enough memory"); break;
  case AW_EDEPTH:
  case AW_ESELF: lua_pushstring(L, aw_strerror(code)); break;
  case AW_EHOST: { /* without a value: that of aw_guard() has a text */
    const char *text = aw_error_subject(error);
    lua_pushstring(L, text ? text : aw_strerror(code));
    break;
  }
  default:
    push_error_about(L, error);
    aw_lua_push_system_error(L, code, call ? call : "wait",
                             lua_tostring(L, -1));
    lua_remove(L, -2);
  }
}

/* ---- classes ---- */

/* Does the text say a line, as "file:12:"? */
static bool has_line(const char *text) {
  for (const char *at = text; (at = strchr(at, ':')) != NULL; at++) {
    size_t digits = strspn(at + 1, "0123456789");
    if (digits > 0 && at[1 + digits] == ':')
      return true;
  }
  return false;
}

/* Push "file:line" of the innermost Lua frame in the traceback of the info at
 * `info`; nil if all frames are C. */
static void push_raised_at(lua_State *L, int info) {
  lua_getfield(L, info, "traceback");
  const char *at = lua_tostring(L, -1);
  const char *end = NULL;
  while (at && !end && (at = strstr(at, "\n\t")) != NULL) {
    at += 2;
    if (strncmp(at, "[C]:", 4) != 0)
      end = strstr(at, ": in ");
  }
  if (end)
    lua_pushlstring(L, at, (size_t)(end - at));
  else
    lua_pushnil(L);
  lua_remove(L, -2);
}

/* The text of an UnhandledException begins with its cause [E4]. If the cause
 * names no line, the text adds the line that raised the cause. It also adds the
 * line that started the task, if known. */
static int unhandled_tostring(lua_State *L) {
  enum { CAUSE = 3, INFO };
  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return aw_lua_type_error(L, 1, "UnhandledException");
  lua_getfield(L, 1, "cause");
  const char *cause = luaL_tolstring(L, -1, NULL);
  const char *raised = NULL, *started = NULL;
  if (lua_getfield(L, 1, "info") == LUA_TTABLE) {
    if (!has_line(cause))
      push_raised_at(L, INFO);
    raised = lua_tostring(L, INFO + 1);
    lua_getfield(L, INFO, "started_at");
    started = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
  }
  lua_pushfstring(L, "%s\n(UnhandledException%s%s%s%s%s)", cause,
                  raised ? " raised at " : "", raised ? raised : "",
                  raised && started ? "," : "",
                  started ? " in a task started at " : "",
                  started ? started : "");
  return 1;
}

/* is_timeout(v) and similar predicates; the class is upvalue 2. */
static int is_of_class(lua_State *L) {
  awl_class class = (awl_class)lua_tointeger(L, lua_upvalueindex(2));
  lua_settop(L, 1);
  lua_pushboolean(L, awl_is(L, awl_of(L), 1, class));
  return 1;
}

typedef struct error_type {
  awl_class class;
  const char *name, *predicate;
  lua_CFunction text;
} error_type;

#define TYPE(class, name, predicate, text, placed) \
  {class, name, predicate, text},
static const error_type types[] = {AWL_ERROR_TYPES(TYPE)};
#undef TYPE

static void open_type(lua_State *L, awl_state *s, const error_type *type) {
  const luaL_Reg meta[] = {{"__tostring", type->text}, {NULL, NULL}};
  awl_new_class(L, s, type->class, type->name, NULL, meta);
  lua_pop(L, 1);
  lua_pushlightuserdata(L, s);
  lua_pushinteger(L, type->class);
  aw_lua_push_function(L, is_of_class, 2, type->predicate);
  lua_setfield(L, -2, type->predicate);
}

const char *aw_lua_error_class(lua_State *L, int index) {
  const awl_state *s = awl_find_state(L);
  if (!s || !lua_istable(L, index) || !lua_getmetatable(L, index))
    return NULL;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (s->metatables[types[i].class] == metatable)
      return types[i].name;
  return NULL;
}

void aw_lua_set_error_class(lua_State *L, const char *class_name) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    if (types[i].name == class_name || strcmp(types[i].name, class_name) == 0) {
      awl_push_class(L, awl_open(L), types[i].class);
      lua_setmetatable(L, -2);
      return;
    }
}

void awl_open_errors(lua_State *L, awl_state *s) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    open_type(L, s, &types[i]);
  for (size_t by = 0; by < sizeof kinds / sizeof *kinds; by++) {
    push_cancelled_by(L, s, by);
    awl_set(L, s, AWL_CANCELLED_BY, (lua_Integer)by + 1);
  }
}
