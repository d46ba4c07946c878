/* pool_worker.h - what a worker of a pool runs; see pool_worker.c */
#ifndef AWIO_POOL_WORKER_H
#define AWIO_POOL_WORKER_H

#include <lua.h>

/* The main function of a worker, as in awio_thread_plan: its argument is the
 * seat, a light userdata. */
int awio_pool_work(lua_State *L);

#endif
