/* build.h - making Wires and their leaves
 *
 * A composite is made in two steps, so that no wire of the core is lost when
 * Lua runs out of memory: awl_push_combined() pushes a Wire that refers to its
 * parts, awl_fill_wire() gives it the wire of the core.
 */
#ifndef AWL_BUILD_H
#define AWL_BUILD_H

#include "wire/leaf.h"

/* ---- Wires ---- */

/* The wire of the core of the value at `index`, if that is a Wire; or NULL.
 * Borrowed. Raises when it is finalized. */
aw_wire *awl_test_wire(lua_State *L, awl_state *s, int index);
/* Is the value at `index` accepted as a wire [V2]? */
bool awl_is_wire(lua_State *L, awl_state *s, int index);
bool awl_callable(lua_State *L, int index);
/* Make the value at `index` a Wire, in place. False: not accepted [V2]. */
bool awl_make_wire(lua_State *L, awl_state *s, int index);
/* The same, or a type error of argument `arg`. Raises. */
void awl_check_wire(lua_State *L, awl_state *s, int arg);
/* The wire of the core of the Wire at `index`; NULL: the Wire is finalized, and
 * this is its text. Borrowed. */
#define AWL_FINALIZED_WIRE "wire (finalized)"
aw_wire *awl_wire_of(lua_State *L, int index);
/* Does the Wire at `index` refer to anything in Lua? */
bool awl_needs_lua(lua_State *L, int index);
/* Push a new Wire without a wire of the core yet. Raises. */
void awl_push_simple(lua_State *L, awl_state *s);
/* The same, but it refers to those of the `count` Wires from `first` on that
 * need Lua. Raises. */
void awl_push_combined(lua_State *L, awl_state *s, int first, int count);
/* Give the Wire on top its wire: takes; NULL raises "not enough memory".
 * Returns 1. May collect. */
int awl_fill_wire(lua_State *L, awl_state *s, aw_wire *wire);
int awl_wire_gc(lua_State *L); /* its __gc */

/* ---- leaves ---- */

/* A new leaf, without content; NULL: out of memory. */
awl_leaf *awl_make_leaf(awl_state *s, awl_leaf_kind kind);
/* Frees a leaf. A wire of the core has a leaf if this is its release. */
void awl_release_leaf(void *leaf);
void awl_free_leaves(awl_state *s); /* the state ends */
/* Replace f (but for VALUE) and `extra` arguments on top by the Wire of a leaf
 * of `kind`. Returns 1. Raises. */
int awl_push_leaf(lua_State *L, awl_state *s, awl_leaf_kind kind, int extra);
/* Replace the value on top by the Wire of a leaf of `kind`, which is about to
 * be a part. Raises. */
void awl_push_part(lua_State *L, awl_state *s, awl_leaf_kind kind);
/* Push the content of a leaf that `task` is about to run: the function, or if
 * it has arguments a table with the function at 0 and the arguments after it.
 */
void awl_push_content(lua_State *L, awl_state *s, const awl_leaf *leaf,
                      const aw_task *task);
/* Is `leaf` the leaf of `wire`? */
bool awl_is_leaf(const aw_wire *wire, const awl_leaf *leaf);
void awl_push_leaf_name(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        const aw_task *task);

/* ---- misuse ---- */

/* Raise that the value at `index` is no operand. */
int awl_bad_operand(lua_State *L, int index, const char *operator);
/* Raise that an operator means nothing. */
int awl_misused(lua_State *L, const char *operator, const char * instead);

#endif
