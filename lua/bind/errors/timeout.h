/* timeout.h - Timeout, and what it cut short; see timeout.c */
#ifndef AWL_TIMEOUT_H
#define AWL_TIMEOUT_H

#include "base/state.h"

/* Push a Timeout; `cut` is what it cut short, or NULL. Raises. */
void awl_push_timeout(lua_State *L, double seconds, const aw_cut *cut);
/* Push the Timeout of a wire that the core made as `error`. Raises. */
void awl_push_wire_timeout(lua_State *L, const aw_error *error);
/* Push where the Timeout at `index` stood that was cut short, as the text of
 * info.waited. False, and nothing is pushed: that is not known. Raises. */
bool awl_push_waited(lua_State *L, int index);
int awl_timeout_tostring(lua_State *L); /* __tostring */

#endif
