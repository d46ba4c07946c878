/* files.c - system calls on files that specs control
 *
 * In a program that is started with this file in LD_PRELOAD, calls of open,
 * read, write, fsync, rename, unlink, mkdir, stat and copy_file_range can hang
 * or fail, on all threads but the first one.
 *
 *   local files = require "spec_files"   the same file
 *   files.hang(name [, after])  calls of `name` hang, but for the first `after`
 *   files.fail(name, errno [, after])    … fail
 *   files.hanging()             → how many calls hang now
 *   files.calls(name)           → how many calls were begun
 *   files.release([name])       let calls of `name` go on, from now on; or all,
 *                               and none fails
 *   files.threads()             → threads of this process
 *   files.refuse(on)            whether no thread can be made from now on
 */
#define _GNU_SOURCE    /* RTLD_NEXT */
#undef _FORTIFY_SOURCE /* its headers define read() and open() themselves */

#include "preloaded.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN, READ, WRITE, FSYNC, RENAME, UNLINK, MKDIR, STAT, COPY, CALLS };

static const char *const names[CALLS + 1] = {
    "open",   "read",  "write", "fsync",           "rename",
    "unlink", "mkdir", "stat",  "copy_file_range", NULL};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static int hanging, calls[CALLS];
static int hangs_after[CALLS], fails_after[CALLS]; /* calls left, + 1; 0: no */
static int failures[CALLS];

/* Count down to the calls that hang or fail. */
static bool is_due(int *after) {
  if (*after > 1)
    --*after;
  else
    return *after == 1;
  return false;
}

/* Returns false if the call must fail. */
static bool enter(int call) {
  if (gettid() == getpid())
    return true;
  pthread_mutex_lock(&lock);
  calls[call]++;
  if (is_due(&hangs_after[call])) {
    hanging++;
    while (hangs_after[call])
      pthread_cond_wait(&released, &lock);
    hanging--;
  }
  bool fails = is_due(&fails_after[call]);
  int failure = failures[call];
  pthread_mutex_unlock(&lock);
  if (fails)
    errno = failure;
  return !fails;
}

/* The calls of libuv that wake a loop are none of ours. */
static bool is_file(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

AW_API int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  int (*next)(const char *, int, ...);
  find("open", &next);
  return enter(OPEN) ? next(path, flags, mode) : -1;
}

AW_API ssize_t read(int fd, void *data, size_t size) {
  ssize_t (*next)(int, void *, size_t);
  find("read", &next);
  return !is_file(fd) || enter(READ) ? next(fd, data, size) : -1;
}

AW_API ssize_t write(int fd, const void *data, size_t size) {
  ssize_t (*next)(int, const void *, size_t);
  find("write", &next);
  return !is_file(fd) || enter(WRITE) ? next(fd, data, size) : -1;
}

AW_API int fsync(int fd) {
  int (*next)(int);
  find("fsync", &next);
  return enter(FSYNC) ? next(fd) : -1;
}

AW_API int rename(const char *from, const char *to) {
  int (*next)(const char *, const char *);
  find("rename", &next);
  return enter(RENAME) ? next(from, to) : -1;
}

AW_API int unlink(const char *path) {
  int (*next)(const char *);
  find("unlink", &next);
  return enter(UNLINK) ? next(path) : -1;
}

AW_API int mkdir(const char *path, mode_t mode) {
  int (*next)(const char *, mode_t);
  find("mkdir", &next);
  return enter(MKDIR) ? next(path, mode) : -1;
}

AW_API int stat(const char *restrict path, struct stat *restrict out) {
  int (*next)(const char *, struct stat *);
  find("stat", &next);
  return enter(STAT) ? next(path, out) : -1;
}

AW_API ssize_t copy_file_range(int from, off64_t *from_at, int to,
                               off64_t *to_at, size_t size, unsigned flags) {
  ssize_t (*next)(int, off64_t *, int, off64_t *, size_t, unsigned);
  find("copy_file_range", &next);
  return enter(COPY) ? next(from, from_at, to, to_at, size, flags) : -1;
}

static int f_hang(lua_State *L) {
  int call = luaL_checkoption(L, 1, NULL, names);
  pthread_mutex_lock(&lock);
  hangs_after[call] = (int)luaL_optinteger(L, 2, 0) + 1;
  pthread_mutex_unlock(&lock);
  return 0;
}

static int f_fail(lua_State *L) {
  int call = luaL_checkoption(L, 1, NULL, names);
  int failure = (int)luaL_checkinteger(L, 2);
  pthread_mutex_lock(&lock);
  failures[call] = failure;
  fails_after[call] = (int)luaL_optinteger(L, 3, 0) + 1;
  pthread_mutex_unlock(&lock);
  return 0;
}

static int f_release(lua_State *L) {
  int call = lua_isnone(L, 1) ? CALLS : luaL_checkoption(L, 1, NULL, names);
  pthread_mutex_lock(&lock);
  if (call < CALLS) {
    hangs_after[call] = 0;
  } else {
    memset(hangs_after, 0, sizeof hangs_after);
    memset(fails_after, 0, sizeof fails_after);
  }
  pthread_cond_broadcast(&released);
  pthread_mutex_unlock(&lock);
  return 0;
}

static int f_hanging(lua_State *L) {
  pthread_mutex_lock(&lock);
  lua_pushinteger(L, hanging);
  pthread_mutex_unlock(&lock);
  return 1;
}

static int f_calls(lua_State *L) {
  int call = luaL_checkoption(L, 1, NULL, names);
  pthread_mutex_lock(&lock);
  lua_pushinteger(L, calls[call]);
  pthread_mutex_unlock(&lock);
  return 1;
}

AW_API int luaopen_spec_files(lua_State *L);

int luaopen_spec_files(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"hang", f_hang},       {"fail", f_fail},
      {"hanging", f_hanging}, {"calls", f_calls},
      {"release", f_release}, {"threads", f_threads},
      {"refuse", f_refuse},   {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
