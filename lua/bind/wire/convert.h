/* convert.h - converts Wires to wires of the core, and back; see convert.c */
#ifndef AWL_CONVERT_H
#define AWL_CONVERT_H

#include "base/state.h"

/* Turn what is accepted as a wire [V2] at `index` into one for a task of
 * `loop`, which holds what it needs of Lua. NULL: not accepted. Gives. Raises.
 */
aw_wire *awl_to_wire(lua_State *L, awl_state *s, awl_loop *loop, int index);
/* As awl_to_wire(); if it raises, `value` is dropped first. */
aw_wire *awl_to_wire_or_drop(lua_State *L, awl_state *s, awl_loop *loop,
                             int index, aw_value value);
/* Push the Lua value of a wire that came back from the core. Raises. */
void awl_push_wire(lua_State *L, awl_state *s, aw_wire *wire); /* takes */
/* Is the value at `index` the one that `wire` holds for the core? */
bool awl_holds(lua_State *L, awl_state *s, const aw_wire *wire, int index);
/* Keep the Wire or body that `task` runs, or one of its parents: a new
 * reference, which keeps alive what that is made of. 0: there is none. Gives.
 */
aw_value awl_keep_running(awl_state *s, const aw_task *task);
/* Push the Wire that `wire` holds for the core, or nil. */
void awl_push_owner(lua_State *L, awl_state *s, const aw_wire *wire);

#endif
