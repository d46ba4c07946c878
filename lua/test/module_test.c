/* module_test.c - aw_module_load(): which copies of aiowire a C module takes
 *
 * This program is the module; its own copy of aiowire is the one that it loads.
 */
#include <aiowire_module.h>

#include "check.h"

#include <lauxlib.h>
#include <lualib.h>

#include <string.h>

AW_MODULE_DEFINE

static int load_module(lua_State *L) {
  return aw_module_load(L);
}

/* A state where `require "aiowire"` calls `open`. */
static lua_State *new_state(lua_CFunction open) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, open);
  lua_setfield(L, -2, "aiowire");
  lua_settop(L, 0);
  return L;
}

static void loads(lua_State *L) {
  lua_pushcfunction(L, load_module);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_OK);
  CHECK(aw_module_table && aw_module_table->abi == AW_MODULE_ABI);
  aw_free(aw_allocate(1)); /* through the table */
  lua_close(L);
}

static void fails(lua_State *L, const char *text) {
  lua_pushcfunction(L, load_module);
  CHECK(lua_pcall(L, 0, 0, 0) == LUA_ERRRUN);
  const char *message = lua_tostring(L, -1);
  bool found = strstr(message, text) != NULL;
  if (!found)
    fprintf(stderr, "not in: %s\n", message);
  CHECK(found);
  lua_close(L);
}

static int open_nothing(lua_State *L) {
  lua_newtable(L);
  return 1;
}

static int raise_own(lua_State *L) {
  return luaL_error(L, "no aiowire here");
}

/* A state that has opened a copy with this table. */
static lua_State *new_state_with(aw_module_calls *calls) {
  lua_State *L = new_state(raise_own);
  lua_pushlightuserdata(L, calls);
  lua_setfield(L, LUA_REGISTRYINDEX, AW_MODULE_KEY);
  return L;
}

int main(void) {
  fails(new_state(raise_own), "no aiowire here");
  fails(new_state(open_nothing), "the loaded one is older");
  CHECK(!aw_module_table);
  loads(new_state(luaopen_aiowire));
  loads(new_state(luaopen_aiowire)); /* again is fine */

  aw_module_calls other = *aw_module_table;
  fails(new_state_with(&other), "this process has two copies of aiowire");
  other.version = "0.0.1";
  other.size--;
  fails(new_state_with(&other), "or later: the loaded one is 0.0.1");
  other.version = "9.9";
  other.abi = AW_MODULE_ABI + 1;
  fails(new_state_with(&other), "compile it again for aiowire 9.9");
  return 0;
}
