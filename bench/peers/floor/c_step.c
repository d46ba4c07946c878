/* N turns of libuv's loop, each with one callback. */
#include <uv.h>

#include <stdlib.h>

static long left;

static void turn(uv_idle_t *idle) {
  if (--left <= 0)
    uv_idle_stop(idle);
}

int main(int argc, char **argv) {
  left = argc > 1 ? atol(argv[1]) : 0;
  uv_idle_t idle;
  uv_idle_init(uv_default_loop(), &idle);
  uv_idle_start(&idle, turn);
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
