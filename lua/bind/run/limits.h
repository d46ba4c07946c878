/* limits.h - what bounds a run: real time and memory; see limits.c */
#ifndef AWL_LIMITS_H
#define AWL_LIMITS_H

#include "base/state.h"

uint64_t awl_real_time(void); /* ns, monotonic */
/* A signal stops `run` now: its grace begins. */
void awl_limit_grace(awl_run *run);
/* Stop what has run out of time: the run, or one around it; and let its engine
 * wake the host when that is to be asked again. */
void awl_limit_check(lua_State *L, awl_state *s);
/* There was no memory for something. Each attempt to make more collects all that
 * there is, of a crowd maybe, so the run is hurried from now on. */
void awl_starve(awl_state *s);
/* Is `task` to do no more steps? */
bool awl_is_given_up(const awl_state *s, const aw_task *task);
/* The loop of the run has had a slow step. After a while of these past its grace
 * the run is hurried. */
void awl_limit_slow(awl_run *run);

#endif
