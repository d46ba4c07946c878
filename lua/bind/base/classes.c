/* classes.c - classes of objects, and what objects have in common
 *
 * A class is a metatable in the registry. The methods of a class and the
 * functions of the module have the state as upvalue 1, and their own name as
 * another upvalue.
 *
 * Neighbours: arguments.c reads the names of functions; resources.c frees what
 * objects own in C.
 */
#include "base/classes.h"

#include "base/location.h"
#include "base/show_value.h"

/* ---- classes ---- */

void awl_register(lua_State *L, awl_state *s, const luaL_Reg *functions) {
  lua_pushlightuserdata(L, s);
  aw_lua_set_functions(L, functions, 1);
}

void awl_register_inner(lua_State *L, awl_state *s, const luaL_Reg *functions) {
  lua_pushlightuserdata(L, s);
  luaL_setfuncs(L, functions, 1);
}

/* [metatable, methods] → [metatable]: the methods become its __index, or
 * upvalue 2 of the function that is its __index. */
static void set_methods(lua_State *L, awl_state *s) {
  lua_getfield(L, -2, "__index");
  lua_CFunction index = lua_tocfunction(L, -1);
  lua_pop(L, 1);
  if (index) {
    lua_pushlightuserdata(L, s);
    lua_insert(L, -2);
    lua_pushcclosure(L, index, 2);
  }
  lua_setfield(L, -2, "__index");
}

void awl_new_class(lua_State *L, awl_state *s, awl_class class,
                   const char *name, const luaL_Reg *methods,
                   const luaL_Reg *meta) {
  lua_newtable(L);
  s->metatables[class] = lua_topointer(L, -1);
  if (meta)
    awl_register(L, s, meta);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable"); /* locked [V1] */
  if (methods) {
    lua_newtable(L);
    awl_register(L, s, methods);
    set_methods(L, s);
  }
  lua_pushvalue(L, -1);
  s->classes[class] = luaL_ref(L, LUA_REGISTRYINDEX);
}

bool awl_push_method(lua_State *L) {
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL)
    return true;
  lua_pop(L, 1);
  return false;
}

/* ---- objects ---- */

const char *awl_object_name(lua_State *L, awl_state *s, int arg,
                            const char *const *known) {
  if (!lua_isnoneornil(L, arg)) {
    aw_lua_check_options(L, arg, known, false);
    int type = lua_getfield(L, arg, "name");
    if (type != LUA_TNIL && type != LUA_TSTRING)
      aw_lua_bad_option(L, "name", "string");
    if (type == LUA_TSTRING)
      return lua_tostring(L, -1); /* the options table keeps the name alive */
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
