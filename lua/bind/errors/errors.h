/* errors.h - error objects; see errors.c */
#ifndef AWL_ERRORS_H
#define AWL_ERRORS_H

#include "base/state.h"

/* Push the Lua value for an error that the core made. Raises. */
void awl_push_error_object(lua_State *L, const aw_error *error);
/* Push Cancelled as `task` sees it. Raises. */
void awl_push_cancelled(lua_State *L, awl_state *s, const aw_task *task);
/* Push a new Cancelled{reason, kind, where}; the reason is on top (popped).
 * Raises. */
void awl_new_cancelled(lua_State *L, awl_state *s, const char *kind);
void awl_push_unhandled(lua_State *L); /* [err, info] → object */
void awl_push_task_cancelled(lua_State *L);
void awl_push_deadlock(lua_State *L, const char *tree);
bool awl_is_cancelled(lua_State *L, awl_state *s, int index);

#endif
