/* arguments.c - names of functions, and errors about arguments
 *
 * Lua's auxiliary library takes the name of a function from the text of its
 * call. So that library knows no name when pcall, aw.Call or a tail call calls
 * the function, and it blames the caller only if the caller is a Lua function.
 * Here the last two upvalues of each function are its name and a mark, and
 * aw_lua_error() finds the user's line. A call costs no more for that.
 *
 * Parts in Lua check their arguments with functions that have no name: errors
 * show the name of the function that called the part.
 *
 * Neighbours: location.c finds the user's line; options.c checks tables of
 * options.
 */
#include "base/arguments.h"

#include "base/location.h"

#include <string.h>

static const char MARK = 'm'; /* the address of MARK is the mark */

/* ---- names ---- */

void aw_lua_push_function(lua_State *L, lua_CFunction f, int upvalues,
                          const char *name) {
  lua_pushstring(L, name);
  lua_pushlightuserdata(L, (void *)(uintptr_t)&MARK);
  lua_pushcclosure(L, f, upvalues + 2);
}

void aw_lua_set_functions(lua_State *L, const luaL_Reg *list, int upvalues) {
  luaL_checkstack(L, upvalues + 3, "too many upvalues");
  int table = lua_gettop(L) - upvalues;
  for (; list->name; list++) {
    for (int i = 1; i <= upvalues; i++)
      lua_pushvalue(L, table + i);
    aw_lua_push_function(L, list->func, upvalues, list->name);
    lua_setfield(L, table, list->name);
  }
  lua_settop(L, table);
}

/* The name of the function that runs at `ar`, or NULL. Borrowed from that
 * function. */
static const char *own_name(lua_State *L, lua_Debug *ar) {
  const char *name = NULL;
  lua_getinfo(L, "fu", ar);
  if (ar->nups >= 2 && lua_iscfunction(L, -1)) {
    lua_getupvalue(L, -1, ar->nups);
    lua_getupvalue(L, -2, ar->nups - 1);
    if (lua_touserdata(L, -2) == &MARK)
      name = lua_tostring(L, -1);
    lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return name;
}

/* Return the name of the innermost named function of the binding: the user
 * called that function, and the functions inside it are its helpers. Without a
 * named function, return Lua's name of the innermost function. Fills "n" of
 * `ar`. */
static const char *find_name(lua_State *L, lua_Debug *ar) {
  const char *name = NULL;
  for (int level = 0; !name && lua_getstack(L, level, ar); level++) {
    if (awl_is_users(L, ar))
      break;
    name = own_name(L, ar);
  }
  if (!name && !lua_getstack(L, 0, ar)) {
    ar->namewhat = "";
    return "?";
  }
  lua_getinfo(L, "n", ar);
  return name ? name : ar->name ? ar->name : "?";
}

/* ---- errors ---- */

int aw_lua_arg_error(lua_State *L, int arg, const char *why) {
  lua_Debug ar;
  const char *name = find_name(L, &ar);
  bool is_method = strcmp(ar.namewhat, "method") == 0;
  if (is_method && arg == 1) /* the text of luaL_argerror() */
    return awl_error(L, "calling '%s' on bad self (%s)", name, why);
  return awl_error(L, "bad argument #%d to '%s' (%s)", arg - is_method, name,
                   why);
}

const char *aw_lua_type_name(lua_State *L, int index) {
  /* bytes of a class name in a message: the user may have chosen it */
  enum { LONGEST = 60 };
  if (lua_type(L, index) == LUA_TLIGHTUSERDATA)
    return "light userdata";
  const char *name = NULL;
  int type = luaL_getmetafield(L, index, "__name");
  if (type == LUA_TSTRING)
    name = lua_tostring(L, -1); /* the metatable keeps the name alive */
  if (type != LUA_TNIL)
    lua_pop(L, 1);
  bool is_fit = name && strlen(name) <= LONGEST;
  return is_fit ? name : luaL_typename(L, index);
}

int aw_lua_type_error(lua_State *L, int arg, const char *expected) {
  return aw_lua_arg_error(L, arg,
                          lua_pushfstring(L, "%s expected, got %s", expected,
                                          aw_lua_type_name(L, arg)));
}

int awl_bad_self(lua_State *L, const char *class) {
  lua_Debug ar;
  bool dot = lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar) &&
             strcmp(ar.namewhat, "method") != 0;
  if (!dot)
    return aw_lua_type_error(L, 1, class);
  const char *got = lua_isnone(L, 1) ? "no value" : aw_lua_type_name(L, 1);
  lua_pushfstring(L, "%s expected, got %s; call it with ':'", class, got);
  return aw_lua_arg_error(L, 1, lua_tostring(L, -1));
}

/* ---- checks ---- */

void aw_lua_arg_check(lua_State *L, bool holds, int arg, const char *why) {
  if (!holds)
    aw_lua_arg_error(L, arg, why);
}

void aw_lua_check_any(lua_State *L, int arg) {
  if (lua_isnone(L, arg))
    aw_lua_arg_error(L, arg, "value expected");
}

void aw_lua_check_type(lua_State *L, int arg, int type) {
  if (lua_type(L, arg) != type)
    aw_lua_type_error(L, arg, lua_typename(L, type));
}

lua_Integer aw_lua_check_integer(lua_State *L, int arg) {
  int is_integer;
  lua_Integer value = lua_tointegerx(L, arg, &is_integer);
  if (is_integer)
    return value;
  if (lua_isnumber(L, arg))
    return aw_lua_arg_error(L, arg, "number has no integer representation");
  return aw_lua_type_error(L, arg, lua_typename(L, LUA_TNUMBER));
}

const char *aw_lua_check_string(lua_State *L, int arg, size_t *size) {
  const char *text = lua_tolstring(L, arg, size);
  if (!text)
    aw_lua_type_error(L, arg, lua_typename(L, LUA_TSTRING));
  return text;
}
