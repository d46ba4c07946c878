/* floor.h - what the floor's programs share: a Lua state and N */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdio.h>
#include <stdlib.h>

static inline void floor_need(int good, lua_State *L) {
  if (good)
    return;
  const char *text = lua_tostring(L, -1);
  fprintf(stderr, "floor: %s\n", text ? text : "failed");
  exit(1);
}

static inline lua_State *floor_open(void) {
  lua_State *L = luaL_newstate();
  if (!L)
    abort();
  luaL_openlibs(L);
  return L;
}

/* Push `source` as a function. */
static inline void floor_load(lua_State *L, const char *source) {
  floor_need(luaL_loadstring(L, source) == LUA_OK, L);
}

/* Push what `source` returns. */
static inline void floor_run(lua_State *L, const char *source) {
  floor_load(L, source);
  floor_need(lua_pcall(L, 0, 1, 0) == LUA_OK, L);
}

static inline lua_Integer floor_count(int argc, char **argv) {
  return argc > 1 ? atoll(argv[1]) : 0;
}

#endif
