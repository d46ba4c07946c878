/* signals.h - signals that reach a run; see signals.c */
#ifndef AWL_SIGNALS_H
#define AWL_SIGNALS_H

#include "base/state.h"

/* Hold the signals for a run on `engine`. False: another run holds them, a
 * signal cannot wake the engine, or another thread stops this state. */
bool awl_signals_hold(awl_state *s, awl_engine *engine);
/* Returns the last signal that came, or 0. */
int awl_signals_release(awl_state *s);
/* From now on a signal wakes `engine`, which is driven now. Returns the
 * previous engine, or NULL if nothing has changed. */
aw_engine *awl_signals_wake(const awl_state *s, aw_engine *engine);
/* Returns the last signal if there is a new one, or 0; `*count` as below. */
int awl_signals_taken(const awl_state *s, int *count);
int awl_signals_count(const awl_state *s); /* signals so far */
bool awl_signals_dump(const awl_state *s); /* did SIGQUIT ask for a dump? */

#endif
