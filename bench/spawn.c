/* spawn.c - starts programs with plain libuv; the floor of spawn.lua
 *
 *   spawn COUNT AT_ONCE    prints the CPU time of each child, in us
 *
 * Each child is /bin/true with standard input from /dev/null and two pipes,
 * which are read to their ends. When a child and both of its pipes have ended,
 * the next child starts. The time is the sum for this process and its children.
 * Neighbour: spawn.lua measures aw.exec.
 */
#define _XOPEN_SOURCE 700

#include <uv.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

typedef struct child {
  uv_process_t process;
  uv_pipe_t pipes[2];
  int open; /* number of open handles */
} child;

static int left; /* children to start */

static void start_one(void);

static void closed(uv_handle_t *handle) {
  child *c = handle->data;
  if (--c->open > 0)
    return;
  free(c);
  start_one();
}

static void make_room(uv_handle_t *handle, size_t size, uv_buf_t *out) {
  static char room[65536];
  (void)handle;
  (void)size;
  *out = uv_buf_init(room, sizeof room);
}

static void got(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  (void)buffer;
  if (count < 0)
    uv_close((uv_handle_t *)stream, closed);
}

static void exited(uv_process_t *process, int64_t code, int number) {
  (void)code;
  (void)number;
  uv_close((uv_handle_t *)process, closed);
}

static void start_one(void) {
  static char name[] = "/bin/true";
  static char *arguments[] = {name, NULL};
  if (left-- <= 0)
    return;
  child *c = calloc(1, sizeof *c);
  if (!c)
    abort();
  uv_stdio_container_t files[3] = {{.flags = UV_IGNORE}};
  for (int i = 0; i < 2; i++) {
    uv_pipe_init(uv_default_loop(), &c->pipes[i], 0);
    c->pipes[i].data = c;
    files[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    files[i + 1].data.stream = (uv_stream_t *)&c->pipes[i];
  }
  uv_process_options_t options = {.exit_cb = exited,
                                  .file = name,
                                  .args = arguments,
                                  .stdio_count = 3,
                                  .stdio = files};
  c->process.data = c;
  c->open = 3;
  if (uv_spawn(uv_default_loop(), &c->process, &options) < 0)
    abort();
  for (int i = 0; i < 2; i++)
    uv_read_start((uv_stream_t *)&c->pipes[i], make_room, got);
}

/* Return the CPU microseconds of this process and its reaped children. */
static double spent(void) {
  static const int whose[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
  double us = 0;
  for (int i = 0; i < 2; i++) {
    struct rusage usage;
    getrusage(whose[i], &usage);
    us += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
          (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  }
  return us;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1000;
  int at_once = argc > 2 ? atoi(argv[2]) : 1;
  left = count;
  for (int i = 0; i < at_once; i++)
    start_one();
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  printf("%.2f\n", spent() / count);
  return 0;
}
