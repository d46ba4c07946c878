/* lcompose.h - what combines Wires; see lcompose.c */
#ifndef AWL_LCOMPOSE_H
#define AWL_LCOMPOSE_H

#include "bridge.h"

/* Of the class Wire, see lwire.c. */
extern const luaL_Reg awl_compose_methods[], awl_compose_operators[];
/* Functions for the parts in Lua, into the table on top. Raises. */
void awl_open_compose(lua_State *L, awl_state *s);

#endif
