/* convert.h - converts Wires to wires of the core, and back; see convert.c */
#ifndef AWL_CONVERT_H
#define AWL_CONVERT_H

#include "wire/leaf.h"

/* Convert the value at `index` to a wire of the core for a task of `loop`. The
 * wire keeps alive the Lua values that it needs. NULL: the value is not
 * accepted as a wire [V2]. Gives. Raises. */
aw_wire *awl_to_wire(lua_State *L, awl_state *s, awl_loop *loop, int index);
/* Keep the value at `index` for `loop`, as awl_hold(). Raises, after releasing
 * `wire`. */
aw_value awl_hold_beside(lua_State *L, awl_loop *loop, int index,
                         aw_wire *wire);
/* The leaf by which `wire` holds a Lua value for the core, or NULL. */
awl_leaf *awl_held_leaf(const aw_wire *wire);
/* Does `wire`, of a running task, hold the value at `index` for the core? */
bool awl_holds(lua_State *L, const aw_wire *wire, int index);
/* A body of `task`, which runs in the wire of `leaf`, returned the value at
 * `index`, as awl_to_wire() takes it. Report that by aw_step_become(), whose
 * `at_once` and result these are: `*data` is the leaf of the step under way, or
 * NULL. False: not possible, and nothing has been reported. Raises; then
 * nothing has been reported, either. */
bool awl_become(lua_State *L, aw_task *task, awl_leaf *leaf, int index,
                bool at_once, awl_leaf **data);
/* Push the Lua value of a wire that came back from the core. Raises. */
/* takes `wire` */
void awl_push_wire(lua_State *L, awl_state *s, aw_wire *wire);
/* Return a new reference to the Wire or body that `task` runs, or the nearest
 * parent that runs one. The reference keeps alive everything that it refers to.
 * 0: there is none. Gives. */
aw_value awl_keep_running(awl_state *s, const aw_task *task);
/* Push the Wire that `wire` holds for the core, or nil. */
void awl_push_owner(lua_State *L, awl_state *s, const aw_wire *wire);

#endif
