/* driver.h - the driver: pulls steps and runs them; see driver.c */
#ifndef AWL_DRIVER_H
#define AWL_DRIVER_H

#include "base/state.h"

/* Drive `loop` until it has ended, or until the task `until` has ended (NULL:
 * no such task). `limit` is a point in real time, see awl_real_time(), or
 * AW_NEVER. A task of the loop's engine must not call this function. Returns
 * the last result of aw_next(). Raises nothing. */
int awl_drive(lua_State *L, awl_state *s, awl_loop *loop, aw_task *until,
              uint64_t limit);
/* Run s->run.step, for a host program that pulls steps itself. `L` is the
 * thread that drives. Raises nothing. */
void awl_run_step(lua_State *L, awl_state *s);

#endif
