/* fake.c - loads the module `ticker` in states with other tables of functions
 *
 *   ./fake old | new | second
 *
 * Prints the error of `require`. */
#define AW_MODULE_LINKED
#include <aiowire_module.h>
#include <lualib.h>

#include <string.h>

static lua_State *new_state(const aw_module_calls *calls) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_pop(L, 1);
  if (calls) {
    lua_pushlightuserdata(L, (void *)calls);
    lua_setfield(L, LUA_REGISTRYINDEX, AW_MODULE_KEY);
  }
  return L;
}

static int load(lua_State *L) {
  int failed = luaL_dostring(L, "return require 'ticker' and 'loaded'");
  lua_writestring(lua_tostring(L, -1), strlen(lua_tostring(L, -1)));
  lua_writeline();
  return failed;
}

int main(int argc, char **argv) {
  (void)argc;
  lua_State *first = new_state(NULL);
  lua_getfield(first, LUA_REGISTRYINDEX, AW_MODULE_KEY);
  aw_module_calls other = *(const aw_module_calls *)lua_touserdata(first, -1);
  lua_pop(first, 1);
  if (strcmp(argv[1], "old") == 0) {
    other.size -= sizeof other.at_aw_version;
    other.version = "0.0.9";
  } else if (strcmp(argv[1], "new") == 0) {
    other.abi += 1;
    other.version = "9.0.0";
  } else if (load(first) != 0) { /* "second" */
    return 1;
  }
  lua_State *second = new_state(&other);
  int failed = load(second);
  lua_close(second);
  lua_close(first); /* now, since Lua unloads the module */
  return !failed;
}
