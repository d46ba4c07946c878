/* drive.h - the driver: steps of the engine; see drive.c */
#ifndef AWL_DRIVE_H
#define AWL_DRIVE_H

#include "bridge.h"

/* Ask the engine for the next step. */
static inline void awl_pull(awl_run *run) {
  run->rc = aw_next(run->engine->core, run->loop, &run->step);
  run->over = run->rc <= 0;
  run->has_step = !run->over;
}

/* Drive `loop` to its end, or until `until` has ended. `limit`: in real time, a
 * point of awl_real_time() or AW_NEVER. From outside tasks of its engine only.
 * Returns what aw_next() ended with. Raises nothing. */
int awl_drive(lua_State *L, awl_state *s, awl_loop *loop, aw_task *until,
              uint64_t limit);

/* (light task): call the handler of the failed task [E7, E8]. Raises. */
int awl_handle_failure(lua_State *L);

#endif
