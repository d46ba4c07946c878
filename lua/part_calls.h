/* part_calls.h - functions of the module that are written in Lua */
#ifndef AWL_PART_CALLS_H
#define AWL_PART_CALLS_H

#include "base/state.h"

/* Let the field `name` of the table on top be a function which the part `part`
 * has: what that returned, or the field `name` of the table that it returned.
 * Raises. */
void awl_add_part(lua_State *L, awl_state *s, const char *name,
                  const char *part);
/* Functions in C that only parts may call. */
extern const luaL_Reg awl_inner_functions[];

#endif
