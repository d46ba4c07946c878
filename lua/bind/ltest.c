/* ltest.c - the limit in real time that a test has [K6]
 *
 * Virtual time can go on for ever in no time. So a run may have a limit in
 * real time: the driver looks at it between steps, and in aw_next() the engine
 * wakes its host now and then. When it is over, the dump is kept for the
 * message, and all is cancelled at once.
 */
#include "ltest.h"

#include "lloop.h"
#include "module.h"

#include <time.h>

static const char DUMP_KEY = 'd'; /* its address is the key */

uint64_t awl_real_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * AW_SECOND + (uint64_t)now.tv_nsec;
}

/* (light loop): keep the dump of the loop. */
static int keep_dump(lua_State *L) {
  awl_state *s = awl_open(L);
  awl_push_embedded(L, "aiowire.dump");
  awl_push_loop(L, s, awl_loop_of(s, lua_touserdata(L, 1)));
  lua_call(L, 1, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DUMP_KEY);
  return 0;
}

void awl_limit_hit(lua_State *L, awl_state *s) {
  lua_pushcfunction(L, keep_dump);
  lua_pushlightuserdata(L, s->run.loop);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
  aw_loop_stop(s->run.loop, true);
}

/* limit_dump(): what was there when the last limit was hit, once; or nil */
static int inner_limit_dump(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &DUMP_KEY);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &DUMP_KEY);
  return 1;
}

/* Into the table of inner functions, below the module's on top. */
void awl_open_test(lua_State *L, awl_state *s) {
  static const luaL_Reg inner[] = {{"limit_dump", inner_limit_dump},
                                   {NULL, NULL}};
  lua_pushvalue(L, -2);
  awl_register(L, s, inner);
  lua_pop(L, 1);
}
