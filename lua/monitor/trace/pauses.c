/* pauses.c - see pauses.h
 *
 * An object without references is collected in each cycle; its finalizer
 * records that, and makes the next one. A program that is linked with Lua can
 * tell more: it times each call of the collector itself (aw_lua_pause_begins).
 * Such a call comes in the middle of anything, so it is recorded without any
 * use of a Lua stack.
 *
 * Neighbours: lua/host/collector.c calls.
 */
#include "trace/pauses.h"

#include "trace/recorder.h"

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

/* Lua also calls a collector that is stopped, which does nothing then. */
uint64_t aw_lua_pause_begins(lua_State *L) {
  if (!awm_recorder_here(L) || lua_gc(L, LUA_GCISRUNNING) != 1)
    return 0;
  return awm_clock_ns();
}

void aw_lua_pause_ends(lua_State *L, uint64_t began, bool full) {
  awm_recorder *r = began ? awm_recorder_here(L) : NULL;
  if (r)
    awm_record_pause(r, began, full);
}
