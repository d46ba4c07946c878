/* signals.h - signals that reach a run; see signals.c */
#ifndef AWL_SIGNALS_H
#define AWL_SIGNALS_H

#include "base/state.h"

/* False: they are held already, by this state or another. */
bool awl_signals_hold(awl_state *s, awl_engine *engine);
int awl_signals_release(awl_state *s); /* the one that came, or 0 */
/* Wake `engine`, which is driven now, from here on; gives the one before, or
 * NULL when that stays. */
aw_engine *awl_signals_wake(const awl_state *s, aw_engine *engine);
int awl_signals_taken(const awl_state *s, int *count); /* the last one, or 0 */
int awl_signals_count(const awl_state *s); /* so far, taken or not */
bool awl_signals_dump(const awl_state *s); /* was a dump asked for? */

/* What those below do for the state that holds the signals. */
void awl_signals_switch(lua_State *co);
void awl_signals_unhook(lua_State *co);

/* The coroutine that runs now; NULL: none. */
static inline void awl_signals_watch(const awl_state *s, lua_State *co) {
  if (s->holds_signals)
    awl_signals_switch(co);
}

/* Its step has ended: no hook more. */
static inline void awl_signals_step_over(const awl_state *s, lua_State *co) {
  if (s->holds_signals)
    awl_signals_unhook(co);
}

#endif
