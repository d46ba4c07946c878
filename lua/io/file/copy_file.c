/* copy_file.c - aw.fs.copy
 *
 * The kernel copies, where it can: within a file system, maybe without moving a
 * byte. Then the thread reads on to the end, since for files in /proc the
 * kernel copies nothing, and calls that success.
 *
 * A new file is removed by a cancel and by a failure, unless its name is that
 * of another file by now. A file that was there cannot come back, so from its
 * truncation on the copy goes on to the end.
 *
 * FIFOs and terminals become streams, which fs.lua copies. If that fails, it
 * has the new file removed in the same way.
 */
#define _GNU_SOURCE /* copy_file_range */
#include "base/job.h"
#include "base/plain.h"
#include "io.h"
#include "stream/disk.h"
#include "stream/stream.h"

#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that was made. */
typedef struct identity {
  dev_t device;
  ino_t number;
} identity;

typedef struct copying {
  awio_job job;
  int from, to;        /* -1: not open */
  bool made;           /* the target is new, and not complete */
  bool streams;        /* the two are for streams */
  bool reader_missing; /* the target is a FIFO that cannot be opened yet */
  mode_t from_type, to_type;
  identity target;
} copying;

/* Remove a file that was made, if `path` still names that one. */
static void remove_made(const char *path, const identity *file) {
  struct stat now;
  if (lstat(path, &now) == 0 && now.st_dev == file->device &&
      now.st_ino == file->number)
    unlink(path);
}

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
  c->to_type = to->st_mode;
  c->target = (identity){to->st_dev, to->st_ino};
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
  return c->made ? 0 : awio_file_empty(c->to);
}

static int copy_content(copying *c, const struct stat *from,
                        const struct stat *to) {
  int rc = begin_target(c, from, to);
  if (rc == 0)
    rc = copy_in_kernel(c);
  if (rc == 0)
    rc = copy_by_hand(c);
  rc = awio_file_end(c->to, rc);
  c->to = -1;
  return rc;
}

/* Streams copy only into what is there: into nothing, for a file. */
static int empty_target(const copying *c) {
  if (awio_job_unwanted(&c->job))
    return AW_ECANCELED;
  return S_ISREG(c->to_type) ? awio_file_empty(c->to) : 0;
}

static int copy_opened(copying *c, const struct stat *from) {
  struct stat to;
  int rc = open_target(c, from, &to);
  if (rc < 0)
    return rc;
  rc = c->streams ? empty_target(c) : copy_content(c, from, &to);
  if (rc == 0 && should_stop(c))
    rc = AW_ECANCELED;
  if (rc == 0 && !c->streams)
    c->made = false;
  return rc;
}

static void unmake_copy(copying *c) {
  if (c->made)
    remove_made(c->job.other, &c->target);
  c->made = false;
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
  c->from_type = from.st_mode;
  job->about = job->other;
  job->work.result = copy_opened(c, &from);
  if (job->work.result < 0)
    unmake_copy(c);
}

/* ---- for Lua ---- */

static void push_stream(lua_State *L, int *fd, bool reads, const char *name,
                        mode_t type) {
  bool file = S_ISREG(type) || S_ISBLK(type);
  awio_stream **box = awio_push_stream(L, 0);
  awio_stream *s = file ? awio_disk_stream(*fd, reads, !reads, name)
                        : awio_stream_new(*fd, reads, !reads, name);
  *fd = -1;
  if (!s)
    luaL_error(L, "not enough memory");
  s->drained = s->drained || (reads && S_ISFIFO(type));
  awio_fill_stream(L, box, s);
}

static int push_copy(lua_State *L, awio_job *job) {
  copying *c = (copying *)job;
  if (!c->streams)
    return 0;
  push_stream(L, &c->from, true, job->path, c->from_type);
  if (c->reader_missing)
    lua_pushnil(L);
  else
    push_stream(L, &c->to, false, job->other, c->to_type);
  if (!c->made)
    return 2;
  lua_pushinteger(L, (lua_Integer)c->target.device);
  lua_pushinteger(L, (lua_Integer)c->target.number);
  c->made = false; /* now it is fs.lua's */
  return 4;
}

static void dispose_copy(awio_job *job) {
  copying *c = (copying *)job;
  if (c->from >= 0)
    close(c->from);
  if (c->to >= 0)
    close(c->to);
  unmake_copy(c);
}

static const awio_job_kind copy_kind = {.call = "copy",
                                        .operation =
                                            AWIO_JOB_CHANGES("fs.copy"),
                                        .run = run_copy,
                                        .push = push_copy,
                                        .dispose = dispose_copy};

/* fs_copy(from, to) → nothing; or a Stream to read from, and one to write to,
 * or nil if that must be opened; and if the target is new, two numbers for
 * fs_unmake() */
static int fs_copy(lua_State *L) {
  lua_settop(L, 2);
  copying *c = awio_job_new(L, &copy_kind, sizeof *c, 2);
  c->from = c->to = -1;
  return awio_job_await(L);
}

typedef struct removing {
  awio_job job;
  identity file;
} removing;

static void run_removing(awio_job *job) {
  remove_made(job->path, &((removing *)job)->file);
}

/* No cancel takes it out of the queue. */
static const awio_job_kind removing_kind = {
    .call = "copy",
    .operation = {.label = "fs.copy",
                  .arm = awio_job_arm,
                  .abandon = awio_job_abandon,
                  .external = true,
                  .describe = awio_job_describe},
    .run = run_removing};

/* fs_unmake(path, device, number [, later]): remove a target that was new, and
 * wait for that unless `later` */
static int fs_unmake(lua_State *L) {
  enum { DEVICE = 2, NUMBER, LATER };
  lua_settop(L, LATER);
  removing *r = awio_job_new(L, &removing_kind, sizeof *r, 1);
  r->file = (identity){(dev_t)lua_tointeger(L, DEVICE),
                       (ino_t)lua_tointeger(L, NUMBER)};
  return lua_toboolean(L, LATER) ? awio_job_leave(L) : awio_job_await(L);
}

void awio_open_copy_file(lua_State *L) {
  static const luaL_Reg inner[] = {
      {"fs_copy", fs_copy}, {"fs_unmake", fs_unmake}, {NULL, NULL}};
  awio_add_inner(L, inner);
}
