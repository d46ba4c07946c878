/* error_object.c - how an error object is made, and where it is from
 *
 * An error object is a table; each class has a locked metatable. `message` is
 * the text, and `where` the user's line that raised the error. tostring()
 * begins with that line, as error() does for strings [E4].
 *
 * Neighbours: errors.c and timeout.c make the objects of each class.
 */
#include "errors/error_object.h"

#include "base/classes.h"
#include "base/location.h"
#include "base/tasks.h"

/* ---- where they are from ---- */

/* The user's line that awaits what the running worker runs; or where its task
 * was started; or NULL. */
static const char *place_outside(lua_State *L, awl_state *s) {
  const aw_task *task = s->run.running->task;
  const awl_worker *w;
  size_t i = 0;
  while ((w = awl_parked_at(s, task, &i)) != NULL) {
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

/* ---- making ---- */

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

void awl_new_error(lua_State *L, awl_state *s, awl_class class, int fields) {
  const char *where = is_placed[class] ? place_in(L, s) : NULL;
  push_error_table(L, s, class, where, fields);
}

void awl_push_simple_error(lua_State *L, awl_class class, const char *text) {
  lua_pushstring(L, text);
  awl_new_error(L, awl_open(L), class, 0);
}

/* ---- texts ---- */

int awl_message_tostring(lua_State *L) {
  if (!lua_istable(L, 1))
    return aw_lua_type_error(L, 1, "error object");
  lua_getfield(L, 1, "message");
  return 1;
}

int awl_error_tostring(lua_State *L) {
  lua_settop(L, 1);
  awl_message_tostring(L);
  if (lua_getfield(L, 1, "where") == LUA_TSTRING &&
      lua_type(L, 2) == LUA_TSTRING)
    lua_pushfstring(L, "%s: %s", lua_tostring(L, 3), lua_tostring(L, 2));
  else
    lua_settop(L, 2);
  return 1;
}
