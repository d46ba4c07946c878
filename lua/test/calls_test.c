/* calls_test.c - system calls fail in turn
 *
 * The linker puts functions of this file in the place of calls of the system
 * and of libuv that hardly ever fail. Each scenario is a script that runs again
 * and again while call number k fails, for k = 1, 2, … until a run has fewer
 * than k calls. Whatever a script then sees, when its state is closed no
 * descriptor may be open that was not open before. In the run in which no call
 * fails, `calm` is true and the script must succeed.
 *
 *     calls_test [-v] [scenario]
 */
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
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "calls_scenarios.h"

static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t calls, fail_at, failed;
static bool armed;
static const char *last; /* the call that has failed */

static bool must_fail(const char *name) {
  pthread_mutex_lock(&calls_lock);
  bool fails = armed && ++calls == fail_at;
  if (fails) {
    failed++;
    last = name;
  }
  pthread_mutex_unlock(&calls_lock);
  return fails;
}

/* A call that returns `bad`, and perhaps sets errno. */
#define WRAP(type, name, bad, parameters, arguments) \
  type __real_##name parameters; \
  type __wrap_##name parameters; \
  type __wrap_##name parameters { \
    if (!must_fail(#name)) \
      return __real_##name arguments; \
    errno = EIO; \
    return bad; \
  }

WRAP(int, getsockopt, -1,
     (int fd, int level, int option, void *data, socklen_t *size),
     (fd, level, option, data, size))
WRAP(int, setsockopt, -1,
     (int fd, int level, int option, const void *data, socklen_t size),
     (fd, level, option, data, size))
WRAP(int, getsockname, -1, (int fd, struct sockaddr *address, socklen_t *size),
     (fd, address, size))
WRAP(int, getpeername, -1, (int fd, struct sockaddr *address, socklen_t *size),
     (fd, address, size))
WRAP(int, listen, -1, (int fd, int backlog), (fd, backlog))
WRAP(int, chmod, -1, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, -1, (int fd, mode_t mode), (fd, mode))
WRAP(int, fsync, -1, (int fd), (fd))
WRAP(int, fstat, -1, (int fd, struct stat *out), (fd, out))
WRAP(int, ftruncate, -1, (int fd, off_t size), (fd, size))
WRAP(off_t, lseek, -1, (int fd, off_t offset, int whence), (fd, offset, whence))
WRAP(ssize_t, readlink, -1, (const char *path, char *out, size_t size),
     (path, out, size))
WRAP(int, bind, -1, (int fd, const struct sockaddr *address, socklen_t size),
     (fd, address, size))
WRAP(int, unlink, -1, (const char *path), (path))
WRAP(char *, getcwd, NULL, (char *out, size_t size), (out, size))
WRAP(int, grantpt, -1, (int fd), (fd))
WRAP(int, unlockpt, -1, (int fd), (fd))
WRAP(struct tm *, localtime_r, NULL, (const time_t *at, struct tm *out),
     (at, out))
WRAP(unsigned, if_nametoindex, 0, (const char *name), (name))
WRAP(DIR *, fdopendir, NULL, (int fd), (fd))
WRAP(DIR *, opendir, NULL, (const char *path), (path))
WRAP(int, inotify_add_watch, -1, (int fd, const char *path, uint32_t mask),
     (fd, path, mask))
WRAP(int, pthread_attr_init, EAGAIN, (pthread_attr_t * out), (out))
WRAP(int, pthread_mutex_init, EAGAIN,
     (pthread_mutex_t * out, const pthread_mutexattr_t *how), (out, how))
WRAP(int, posix_spawnattr_init, ENOMEM, (posix_spawnattr_t * out), (out))
WRAP(int, posix_spawn_file_actions_init, ENOMEM,
     (posix_spawn_file_actions_t * out), (out))
WRAP(int, uv_poll_init, UV_EIO, (uv_loop_t * loop, uv_poll_t *poll, int fd),
     (loop, poll, fd))
WRAP(int, uv_async_init, UV_EIO,
     (uv_loop_t * loop, uv_async_t *async, uv_async_cb then),
     (loop, async, then))

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
  if (!must_fail("getaddrinfo"))
    return EAI_NONAME;
  errno = EIO;
  return codes[next++ % (sizeof codes / sizeof *codes)];
}

/* ---- runs ---- */

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

/* Run the script. Returns false if it has failed. */
static bool run_script(const char *script) {
  lua_State *L = luaL_newstate();
  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "aiowire", luaopen_aiowire, 0);
  lua_setglobal(L, "aw");
  lua_pushboolean(L, fail_at == 0);
  lua_setglobal(L, "calm");
  armed = true;
  bool good = luaL_dostring(L, script) == LUA_OK;
  if (!good && fail_at == 0)
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
  armed = false;
  lua_close(L);
  return good;
}

static bool run(const calls_scenario *s, size_t k) {
  int before = open_descriptors();
  calls = failed = 0;
  fail_at = k;
  bool good = run_script(s->script) || k > 0;
  bool clean = all_closed(before);
  if (!good || !clean)
    fprintf(stderr, "%s: call %zu, %s, failing: %s\n", s->name, k,
            last ? last : "none",
            clean ? "the script failed" : "descriptors are left");
  return good && clean;
}

static char folder[] = "/tmp/aiowire-calls-XXXXXX";

int main(int argc, char **argv) {
  bool verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
  const char *only = argc > 1 + verbose ? argv[1 + verbose] : NULL;
  size_t bad = 0, total = 0;
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  for (const calls_scenario *s = calls_scenarios; s->name; s++) {
    if (only && strcmp(only, s->name) != 0)
      continue;
    fail_at = 0;
    (void)run_script(s->script); /* opens what the process keeps */
    CHECK(run(s, 0));
    size_t k = 0;
    do {
      bad += !run(s, ++k);
      if (verbose && failed)
        printf("%s: %zu %s\n", s->name, k, last);
    } while (failed > 0);
    total += k - 1;
  }
  char command[sizeof folder + 20];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  CHECK(chdir("/") == 0 && system(command) == 0);
  printf("%zu failures, %zu with a bad end\n", total, bad);
  return bad > 0;
}

#endif
