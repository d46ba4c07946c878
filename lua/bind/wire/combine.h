/* combine.h - what combines Wires; see combine.c */
#ifndef AWL_COMBINE_H
#define AWL_COMBINE_H

#include "base/state.h"

/* Of the class Wire, see constructors.c. */
extern const luaL_Reg awl_compose_methods[], awl_compose_operators[];
/* Functions for the parts in Lua, into the table on top. Raises. */
void awl_open_compose(lua_State *L, awl_state *s);

#endif
