/* poller.h - descriptors that are waited for; see poller.c */
#ifndef AW_POLLER_H
#define AW_POLLER_H

#include "state.h"

/* Before libuv polls: watch what is waited for. */
void aw__poller_settle(aw_engine *engine);
/* Close the watchers that nobody waits for. */
void aw__poller_close_idle(aw_engine *engine);
/* How many watchers there are that nobody waits for. */
size_t aw__poller_idle(const aw_engine *engine);
void aw__poller_free(aw_engine *engine);

#endif
