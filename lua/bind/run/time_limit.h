/* time_limit.h - what bounds a run in real time; see time_limit.c */
#ifndef AWL_TIME_LIMIT_H
#define AWL_TIME_LIMIT_H

#include "base/state.h"

uint64_t awl_real_time(void); /* ns, monotonic */
/* A signal stops `run` now: its grace begins. */
void awl_limit_grace(awl_run *run);
/* Stop what has run out of time: the run, or one around it; and let its engine
 * wake the host when that is to be asked again. */
void awl_limit_check(lua_State *L, awl_state *s);

#endif
