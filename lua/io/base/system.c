/* system.c - SIGPIPE, inherited descriptors, threads, starting programs
 *
 * A library must not change what the process does with signals. So a write
 * blocks SIGPIPE in its own thread, and removes the SIGPIPE that it has caused
 * [UV9]. Only at a standard stream the signal reaches a handler of the process.
 *
 * Programs are started by posix_spawn, not by libuv. libuv forks, which copies
 * the page tables of a large process and every page that is written after that:
 * a start took twice as long with a few tasks alive.
 *
 * A descriptor that was opened without close-on-exec, as by io.open, would leak
 * into each child. So the child closes all descriptors above 2. Where the C
 * library cannot do that, we mark them as close-on-exec instead [UV8].
 *
 * Under valgrind vfork is a fork: a start that fails looks like a program that
 * ends with the code 127.
 */
#define _GNU_SOURCE /* functions in _np, environ */
#include "base/system.h"

#include <aiowire.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- files ---- */

int awio_open(const char *path, int flags, mode_t mode) {
  int fd;
  do
    fd = open(path, flags | O_CLOEXEC | O_NOCTTY, mode);
  while (fd < 0 && errno == EINTR);
  return fd < 0 ? -errno : awio_above_standard(fd);
}

ssize_t awio_read(int fd, void *data, size_t size) {
  ssize_t got;
  do
    got = read(fd, data, size);
  while (got < 0 && errno == EINTR);
  return got < 0 ? -errno : got;
}

static ssize_t write_again(int fd, const void *data, size_t size) {
  ssize_t put;
  do
    put = write(fd, data, size);
  while (put < 0 && errno == EINTR);
  return put < 0 ? -errno : put;
}

static bool is_handled(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_DFL &&
         now.sa_handler != SIG_IGN;
}

void awio_tell_broken_output(void) {
  if (is_handled(SIGPIPE))
    raise(SIGPIPE);
}

static void fill_broken(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

void awio_quiet_begin(awio_quiet *quiet) {
  sigset_t broken;
  fill_broken(&broken);
  pthread_sigmask(SIG_BLOCK, &broken, &quiet->before);
}

void awio_quiet_end(const awio_quiet *quiet, int fd, bool broken) {
  bool left = fd <= STDERR_FILENO && is_handled(SIGPIPE);
  if (broken && !left && !sigismember(&quiet->before, SIGPIPE)) {
    static const struct timespec AT_ONCE = {0, 0};
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE)) {
      fill_broken(&pending);
      sigtimedwait(&pending, NULL, &AT_ONCE);
    }
  }
  pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
}

ssize_t awio_write(int fd, const void *data, size_t size) {
  awio_quiet quiet;
  awio_quiet_begin(&quiet);
  ssize_t put = write_again(fd, data, size);
  awio_quiet_end(&quiet, fd, put == -EPIPE);
  return put;
}

bool awio_ready(int fd, bool writing) {
  struct pollfd look = {fd, writing ? POLLOUT : POLLIN, 0};
  return poll(&look, 1, 0) != 0;
}

/* ---- descriptors ---- */

unsigned awio_hold_standard_files(void) {
  unsigned held = 0;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0)
      continue;
    int opened = open("/dev/null", O_RDWR);
    if (opened == fd)
      held |= 1U << fd;
    else if (opened >= 0)
      close(opened); /* another thread has just taken `fd` */
  }
  return held;
}

void awio_release_standard_files(unsigned held) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (held & 1U << fd)
      close(fd);
}

int awio_copy(int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  return copy < 0 ? -errno : copy;
}

int awio_above_standard(int fd) {
  if (fd > STDERR_FILENO)
    return fd;
  int copy = awio_copy(fd);
  close(fd);
  return copy;
}

/* ---- starting ---- */

#if defined __GLIBC__ && __GLIBC_PREREQ(2, 34)

static int close_the_rest(posix_spawn_file_actions_t *actions) {
  return posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
}

#else

/* Mark our own descriptors as close-on-exec, also for later starts. */
static int close_the_rest(posix_spawn_file_actions_t *actions) {
  (void)actions;
  DIR *folder = opendir("/proc/self/fd");
  if (!folder)
    return errno;
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    int fd = atoi(entry->d_name);
    if (fd > STDERR_FILENO)
      fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(folder);
  return 0;
}

#endif

/* The order matters. The terminal comes first: the first terminal that a
 * session leader opens becomes its controlling terminal. The inherited
 * descriptor with the same number cannot become that, since we have opened it.
 * Descriptors 0 to 2 come in order, because 2 may be a copy of 1. */
static int plan_files(posix_spawn_file_actions_t *actions,
                      const awio_program *program) {
  int rc = program->terminal
               ? posix_spawn_file_actions_addopen(actions, program->terminal_fd,
                                                  program->terminal, O_RDWR, 0)
               : 0;
  for (int i = 0; i < 3 && rc == 0; i++) {
    int fd = program->files[i];
    rc = fd < 0 ? posix_spawn_file_actions_addopen(actions, i, "/dev/null",
                                                   O_RDWR, 0)
                : posix_spawn_file_actions_adddup2(actions, fd, i);
  }
  if (rc == 0 && program->folder)
    rc = posix_spawn_file_actions_addchdir_np(actions, program->folder);
  if (rc == 0 && program->terminal)
    rc = posix_spawn_file_actions_addclose(actions, program->terminal_fd);
  return rc == 0 ? close_the_rest(actions) : rc;
}

int awio_make_thread(pthread_t *out, const pthread_attr_t *attributes,
                     void *(*run)(void *data), void *data) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = -pthread_create(out, attributes, run, data);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc;
}

void awio_make_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

struct timespec awio_time_in(uint64_t ms) {
  enum { MS = 1000, NS = 1000000, SECOND = 1000000000 };
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += (time_t)(ms / MS);
  at.tv_nsec += (long)(ms % MS) * NS;
  if (at.tv_nsec >= SECOND) {
    at.tv_sec++;
    at.tv_nsec -= SECOND;
  }
  return at;
}

/* Let the program begin with no signal blocked and each at its default action,
 * whatever the host has set. */
static void plan_signals(posix_spawnattr_t *attributes, bool session) {
  sigset_t set;
  sigemptyset(&set);
  posix_spawnattr_setsigmask(attributes, &set);
  sigfillset(&set);
  sigdelset(&set, SIGKILL);
  sigdelset(&set, SIGSTOP);
  posix_spawnattr_setsigdefault(attributes, &set);
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  if (session)
    flags |= POSIX_SPAWN_SETSID;
  posix_spawnattr_setflags(attributes, (short)flags);
}

int awio_start(const awio_program *program, pid_t *out) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int rc = posix_spawn_file_actions_init(&actions);
  if (rc != 0)
    return -rc;
  rc = posix_spawnattr_init(&attributes);
  if (rc != 0)
    goto free_actions;
  plan_signals(&attributes,
               program->group || program->detached || program->terminal);
  rc = plan_files(&actions, program);
  if (rc == 0)
    rc = posix_spawnp(out, program->command, &actions, &attributes,
                      program->arguments,
                      program->environment ? program->environment : environ);
  posix_spawnattr_destroy(&attributes);
free_actions:
  posix_spawn_file_actions_destroy(&actions);
  return -rc;
}
