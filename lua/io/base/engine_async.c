/* engine_async.c - see engine_async.h */
#include "base/engine_async.h"

int awio_async_new(aw_engine *engine, size_t size, uv_async_cb deliver,
                   void (*close)(aw_closer *closer), awio_async **out) {
  void *uv;
  int rc = aw_engine_uv(engine, &uv);
  if (rc < 0)
    return rc;
  awio_async *async = aw_allocate(size);
  if (!async)
    return AW_ENOMEM;
  rc = uv_async_init(uv, &async->handle, deliver);
  if (rc < 0) {
    aw_free(async);
    return rc;
  }
  awio_async_unref(async);
  async->handle.data = async;
  async->closer.close = close;
  aw_engine_add_closer(engine, &async->closer);
  *out = async;
  return 0;
}

void awio_async_ref(awio_async *async) {
  uv_ref((uv_handle_t *)&async->handle);
}

void awio_async_unref(awio_async *async) {
  uv_unref((uv_handle_t *)&async->handle);
}

static void free_async(uv_handle_t *handle) {
  aw_free(handle->data);
}

void awio_async_close(awio_async *async) {
  uv_close((uv_handle_t *)&async->handle, free_async);
}
