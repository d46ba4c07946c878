/* limits.h - what bounds a run: real time and memory; see limits.c */
#ifndef AWL_LIMITS_H
#define AWL_LIMITS_H

#include "base/state.h"

uint64_t awl_real_time(void); /* ns, monotonic */
/* A signal stops `run`, so the grace of its loop begins. On a virtual clock,
 * note when the grace ends in real time. */
void awl_limit_grace(awl_run *run);
/* Stop the current run and the runs around it if their time is over. Let the
 * engine wake the host when the next check is due. */
void awl_limit_check(lua_State *L, awl_state *s);
/* Is a test over its limit that awl_limit_check() has not stopped yet? */
bool awl_limit_is_over(const awl_state *s);
/* Has the host program told that the time limit of the outermost run is over?
 * Then it is, and all its tasks are cancelled. */
bool awl_limit_end(const awl_state *s);
/* Must `task` do no more steps? */
bool awl_is_given_up(const awl_state *s, const aw_task *task);
/* Note a slow step of the run. If slow steps still come a while after the first
 * one past the grace of a loop of its engine, the run becomes hurried. */
void awl_limit_slow(awl_state *s);

#endif
