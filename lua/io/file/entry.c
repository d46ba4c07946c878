/* entry.c - aw.fs.stat, aw.fs.unlink, aw.fs.rmdir, aw.fs.rename
 *
 * Each is one system call, which cannot be stopped. A cancelled unlink, rmdir
 * or rename that is under way has happened, and says so [C6]. */
#define _POSIX_C_SOURCE 200809L /* st_mtim */
#include "base/job.h"
#include "file/entries.h"
#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- aw.fs.stat ---- */

typedef struct looking {
  awio_job job;
  struct stat info;
  bool follows;
} looking;

static void run_stat(awio_job *job) {
  looking *l = (looking *)job;
  int rc = l->follows ? stat(job->path, &l->info) : lstat(job->path, &l->info);
  job->work.result = rc < 0 ? -errno : 0;
}

static void set_time_field(lua_State *L, const char *name,
                           const struct timespec *t) {
  static const lua_Number BILLION = 1e9;
  lua_pushnumber(L, (lua_Number)t->tv_sec + (lua_Number)t->tv_nsec / BILLION);
  lua_setfield(L, -2, name);
}

static int push_stat(lua_State *L, awio_job *job) {
  const struct stat *s = &((looking *)job)->info;
  const struct {
    const char *name;
    lua_Integer value;
  } numbers[] = {{"size", (lua_Integer)s->st_size},
                 {"mode", (lua_Integer)(s->st_mode & 07777)},
                 {"uid", (lua_Integer)s->st_uid},
                 {"gid", (lua_Integer)s->st_gid},
                 {"nlink", (lua_Integer)s->st_nlink},
                 {"ino", (lua_Integer)s->st_ino},
                 {"dev", (lua_Integer)s->st_dev}};
  enum { COUNT = sizeof numbers / sizeof *numbers };
  lua_createtable(L, 0, COUNT + 4);
  for (int i = 0; i < COUNT; i++) {
    lua_pushinteger(L, numbers[i].value);
    lua_setfield(L, -2, numbers[i].name);
  }
  lua_pushstring(L, awio_type_name(s->st_mode));
  lua_setfield(L, -2, "type");
  set_time_field(L, "mtime", &s->st_mtim);
  set_time_field(L, "atime", &s->st_atim);
  set_time_field(L, "ctime", &s->st_ctim);
  return 1;
}

static const awio_job_kind stat_kind = {.call = "stat",
                                        .operation = AWIO_JOB_READS("fs.stat"),
                                        .run = run_stat,
                                        .push = push_stat};

/* aw.fs.stat(path [, opts]) → table */
static int fs_stat(lua_State *L) {
  static const char *const known[] = {"follow", NULL};
  enum { OPTS = 2 };
  lua_settop(L, OPTS);
  awio_check_path(L, 1);
  bool follows = true;
  if (!lua_isnil(L, OPTS)) {
    aw_lua_check_options(L, OPTS, known, false);
    follows = aw_lua_opt_flag(L, OPTS, "follow", true);
  }
  looking *l = awio_job_new(L, &stat_kind, sizeof *l, 1);
  l->follows = follows;
  return awio_job_await(L);
}

/* ---- aw.fs.unlink ---- */

static void run_unlink(awio_job *job) {
  job->work.result = unlink(job->path) < 0 ? -errno : 0;
}

static const awio_job_kind unlink_kind = {.call = "unlink",
                                          .operation =
                                              AWIO_JOB_CHANGES("fs.unlink"),
                                          .run = run_unlink};

/* aw.fs.unlink(path) */
static int fs_unlink(lua_State *L) {
  lua_settop(L, 1);
  awio_job_new(L, &unlink_kind, sizeof(awio_job), 1);
  return awio_job_await(L);
}

/* ---- aw.fs.rmdir ---- */

/* POSIX lets a folder that is not empty be EEXIST, too. */
static void run_rmdir(awio_job *job) {
  int rc = rmdir(job->path) < 0 ? -errno : 0;
  job->work.result = rc == -EEXIST ? -ENOTEMPTY : rc;
}

static const awio_job_kind rmdir_kind = {.call = "rmdir",
                                         .operation =
                                             AWIO_JOB_CHANGES("fs.rmdir"),
                                         .run = run_rmdir};

/* aw.fs.rmdir(path) */
static int fs_rmdir(lua_State *L) {
  lua_settop(L, 1);
  awio_job_new(L, &rmdir_kind, sizeof(awio_job), 1);
  return awio_job_await(L);
}

/* ---- aw.fs.rename ---- */

typedef struct renaming {
  awio_job job;
  char *both; /* the two paths, for an error */
} renaming;

static void run_rename(awio_job *job) {
  job->work.result = rename(job->path, job->other) < 0 ? -errno : 0;
}

static void dispose_rename(awio_job *job) {
  free(((renaming *)job)->both);
}

static const awio_job_kind rename_kind = {.call = "rename",
                                          .operation =
                                              AWIO_JOB_CHANGES("fs.rename"),
                                          .run = run_rename,
                                          .dispose = dispose_rename};

/* aw.fs.rename(from, to) */
static int fs_rename(lua_State *L) {
  lua_settop(L, 2);
  renaming *r = awio_job_new(L, &rename_kind, sizeof *r, 2);
  lua_pushfstring(L, "%s -> %s", r->job.path, r->job.other);
  r->both = strdup(lua_tostring(L, -1));
  lua_pop(L, 1);
  if (!r->both)
    return luaL_error(L, "not enough memory");
  r->job.about = r->both;
  return awio_job_await(L);
}

void awio_open_entry(lua_State *L) {
  static const luaL_Reg list[] = {{"stat", fs_stat},
                                  {"unlink", fs_unlink},
                                  {"rmdir", fs_rmdir},
                                  {"rename", fs_rename},
                                  {NULL, NULL}};
  lua_newtable(L);
  aw_lua_set_functions(L, list, 0);
  lua_setfield(L, -3, "fs_entry");
}
