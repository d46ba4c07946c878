/* host_calls_test.c - the program, while calls of the C library fail in turn
 *
 * The linker puts functions of this file in the place of calls of the C library
 * that hardly ever fail. Each scenario runs the program in a child process, on
 * a terminal of its own, again and again: call number k fails, for k = 1, 2, …
 * until a run has fewer than k calls. Of each place that calls, only the first
 * few calls count. Whatever fails,
 *
 *  - the program ends by itself, by an exit, and within its time
 *  - it says something if its exit status is not 0
 *  - the terminal has the modes that it had before
 *  - the history file keeps its last entry
 *
 * In the run in which no call fails, the scenario's text is on the terminal.
 *
 *     host_calls_test [-v] [scenario]
 */
#define _GNU_SOURCE /* posix_openpt(), and what the program itself needs */

#include "check.h"

#if !defined __linux__ || !defined TEST_WRAPS

int main(void) {
  enum { SKIPPED = 77 };
  return SKIPPED;
}

#else

#include <lauxlib.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "host_calls_scenarios.h"

/* That of the program, and that of this test. */
int __real_main(int argc, char **argv);
int __wrap_main(int argc, char **argv);

/* ---- calls that fail ---- */

/* Shared with the child. */
static struct {
  size_t calls, failed, fail_at;
  char name[32]; /* of the call that has failed */
} * shared;

static atomic_bool armed; /* in the child only */
static pthread_mutex_t calls_lock = PTHREAD_MUTEX_INITIALIZER;

/* Does this call of a place count? Under the lock. */
static bool counts(const void *place) {
  enum { PLACES = 1000, CALLS = 3 };
  static struct {
    const void *place;
    int calls;
  } places[PLACES];
  int i = 0;
  while (places[i].place && places[i].place != place)
    i++;
  CHECK(i < PLACES - 1);
  places[i].place = place;
  return places[i].calls++ < CALLS;
}

static bool must_fail(const char *name, const void *place) {
  if (!armed)
    return false;
  pthread_mutex_lock(&calls_lock);
  bool fails = counts(place) && ++shared->calls == shared->fail_at;
  if (fails) {
    shared->failed++;
    snprintf(shared->name, sizeof shared->name, "%s", name);
  }
  pthread_mutex_unlock(&calls_lock);
  return fails;
}

#define MUST_FAIL(name) must_fail(name, __builtin_return_address(0))

/* A call that returns `bad`, and sets errno. */
#define WRAP(type, name, bad, code, parameters, arguments) \
  type __real_##name parameters; \
  type __wrap_##name parameters; \
  type __wrap_##name parameters { \
    if (!MUST_FAIL(#name)) \
      return __real_##name arguments; \
    errno = code; \
    return bad; \
  }

WRAP(void *, malloc, NULL, ENOMEM, (size_t size), (size))
WRAP(void *, calloc, NULL, ENOMEM, (size_t count, size_t size), (count, size))
WRAP(void *, realloc, NULL, ENOMEM, (void *block, size_t size), (block, size))
WRAP(char *, strdup, NULL, ENOMEM, (const char *text), (text))
WRAP(char *, strndup, NULL, ENOMEM, (const char *text, size_t size),
     (text, size))
WRAP(lua_State *, luaL_newstate, NULL, ENOMEM, (void), ())
WRAP(FILE *, open_memstream, NULL, ENOMEM, (char **text, size_t *size),
     (text, size))
WRAP(FILE *, fdopen, NULL, ENOMEM, (int fd, const char *mode), (fd, mode))
WRAP(locale_t, newlocale, (locale_t)0, ENOMEM,
     (int mask, const char *name, locale_t base), (mask, name, base))
WRAP(void *, mmap, MAP_FAILED, ENOMEM,
     (void *at, size_t size, int protection, int flags, int fd, off_t offset),
     (at, size, protection, flags, fd, offset))
WRAP(int, mprotect, -1, ENOMEM, (void *at, size_t size, int protection),
     (at, size, protection))
WRAP(int, pipe, -1, EMFILE, (int ends[2]), (ends))
WRAP(int, fstat, -1, EIO, (int fd, struct stat *out), (fd, out))
WRAP(int, mkdir, -1, ENOSPC, (const char *path, mode_t mode), (path, mode))
WRAP(int, flock, -1, EINTR, (int fd, int operation), (fd, operation))
WRAP(int, rename, -1, EIO, (const char *from, const char *to), (from, to))
WRAP(int, mkstemp, -1, ENOSPC, (char *path), (path))
WRAP(char *, realpath, NULL, EIO, (const char *path, char *out), (path, out))
WRAP(DIR *, opendir, NULL, EMFILE, (const char *path), (path))
WRAP(int, tcgetattr, -1, EIO, (int fd, struct termios *out), (fd, out))
WRAP(int, ioctl, -1, EIO, (int fd, unsigned long request, void *data),
     (fd, request, data))
WRAP(int, pthread_create, EAGAIN, EAGAIN,
     (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *),
      void *data),
     (thread, how, run, data))
WRAP(ssize_t, read, -1, EINTR, (int fd, void *out, size_t size),
     (fd, out, size))
WRAP(int, poll, -1, EINTR, (struct pollfd * fds, nfds_t count, int ms),
     (fds, count, ms))

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
ssize_t __real_write(int fd, const void *text, size_t size);
ssize_t __wrap_write(int fd, const void *text, size_t size);

int __wrap_open(const char *path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  int mode = flags & O_CREAT ? va_arg(more, int) : 0;
  va_end(more);
  if (!MUST_FAIL("open"))
    return __real_open(path, flags, mode);
  errno = EMFILE;
  return -1;
}

/* Only a copy needs something that may be short. */
int __wrap_fcntl(int fd, int command, ...) {
  va_list more;
  va_start(more, command);
  void *argument = va_arg(more, void *);
  va_end(more);
  if (command != F_DUPFD_CLOEXEC || !MUST_FAIL("fcntl"))
    return __real_fcntl(fd, command, argument);
  errno = EMFILE;
  return -1;
}

/* A write is interrupted, finds the terminal slow, or takes one byte. */
ssize_t __wrap_write(int fd, const void *text, size_t size) {
  if (!MUST_FAIL("write"))
    return __real_write(fd, text, size);
  if (shared->fail_at % 3 == 0 && size > 0)
    return __real_write(fd, text, 1);
  errno = shared->fail_at % 3 == 1 ? EINTR : EAGAIN;
  return -1;
}

/* ---- the program, in a child ---- */

static void disarm(void) {
  armed = false;
}

/* Takes the terminal, and runs the program. */
static void run_program(const host_scenario *s, const char *terminal) {
  char **argv = (char **)(uintptr_t)s->argv;
  int argc = 0;
  while (argv[argc])
    argc++;
  CHECK(setsid() > 0);
  int fd = open(terminal, O_RDWR);
  CHECK(fd >= 0 && ioctl(fd, TIOCSCTTY, NULL) == 0);
  for (int i = 0; i <= STDERR_FILENO; i++)
    CHECK(dup2(fd, i) == i);
  close(fd);
  if (s->input)
    CHECK(freopen(s->input, "r", stdin));
  setenv("TERM", s->dumb ? "dumb" : "xterm", 1);
  atexit(disarm); /* before counts of coverage are written */
  armed = true;
  exit(__real_main(argc, argv));
}

/* ---- the terminal ---- */

static struct {
  int master;
  char *path;
  char text[100000]; /* that the program has written */
  size_t size, seen;
  bool ended;
} screen;

static void fail(const host_scenario *s, const char *why) {
  fprintf(stderr, "%s, as call %zu, %s, fails: %s\n%s\n", s->name,
          shared->fail_at, shared->name, why, screen.text);
  exit(1);
}

static void open_screen(void) {
  memset(&screen, 0, sizeof screen);
  screen.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(screen.master >= 0);
  CHECK(grantpt(screen.master) == 0 && unlockpt(screen.master) == 0);
  screen.path = ptsname(screen.master);
}

/* Read what the program has written; wait for it. */
static void look(const host_scenario *s) {
  enum { PATIENCE = 120 * 1000 }; /* ms */
  struct pollfd p = {screen.master, POLLIN, 0};
  if (poll(&p, 1, PATIENCE) == 0)
    fail(s, "it hangs");
  size_t room = sizeof screen.text - 1 - screen.size;
  ssize_t n = read(screen.master, screen.text + screen.size, room);
  screen.ended = n <= 0; /* EIO: nobody has the terminal open */
  screen.size += n > 0 ? (size_t)n : 0;
}

/* Wait until the text appears; false: the program has ended before. */
static bool appears(const host_scenario *s, const char *text) {
  const char *found;
  while (!(found = strstr(screen.text + screen.seen, text)) && !screen.ended)
    look(s);
  if (found)
    screen.seen = (size_t)(found - screen.text) + strlen(text);
  return found != NULL;
}

/* Play the user of the program, to its end. */
static void type_lines(const host_scenario *s) {
  for (const char *const *at = s->typed; *at && appears(s, "> "); at++)
    CHECK(write(screen.master, *at, strlen(*at)) > 0);
  while (!screen.ended)
    look(s);
}

static void check_end(const host_scenario *s, int status) {
  bool calm = shared->failed == 0, shown = strstr(screen.text, s->shown);
  if (!WIFEXITED(status))
    fail(s, "it died by a signal");
  if (calm && (WEXITSTATUS(status) != s->status || !shown))
    fail(s, "it does not do what it does otherwise");
  if (WEXITSTATUS(status) > 2)
    fail(s, "it ends with a status of its own");
  if (WEXITSTATUS(status) != 0 && !shown && !strstr(screen.text, "aiowire:"))
    fail(s, "it does not tell why");
}

/* ---- the history file ---- */

static const char HISTORY[] = ".local/state/aiowire/history";
static const char LAST_ENTRY[] = "last = 'entry'\n";

static void write_history(int lines) {
  FILE *file = fopen(HISTORY, "w");
  CHECK(file);
  for (int i = 1; i < lines; i++)
    fprintf(file, "n = %d\n", i);
  fputs(LAST_ENTRY, file);
  CHECK(fclose(file) == 0);
}

static void check_history(const host_scenario *s) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = fopen(HISTORY, "r");
  CHECK(file);
  bool found = getdelim(&text, &size, '\0', file) > 0 &&
               strstr(text, LAST_ENTRY) != NULL;
  fclose(file);
  free(text);
  if (!found)
    fail(s, "the history has lost an entry");
  if (strcmp(shared->name, "fstat") == 0 && strstr(screen.text, "no history") &&
      !strstr(screen.text, "Input/output error"))
    fail(s, "the note has a wrong reason");
}

/* ---- the runs ---- */

/* Returns whether a call has failed. */
static bool run_with(const host_scenario *s, size_t fail_at) {
  struct termios before, after;
  int status;
  shared->calls = shared->failed = 0;
  shared->fail_at = fail_at;
  strcpy(shared->name, "none");
  write_history(s->entries);
  open_screen();
  int terminal = open(screen.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(terminal >= 0 && tcgetattr(terminal, &before) == 0);
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0)
    run_program(s, screen.path);
  close(terminal);
  type_lines(s);
  CHECK(waitpid(child, &status, 0) == child);
  check_end(s, status);
  check_history(s);
  terminal = open(screen.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  CHECK(terminal >= 0 && tcgetattr(terminal, &after) == 0);
  if (before.c_lflag != after.c_lflag || before.c_iflag != after.c_iflag)
    fail(s, "the terminal has other modes");
  close(terminal);
  close(screen.master);
  return shared->failed > 0;
}

/* Valgrind is slow: it sees each seventh call only. */
static void run_all(const char *only, bool tells) {
  const char *preloaded = getenv("LD_PRELOAD");
  size_t step = preloaded && strstr(preloaded, "vgpreload") ? 7 : 1;
  for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
    const host_scenario *s = &scenarios[i];
    size_t k = 1;
    if (only && strcmp(only, s->name) != 0)
      continue;
    while (run_with(s, k))
      k += step;
    if (tells)
      printf("%s: less than %zu calls\n", s->name, k);
  }
}

static void run_shell(const char *line) {
  int status = system(line);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int __wrap_main(int argc, char **argv) {
  bool tells = argc > 1 && strcmp(argv[1], "-v") == 0;
  char folder[] = "/tmp/host_calls_XXXXXX";
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  CHECK(mkdtemp(folder) && chdir(folder) == 0);
  setenv("HOME", folder, 1);
  setenv("LC_ALL", "C.UTF-8", 1);
  unsetenv("XDG_STATE_HOME");
  unsetenv("NO_COLOR");
  run_shell("mkdir -p .local/state/aiowire folder/inner");
  run_shell("echo 'print(6 * 7)' >s.lua; echo 'x = = 1' >bad.lua");
  run_shell("for i in $(seq 300); do printf '%s' '6 * 7 --'; done >lines;"
            "echo >>lines; echo '6 * 7' >>lines");
  run_all(argc > 1 + tells ? argv[1 + tells] : NULL, tells);
  run_shell("rm -rf .local folder s.lua bad.lua lines");
  CHECK(chdir("/") == 0 && rmdir(folder) == 0);
  return 0;
}

#endif
