/* read_file.c - aw.fs.read: a whole file as a string
 *
 * The size of a file is only a hint: those in /proc have none, and others grow
 * or shrink meanwhile. So the thread reads until the end. Lua makes strings on
 * its own thread, so the bytes are copied there.
 *
 * A FIFO or a terminal would hold the thread until somebody writes. Such a file
 * becomes a stream, which fs.lua reads.
 */
#include "base/job.h"
#include "base/plain.h"
#include "io.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct reading {
  awio_job job;
  char *data;
  size_t size, room;
  int fd; /* of a file for a stream, or -1 */
  bool fifo;
} reading;

/* Returns false if there is no memory. */
static bool grow_text(reading *r) {
  enum { LEAST = 4096 };
  if (r->size < r->room)
    return true;
  size_t room = r->room < LEAST ? LEAST : r->room * 2;
  char *data = realloc(r->data, room);
  if (!data)
    return false;
  r->data = data;
  r->room = room;
  return true;
}

/* Reading one byte more than the size finds the end of most files. */
static int read_to_end(reading *r, int fd, off_t size) {
  if (size > 0 && (uintmax_t)size < SIZE_MAX) {
    r->data = malloc((size_t)size + 1);
    if (!r->data)
      return AW_ENOMEM;
    r->room = (size_t)size + 1;
  }
  while (!awio_job_unwanted(&r->job)) {
    if (!grow_text(r))
      return AW_ENOMEM;
    size_t most = r->room - r->size;
    ssize_t got = read(fd, r->data + r->size,
                       most < AWIO_FILE_CHUNK ? most : AWIO_FILE_CHUNK);
    if (got == 0)
      return 0;
    if (got < 0 && errno != EINTR)
      return -errno;
    r->size += got > 0 ? (size_t)got : 0;
  }
  return AW_ECANCELED;
}

static void run_read(awio_job *job) {
  reading *r = (reading *)job;
  struct stat info;
  int fd = awio_file_open(job->path, O_RDONLY, 0, &info);
  if (fd >= 0 && awio_file_waits(&info)) {
    r->fd = fd;
    r->fifo = S_ISFIFO(info.st_mode);
    return;
  }
  job->work.result = fd;
  if (fd < 0)
    return;
  job->work.result = read_to_end(r, fd, info.st_size);
  close(fd);
}

static int push_read(lua_State *L, awio_job *job) {
  reading *r = (reading *)job;
  if (r->fd < 0) {
    lua_pushlstring(L, r->data, r->size);
    return 1;
  }
  lua_pushnil(L);
  awio_stream **box = awio_push_stream(L, 0);
  awio_stream *s = awio_stream_new(r->fd, true, false, job->path);
  r->fd = -1;
  if (!s)
    return luaL_error(L, "not enough memory");
  s->drained = r->fifo;
  awio_fill_stream(L, box, s);
  return 2;
}

static void dispose_read(awio_job *job) {
  reading *r = (reading *)job;
  if (r->fd >= 0)
    close(r->fd);
  free(r->data);
}

static const awio_job_kind read_kind = {.call = "read",
                                        .operation = AWIO_JOB_READS("fs.read"),
                                        .run = run_read,
                                        .push = push_read,
                                        .dispose = dispose_read};

/* fs_read(path) → text; or nil, Stream */
static int fs_read(lua_State *L) {
  lua_settop(L, 1);
  reading *r = awio_job_new(L, &read_kind, sizeof *r, 1);
  r->fd = -1;
  return awio_job_await(L);
}

void awio_open_read_file(lua_State *L) {
  static const luaL_Reg inner[] = {{"fs_read", fs_read}, {NULL, NULL}};
  awio_add_inner(L, inner);
}
