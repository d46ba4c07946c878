/* worker.h - the coroutines that run host steps; see worker.c */
#ifndef AWL_WORKER_H
#define AWL_WORKER_H

#include "base/state.h"

/* Pull the next step from the engine into run->step. */
static inline void awl_pull(awl_run *run) {
  run->rc = aw_next(run->engine->core, run->loop, &run->step);
  run->over = run->rc <= 0;
  run->has_step = !run->over;
}

/* Has the task ended at whose end the run is over? */
static inline bool awl_until_is_over(const awl_run *run) {
  return run->until && aw_task_state_of(run->until) >= AW_TASK_DONE &&
         (!run->settles || !aw_task_loop(run->until));
}

int awl_worker_main(lua_State *L);  /* the function of every worker */
int awl_worker_turns(lua_State *L); /* which calls this one for many turns */
/* Run the step at hand (run.step): a CALL, or a RESUME. An error fails the task
 * of that step. */
void awl_worker_call(lua_State *L, awl_state *s);
void awl_worker_resume(lua_State *L, awl_state *s);

#endif
