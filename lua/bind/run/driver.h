/* driver.h - the driver: steps of the engine; see driver.c */
#ifndef AWL_DRIVER_H
#define AWL_DRIVER_H

#include "base/state.h"

/* Ask the engine for the next step. */
static inline void awl_pull(awl_run *run) {
  run->rc = aw_next(run->engine->core, run->loop, &run->step);
  run->over = run->rc <= 0;
  run->has_step = !run->over;
}

/* There was no memory for something. Each attempt to make more collects all that
 * there is, of a crowd maybe, so the run is hurried from now on. */
void awl_starve(awl_state *s);
/* Is `task` to do no more steps? */
bool awl_is_given_up(const awl_state *s, const aw_task *task);
/* Drive `loop` to its end, or until `until` has ended. `limit`: in real time, a
 * point of awl_real_time() or AW_NEVER. From outside tasks of its engine only.
 * Returns what aw_next() ended with. Raises nothing. */
int awl_drive(lua_State *L, awl_state *s, awl_loop *loop, aw_task *until,
              uint64_t limit);

/* (light task): call the handler of the failed task [E7, E8]. Raises. */
int awl_handle_failure(lua_State *L);

#endif
