/* raised.h - errors that have been raised and not yet caught; see raised.c */
#ifndef AWL_RAISED_H
#define AWL_RAISED_H

#include "base/state.h"

/* The error on its way to the innermost protected call of `worker`. */
awl_raised *awl_raised_in(awl_worker *worker);
/* [.., err] → [.., err, info]: `err` has just been caught in `worker`. False:
 * the info is new, since Lua does not call the message handler for every error:
 * "not enough memory" may replace another error. Raises. */
bool awl_push_caught(lua_State *L, awl_state *s, awl_worker *worker);
/* The protected call of `worker` has caught the error on its way, if there was
 * one: forget that error. */
void awl_drop_raised(awl_worker *worker, awl_raised *raised);
/* Cancelled is on top. If a `__close` handler raised Cancelled while an error
 * was on its way, that error comes first [E3]: replace Cancelled by it. False:
 * no error was on its way. */
bool awl_put_first_error(lua_State *L, awl_worker *worker);
/* Push the error that is on its way in a body of `task`. False, and nothing is
 * pushed: there is none. */
bool awl_push_held(lua_State *L, awl_state *s, const aw_task *task);

#endif
