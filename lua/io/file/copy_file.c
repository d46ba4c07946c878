/* copy_file.c - aw.fs.copy
 *
 * The kernel copies, where it can: within a file system, maybe without moving a
 * byte. Then the thread reads on to the end, since for files in /proc the
 * kernel copies nothing, and calls that success.
 *
 * A new file is removed by a cancel and by a failure. A file that was there
 * cannot come back, so from its truncation on the copy goes on to the end.
 *
 * FIFOs and terminals become streams, which fs.lua copies.
 */
#define _GNU_SOURCE /* copy_file_range */
#include "base/job.h"
#include "base/plain.h"
#include "io.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct copying {
  awio_job job;
  int from, to;        /* -1: not open */
  bool made;           /* the target is new */
  bool streams;        /* the two are for streams */
  bool reader_missing; /* the target is a FIFO that cannot be opened yet */
  bool from_fifo;
} copying;

static bool should_stop(const copying *c) {
  return c->made && awio_job_unwanted(&c->job);
}

/* ---- bytes ---- */

#if defined __linux__

/* Returns 0 if the rest is to be read and written. */
static int copy_in_kernel(copying *c) {
  ssize_t got;
  do {
    if (should_stop(c))
      return AW_ECANCELED;
    got = copy_file_range(c->from, NULL, c->to, NULL, AWIO_FILE_CHUNK, 0);
  } while (got > 0 || (got < 0 && errno == EINTR));
  if (got == 0)
    return 0;
  switch (errno) {
  case EXDEV:
  case EINVAL:
  case ENOSYS:
  case EOPNOTSUPP:
  case EPERM: return 0;
  default: return -errno;
  }
}

#else

static int copy_in_kernel(copying *c) {
  (void)c;
  return 0;
}

#endif

static int copy_by_hand(copying *c) {
  enum { SIZE = 256 * 1024 };
  char *data = malloc(SIZE);
  int rc = data ? 0 : AW_ENOMEM;
  ssize_t got = 1;
  while (rc == 0 && got != 0) {
    got = read(c->from, data, SIZE);
    if (got < 0 && errno != EINTR) {
      rc = -errno;
      c->job.about = c->job.path;
    } else if (got > 0)
      rc = awio_file_write(c->to, data, (size_t)got);
    if (rc == 0 && should_stop(c))
      rc = AW_ECANCELED;
  }
  free(data);
  return rc;
}

/* ---- files ---- */

/* Open the target. A link to nothing can be made, but not as a new file. */
static int open_target(copying *c, const struct stat *from, struct stat *to) {
  const char *path = c->job.other;
  mode_t mode = from->st_mode & 0777;
  c->to = awio_file_open(path, O_WRONLY | O_CREAT | O_EXCL, mode, to);
  c->made = c->to >= 0;
  if (c->to == -EEXIST)
    c->to = awio_file_open(path, O_WRONLY | O_CREAT, mode, to);
  c->reader_missing =
      c->to == -ENXIO && stat(path, to) == 0 && S_ISFIFO(to->st_mode);
  if (c->to < 0 && !c->reader_missing)
    return c->to;
  c->streams = awio_file_waits(from) || awio_file_waits(to);
  return 0;
}

/* The umask does not count for the mode of a copy. */
static int begin_target(copying *c, const struct stat *from,
                        const struct stat *to) {
  if (from->st_dev == to->st_dev && from->st_ino == to->st_ino)
    return UV_EINVAL;
  if (c->made && fchmod(c->to, from->st_mode & 0777) < 0)
    return -errno;
  if (awio_job_unwanted(&c->job))
    return AW_ECANCELED;
  return !c->made && ftruncate(c->to, 0) < 0 ? -errno : 0;
}

static int copy_opened(copying *c, const struct stat *from) {
  struct stat to;
  int rc = open_target(c, from, &to);
  if (rc == 0 && c->streams && c->to >= 0 && S_ISREG(to.st_mode) &&
      ftruncate(c->to, 0) < 0)
    rc = -errno;
  if (rc < 0 || c->streams)
    return rc;
  rc = begin_target(c, from, &to);
  if (rc == 0)
    rc = copy_in_kernel(c);
  if (rc == 0)
    rc = copy_by_hand(c);
  rc = awio_file_end(c->to, rc);
  c->to = -1;
  if (rc == 0 && should_stop(c))
    rc = AW_ECANCELED;
  if (rc < 0 && c->made)
    unlink(c->job.other);
  return rc;
}

static void run_copy(awio_job *job) {
  copying *c = (copying *)job;
  struct stat from;
  if (awio_job_unwanted(job)) {
    job->work.result = AW_ECANCELED;
    return;
  }
  c->from = awio_file_open(job->path, O_RDONLY, 0, &from);
  if (c->from < 0) {
    job->work.result = c->from;
    return;
  }
  c->from_fifo = S_ISFIFO(from.st_mode);
  job->about = job->other;
  job->work.result = copy_opened(c, &from);
}

/* ---- for Lua ---- */

static void push_stream(lua_State *L, int *fd, bool reads, const char *name,
                        bool fifo) {
  awio_stream **box = awio_push_stream(L, 0);
  awio_stream *s = awio_stream_new(*fd, reads, !reads, name);
  *fd = -1;
  if (!s)
    luaL_error(L, "not enough memory");
  s->drained = fifo;
  awio_fill_stream(L, box, s);
}

static int push_copy(lua_State *L, awio_job *job) {
  copying *c = (copying *)job;
  if (!c->streams)
    return 0;
  push_stream(L, &c->from, true, job->path, c->from_fifo);
  if (c->reader_missing)
    lua_pushnil(L);
  else
    push_stream(L, &c->to, false, job->other, false);
  return 2;
}

static void dispose_copy(awio_job *job) {
  copying *c = (copying *)job;
  if (c->from >= 0)
    close(c->from);
  if (c->to >= 0)
    close(c->to);
}

static const awio_job_kind copy_kind = {.call = "copy",
                                        .operation =
                                            AWIO_JOB_CHANGES("fs.copy"),
                                        .run = run_copy,
                                        .push = push_copy,
                                        .dispose = dispose_copy};

/* fs_copy(from, to) → nothing; or a Stream to read from, and one to write to,
 * or nil if that must be opened */
static int fs_copy(lua_State *L) {
  lua_settop(L, 2);
  copying *c = awio_job_new(L, &copy_kind, sizeof *c, 2);
  c->from = c->to = -1;
  return awio_job_await(L);
}

void awio_open_copy_file(lua_State *L) {
  static const luaL_Reg inner[] = {{"fs_copy", fs_copy}, {NULL, NULL}};
  awio_add_inner(L, inner);
}
