/* block.h - waiting in libuv, and polling it; see block.c */
#ifndef AW_BLOCK_H
#define AW_BLOCK_H

#include "state.h"

/* Is there work that must run before blocking for I/O? */
bool aw__has_news(const aw_engine *engine);
/* Block in the engine's own libuv loop until I/O, aw_engine_wake(), or `until`,
 * in real time. With 0, poll without blocking. Returns 0 or a code. */
int aw__block(aw_engine *engine, uint64_t until);
/* Serve I/O that is ready, without blocking, in a pass. */
void aw__poll_in_pass(aw_engine *engine);
/* The same in a long round, for handles of others in libuv's loop [F2]. */
void aw__poll_in_round(aw_engine *engine);
/* Watch the descriptors that tasks wait for, and no others. */
void aw__settle(aw_engine *engine);
/* As aw__settle(); then libuv's handles are known to the kernel, and those that
 * are closing are closed. */
void aw__flush(aw_engine *engine);
/* If the outermost loop has ended, let libuv run the callbacks of closed
 * handles. */
void aw__tidy(aw_engine *engine);

#endif
