/* libuv.h - the libuv loop of an engine; see libuv.c */
#ifndef AW_LIBUV_H
#define AW_LIBUV_H

#include "state.h"

/* The engine's own handles. On the host's loop they outlive the engine, until
 * the last of them is closed [I4]. */
typedef struct aw_handles {
  aw_engine *engine;    /* kept while the handles are open in the host's loop */
  uv_timer_t timer;     /* the earliest deadline, while the loop blocks */
  uv_prepare_t prepare; /* runs before the loop polls … */
  uv_check_t check;     /* … and after; only in the host's loop */
  uv_idle_t idle;       /* active: the host's loop must not block */
  uv_async_t async;     /* aw_engine_wake() */
  void (*closed)(void *data);
  void *data;
  uv_loop_t own; /* unless the host has handed over its loop */
} aw_handles;

/* Open a loop of the engine's own, unless a loop is open. Returns 0, AW_ENOMEM
 * or libuv's code. */
int aw__libuv_open(aw_engine *engine);
/* Put the handles into the host's loop. Returns 0, AW_EVERSION, AW_ENOMEM or
 * libuv's code. */
int aw__libuv_enter(aw_engine *engine);
/* Call `close` of each closer: the owner begins to close its handles. */
void aw__libuv_close_others(aw_engine *engine);
/* Tell the closers that `loop` has ended. */
void aw__libuv_loop_ended(aw_engine *engine, aw_loop *loop);
/* Run the engine's own loop until all closing handles are closed, then close
 * it. */
void aw__libuv_close(aw_engine *engine);
/* Begin to close the handles in the host's loop. Call `closed`, unless it is
 * NULL, when the last one is closed. */
void aw__libuv_leave(aw_engine *engine, void (*closed)(void *data), void *data);
/* Keep the host's loop alive while a loop of the engine runs, or an end is to
 * be told. Does nothing on the engine's own loop. */
void aw__libuv_hold(aw_engine *engine);
/* `handle` was made for a task. It does not keep uv_run() of the host alive:
 * only a running loop of the engine does. */
static inline void aw__libuv_adopt(const aw_engine *engine,
                                   uv_handle_t *handle) {
  if (engine->config.uv)
    uv_unref(handle);
}
/* This process was forked off: part the loop from that of the parent. */
void aw__libuv_fork(aw_engine *engine);
/* End the poll of the engine, or the next one. Call from: any thread, or a
 * signal handler, while the handles are open. */
void aw__libuv_wake(aw_engine *engine);
/* The number of handles in the engine's own loop that keep it alive and are not
 * the engine's own. */
size_t aw__libuv_handles(const aw_engine *engine);

#endif
