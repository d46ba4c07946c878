/* object.h - what channels, events and semaphores have in common
 *
 * Objects that tasks of one engine share: they have a name for people, belong
 * to that engine, and C code that may not raise finds some of them by address.
 */
#ifndef AWL_OBJECT_H
#define AWL_OBJECT_H

#include "base/state.h"

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
/* For an `awl_after` that is told of a wait which was refused: raise that
 * `what` it was for belongs to another engine, or what else is wrong. */
int awl_raise_refusal(lua_State *L, awl_worker *worker, const char *what);
/* Replace the text of its state on top by what an object is for people, as
 * "channel jobs (2 of 4, 1 waiting)"; `name` may be NULL. Returns 1. Raises. */
int awl_show_object(lua_State *L, const char *kind, const char *name,
                    size_t waiting);

#endif
