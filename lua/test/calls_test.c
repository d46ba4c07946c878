/* calls_test.c - system calls fail in turn
 *
 * The linker puts functions of this file in the place of calls of the system
 * and of libuv that hardly ever fail. Each scenario is a script that runs again
 * and again while call number k fails, for k = 1, 2, … until a run has fewer
 * than k calls. There is a sweep for each kind of failure, which counts only
 * the calls that can fail so:
 *
 *   EIO           any call fails
 *   EMFILE        no more descriptors; once, and from then on
 *   ENOENT        the file of a path has gone meanwhile
 *   EACCES        the path may not be used any more; likewise
 *   EINTR         a signal interrupts the call: the script must succeed
 *   EAGAIN        the kernel is not ready after all: likewise
 *   ECONNABORTED  a connection has ended before it was accepted: likewise
 *
 * Whatever a script then sees, when its state is closed no descriptor may be
 * open that was not open before. In the run in which no call fails, `calm` is
 * true and the script must succeed. `patient` is true if it must succeed.
 *
 *     calls_test [-v] [--part I/N | scenario [kind of failure]]
 *
 * Part I of N has every Nth scenario: most of the time a sweep waits.
 */
#define _GNU_SOURCE /* O_TMPFILE, copy_file_range() */

#include "check.h"

#if !defined __linux__ || !defined TEST_WRAPS

int main(void) {
  enum { SKIPPED = 77 };
  return SKIPPED;
}

#else

#include <aiowire_lua.h>

#include <lauxlib.h>
#include <lualib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "calls_scenarios.h"

/* How a call can fail: bits. */
enum {
  FAILS = 1,    /* at all */
  OPENS = 2,    /* it makes a descriptor */
  NAMES = 4,    /* it gets a path */
  WAITS = 8,    /* a signal can interrupt it */
  AT_ONCE = 16, /* it does not block */
  ACCEPTS = 32, /* it takes a connection */
  ALL = FAILS | WAITS
};

typedef struct kind {
  const char *name;
  int error, calls;
  bool harmless, lasts; /* must the script succeed? do later calls fail, too? */
} kind;

static const kind kinds[] = {
    {"EIO", EIO, FAILS, false, false},
    {"EMFILE", EMFILE, OPENS, false, false},
    {"EMFILE from then on", EMFILE, OPENS, false, true},
    {"ENOENT", ENOENT, NAMES, false, false},
    {"EACCES", EACCES, NAMES, false, false},
    {"EACCES from then on", EACCES, NAMES, false, true},
    {"EINTR", EINTR, WAITS, true, false},
    {"EAGAIN", EAGAIN, AT_ONCE, true, false},
    {"ECONNABORTED", ECONNABORTED, ACCEPTS, true, false},
};

static const kind none = {"no failure", 0, 0, true, false};

static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
static const kind *now = &none;
static size_t calls, fail_at, failed;
static bool armed;
static const char *last; /* the call that has failed */

/* Tells whether this call fails, and sets errno then. `how`: bits */
static bool must_fail(const char *name, int how) {
  pthread_mutex_lock(&calls_lock);
  bool fails = armed && (how & now->calls) && ++calls >= fail_at &&
               fail_at > 0 && (calls == fail_at || now->lasts);
  if (fails && failed++ == 0)
    last = name;
  int error = now->error;
  pthread_mutex_unlock(&calls_lock);
  if (fails)
    errno = error;
  return fails;
}

/* A call that fails as `how` says, and then returns `bad`. */
#define WRAP(type, name, how, bad, parameters, arguments) \
  type __real_##name parameters; \
  type __wrap_##name parameters; \
  type __wrap_##name parameters { \
    return must_fail(#name, how) ? (bad) : __real_##name arguments; \
  }

WRAP(int, fstat, FAILS, -1, (int fd, struct stat *out), (fd, out))

/* Calls for files of any kind: only some can have nothing to read or no room.
 */
static bool is_regular(int fd) {
  struct stat file;
  return __real_fstat(fd, &file) == 0 && S_ISREG(file.st_mode);
}

WRAP(int, getsockopt, FAILS, -1,
     (int fd, int level, int option, void *data, socklen_t *size),
     (fd, level, option, data, size))
WRAP(int, setsockopt, FAILS, -1,
     (int fd, int level, int option, const void *data, socklen_t size),
     (fd, level, option, data, size))
WRAP(int, getsockname, FAILS, -1,
     (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
WRAP(int, getpeername, FAILS, -1,
     (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size))
WRAP(int, listen, FAILS, -1, (int fd, int backlog), (fd, backlog))
WRAP(int, chmod, FAILS | NAMES, -1, (const char *path, mode_t mode),
     (path, mode))
WRAP(int, fchmod, FAILS, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, fsync, FAILS, -1, (int fd), (fd))
WRAP(int, ftruncate, ALL, -1, (int fd, off_t size), (fd, size))
WRAP(off_t, lseek, FAILS, -1, (int fd, off_t offset, int whence),
     (fd, offset, whence))
WRAP(ssize_t, readlink, FAILS | NAMES, -1,
     (const char *path, char *out, size_t size), (path, out, size))
WRAP(int, bind, FAILS, -1,
     (int fd, const struct sockaddr *address, socklen_t size),
     (fd, address, size))
WRAP(int, unlink, FAILS | NAMES, -1, (const char *path), (path))
WRAP(char *, getcwd, FAILS, NULL, (char *out, size_t size), (out, size))
WRAP(int, grantpt, FAILS, -1, (int fd), (fd))
WRAP(int, unlockpt, FAILS, -1, (int fd), (fd))
WRAP(struct tm *, localtime_r, FAILS, NULL, (const time_t *at, struct tm *out),
     (at, out))
WRAP(unsigned, if_nametoindex, FAILS, 0, (const char *name), (name))
WRAP(DIR *, fdopendir, FAILS | OPENS, NULL, (int fd), (fd))
WRAP(DIR *, opendir, FAILS | OPENS | NAMES, NULL, (const char *path), (path))
WRAP(int, inotify_add_watch, FAILS | NAMES, -1,
     (int fd, const char *path, uint32_t mask), (fd, path, mask))
WRAP(int, pthread_attr_init, FAILS, EAGAIN, (pthread_attr_t * out), (out))
WRAP(int, pthread_mutex_init, FAILS, EAGAIN,
     (pthread_mutex_t * out, const pthread_mutexattr_t *how), (out, how))
WRAP(int, posix_spawnattr_init, FAILS, ENOMEM, (posix_spawnattr_t * out), (out))
WRAP(int, posix_spawn_file_actions_init, FAILS, ENOMEM,
     (posix_spawn_file_actions_t * out), (out))
WRAP(int, uv_poll_init, FAILS, UV_EIO,
     (uv_loop_t * loop, uv_poll_t *poll, int fd), (loop, poll, fd))
WRAP(int, uv_async_init, FAILS, UV_EIO,
     (uv_loop_t * loop, uv_async_t *async, uv_async_cb then),
     (loop, async, then))

WRAP(int, socket, FAILS | OPENS, -1, (int domain, int type, int protocol),
     (domain, type, protocol))
WRAP(int, pipe, FAILS | OPENS, -1, (int fds[2]), (fds))
WRAP(int, inotify_init1, FAILS | OPENS, -1, (int flags), (flags))
WRAP(int, timerfd_create, FAILS | OPENS, -1, (int clock, int flags),
     (clock, flags))
WRAP(int, posix_openpt, FAILS | OPENS, -1, (int flags), (flags))
WRAP(int, stat, FAILS | NAMES, -1, (const char *path, struct stat *out),
     (path, out))
WRAP(int, lstat, FAILS | NAMES, -1, (const char *path, struct stat *out),
     (path, out))
WRAP(int, rename, FAILS | NAMES, -1, (const char *from, const char *to),
     (from, to))
WRAP(int, mkdir, FAILS | NAMES, -1, (const char *path, mode_t mode),
     (path, mode))
WRAP(int, fchown, FAILS, -1, (int fd, uid_t user, gid_t group),
     (fd, user, group))
WRAP(int, shutdown, FAILS, -1, (int fd, int how), (fd, how))
WRAP(int, connect, FAILS, -1,
     (int fd, const struct sockaddr *address, socklen_t size),
     (fd, address, size))
WRAP(int, accept4, ALL | OPENS | AT_ONCE | ACCEPTS, -1,
     (int fd, struct sockaddr *address, socklen_t *size, int flags),
     (fd, address, size, flags))
WRAP(ssize_t, send, ALL | AT_ONCE, -1,
     (int fd, const void *data, size_t size, int flags),
     (fd, data, size, flags))
WRAP(ssize_t, recv, ALL | AT_ONCE, -1,
     (int fd, void *data, size_t size, int flags), (fd, data, size, flags))
WRAP(ssize_t, sendmsg, ALL | AT_ONCE, -1,
     (int fd, const struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, recvmsg, ALL | AT_ONCE, -1,
     (int fd, struct msghdr *message, int flags), (fd, message, flags))
WRAP(ssize_t, read, is_regular(fd) ? ALL : ALL | AT_ONCE, -1,
     (int fd, void *data, size_t size), (fd, data, size))
/* One byte rings a bell: a pipe of this process, which always has room. */
WRAP(ssize_t, write,
     size == 1        ? WAITS
     : is_regular(fd) ? ALL
                      : ALL | AT_ONCE,
     -1, (int fd, const void *data, size_t size), (fd, data, size))
WRAP(ssize_t, copy_file_range, ALL, -1,
     (int from, off_t *from_at, int to, off_t *to_at, size_t size,
      unsigned flags),
     (from, from_at, to, to_at, size, flags))
WRAP(int, waitid, ALL, -1,
     (idtype_t type, id_t id, siginfo_t *out, int options),
     (type, id, out, options))
WRAP(int, tcgetattr, FAILS, -1, (int fd, struct termios *out), (fd, out))
WRAP(int, ptsname_r, FAILS, EIO, (int fd, char *out, size_t size),
     (fd, out, size))
WRAP(int, uv_random, FAILS, UV_EIO,
     (uv_loop_t * loop, uv_random_t *request, void *out, size_t size,
      unsigned flags, uv_random_cb then),
     (loop, request, out, size, flags, then))
WRAP(int, uv_poll_start, FAILS, UV_EIO,
     (uv_poll_t * poll, int events, uv_poll_cb then), (poll, events, then))
WRAP(int, uv_pipe, FAILS | OPENS, -errno,
     (uv_file fds[2], int reader, int writer), (fds, reader, writer))
WRAP(int, pthread_create, FAILS, EAGAIN,
     (pthread_t * out, const pthread_attr_t *how, void *(*run)(void *),
      void *data),
     (out, how, run, data))
WRAP(int, posix_spawn_file_actions_adddup2, FAILS, ENOMEM,
     (posix_spawn_file_actions_t * list, int from, int to), (list, from, to))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return must_fail("open", ALL | OPENS | NAMES)
             ? -1
             : __real_open(path, flags, mode);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

/* A copy of a descriptor is one more. */
int __wrap_fcntl(int fd, int command, ...) {
  va_list rest;
  va_start(rest, command);
  int number = va_arg(rest, int);
  va_end(rest);
  bool copies = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
  return must_fail("fcntl", copies ? FAILS | OPENS : FAILS)
             ? -1
             : __real_fcntl(fd, command, number);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *out = va_arg(rest, void *);
  va_end(rest);
  return must_fail("ioctl", FAILS) ? -1 : __real_ioctl(fd, request, out);
}

int __real_close(int fd);
int __wrap_close(int fd);

/* The descriptor is closed in any case. */
int __wrap_close(int fd) {
  bool fails = must_fail("close", ALL);
  int error = errno, rc = __real_close(fd);
  if (fails)
    errno = error;
  return fails ? -1 : rc;
}

/* There are no names. The resolver fails in another way each time. */
int __wrap_getaddrinfo(const char *name, const char *service,
                       const struct addrinfo *hints, struct addrinfo **out);

int __wrap_getaddrinfo(const char *name, const char *service,
                       const struct addrinfo *hints, struct addrinfo **out) {
  static const int codes[] = {
      EAI_AGAIN,    EAI_BADFLAGS, EAI_FAIL,     EAI_FAMILY, EAI_MEMORY,
      EAI_OVERFLOW, EAI_SERVICE,  EAI_SOCKTYPE, EAI_SYSTEM, 1234};
  static size_t next;
  (void)name;
  (void)service;
  (void)hints;
  (void)out;
  if (!must_fail("getaddrinfo", FAILS))
    return EAI_NONAME;
  return codes[next++ % (sizeof codes / sizeof *codes)];
}

/* ---- runs ---- */

static bool verbose;

static int open_descriptors(void) {
  DIR *folder = __real_opendir("/proc/self/fd");
  CHECK(folder);
  int count = 0;
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}

/* Threads of the library may still close what a job had. */
static bool all_closed(int before) {
  enum { TRIES = 3000 };
  const struct timespec pause = {0, 1000000};
  for (int i = 0; i < TRIES && open_descriptors() > before; i++)
    nanosleep(&pause, NULL);
  return open_descriptors() <= before;
}

/* check(claim) */
static int script_check(lua_State *L) {
  return lua_toboolean(L, 1) || !now->harmless ? 0
                                               : luaL_error(L, "check failed");
}

/* Run the script. Returns false if it has failed. */
static bool run_script(const char *script) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  lua_pushcfunction(L, script_check);
  lua_setglobal(L, "check");
  lua_pushboolean(L, fail_at == 0);
  lua_setglobal(L, "calm");
  lua_pushboolean(L, now->harmless);
  lua_setglobal(L, "patient");
  armed = true;
  bool good = luaL_dostring(L, script) == LUA_OK;
  armed = false;
  if (!good && (now->harmless || verbose))
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  lua_close(L);
  return good;
}

static bool run(const calls_scenario *s, size_t k) {
  int before = open_descriptors();
  calls = failed = 0;
  fail_at = k;
  bool good = run_script(s->script) || !now->harmless;
  bool clean = all_closed(before);
  if (!good || !clean || (verbose && failed))
    fprintf(stderr, "%s: call %zu, %s, failing with %s: %s\n", s->name, k,
            last ? last : "none", now->name,
            !clean ? "descriptors are left"
            : good ? "good"
                   : "failed");
  return good && clean;
}

/* Let each call fail in turn. Returns how many have failed. */
static size_t sweep(const calls_scenario *s, size_t *bad) {
  size_t k = 0;
  do
    *bad += !run(s, ++k);
  while (failed > 0);
  return k - 1;
}

static char folder[] = "/tmp/aiowire-calls-XXXXXX";

int main(int argc, char **argv) {
  verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
  const char *only = argc > 1 + verbose ? argv[1 + verbose] : NULL;
  const char *only_kind = argc > 2 + verbose ? argv[2 + verbose] : NULL;
  size_t bad = 0, total = 0, part = 1, parts = 1, number = 0;
  if (only && strcmp(only, "--part") == 0) {
    CHECK(only_kind && sscanf(only_kind, "%zu/%zu", &part, &parts) == 2);
    CHECK(parts > 0);
    only = only_kind = NULL;
  }
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  for (const calls_scenario *s = calls_scenarios; s->name; s++) {
    if (only ? strcmp(only, s->name) != 0 : number++ % parts != part - 1)
      continue;
    now = &none;
    fail_at = 0;
    (void)run_script(s->script); /* opens what the process keeps */
    CHECK(run(s, 0));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
      now = &kinds[i];
      if (!only_kind || strcmp(only_kind, now->name) == 0)
        total += sweep(s, &bad);
    }
  }
  char command[sizeof folder + 20];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  CHECK(chdir("/") == 0 && system(command) == 0);
  printf("%zu failures, %zu with a bad end\n", total, bad);
  return bad > 0;
}

#endif
