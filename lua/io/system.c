/* system.c - SIGPIPE, inherited descriptors, and children of others' reaping
 *
 * A library has no business with the process's signals: a write blocks SIGPIPE
 * in its own thread and takes away the one it has caused [U9]. Descriptors
 * that were opened without close-on-exec (io.open does) would leak into each
 * child; close_range sets the flag on all of them at once [U8].
 */
#define _GNU_SOURCE /* syscall() */
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- bytes ---- */

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

ssize_t awio_write(int fd, const void *data, size_t size) {
  sigset_t broken, pending, before;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  ssize_t put = write_again(fd, data, size);
  if (put == -EPIPE && !sigismember(&before, SIGPIPE)) {
    static const struct timespec AT_ONCE = {0, 0};
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE))
      sigtimedwait(&broken, NULL, &AT_ONCE);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return put;
}

bool awio_ready(int fd, bool writing) {
  struct pollfd look = {fd, writing ? POLLOUT : POLLIN, 0};
  return poll(&look, 1, 0) != 0;
}

/* ---- descriptors ---- */

/* Where the kernel knows no close_range: one by one. */
static void close_each_on_exec(void) {
  DIR *folder = opendir("/proc/self/fd");
  if (!folder)
    return;
  struct dirent *entry;
  while ((entry = readdir(folder)) != NULL) {
    int fd = atoi(entry->d_name);
    if (fd > STDERR_FILENO)
      fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  closedir(folder);
}

void awio_close_on_exec(void) {
#ifdef SYS_close_range
  enum { ON_EXEC = 4 };
  if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, ON_EXEC) == 0)
    return;
#endif
  close_each_on_exec();
}

unsigned awio_hold_standard_files(void) {
  unsigned held = 0;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) == fd)
      held |= 1U << fd;
  return held;
}

void awio_release_standard_files(unsigned held) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (held & 1U << fd)
      close(fd);
}

int awio_above_standard(int fd) {
  if (fd > STDERR_FILENO)
    return fd;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  int rc = copy < 0 ? -errno : copy;
  close(fd);
  return rc;
}

/* ---- children ---- */

awio_end awio_child(pid_t pid) {
  siginfo_t info = {0};
  if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    return errno == ECHILD ? AWIO_REAPED : AWIO_RUNS;
  return info.si_pid == pid ? AWIO_ENDED : AWIO_RUNS;
}

bool awio_reap(pid_t pid) {
  enum { TRIES = 200 };
  static const struct timespec MOMENT = {0, 500 * 1000}; /* 0.5 ms */
  pid_t got = 0;
  for (int i = 0; i < TRIES && (got = waitpid(pid, NULL, WNOHANG)) == 0; i++)
    nanosleep(&MOMENT, NULL);
  return got != 0;
}
