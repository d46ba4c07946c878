/* classes.h - classes of objects, and what objects have in common
 *
 * Tasks of one engine share objects such as channels. An object has a name for
 * people and belongs to that engine. C code that must not raise finds some
 * objects by address.
 */
#ifndef AWL_CLASSES_H
#define AWL_CLASSES_H

#include "base/state.h"

/* ---- classes ---- */

/* Register `functions` in the table on top, with the state as upvalue 1.
 * Raises. */
void awl_register(lua_State *L, awl_state *s, const luaL_Reg *functions);
/* Register functions that only parts in Lua call. They have no names: errors
 * about arguments name the function that the user has called. Raises. */
void awl_register_inner(lua_State *L, awl_state *s, const luaL_Reg *functions);
/* Push the metatable of a new class with `methods` and `meta`. Raises. */
void awl_new_class(lua_State *L, awl_state *s, awl_class class,
                   const char *name, const luaL_Reg *methods,
                   const luaL_Reg *meta);
/* For the __index function of a class with methods: push the method that the
 * key at index 2 names. False, and nothing is pushed: there is no such
 * method. */
bool awl_push_method(lua_State *L);

/* ---- objects ---- */

/* Return the name of a new object: option `name` of the table at `arg`, or else
 * the line that makes the object; NULL if that line is unknown. Borrowed for
 * this call, and may be left on the stack. `known` lists all options of the
 * object and ends with NULL. Raises. */
const char *awl_object_name(lua_State *L, awl_state *s, int arg,
                            const char *const *known);
/* Let C code find the userdata at `index` in AWL_OBJECTS, by the address
 * `object`. */
void awl_note_object(lua_State *L, awl_state *s, const void *object, int index);
/* Push the userdata of `object` to util. False, and nothing is pushed: the
 * userdata is gone. */
bool awl_push_object(const awl_state *s, const void *object);
/* Raise that `what` belongs to another engine [S6]. */
int awl_foreign(lua_State *L, const char *what);
/* The text on top describes the state of an object. Replace that text by the
 * full text of the object, as "channel jobs (2 of 4, 1 waiting)"; `name` may be
 * NULL. Returns 1. Raises. */
int awl_show_object(lua_State *L, const char *kind, const char *name,
                    size_t waiting);

#endif
