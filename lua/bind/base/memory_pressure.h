/* memory_pressure.h - memory that Lua's collector does not see, and the lack of
 * memory */
#ifndef AWL_MEMORY_PRESSURE_H
#define AWL_MEMORY_PRESSURE_H

#include "base/state.h"

/* An object of Lua, which is anchored, holds `bytes` of the C library's memory
 * from now on. May collect, and so call finalizers of users. */
void awl_weigh(lua_State *L, awl_state *s, size_t bytes);
/* The same for the wire of a Wire. */
void awl_weigh_wire(lua_State *L, awl_state *s, const aw_wire *wire);

/* Memory could not be allocated. Each further attempt collects all garbage,
 * which takes long where there are many tasks: the run is hurried from now on.
 */
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
