/* errors.h - error objects; see errors.c */
#ifndef AWL_ERRORS_H
#define AWL_ERRORS_H

#include "base/state.h"

/* Push what an error that the core made is in Lua. Raises. */
void awl_push_error_object(lua_State *L, const aw_error *error);
/* Push Cancelled as `task` sees it. Raises. */
void awl_push_cancelled(lua_State *L, awl_state *s, const aw_task *task);
/* Push a new Cancelled{reason, kind, where}; reason on top, popped. Raises. */
void awl_new_cancelled(lua_State *L, awl_state *s, const char *kind);
void awl_push_unhandled(lua_State *L); /* [err, info] → object */
/* Push a Timeout; `cut` is what it cut short, or NULL. Raises. */
void awl_push_timeout(lua_State *L, double seconds, const aw_cut *cut);
/* Push where the Timeout at `index` stood that was cut short, as the text of
 * info.waited. False, and nothing is pushed: that is not known. Raises. */
bool awl_push_waited(lua_State *L, int index);
/* Push the "file:line" that an error object made here has; or nil. Raises. */
void awl_push_place(lua_State *L, awl_state *s);
/* Give the error object on top a place, if it has none, having been made where
 * no code of the user's runs: where `task` was started that failed with it, or,
 * without a task, the line that raises it now. Raises. */
void awl_place_error(lua_State *L, awl_state *s, const aw_task *task);
void awl_push_task_cancelled(lua_State *L);
void awl_push_deadlock(lua_State *L, const char *tree);
void awl_push_simple_error(lua_State *L, awl_class class, const char *text);
bool awl_is_cancelled(lua_State *L, awl_state *s, int index);

#endif
