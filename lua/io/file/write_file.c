/* write_file.c - aw.fs.write, aw.fs.append
 *
 *   plain    open, write, close. From the open on it cannot be undone
 *   atomic   a file with another name in the same folder takes the bytes, and
 *            then the name of the old one. It is on disk before that, and the
 *            folder after it, so a crash leaves the old content or the new one.
 *            Until the rename, a cancel or a failure removes the new file
 *
 * A FIFO or a terminal would hold the thread until somebody reads. Such a file
 * becomes a stream, to which fs.lua writes; its name is never taken away.
 */
#include "base/job.h"
#include "base/plain.h"
#include "file/temporary.h"
#include "io.h"
#include "stream/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct writing {
  awio_job job;
  char *data;
  size_t size;
  int fd;              /* of a file for a stream, or -1 */
  bool reader_missing; /* a FIFO that cannot be opened yet */
  bool appends, atomic;
} writing;

/* ---- plain ---- */

static bool is_fifo_path(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISFIFO(info.st_mode);
}

static int overwrite(writing *w) {
  struct stat info;
  int flags = O_WRONLY | O_CREAT | (w->appends ? O_APPEND : O_TRUNC);
  if (awio_job_unwanted(&w->job))
    return AW_ECANCELED;
  int fd = awio_file_open(w->job.path, flags, 0666, &info);
  w->reader_missing = fd == -ENXIO && is_fifo_path(w->job.path);
  if (w->reader_missing)
    return 0;
  if (fd < 0)
    return fd;
  if (awio_file_waits(&info)) {
    w->fd = fd;
    return 0;
  }
  return awio_file_end(fd, awio_file_write(fd, w->data, w->size));
}

/* ---- atomic ---- */

/* Return a new text: what `target` means in the folder of `path`; NULL: out of
 * memory. */
static char *relative_to(const char *path, const char *target) {
  const char *slash = strrchr(path, '/');
  size_t folder = slash && target[0] != '/' ? (size_t)(slash - path) + 1 : 0;
  size_t size = folder + strlen(target) + 1;
  char *text = malloc(size);
  if (text)
    snprintf(text, size, "%.*s%s", (int)folder, path, target);
  return text;
}

/* Follow the links at the end of `path`, also one to a file that is not there.
 *
 *   out  receives the path of the file, to be freed by free(3); NULL on failure
 */
static int follow_links(const char *path, char **out) {
  enum { MOST = 40 }; /* as in the kernel */
  *out = relative_to("", path);
  for (int i = 0; i < MOST && *out; i++) {
    char target[PATH_MAX];
    ssize_t size = readlink(*out, target, sizeof target - 1);
    if (size < 0)
      return 0; /* no link, or an error that the next call finds, too */
    target[size] = '\0';
    char *next = relative_to(*out, target);
    free(*out);
    *out = next;
  }
  int rc = *out ? -ELOOP : AW_ENOMEM;
  free(*out);
  *out = NULL;
  return rc;
}

/* Open the file that will replace `target`. */
static int open_beside(const char *target, mode_t mode, char **out) {
  const char *slash = strrchr(target, '/');
  if (!slash)
    return awio_temporary_open(".", mode, out);
  char *folder = malloc((size_t)(slash - target) + 2);
  if (!folder)
    return AW_ENOMEM;
  memcpy(folder, target, (size_t)(slash - target) + 1);
  folder[slash - target + (slash == target)] = '\0';
  int fd = awio_temporary_open(folder, mode, out);
  free(folder);
  return fd;
}

/* Give the file the mode of the old one, and its owner if we may. A new owner
 * gets no program that runs as somebody else. */
static int take_over(int fd, const struct stat *old) {
  struct stat now;
  mode_t mode = old->st_mode & 07777;
  if (fstat(fd, &now) < 0)
    return -errno;
  bool same = now.st_uid == old->st_uid && now.st_gid == old->st_gid;
  if (!same && fchown(fd, old->st_uid, old->st_gid) < 0)
    mode &= 0777;
  return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int write_wanted(const writing *w, int fd) {
  size_t done = 0;
  int rc = 0;
  while (rc == 0 && done < w->size) {
    size_t left = w->size - done;
    size_t most = left < AWIO_FILE_CHUNK ? left : AWIO_FILE_CHUNK;
    if (awio_job_unwanted(&w->job))
      return AW_ECANCELED;
    rc = awio_file_write(fd, w->data + done, most);
    done += most;
  }
  return rc;
}

/* Write the name of a file to the disk. Not every folder can be read or
 * synced. */
static int sync_name(const char *path) {
  const char *slash = strrchr(path, '/');
  char *folder = slash ? relative_to(path, "") : relative_to("", ".");
  if (!folder)
    return AW_ENOMEM;
  struct stat info;
  int fd = awio_file_open(folder, O_RDONLY | O_DIRECTORY, 0, &info);
  free(folder);
  if (fd < 0)
    return 0;
  int rc = fsync(fd) < 0 && errno == EIO ? -errno : 0;
  close(fd);
  return rc;
}

/* `old` is NULL for a file that is not there yet. */
static int replace_file(const writing *w, const char *target,
                        const struct stat *old) {
  enum { PRIVATE = 0600, USUAL = 0666 };
  char *path;
  int fd = open_beside(target, old ? PRIVATE : USUAL, &path);
  if (fd < 0)
    return fd;
  int rc = write_wanted(w, fd);
  if (rc == 0 && old) /* a write would take the set-user-ID bit away */
    rc = take_over(fd, old);
  if (rc == 0 && fsync(fd) < 0)
    rc = -errno;
  rc = awio_file_end(fd, rc);
  if (rc == 0 && awio_job_unwanted(&w->job))
    rc = AW_ECANCELED;
  if (rc == 0 && rename(path, target) < 0)
    rc = -errno;
  if (rc < 0)
    unlink(path);
  free(path);
  return rc < 0 ? rc : sync_name(target);
}

/* A file that we may not write must not be replaced either. */
static int check_old(const char *target, const struct stat *old) {
  if (S_ISDIR(old->st_mode))
    return -EISDIR;
  return faccessat(AT_FDCWD, target, W_OK, AT_EACCESS) < 0 ? -errno : 0;
}

static int write_atomic(writing *w) {
  char *target;
  struct stat old;
  int rc = follow_links(w->job.path, &target);
  if (rc < 0)
    return rc;
  bool exists = stat(target, &old) == 0;
  if (exists)
    rc = check_old(target, &old);
  else if (errno != ENOENT)
    rc = -errno;
  if (rc == 0 && exists && !S_ISREG(old.st_mode))
    rc = overwrite(w);
  else if (rc == 0)
    rc = replace_file(w, target, exists ? &old : NULL);
  free(target);
  return rc;
}

/* ---- for Lua ---- */

static void run_write(awio_job *job) {
  writing *w = (writing *)job;
  job->work.result = w->atomic ? write_atomic(w) : overwrite(w);
}

static int push_write(lua_State *L, awio_job *job) {
  writing *w = (writing *)job;
  if (w->reader_missing) {
    lua_pushboolean(L, true);
    return 1;
  }
  if (w->fd < 0)
    return 0;
  awio_stream **box = awio_push_stream(L, 0);
  awio_stream *s = awio_stream_new(w->fd, false, true, job->path);
  w->fd = -1;
  if (!s)
    return luaL_error(L, "not enough memory");
  awio_fill_stream(L, box, s);
  return 1;
}

static void dispose_write(awio_job *job) {
  writing *w = (writing *)job;
  if (w->fd >= 0)
    close(w->fd);
  free(w->data);
}

static const awio_job_kind write_kind = {.call = "write",
                                         .operation =
                                             AWIO_JOB_CHANGES("fs.write"),
                                         .run = run_write,
                                         .push = push_write,
                                         .dispose = dispose_write};

static const awio_job_kind append_kind = {.call = "append",
                                          .operation =
                                              AWIO_JOB_CHANGES("fs.append"),
                                          .run = run_write,
                                          .push = push_write,
                                          .dispose = dispose_write};

static writing *push_writing(lua_State *L, const awio_job_kind *kind) {
  size_t size;
  awio_check_path(L, 1);
  const char *data = aw_lua_check_string(L, 2, &size);
  writing *w = awio_job_new(L, kind, sizeof *w, 1);
  w->fd = -1;
  w->data = malloc(size + 1);
  if (!w->data)
    luaL_error(L, "not enough memory");
  memcpy(w->data, data, size);
  w->size = size;
  return w;
}

/* fs_write(path, data [, opts]) → nothing; or a Stream to write to, or true if
 * it must be opened for that */
static int fs_write(lua_State *L) {
  static const char *const known[] = {"atomic", NULL};
  enum { OPTS = 3 };
  lua_settop(L, OPTS);
  awio_check_path(L, 1);
  aw_lua_check_string(L, 2, NULL);
  bool atomic = false;
  if (!lua_isnil(L, OPTS)) {
    aw_lua_check_options(L, OPTS, known, false);
    atomic = aw_lua_opt_flag(L, OPTS, "atomic", false);
  }
  push_writing(L, &write_kind)->atomic = atomic;
  return awio_job_await(L);
}

/* fs_append(path, data): as fs_write() */
static int fs_append(lua_State *L) {
  lua_settop(L, 2);
  push_writing(L, &append_kind)->appends = true;
  return awio_job_await(L);
}

void awio_open_write_file(lua_State *L) {
  static const luaL_Reg inner[] = {
      {"fs_write", fs_write}, {"fs_append", fs_append}, {NULL, NULL}};
  awio_add_inner(L, inner);
}
