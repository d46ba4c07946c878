/* memory_pressure.h - memory that Lua's collector does not see */
#ifndef AWL_MEMORY_PRESSURE_H
#define AWL_MEMORY_PRESSURE_H

#include "base/state.h"

/* An object of Lua, which is anchored, holds `bytes` of the C library's memory
 * from now on. May collect, and so call finalizers of users. */
void awl_weigh(lua_State *L, awl_state *s, size_t bytes);
/* The same for the wire of a Wire. */
void awl_weigh_wire(lua_State *L, awl_state *s, const aw_wire *wire);

#endif
