/* locals.h - aw.locals; see locals.c */
#ifndef AWL_LOCALS_H
#define AWL_LOCALS_H

#include "base/state.h"

/* awl_inherit() where the core does not see to it. */
aw_value awl_hold_locals(lua_State *L, awl_state *s, awl_loop *loop);

/* What a task that is started in `loop` from here is to have as its locals; 0:
 * nothing, or the core sees to it. Gives. Raises. */
static inline aw_value awl_inherit(lua_State *L, awl_state *s, awl_loop *loop) {
  const awl_worker *w = s->run.running;
  if (w && !s->in_handler && aw_task_loop(w->task) == loop->core)
    return 0;
  return awl_hold_locals(L, s, loop);
}

#endif
