/* lsignal.h - signals that reach a run; see lsignal.c */
#ifndef AWL_LSIGNAL_H
#define AWL_LSIGNAL_H

#include "bridge.h"

bool awl_signals_hold(awl_state *s, awl_engine *engine); /* false: held yet */
int awl_signals_release(void);             /* the one that came, or 0 */
/* Wake `engine` in place of the one that is held, whose run it blocks; returns
 * that, to be woken again later. NULL: nothing is held, or no memory. */
aw_engine *awl_signals_wake(aw_engine *engine);
int awl_signals_taken(int *count);         /* the last one's number, or 0 */
int awl_signals_count(void);               /* so far, taken or not */
bool awl_signals_dump(void);               /* was a dump asked for? */
void awl_signals_step_over(lua_State *co); /* its step ended: no hook more */
void awl_signals_watch(lua_State *co);     /* coroutine that runs now */

#endif
