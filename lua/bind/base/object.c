/* object.c - what channels, events and semaphores have in common; see object.h
 */
#include "base/object.h"

#include "base/location.h"
#include "base/values.h"
#include "run/await.h"
#include "wire/show.h"

const char *awl_object_name(lua_State *L, awl_state *s, int arg,
                            const char *const *known) {
  if (!lua_isnoneornil(L, arg)) {
    aw_lua_check_options(L, arg, known, false);
    int type = lua_getfield(L, arg, "name");
    if (type != LUA_TNIL && type != LUA_TSTRING)
      aw_lua_bad_option(L, "name", "string");
    if (type == LUA_TSTRING)
      return lua_tostring(L, -1); /* it stays there */
  }
  const char *where = awl_where(L, s, 1);
  return *where == '?' ? NULL : where;
}

void awl_note_object(lua_State *L, awl_state *s, const void *object,
                     int index) {
  index = lua_absindex(L, index);
  awl_push_slot(L, s, AWL_OBJECTS);
  lua_pushvalue(L, index);
  lua_rawsetp(L, -2, object);
  lua_pop(L, 1);
}

int awl_foreign(lua_State *L, const char *what) {
  return awl_error(L,
                   "%s belongs to another engine: tasks of an EventLoop with a "
                   "clock or seed of its own share nothing with others",
                   what);
}

int awl_raise_refusal(lua_State *L, awl_worker *w, const char *what) {
  awl_check_result(L, w);
  return w->refused == AW_EINVAL ? awl_foreign(L, what) : awl_refused(L, w);
}

bool awl_push_object(const awl_state *s, const void *object) {
  if (s->closing)
    return false;
  if (lua_rawgetp(s->util, AWL_OBJECTS, object) == LUA_TUSERDATA)
    return true;
  lua_pop(s->util, 1);
  return false;
}

int awl_show_object(lua_State *L, const char *kind, const char *name,
                    size_t waiting) {
  lua_pushfstring(L, name ? "%s " : "%s", kind);
  awl_push_cut_name(L, name ? name : "");
  lua_pushliteral(L, " (");
  lua_concat(L, 3);
  lua_insert(L, -2);
  if (waiting > 0)
    lua_pushfstring(L, ", %I waiting)", (LUAI_UACINT)waiting);
  else
    lua_pushliteral(L, ")");
  lua_concat(L, 3);
  return 1;
}
