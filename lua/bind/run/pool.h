/* pool.h - the workers of a state; see pool.c */
#ifndef AWL_POOL_H
#define AWL_POOL_H

#include "base/state.h"

/* An idle worker, which is busy from now on; NULL: there is none. */
awl_worker *awl_pool_take(awl_state *s);
/* A new worker, busy; NULL when out of memory. */
awl_worker *awl_pool_make(lua_State *L, awl_state *s);
/* A busy worker becomes idle. */
void awl_pool_put(awl_worker *worker);
/* Close the coroutine of a busy worker, and free its number. */
void awl_worker_end(awl_worker *worker);
/* Between runs: free the idle workers that the pool does not need. */
void awl_workers_trim(awl_state *s);
void awl_free_workers(awl_state *s); /* the state ends */

#endif
