/* wires.h - how Wires are put together: lwire.c, for lcompose.c
 *
 * A composite is made in two steps, so that nothing of the core is at hand
 * when Lua runs out of memory: awl_push_compound() pushes a Wire that holds
 * its parts for Lua, awl_fill_wire() gives it the wire of the core.
 */
#ifndef AWL_WIRES_H
#define AWL_WIRES_H

#include "bridge.h"

/* Make the value at `index` a Wire, in place. False: V2 does not accept it. */
bool awl_make_wire(lua_State *L, awl_state *s, int index);
/* The same, or a type error of argument `arg`. Raises. */
void awl_check_wire(lua_State *L, awl_state *s, int arg);
/* The wire of the core of the Wire at `index`. Borrowed. */
aw_wire *awl_wire_of(lua_State *L, int index);
/* Push a new Wire, without a wire yet, that holds the `count` Wires from
 * `first` on as far as they need Lua. Raises. */
void awl_push_compound(lua_State *L, awl_state *s, int first, int count);
/* Give the Wire on top its wire: takes; NULL raises "not enough memory".
 * Returns 1. */
int awl_fill_wire(lua_State *L, aw_wire *wire);
/* Replace the value on top by the Wire of a leaf of `kind`, which is about to
 * be a part. Raises. */
void awl_push_part(lua_State *L, awl_state *s, awl_leaf_kind kind);
/* The same, of a leaf that ends with the value on top. Raises. */
void awl_push_value_part(lua_State *L, awl_state *s);
/* Raise that the value at `index` is no operand. */
int awl_bad_operand(lua_State *L, int index, const char *operator);
/* Raise that an operator means nothing. */
int awl_misused(lua_State *L, const char *operator, const char * instead);

/* ---- lcompose.c ---- */
extern const luaL_Reg awl_compose_methods[], awl_compose_operators[];
/* Functions for the parts in Lua, into the table on top. Raises. */
void awl_open_compose(lua_State *L, awl_state *s);

#endif
