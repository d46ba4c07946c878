/* file.c - aw.fs.open: FIFOs, terminals, devices and files as streams
 *
 *   FIFO      opened without blocking. The first read waits until the reading
 *             end is ready, which needs a writer: before that, read(2) would
 *             report the end. An open for writing tries again until there is a
 *             reader, since no event tells when one comes
 *   terminal  never becomes the controlling one; does not block
 *   file      always ready; reads and writes happen on the loop's thread
 *
 * While an open waits, no descriptor is open, and the Lua stack is
 *
 *     [path, mode, Stream without a descriptor]
 */
#include "stream/stream_object.h"

#include "base/system.h"
#include "io.h"

#include <lauxlib.h>
#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_PATH = 1, AT_MODE, AT_STREAM };

static const char *const NAME = "fs.open";

/* ---- opening ---- */

/* Return the flags for a mode of io.open, or -1. */
static int flags_of(const char *mode) {
  bool both = mode[0] && mode[1] == '+';
  const char *rest = mode + (both ? 2 : 1);
  if (!mode[0] || !strchr("rwa", mode[0]) || strspn(rest, "b") != strlen(rest))
    return -1;
  int access = both ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
  int made = mode[0] == 'r'   ? 0
             : mode[0] == 'w' ? O_CREAT | O_TRUNC
                              : O_CREAT | O_APPEND;
  return access | made | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
}

static bool is_fifo(const char *path) {
  struct stat file;
  return stat(path, &file) == 0 && S_ISFIFO(file.st_mode);
}

/* Returns a descriptor; UV_EAGAIN for a FIFO without a reader; or an error. */
static int open_unblocked(const char *path, int flags, struct stat *file) {
  int fd;
  do
    fd = open(path, flags, 0666);
  while (fd < 0 && errno == EINTR);
  if (fd < 0)
    return errno == ENXIO && is_fifo(path) ? UV_EAGAIN : -errno;
  if (fstat(fd, file) == 0 && S_ISDIR(file->st_mode)) {
    close(fd); /* reads of it would only fail later */
    return UV_EISDIR;
  }
  return awio_above_standard(fd);
}

static awio_stream *new_file_stream(int fd, int flags, const char *path,
                                    const struct stat *file) {
  int access = flags & O_ACCMODE;
  awio_stream *s =
      awio_stream_new(fd, access != O_WRONLY, access != O_RDONLY, path);
  if (s)
    s->drained = S_ISFIFO(file->st_mode);
  return s;
}

/* ---- waiting for the reader of a FIFO ---- */

static int reader_arm(aw_task *task, void *data) {
  enum { PAUSE_MS = 10 };
  (void)data;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  if (aw_engine_virtual(engine)) /* its alarms do not follow real time */
    return UV_ENXIO;
  return aw_alarm_arm(task,
                      aw_engine_now(engine) + PAUSE_MS * (AW_SECOND / 1000));
}

static void reader_due(aw_task *task, void *data) {
  (void)data;
  aw_wait_complete(task, 0);
}

static void reader_disarm(aw_task *task, void *data) {
  (void)data;
  aw_alarm_disarm(task);
}

static void describe_path(const void *data, char *out, size_t size) {
  snprintf(out, size, "%s", (const char *)data);
}

static const aw_operation awaiting_reader = {.label = "fs.open",
                                             .arm = reader_arm,
                                             .due = reader_due,
                                             .disarm = reader_disarm,
                                             .external = true,
                                             .describe = describe_path};

static int open_on(lua_State *L, int result, void *data) {
  (void)data;
  const char *path = lua_tostring(L, AT_PATH);
  int flags = flags_of(lua_tostring(L, AT_MODE));
  struct stat file = {0};
  int fd = result < 0 ? result : open_unblocked(path, flags, &file);
  if (fd == UV_EAGAIN)
    return aw_lua_await(L, &awaiting_reader, (void *)(uintptr_t)path, NAME,
                        open_on);
  if (fd < 0)
    return aw_lua_system_error(L, fd, "open", path);
  awio_stream **box = awio_to_stream(L, AT_STREAM);
  awio_fill_stream(L, box, new_file_stream(fd, flags, path, &file));
  return *box ? 1 : luaL_error(L, "not enough memory");
}

/* aw.fs.open(path [, mode]) → Stream */
static int fs_open(lua_State *L) {
  size_t size;
  const char *path = aw_lua_check_string(L, AT_PATH, &size);
  aw_lua_arg_check(L, strlen(path) == size, AT_PATH, "a path has no zero byte");
  lua_settop(L, AT_MODE);
  if (lua_isnil(L, AT_MODE)) {
    lua_pushliteral(L, "r");
    lua_replace(L, AT_MODE);
  }
  const char *mode = aw_lua_check_string(L, AT_MODE, &size);
  aw_lua_arg_check(L, strlen(mode) == size && flags_of(mode) >= 0, AT_MODE,
                   "invalid mode");
  lua_tostring(L, AT_PATH); /* a number becomes its text */
  aw_lua_task(L, NAME);
  awio_push_stream(L, AT_PATH); /* keeps the path, too, while the open waits */
  return aw_lua_begin(L, NULL, NAME, open_on);
}

/* Add fs_open for fs.lua. [inner, module] */
void awio_open_file(lua_State *L) {
  aw_lua_push_function(L, fs_open, 0, "open");
  lua_setfield(L, -3, "fs_open");
}
