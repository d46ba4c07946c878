/* pauses.c - see pauses.h
 *
 * An object without references is collected in each cycle; its finalizer
 * records that, and makes the next one. A program that is linked with Lua can
 * tell more: it times each call of the collector itself (aw_lua_pause_begins).
 * Such a call comes in the middle of anything, so it is recorded without any
 * use of a Lua stack.
 *
 * Neighbours: lua/host/state/collector.c calls.
 */
#include "trace/pauses.h"

#include "trace/recorder.h"

#include <uv.h>

static int record_cycle(lua_State *L) {
  awl_state *s = awl_find_state(L);
  if (!s)
    return 0;
  s->watches_cycles = s->recorder != NULL;
  if (!s->recorder)
    return 0;
  awm_record_cycle(s->recorder);
  lua_newuserdatauv(L, 0, 0);
  lua_getmetatable(L, 1);
  lua_setmetatable(L, -2);
  return 0;
}

void awm_watch_cycles(lua_State *L, awl_state *s) {
  if (s->watches_cycles)
    return;
  lua_newuserdatauv(L, 0, 0);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, record_cycle);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  s->watches_cycles = true;
}

/* The recorder of the state of L, if that was made on this thread. */
static awm_recorder *recorder_of(lua_State *L) {
  bool own = awm_here->registry == lua_topointer(L, LUA_REGISTRYINDEX);
  return own ? awm_here : NULL;
}

/* Lua also calls a collector that is stopped, which does nothing then. Not
 * inline: aw_lua_pause_begins() must stay small. */
__attribute__((noinline)) static uint64_t begin_pause(lua_State *L) {
  bool works = recorder_of(L) && lua_gc(L, LUA_GCISRUNNING) == 1;
  return works ? uv_hrtime() : 0;
}

/* Called whether or not anything is recorded. */
uint64_t aw_lua_pause_begins(lua_State *L) {
  return awm_here ? begin_pause(L) : 0;
}

void aw_lua_pause_ends(lua_State *L, uint64_t began, bool full) {
  awm_recorder *r = began && awm_here ? recorder_of(L) : NULL;
  if (r)
    awm_record_pause(r, began, full);
}
