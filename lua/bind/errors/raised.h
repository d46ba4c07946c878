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
/* The error on its way to one of the protected calls of `worker`, if any, has
 * been caught there: forget it. */
void awl_drop_raised(awl_worker *worker, awl_raised *raised);
/* Cancelled, on top, has left a `__close` while an error was on its way, which
 * comes first [E3]: put that in its place. False: there was none. */
bool awl_put_first_error(lua_State *L, awl_worker *worker);
/* Push the error that is on its way in a body of `task`, if there is one. */
bool awl_push_held(lua_State *L, awl_state *s, const aw_task *task);

#endif
