/* state.h - a Lua state with an allocator of the test's own */
#ifndef STATE_H
#define STATE_H

#include <lua.h>

static lua_State *new_state(lua_Alloc allocator) {
#if LUA_VERSION_NUM >= 505 /* with a seed for hashes */
  return lua_newstate(allocator, NULL, 0);
#else
  return lua_newstate(allocator, NULL);
#endif
}

#endif
