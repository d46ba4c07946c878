/* N timers of libuv; when all wait, they are closed. */
#include <uv.h>

#include <stdlib.h>

static void fired(uv_timer_t *timer) {
  (void)timer;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 0;
  uv_timer_t *timers = calloc((size_t)count + 1, sizeof *timers);
  if (!timers)
    return 1;
  for (long i = 0; i < count; i++) {
    uv_timer_init(uv_default_loop(), &timers[i]);
    uv_timer_start(&timers[i], fired, 3600000, 0);
  }
  for (long i = 0; i < count; i++)
    uv_close((uv_handle_t *)&timers[i], NULL);
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  free(timers);
  return 0;
}
