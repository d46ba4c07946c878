/* look.h - wires as tables of Lua, for graphs; see look.c */
#ifndef AWL_LOOK_H
#define AWL_LOOK_H

#include "base/state.h"

/* Push the table of a wire that somebody keeps alive. Raises. */
void awl_push_look(lua_State *L, awl_state *s, const aw_wire *wire);

#endif
