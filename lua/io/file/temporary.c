/* temporary.c - aw.fs.tempfile, and the files of atomic writes
 *
 * A tempfile that nobody gets, because its task was cancelled or killed, is
 * removed. Else it is the user's.
 */
#include "file/temporary.h"

#include "base/job.h"
#include "base/plain.h"
#include "io.h"
#include "stream/disk.h"

#include <uv.h>

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIGITS = 12 };

/* Returns 0 or a negative code. */
static int put_digits(char *out) {
  static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
  unsigned char bytes[DIGITS];
  int rc = uv_random(NULL, NULL, bytes, sizeof bytes, 0, NULL);
  for (int i = 0; i < DIGITS && rc == 0; i++)
    out[i] = digits[bytes[i] % (sizeof digits - 1)];
  return rc;
}

int awio_temporary_open(const char *folder, mode_t mode, char **out) {
  enum { TRIES = 100 };
  static const char name[] = "/aiowire-";
  size_t length = strlen(folder), size = length + sizeof name + DIGITS;
  char *path = malloc(size);
  *out = NULL;
  if (!path)
    return AW_ENOMEM;
  snprintf(path, size, "%s%s", folder, name);
  path[size - 1] = '\0';
  int rc = UV_EEXIST;
  for (int i = 0; i < TRIES && rc == UV_EEXIST; i++) {
    struct stat info;
    rc = put_digits(path + size - 1 - DIGITS);
    if (rc == 0)
      rc = awio_file_open(path, O_RDWR | O_CREAT | O_EXCL, mode, &info);
  }
  if (rc < 0)
    free(path);
  else
    *out = path;
  return rc;
}

/* ---- aw.fs.tempfile ---- */

typedef struct making {
  awio_job job;
  char *made; /* its path, until somebody has it */
  int fd;
} making;

static void unmake(making *m) {
  if (m->fd < 0)
    return;
  close(m->fd);
  unlink(m->made);
  m->fd = -1;
}

static void run_tempfile(awio_job *job) {
  making *m = (making *)job;
  enum { PRIVATE = 0600 };
  m->fd = awio_temporary_open(job->path, PRIVATE, &m->made);
  job->work.result = m->fd < 0 ? m->fd : 0;
  if (awio_job_unwanted(job)) {
    unmake(m);
    job->work.result = AW_ECANCELED;
  }
}

static int push_tempfile(lua_State *L, awio_job *job) {
  making *m = (making *)job;
  lua_pushstring(L, m->made);
  awio_stream **box = awio_push_stream(L, 0);
  lua_insert(L, -2);
  awio_stream *s = awio_disk_stream(m->fd, true, true, m->made);
  m->fd = -1;
  if (!s) {
    unlink(m->made);
    return luaL_error(L, "not enough memory");
  }
  awio_fill_stream(L, box, s);
  return 2;
}

static void dispose_tempfile(awio_job *job) {
  making *m = (making *)job;
  unmake(m);
  free(m->made);
}

static const awio_job_kind tempfile_kind = {.call = "tempfile",
                                            .operation =
                                                AWIO_JOB_CHANGES("fs.tempfile"),
                                            .run = run_tempfile,
                                            .push = push_tempfile,
                                            .dispose = dispose_tempfile};

/* aw.fs.tempfile() → Stream, path */
static int fs_tempfile(lua_State *L) {
  lua_settop(L, 0);
  const char *folder = getenv("TMPDIR");
  lua_pushstring(L, folder && folder[0] ? folder : "/tmp");
  making *m = awio_job_new(L, &tempfile_kind, sizeof *m, 1);
  m->fd = -1;
  return awio_job_await(L);
}

void awio_open_tempfile(lua_State *L) {
  aw_lua_push_function(L, fs_tempfile, 0, "tempfile");
  lua_setfield(L, -3, "fs_tempfile");
}
