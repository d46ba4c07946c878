/* worker.h - the coroutines that run host steps; see worker.c */
#ifndef AWL_WORKER_H
#define AWL_WORKER_H

#include "base/state.h"

int awl_worker_main(lua_State *L); /* the function of every worker */
/* Do the step at hand, run.step: CALL, RESUME. An error is the task's. */
void awl_worker_call(lua_State *L, awl_state *s);
void awl_worker_resume(lua_State *L, awl_state *s);
/* Close the coroutine of a worker, and let go of both. */
void awl_worker_end(awl_worker *worker);
/* Between runs: give the memory of a crowd of idle workers back. */
void awl_workers_trim(awl_state *s);
/* Let go of the error that the last await of the running body raised. */
void awl_forget_passing(awl_state *s);
void awl_free_workers(awl_state *s);

#endif
