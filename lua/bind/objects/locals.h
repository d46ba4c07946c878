/* locals.h - aw.locals; see locals.c */
#ifndef AWL_LOCALS_H
#define AWL_LOCALS_H

#include "base/state.h"

/* The slow path of awl_inherit(): the core does not pass the locals on. */
aw_value awl_hold_locals(lua_State *L, awl_state *s, awl_loop *loop);

/* Return the locals for a task that is about to start in `loop`. 0: no locals,
 * or the core passes them on. Gives. Raises. */
static inline aw_value awl_inherit(lua_State *L, awl_state *s, awl_loop *loop) {
  const awl_worker *w = s->run.running;
  if (w && !s->in_handler && aw_task_loop(w->task) == loop->core)
    return 0;
  return awl_hold_locals(L, s, loop);
}

#endif
