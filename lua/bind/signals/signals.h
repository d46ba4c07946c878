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
/* Is there a new one? `*count` as below. */
bool awl_signals_taken(awl_state *s, int *count);
/* Returns the signals so far; if there is one, the end of the time limit counts
 * as one more. */
int awl_signals_count(const awl_state *s);

/* ---- of a session ----
 *
 * There SIGINT is not among the signals that stop a run. */

/* From now on the run that holds the signals is a session … */
void awl_signals_ask(awl_state *s);
/* … whose next call or wait begins now. Returns whether a SIGINT has come since
 * the last one ended. */
bool awl_signals_begin_call(const awl_state *s);
int awl_signals_interrupts(const awl_state *s); /* since then */
void awl_signals_end_call(const awl_state *s);
/* The signals that stop the session, so far; `*number`: the last of them, if
 * there is one. */
int awl_signals_stops(const awl_state *s, int *number);

#endif
