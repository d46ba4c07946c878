/* worker.h - the coroutines that run host steps; see worker.c */
#ifndef AWL_WORKER_H
#define AWL_WORKER_H

#include "base/state.h"

/* Ask the engine for the next step. */
static inline void awl_pull(awl_run *run) {
  run->rc = aw_next(run->engine->core, run->loop, &run->step);
  run->over = run->rc <= 0;
  run->has_step = !run->over;
}

int awl_worker_main(lua_State *L); /* the function of every worker */
/* Run the step at hand (run.step), a CALL or RESUME. An error fails its task.
 */
void awl_worker_call(lua_State *L, awl_state *s);
void awl_worker_resume(lua_State *L, awl_state *s);
/* Close the coroutine of a worker, and free its number. */
void awl_worker_end(awl_worker *worker);
/* Between runs: free idle workers that are more than a pool needs. */
void awl_workers_trim(awl_state *s);
void awl_free_workers(awl_state *s); /* the state ends */

#endif
