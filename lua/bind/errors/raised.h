/* raised.h - errors on their way to where they are caught; see raised.c */
#ifndef AWL_RAISED_H
#define AWL_RAISED_H

#include "base/state.h"

/* The error on its way in `worker`, to the call that will catch it. */
awl_raised *awl_raised_in(awl_worker *worker);
/* [.., err] → [.., err, info]: of the error that has ended its way in `worker`.
 * False: the info is new, since the message handler is not told of every error:
 * out of memory replaces others. Raises. */
bool awl_push_caught(lua_State *L, awl_state *s, awl_worker *worker);
/* The error on its way to this protected call of `worker`, if there is one, has
 * been caught: forget it. */
void awl_drop_raised(awl_worker *worker, awl_raised *raised);
/* Cancelled is on top. If it left a `__close` while an error was on its way,
 * that error comes first [E3]: replace Cancelled by it. False: there was none.
 */
bool awl_put_first_error(lua_State *L, awl_worker *worker);
/* Push the error that is on its way in a body of `task`, if there is one. */
bool awl_push_held(lua_State *L, awl_state *s, const aw_task *task);

#endif
