/* N timers of libuv. */
#include <uv.h>

#include <stdlib.h>

static void closed(uv_handle_t *handle) {
  free(handle);
}

static void fired(uv_timer_t *timer) {
  uv_close((uv_handle_t *)timer, closed);
}

int main(int argc, char **argv) {
  uint32_t seed = 1;
  for (long left = argc > 1 ? atol(argv[1]) : 0; left > 0; left--) {
    uv_timer_t *timer = malloc(sizeof *timer);
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    uv_timer_init(uv_default_loop(), timer);
    uv_timer_start(timer, fired, 500 + seed % 500, 0);
  }
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
