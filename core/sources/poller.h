/* poller.h - the descriptors that tasks wait for; see poller.c */
#ifndef AW_POLLER_H
#define AW_POLLER_H

#include "state.h"

/* Before libuv polls: watch the descriptors that tasks wait for. */
void aw__poller_settle(aw_engine *engine);
/* Close the watchers without waiters. */
void aw__poller_close_idle(aw_engine *engine);
/* The number of watchers without waiters. */
size_t aw__poller_idle(const aw_engine *engine);
size_t aw__poller_watches(const aw_engine *engine); /* their number */
void aw__poller_free(aw_engine *engine);

#endif
