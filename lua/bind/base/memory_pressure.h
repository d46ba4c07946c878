/* memory_pressure.h - memory that Lua's collector does not see, and the lack of
 * memory */
#ifndef AWL_MEMORY_PRESSURE_H
#define AWL_MEMORY_PRESSURE_H

#include "base/state.h"

/* Tell the collector that an object of Lua owns `more` bytes of C memory from
 * now on. The caller keeps the object alive. May collect, and so call
 * finalizers of users. */
void awl_weigh(lua_State *L, awl_state *s, size_t more);
/* As awl_weigh(), for a Wire that owns `wire`. */
void awl_weigh_wire(lua_State *L, awl_state *s, const aw_wire *wire);

/* Note that an allocation has failed. Each further attempt collects all
 * garbage, which takes long if there are many tasks: so the run is hurried from
 * now on. */
static inline void awl_starve(awl_state *s) {
  s->starved = true;
  s->run.hurried = true;
}
/* Return true if a protected call that returned `status` succeeded. If it was
 * out of memory, call awl_starve(). */
static inline bool awl_succeeded(awl_state *s, int status) {
  if (status == LUA_ERRMEM)
    awl_starve(s);
  return status == LUA_OK;
}

#endif
