/* libuv.h - the libuv loop of an engine; see libuv.c */
#ifndef AW_LIBUV_H
#define AW_LIBUV_H

#include "state.h"

/* Open the loop, unless it is open. Returns 0 or libuv's code. */
int aw__libuv_open(aw_engine *engine);
/* Call `close` of each closer: the owner begins to close its handles. */
void aw__libuv_close_others(aw_engine *engine);
/* Tell the closers that `loop` has ended. */
void aw__libuv_loop_ended(aw_engine *engine, aw_loop *loop);
/* Run the libuv loop until all closing handles are closed, then close it. */
void aw__libuv_close(aw_engine *engine);
/* The number of handles in the loop that keep it alive and are not the
 * engine's own. */
size_t aw__libuv_handles(const aw_engine *engine);

#endif
