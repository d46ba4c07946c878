/* coroutine_owner.h - which coroutines belong to the engine */
#ifndef AWL_COROUTINE_OWNER_H
#define AWL_COROUTINE_OWNER_H

#include "base/state.h"

/* Let `co`, a coroutine of a user, belong to the engine while `worker` is
 * parked in it. NULL as `worker`: the user may resume `co` again. Raises only
 * for a new `co`. */
void awl_own(lua_State *L, awl_state *s, lua_State *co, awl_worker *worker);
/* The worker that `co` belongs to; NULL: the user may resume it. */
awl_worker *awl_owner(awl_state *s, lua_State *co);
/* Make room for one more worker; false: out of memory. */
bool awl_owned_reserve(awl_state *s);
/* Add a worker and its coroutine; there must be room. */
void awl_owned_add(awl_state *s, const awl_worker *worker);
/* Remove a worker, before it loses its coroutine. */
void awl_owned_remove(awl_state *s, const awl_worker *worker);
/* Build the table anew: many workers have gone without awl_owned_remove(). */
void awl_owned_rebuild(awl_state *s);

#endif
