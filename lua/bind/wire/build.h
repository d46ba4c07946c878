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

/* AWL_WIRE, AWL_SLEEP or AWL_BODY if the value at `index` is a Wire, else
 * AWL_CLASSES. */
awl_class awl_wire_class(lua_State *L, const awl_state *s, int index);
/* Is the value at `index` a Wire, of any of these classes? */
bool awl_is_object(lua_State *L, awl_state *s, int index);
/* The same, but raises if the Wire is finalized. */
bool awl_is_made(lua_State *L, awl_state *s, int index);
/* The core's wire of the Wire at `index`; NULL: the value is no Wire that has
 * one. Borrowed. Raises if the Wire is finalized. */
aw_wire *awl_test_wire(lua_State *L, awl_state *s, int index);
/* Is the value at `index` accepted as a wire [V2]? */
bool awl_is_wire(lua_State *L, awl_state *s, int index);
bool awl_callable(lua_State *L, int index);
/* Make the value at `index` a Wire, in place. False: the value is not accepted
 * as a wire [V2]. */
bool awl_make_wire(lua_State *L, awl_state *s, int index);
/* As awl_make_wire() for argument `arg`, but raises a type error if the value
 * is not accepted. */
void awl_check_wire(lua_State *L, awl_state *s, int arg);
/* A wire of the core for the Wire at `index`, which is not finalized. Gives;
 * NULL: out of memory. */
aw_wire *awl_keep_wire(lua_State *L, awl_state *s, int index);
/* The core's wire of the Wire at `index`, which becomes a Wire that has one, in
 * place. Borrowed. NULL: the Wire is finalized, and its text is
 * AWL_FINALIZED_WIRE. Raises. */
#define AWL_FINALIZED_WIRE "wire (finalized)"
aw_wire *awl_own_wire(lua_State *L, awl_state *s, int index);
/* Does the Wire at `index` refer to anything in Lua? */
bool awl_needs_lua(lua_State *L, int index);
/* Push a new Wire that has no wire of the core yet. Raises. */
void awl_push_simple(lua_State *L, awl_state *s);
/* The same, but it refers to those of the `count` Wires from `first` on that
 * need Lua. Raises. */
void awl_push_combined(lua_State *L, awl_state *s, int first, int count);
/* Give the Wire on top its wire: takes; NULL raises "not enough memory".
 * Returns 1. May collect. */
int awl_fill_wire(lua_State *L, awl_state *s, aw_wire *wire);
/* Let a Wire that no user has seen go of its wire, before it is collected. */
void awl_empty_wire(awl_state *s, void *userdata);
int awl_wire_gc(lua_State *L); /* its __gc */

/* ---- leaves ---- */

/* Return a new leaf without content; NULL: out of memory. */
awl_leaf *awl_make_leaf(awl_state *s, awl_leaf_kind kind);
/* Free a leaf. A wire of the core has a leaf if its release function is this
 * one. */
void awl_release_leaf(void *leaf);
void awl_free_leaves(awl_state *s); /* the state ends */
/* Replace f (VALUE has no f) and `extra` arguments on top by the Wire of a leaf
 * of `kind`. Returns 1. Raises. */
int awl_push_leaf(lua_State *L, awl_state *s, awl_leaf_kind kind, int extra);
/* The same for AWL_LEAF_CALL, under another name than that of the function. */
void awl_push_call_as(lua_State *L, awl_state *s, int extra, const char *name);
/* Replace f and `extra` arguments on top by the Wire aw.Wire(f, …), of class
 * AWL_BODY. Returns 1. Raises. */
int awl_push_body(lua_State *L, awl_state *s, int extra);
/* Return the name of f of the Wire at `index`, of class AWL_BODY, and in
 * `*extra` what awl_leaf has. Raises. */
const char *awl_body_name(lua_State *L, awl_state *s, int index, int *extra);
/* Replace the value on top by the Wire of a leaf of `kind` that will be a part
 * of another wire. Raises. */
void awl_push_part(lua_State *L, awl_state *s, awl_leaf_kind kind);
/* Push the content of a leaf that `task` is about to run: the function, or,
 * if it has arguments, a table with the function at 0 and the arguments from
 * 1 on. A `wrapped` leaf with arguments has its Wire instead, whose user value
 * 1 is the function; the arguments follow. */
void awl_push_content(lua_State *L, awl_state *s, const awl_leaf *leaf,
                      const aw_task *task);
void awl_push_leaf_name(lua_State *L, awl_state *s, const awl_leaf *leaf,
                        const aw_task *task);

/* ---- misuse ---- */

/* Raise that the value at `index` cannot be an operand. */
int awl_bad_operand(lua_State *L, int index, const char *operator);
/* Raise that wires do not have this operator; `instead` is the advice. */
int awl_misused(lua_State *L, const char *operator, const char * instead);

#endif
