/* exec.c N AT_ONCE - runs a program N times, by libuv
 *
 * Standard input is from /dev/null, and two pipes are read to their ends. When
 * a child and both of its pipes have ended, the next child starts.
 */
#include <uv.h>

#include <stdlib.h>

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

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  left = atoi(argv[1]);
  for (int i = 0; i < atoi(argv[2]); i++)
    start_one();
  return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
