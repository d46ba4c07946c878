/* N answers of a thread, by a queue and an async handle of libuv; M of them are
 * under way at the same time. */
#include "worker.h"

#include <uv.h>

#include <stdlib.h>

static worker other;
static errands answered;
static uv_async_t async;
static long under_way;

static void answer(errand *given) {
  errands_push(&answered, given);
  uv_async_send(&async);
}

static void deliver(uv_async_t *handle) {
  errand *next;
  for (errand *one = errands_take(&answered, 0); one; one = next) {
    next = one->next;
    if (--one->left > 0)
      errands_push(&other.given, one);
    else if (--under_way == 0)
      uv_close((uv_handle_t *)handle, NULL);
  }
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 0;
  long most = argc > 2 ? atol(argv[2]) : 1;
  errand *all = calloc((size_t)most, sizeof *all);
  errands_init(&answered);
  if (!all || uv_async_init(uv_default_loop(), &async, deliver) < 0 ||
      worker_start(&other, answer) != 0) {
    free(all);
    return 1;
  }
  for (long i = 0; i < most; i++) {
    all[i].left = count / most;
    under_way += all[i].left > 0;
  }
  if (under_way == 0)
    uv_close((uv_handle_t *)&async, NULL);
  for (long i = 0; i < most; i++)
    if (all[i].left > 0)
      errands_push(&other.given, &all[i]);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  worker_end(&other);
  free(all);
  return 0;
}
