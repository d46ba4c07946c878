/* limits.h - what bounds a run: real time and memory; see limits.c */
#ifndef AWL_LIMITS_H
#define AWL_LIMITS_H

#include "base/state.h"

uint64_t awl_real_time(void); /* ns, monotonic */
/* A signal stops `run` now: the grace of its loop begins. */
void awl_limit_grace(awl_run *run);
/* Stop the run, and the runs around it, if their time is over; let the engine
 * wake the host when this must be called again. */
void awl_limit_check(lua_State *L, awl_state *s);
/* Must `task` do no more steps? */
bool awl_is_given_up(const awl_state *s, const aw_task *task);
/* The loop of the run has had a slow step. After a while of these past its
 * grace the run is hurried. */
void awl_limit_slow(awl_run *run);

#endif
