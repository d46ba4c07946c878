/* folder.c - aw.fs.scandir, aw.fs.mkdir */
#include "base/job.h"
#include "file/entries.h"
#include "io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- aw.fs.scandir ---- */

typedef struct scanning {
  awio_job job;
  awio_entries entries;
  size_t pushed;
} scanning;

static void run_scandir(awio_job *job) {
  scanning *s = (scanning *)job;
  job->work.result = awio_entries_read(&s->entries, job->path);
  if (job->work.result == 0)
    awio_entries_sort(&s->entries);
}

static void push_folder_entry(lua_State *L, const awio_entry *entry) {
  lua_createtable(L, 0, 2);
  lua_pushstring(L, entry->name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, awio_type_name(entry->type));
  lua_setfield(L, -2, "type");
}

static int push_scandir(lua_State *L, awio_job *job) {
  scanning *s = (scanning *)job;
  const awio_entries *e = &s->entries;
  if (s->pushed == 0)
    lua_createtable(L, (int)e->count, 0);
  for (int i = 0; i < AWIO_JOB_PIECE && s->pushed < e->count; i++) {
    push_folder_entry(L, &e->list[s->pushed++]);
    lua_rawseti(L, -2, (lua_Integer)s->pushed);
  }
  return s->pushed < e->count ? AWIO_JOB_MORE : 1;
}

static void dispose_scandir(awio_job *job) {
  awio_entries_free(&((scanning *)job)->entries);
}

static const awio_job_kind scandir_kind = {.call = "scandir",
                                           .operation =
                                               AWIO_JOB_READS("fs.scandir"),
                                           .run = run_scandir,
                                           .push = push_scandir,
                                           .dispose = dispose_scandir};

/* aw.fs.scandir(path) → list of {name=, type=} */
static int fs_scandir(lua_State *L) {
  lua_settop(L, 1);
  awio_job_new(L, &scandir_kind, sizeof(scanning), 1);
  return awio_job_await(L);
}

/* ---- aw.fs.mkdir ----
 *
 * A cancel removes the folders that this job has made, but a failure does not:
 * others may count on a folder above already, as mkdir(1) leaves it. */

typedef struct folders {
  awio_job job;
  char *path; /* a copy that can be cut */
  bool *made; /* by length of the path: has this job made the folder? */
  bool parents;
} folders;

static bool names_folder(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Make the folder that the first `length` bytes of the path name. */
static int make_folder(folders *f, size_t length) {
  enum { MODE = 0777 };
  char after = f->path[length];
  f->path[length] = '\0';
  int rc = mkdir(f->path, MODE) < 0 ? -errno : 0;
  f->made[length] = rc == 0;
  if (rc < 0 && f->parents && names_folder(f->path))
    rc = 0;
  f->path[length] = after;
  return rc;
}

/* Return the length of the path up to the end of the name that begins after
 * `from`. */
static size_t next_end(const char *path, size_t from) {
  from += strspn(path + from, "/");
  return from + strcspn(path + from, "/");
}

static int make_folders(folders *f) {
  size_t all = strlen(f->path);
  while (all > 1 && f->path[all - 1] == '/')
    all--;
  for (size_t end = next_end(f->path, 0); f->parents && end < all;
       end = next_end(f->path, end)) {
    int rc = make_folder(f, end);
    if (rc < 0 && rc != -EEXIST) /* the next name tells what is wrong */
      return rc;
  }
  return make_folder(f, all);
}

/* Remove the folders that are new, the innermost first, up to one that others
 * use by now. Returns false if that is the first: then all are left. */
static bool unmake_folders(folders *f) {
  bool removed = false;
  for (size_t length = strlen(f->path); length > 0; length--) {
    f->path[length] = '\0';
    if (f->made[length] && rmdir(f->path) < 0)
      return removed;
    removed = removed || f->made[length];
  }
  return true;
}

static void run_mkdir(awio_job *job) {
  folders *f = (folders *)job;
  if (!awio_job_unwanted(job))
    job->work.result = make_folders(f);
  if (job->work.result == 0 && awio_job_unwanted(job) && unmake_folders(f))
    job->work.result = AW_ECANCELED;
}

static void dispose_mkdir(awio_job *job) {
  free(((folders *)job)->path);
  free(((folders *)job)->made);
}

static const awio_job_kind mkdir_kind = {.call = "mkdir",
                                         .operation =
                                             AWIO_JOB_CHANGES("fs.mkdir"),
                                         .run = run_mkdir,
                                         .dispose = dispose_mkdir};

/* aw.fs.mkdir(path [, opts]) */
static int fs_mkdir(lua_State *L) {
  static const char *const known[] = {"parents", NULL};
  enum { OPTS = 2 };
  lua_settop(L, OPTS);
  awio_check_path(L, 1);
  bool parents = false;
  if (!lua_isnil(L, OPTS)) {
    aw_lua_check_options(L, OPTS, known, false);
    parents = aw_lua_opt_flag(L, OPTS, "parents", false);
  }
  folders *f = awio_job_new(L, &mkdir_kind, sizeof *f, 1);
  f->parents = parents;
  f->path = strdup(f->job.path);
  f->made = calloc(strlen(f->job.path) + 1, sizeof *f->made);
  if (!f->path || !f->made)
    return luaL_error(L, "not enough memory");
  return awio_job_await(L);
}

void awio_open_folder(lua_State *L) {
  aw_lua_push_function(L, fs_scandir, 0, "scandir");
  lua_setfield(L, -3, "fs_scandir");
  aw_lua_push_function(L, fs_mkdir, 0, "mkdir");
  lua_setfield(L, -3, "fs_mkdir");
}
