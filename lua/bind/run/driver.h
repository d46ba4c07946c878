/* driver.h - the driver: steps of the engine; see driver.c */
#ifndef AWL_DRIVER_H
#define AWL_DRIVER_H

#include "base/state.h"

/* Drive `loop` to its end, or until `until` has ended. `limit`: in real time, a
 * point of awl_real_time() or AW_NEVER. From outside tasks of its engine only.
 * Returns what aw_next() ended with. Raises nothing. */
int awl_drive(lua_State *L, awl_state *s, awl_loop *loop, aw_task *until,
              uint64_t limit);

#endif
