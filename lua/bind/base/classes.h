/* classes.h - classes of objects, and what objects have in common
 *
 * Objects that tasks of one engine share: they have a name for people, belong
 * to that engine, and C code that may not raise finds some of them by address.
 */
#ifndef AWL_CLASSES_H
#define AWL_CLASSES_H

#include "base/state.h"

/* ---- classes ---- */

/* Register `functions` in the table on top, the state as upvalue. Raises. */
void awl_register(lua_State *L, awl_state *s, const luaL_Reg *functions);
/* The same for what parts in Lua call: what those say of arguments is said of
 * the function that a user has called. Raises. */
void awl_register_inner(lua_State *L, awl_state *s, const luaL_Reg *functions);
/* Push the metatable of a new class with `methods` and `meta`. Raises. */
void awl_new_class(lua_State *L, awl_state *s, awl_class class,
                   const char *name, const luaL_Reg *methods,
                   const luaL_Reg *meta);
/* In the __index function of a class with methods: push the method that is
 * asked for, if it is one. */
bool awl_push_method(lua_State *L);

/* ---- objects ---- */

/* The name of a new object: option `name` of the table at `arg`, or
 * where it is made; NULL if that is unknown. Borrowed, for this call: it may be
 * pushed. `known` are all its options, NULL at their end. Raises. */
const char *awl_object_name(lua_State *L, awl_state *s, int arg,
                            const char *const *known);
/* Let C code find the userdata at `index` by `object`, in AWL_OBJECTS. */
void awl_note_object(lua_State *L, awl_state *s, const void *object, int index);
/* Push that userdata to util; false, and nothing is pushed, when it is no more.
 */
bool awl_push_object(const awl_state *s, const void *object);
/* Raise that `what` belongs to another engine [S6]. */
int awl_foreign(lua_State *L, const char *what);
/* Replace the text of its state on top by what an object is for people, as
 * "channel jobs (2 of 4, 1 waiting)"; `name` may be NULL. Returns 1. Raises. */
int awl_show_object(lua_State *L, const char *kind, const char *name,
                    size_t waiting);

#endif
