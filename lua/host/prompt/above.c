/* above.c - output above the prompt
 *
 * While a line is edited, the descriptors 1 and 2 are the end of a pipe. A
 * thread reads the pipe. It erases the prompt, writes the finished lines to the
 * terminal in its place, and wakes the editor, which draws the prompt again
 * below them.
 *
 *   task, thread, child ─► 1, 2 ─► pipe ─► the thread ─► terminal
 *                                             └─► wake ─► editor: redraw
 *
 * Invariants:
 *  - Only the owner writes to the terminal: the editor from take() to
 *    release(), else the thread, which holds the lock meanwhile. take() sets
 *    `taken` first and then waits for the lock: a mutex is not fair.
 *  - The editor gives the terminal up before the engine or anything else runs
 *    that may write to 1 or 2. So the thread reads on, and no writer is blocked
 *    for longer than by the terminal itself. Memory is bounded: the thread
 *    keeps only the beginning of an unfinished line.
 *  - Bytes in the pipe are taken out under the lock. So an empty pipe means,
 *    under the lock, that all was written.
 *
 * A prompt that was drawn stays for 20 ms at least, while the pipe fills, so
 * that a user sees it, and what is typed, below a task that prints for ever.
 *
 * Children that were started meanwhile keep the pipe for their whole life. So
 * the thread lives as long as the editor, and also serves them between reads;
 * it then writes all bytes as they come.
 */
#include "prompt/above.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
  VISIBLE = 20,      /* ms */
  CHUNK = 16 * 1024, /* bytes that are read from the pipe at a time */
  OUTPUTS = 2        /* standard output, standard error */
};

struct host_above {
  int terminal, wake;
  int in, out;        /* the pipe's ends */
  int stop[2];        /* a pipe: closing stop[1] ends the thread */
  int saved[OUTPUTS]; /* what 1 and 2 were before the read; -1: unchanged */
  pthread_t thread;
  atomic_bool taken;    /* the editor has the terminal, or waits for it */
  pthread_mutex_t lock; /* of all that follows */
  pthread_cond_t given;
  bool editing;  /* between begin() and end() */
  bool shown;    /* the prompt is on the screen … */
  int row;       /* … with the cursor so many rows below its first */
  int64_t since; /* when it was drawn, in ms of time_now() */
  size_t held;   /* bytes of an unfinished line in `line` */
  char line[CHUNK];
  char chunk[CHUNK];
};

void host_write_all(int fd, const char *text, size_t length) {
  while (length > 0) {
    ssize_t n = write(fd, text, length);
    if (n > 0) {
      text += n;
      length -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN) {
      struct pollfd writable = {fd, POLLOUT, 0};
      poll(&writable, 1, -1);
    } else if (n == 0 || errno != EINTR) {
      return; /* the terminal is gone: its SIGHUP tells */
    }
  }
}

/* ── writing, under the lock ─────────────────────────────────────────────── */

static void erase_prompt(host_above *a) {
  if (!a->shown)
    return;
  a->shown = false;
  char codes[32];
  int n = a->row > 0 ? snprintf(codes, sizeof codes, "\r\033[%dA\033[J", a->row)
                     : snprintf(codes, sizeof codes, "\r\033[J");
  host_write_all(a->terminal, codes, (size_t)n);
  ssize_t ignored = write(a->wake, "", 1); /* a full pipe wakes, too */
  (void)ignored;
}

static void write_held(host_above *a) {
  host_write_all(a->terminal, a->line, a->held);
  a->held = 0;
}

static void hold(host_above *a, const char *text, size_t length) {
  if (a->held + length > sizeof a->line) { /* a very long line: break it */
    erase_prompt(a);
    write_held(a);
    host_write_all(a->terminal, "\n", 1);
  }
  memcpy(a->line + a->held, text, length);
  a->held += length;
}

/* Write the finished lines, and hold the rest back: the prompt needs a row of
 * its own. */
static void write_lines(host_above *a, const char *text, size_t length) {
  size_t finished = length;
  while (finished > 0 && text[finished - 1] != '\n')
    finished--;
  if (finished > 0) {
    erase_prompt(a);
    write_held(a);
    host_write_all(a->terminal, text, finished);
  }
  hold(a, text + finished, length - finished);
}

/* Take what is in the pipe, up to a limit. Returns its length, or 0. */
static size_t pump_output(host_above *a, size_t limit) {
  size_t wanted = limit < sizeof a->chunk ? limit : sizeof a->chunk;
  ssize_t n = read(a->in, a->chunk, wanted);
  if (n <= 0)
    return 0;
  if (a->editing)
    write_lines(a, a->chunk, (size_t)n);
  else
    host_write_all(a->terminal, a->chunk, (size_t)n);
  return (size_t)n;
}

/* ── the thread ──────────────────────────────────────────────────────────── */

static int64_t time_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* How long the prompt must stay, in ms. */
static int time_left(const host_above *a) {
  int64_t age = a->shown ? time_now() - a->since : VISIBLE;
  return age < VISIBLE ? (int)(VISIBLE - age) : 0;
}

static void *run_pump(void *data) {
  host_above *a = data;
  struct pollfd fds[2] = {{a->stop[0], POLLIN, 0}, {a->in, POLLIN, 0}};
  for (;;) {
    if (poll(fds, 2, -1) < 0)
      continue;
    if (fds[0].revents)
      return NULL;
    pthread_mutex_lock(&a->lock);
    while (a->taken)
      pthread_cond_wait(&a->given, &a->lock);
    int left = time_left(a);
    if (left == 0)
      pump_output(a, sizeof a->chunk);
    pthread_mutex_unlock(&a->lock);
    if (left > 0)
      poll(&fds[0], 1, left);
  }
}

/* The thread takes no signals: the program's are for the engine's thread. */
static int start_pump(host_above *a) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&a->thread, NULL, run_pump, a);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc;
}

static bool set_flags(int fd, bool nonblocking) {
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
         (!nonblocking || fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
}

static bool make_pipe(int ends[2], bool nonblocking) {
  if (pipe(ends) < 0)
    return false;
  if (set_flags(ends[0], nonblocking) && set_flags(ends[1], false))
    return true;
  close(ends[0]);
  close(ends[1]);
  return false;
}

host_above *host_above_open(int terminal, int wake) {
  host_above *a = calloc(1, sizeof *a);
  if (!a)
    return NULL;
  int ends[2];
  a->terminal = terminal;
  a->wake = wake;
  if (!make_pipe(ends, true))
    goto free_above;
  a->in = ends[0];
  a->out = ends[1];
  if (!make_pipe(a->stop, false))
    goto close_ends;
  pthread_mutex_init(&a->lock, NULL);
  pthread_cond_init(&a->given, NULL);
  if (start_pump(a) == 0)
    return a;

  pthread_cond_destroy(&a->given);
  pthread_mutex_destroy(&a->lock);
  close(a->stop[0]);
  close(a->stop[1]);
close_ends:
  close(a->in);
  close(a->out);
free_above:
  free(a);
  return NULL;
}

void host_above_close(host_above *a) {
  close(a->stop[1]);
  pthread_join(a->thread, NULL);
  close(a->stop[0]);
  close(a->in);
  close(a->out);
  pthread_cond_destroy(&a->given);
  pthread_mutex_destroy(&a->lock);
  free(a);
}

/* ── a read ──────────────────────────────────────────────────────────────── */

static bool is_terminal(const host_above *a, int fd) {
  struct stat own, other;
  return fstat(a->terminal, &own) == 0 && fstat(fd, &other) == 0 &&
         S_ISCHR(other.st_mode) && own.st_rdev == other.st_rdev;
}

static void redirect(host_above *a) {
  for (int i = 0; i < OUTPUTS; i++) {
    int fd = STDOUT_FILENO + i;
    a->saved[i] = -1;
    if (is_terminal(a, fd))
      a->saved[i] = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (a->saved[i] >= 0)
      dup2(a->out, fd);
  }
}

static void restore(host_above *a) {
  for (int i = 0; i < OUTPUTS; i++) {
    if (a->saved[i] < 0)
      continue;
    dup2(a->saved[i], STDOUT_FILENO + i);
    close(a->saved[i]);
  }
}

/* Bytes that the pipe holds. */
static size_t waiting(const host_above *a) {
  int count = 0;
  return ioctl(a->in, FIONREAD, &count) == 0 && count > 0 ? (size_t)count : 0;
}

static void give(host_above *a, bool shown, int row) {
  pthread_mutex_lock(&a->lock);
  if (shown && !a->shown)
    a->since = time_now();
  a->shown = shown;
  a->row = row;
  a->taken = false;
  pthread_cond_signal(&a->given);
  pthread_mutex_unlock(&a->lock);
}

void host_above_begin(host_above *a) {
  fflush(stdout);
  redirect(a);
  host_above_take(a);
  pthread_mutex_lock(&a->lock);
  a->editing = true;
  pthread_mutex_unlock(&a->lock);
}

void host_above_release(host_above *a, int row) {
  give(a, true, row);
}

bool host_above_take(host_above *a) {
  a->taken = true; /* from now on the thread takes no further chunk */
  pthread_mutex_lock(&a->lock);
  bool erased = !a->shown;
  pthread_mutex_unlock(&a->lock);
  return erased;
}

/* fflush() may write more than the pipe takes: the thread must read on. */
void host_above_end(host_above *a) {
  give(a, false, 0);
  fflush(stdout);
  restore(a);
  host_above_take(a);
  pthread_mutex_lock(&a->lock);
  size_t left = waiting(a); /* a child may write for ever */
  while (left > 0) {
    size_t n = pump_output(a, left);
    left = n > 0 ? left - n : 0;
  }
  write_held(a);
  a->editing = false;
  pthread_mutex_unlock(&a->lock);
  give(a, false, 0);
}
