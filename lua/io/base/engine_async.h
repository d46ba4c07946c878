/* engine_async.h - a uv_async_t that an engine has once
 *
 *     a struct of its user
 *       └─ first: awio_async ─┬ aw_closer, by which the engine finds it
 *                             └ uv_async_t, which other threads may send
 *
 * The user's struct is memory of C, since it must live until the close callback
 * of the handle [I4]. The handle does not keep the libuv loop alive until
 * awio_async_ref() is called.
 */
#ifndef AWIO_ENGINE_ASYNC_H
#define AWIO_ENGINE_ASYNC_H

#include <aiowire.h>

#include <uv.h>

#include <stddef.h>

typedef struct awio_async {
  aw_closer closer;  /* first */
  uv_async_t handle; /* its `data` is the awio_async, so the user's struct */
} awio_async;

/* Make a struct of `size` zeroed bytes that begins with an awio_async, and
 * register it with the engine. aw_engine_find_closer() finds it by `close`,
 * which must end with awio_async_close(). 0 or a negative code. */
int awio_async_new(aw_engine *engine, size_t size, uv_async_cb deliver,
                   void (*close)(aw_closer *closer), awio_async **out);

/* Keep the libuv loop alive, or do so no longer. */
void awio_async_ref(awio_async *async);
void awio_async_unref(awio_async *async);

/* Close the handle, and free the user's struct after that. */
void awio_async_close(awio_async *async);

#endif
