/* errors.c - error objects: what errors of the library are in Lua
 *
 * An error object is a table; each class has a locked metatable. `message` is
 * the text, and `where` the user's line that raised the error. tostring()
 * begins with that line, as error() does for strings [E4]. Some objects stand
 * for an error of the core, which has a code. A Timeout says what it cut short:
 * `_waited` for what, and `_frames` where, see frames.c.
 *
 * Neighbours: info.c has what is known beside an error; core_error.c calls this
 * for errors that the core made.
 */
#include "errors/errors.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/show.h"
#include "base/values.h"
#include "errors/frames.h"
#include "open.h"
#include "wire/convert.h"

#include <string.h>

/* ---- where they are from ---- */

/* The user's line that awaits what the running worker runs; or where its task
 * was started; or NULL. */
static const char *place_outside(lua_State *L, awl_state *s) {
  const aw_task *task = s->run.running->task;
  const awl_worker *w;
  for (size_t i = 0; (w = aw_task_host_at(task, i)) != NULL; i++) {
    if (w == s->run.running)
      continue;
    const char *where = awl_where_in(L, s, w->co, 0);
    if (*where != '?')
      return where;
  }
  return aw_task_where(task);
}

/* The user's line that runs in L, or that awaits it, or where its task was
 * started; NULL if no code of the user's runs. */
static const char *place_in(lua_State *L, awl_state *s) {
  const awl_run *run = &s->run;
  if (run->engine && !run->running && !s->in_handler)
    return NULL; /* the driver: L is the stack of who called run */
  const char *where = awl_where(L, s, 0);
  if (*where != '?')
    return where;
  bool in_task = run->running && !s->in_handler;
  return in_task ? place_outside(L, s) : NULL;
}

static void set_where(lua_State *L, const char *where) {
  if (!where)
    return;
  lua_pushstring(L, where);
  lua_setfield(L, -2, "where");
}

/* Does an error object of that class have a place? */
#define PLACED(class, name, predicate, text, placed) [class] = placed,
static const bool is_placed[AWL_CLASSES] = {AWL_ERROR_TYPES(PLACED)};
#undef PLACED

/* Is the value on top an error object with a place, or that may have one? */
static bool has_place(lua_State *L, awl_state *s) {
  if (!lua_istable(L, -1) || !lua_getmetatable(L, -1))
    return false;
  const void *metatable = lua_topointer(L, -1);
  lua_pop(L, 1);
  for (int i = 0; i < AWL_CLASSES; i++)
    if (metatable == s->metatables[i])
      return is_placed[i];
  return false;
}

void awl_place_error(lua_State *L, awl_state *s, const aw_task *task) {
  if (!has_place(L, s))
    return;
  bool placed = lua_getfield(L, -1, "where") != LUA_TNIL;
  lua_pop(L, 1);
  if (!placed)
    set_where(L, task ? aw_task_where(task) : place_in(L, s));
}

void awl_push_place(lua_State *L, awl_state *s) {
  lua_pushstring(L, place_in(L, s)); /* NULL: nil */
}

/* ---- the objects ---- */

/* [.., text] → [.., object], from `where` (or NULL), with room for `fields`
 * more. */
static void push_error_table(lua_State *L, awl_state *s, awl_class class,
                             const char *where, int fields) {
  lua_createtable(L, 0, 2 + fields);
  lua_insert(L, -2);
  lua_setfield(L, -2, "message");
  set_where(L, where);
  awl_push_class(L, s, class);
  lua_setmetatable(L, -2);
}

void awl_push_simple_error(lua_State *L, awl_class class, const char *text) {
  awl_state *s = awl_open(L);
  const char *where = is_placed[class] ? place_in(L, s) : NULL;
  lua_pushstring(L, text);
  push_error_table(L, s, class, where, 0);
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

/* Out of memory, tasks are cancelled with an object that was made in advance:
 * each attempt to make another one would collect all garbage. */
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

/* Has the running body of `task` awaited the wire whose wait was cut short, so
 * that this stands where the body does? */
static bool stands_here(lua_State *L, const awl_state *s, const aw_cut *cut) {
  const char *where;
  const awl_worker *w = s->run.running;
  return w && L == s->run.co && aw_cut_task(cut, &where) == aw_task_id(w->task);
}

/* What the Timeout on top cut short. */
static void set_cut(lua_State *L, awl_state *s, const aw_cut *cut) {
  const char *started;
  uint64_t task = aw_cut_task(cut, &started);
  const char *text = aw_cut_text(cut);
  if (aw_cut_own(cut))
    lua_pushstring(L, text);
  else
    lua_pushfstring(L, "%s in task %I", text, (LUAI_UACINT)task);
  lua_setfield(L, -2, "_waited");
  awl_push_value(L, s, aw_cut_value(cut));
  if (!awl_is_frames(L, -1) && stands_here(L, s, cut)) {
    lua_pop(L, 1);
    awl_push_frames(L, s, 0);
  }
  lua_setfield(L, -2, "_frames");
  lua_pushstring(L, started);
  lua_setfield(L, -2, "_started");
}

void awl_push_timeout(lua_State *L, double seconds, const aw_cut *cut) {
  enum { FIELDS = 6 };
  awl_state *s = awl_open(L);
  const char *where = place_in(L, s);
  lua_pushfstring(L, "timeout after %f s", seconds);
  push_error_table(L, s, AWL_TIMEOUT, where, FIELDS);
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, "after");
  if (cut)
    set_cut(L, s, cut);
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
  awl_state *s = awl_open(L);
  const char *where = place_in(L, s);
  if (code == AW_ECLOSED) {
    lua_pushfstring(L, about ? "Closed: %s of %s" : "Closed: %s", call, about);
    push_error_table(L, s, AWL_CLOSED, where, 0);
    return;
  }
  lua_createtable(L, 0, 6);
  set_where(L, where);
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
  awl_push_class(L, s, AWL_SYSTEM_ERROR);
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
  awl_push_timeout(L, awl_seconds(ns), aw_error_cut(error));
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
  case AW_ETIMEOUT: push_wire_timeout(L, error); break;
  case AW_ESTRAY:
    lua_pushliteral(L, "stray Cancelled: nothing was cancelled here");
    break;
  case AW_ENOMEM: lua_pushliteral(L, "not enough memory"); break;
  case AW_EDEPTH:
  case AW_ESELF: lua_pushstring(L, aw_strerror(code)); break;
  default:
    push_error_about(L, error);
    aw_lua_push_system_error(L, code, call ? call : "wait",
                             lua_tostring(L, -1));
    lua_remove(L, -2);
  }
}

/* ---- classes ---- */

static int cancelled_tostring(lua_State *L) {
  if (!lua_istable(L, 1))
    return aw_lua_type_error(L, 1, "error object");
  lua_getfield(L, 1, "message");
  return 1;
}

/* Begins with the user's line that raised it, if that is known [E4]. */
static int error_tostring(lua_State *L) {
  lua_settop(L, 1);
  cancelled_tostring(L);
  if (lua_getfield(L, 1, "where") == LUA_TSTRING &&
      lua_type(L, 2) == LUA_TSTRING)
    lua_pushfstring(L, "%s: %s", lua_tostring(L, 3), lua_tostring(L, 2));
  else
    lua_settop(L, 2);
  return 1;
}

/* The field `key` of the Timeout at `index`; NULL, and nothing is pushed: it is
 * no text. */
static const char *push_text_field(lua_State *L, int index, const char *key) {
  lua_pushstring(L, key);
  if (lua_rawget(L, index) == LUA_TSTRING)
    return lua_tostring(L, -1);
  lua_pop(L, 1);
  return NULL;
}

/* Push the text of the frames of the Timeout at `index`, or "". */
static void push_timeout_frames(lua_State *L, int index, bool only_place) {
  lua_pushliteral(L, "_frames");
  lua_rawget(L, index);
  if (awl_is_frames(L, -1))
    awl_push_frames_text(L, -1, only_place);
  else
    lua_pushliteral(L, "");
  lua_remove(L, -2);
}

bool awl_push_waited(lua_State *L, int index) {
  index = lua_absindex(L, index);
  const char *waited = push_text_field(L, index, "_waited");
  if (!waited)
    return false;
  lua_pushfstring(L, "cut short: %s", waited);
  push_timeout_frames(L, index, false);
  lua_concat(L, 2);
  lua_replace(L, -2);
  push_timeout_frames(L, index, true);
  bool placed = *lua_tostring(L, -1) != '\0';
  lua_pop(L, 1);
  const char *started = placed ? NULL : push_text_field(L, index, "_started");
  if (started) {
    lua_pushfstring(L, "\n\tstarted at %s", started);
    lua_replace(L, -2);
    lua_concat(L, 2);
  }
  return true;
}

/* [Timeout, text] → the same, with the one line of what it cut short. */
static void add_timeout_cut(lua_State *L) {
  const char *waited = push_text_field(L, 1, "_waited");
  if (!waited)
    return;
  push_timeout_frames(L, 1, true);
  const char *place = lua_tostring(L, -1);
  const char *started =
      *place == '\0' ? push_text_field(L, 1, "_started") : NULL;
  lua_pushfstring(L, "%s (cut short: %s%s%s)", lua_tostring(L, 2), waited,
                  *place || started ? ", " : "",
                  *place    ? place
                  : started ? lua_pushfstring(L, "started at %s", started)
                            : "");
  lua_replace(L, 2);
  lua_settop(L, 2);
}

static int timeout_tostring(lua_State *L) {
  error_tostring(L);
  lua_replace(L, 2);
  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING)
    add_timeout_cut(L);
  return 1;
}

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
 * names no line, the line is added, with that where the task was started. */
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

/* is_timeout(v) and its like; the class is upvalue 2. */
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

void awl_open_errors(lua_State *L, awl_state *s) {
  for (size_t i = 0; i < sizeof types / sizeof *types; i++)
    open_type(L, s, &types[i]);
  for (size_t by = 0; by < sizeof kinds / sizeof *kinds; by++) {
    push_cancelled_by(L, by);
    awl_set(L, s, AWL_CANCELLED_BY, (lua_Integer)by + 1);
  }
}
