/* coroutine_owner.h - whose a coroutine is; see coroutine_owner.c */
#ifndef AWL_COROUTINE_OWNER_H
#define AWL_COROUTINE_OWNER_H

#include "base/state.h"

/* Note that `co`, of a user, is the engine's to resume, or not (NULL). Raises
 * the first time only. */
void awl_own(lua_State *L, awl_state *s, lua_State *co, awl_worker *worker);
/* The worker that `co` belongs to while it waits; or NULL. */
awl_worker *awl_owner(awl_state *s, lua_State *co);
/* Room for one more worker; false: out of memory. */
bool awl_owned_reserve(awl_state *s);
/* The worker has its coroutine; there is room. */
void awl_owned_add(awl_state *s, const awl_worker *worker);
/* … and is about to lose it. */
void awl_owned_remove(awl_state *s, const awl_worker *worker);
/* Many workers have gone without the above. */
void awl_owned_rebuild(awl_state *s);

#endif
