/* system.h - what libuv cannot do for us: reads, writes, descriptors, threads,
 * and the start of programs */
#ifndef AWIO_SYSTEM_H
#define AWIO_SYSTEM_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* As open(2), but a signal does not interrupt it. Returns a descriptor above 2
 * that is closed by exec, or -errno. The file does not become our terminal. */
int awio_open(const char *path, int flags, mode_t mode);

/* As read(2) and write(2), but a signal does not interrupt them, and they
 * return -errno on failure. The write raises no SIGPIPE, as in
 * awio_quiet_begin(). */
ssize_t awio_read(int fd, void *data, size_t size);
ssize_t awio_write(int fd, const void *data, size_t size);

/* Call these two around a write to `fd`: the write raises no SIGPIPE, and what
 * the process does about SIGPIPE stays as it is. There is one exception: a
 * handler of the process is called if `fd` is a standard stream.
 *
 *   broken  the write failed, perhaps because the pipe has no reader
 */
typedef struct awio_quiet {
  sigset_t before; /* the mask of this thread */
} awio_quiet;
void awio_quiet_begin(awio_quiet *quiet);
void awio_quiet_end(const awio_quiet *quiet, int fd, bool broken);

/* Raise SIGPIPE if the process has a handler for it. Call this when a child has
 * died of SIGPIPE by writing to our standard output. */
void awio_tell_broken_output(void);

/* Is a write to `fd`, or without `writing` a read, sure not to block now? */
bool awio_ready(int fd, bool writing);

/* Open /dev/null as each of the descriptors 0 to 2 that is closed. Returns
 * those, as bits, for awio_release_standard_files(), which closes them. */
unsigned awio_hold_standard_files(void);
void awio_release_standard_files(unsigned held);

/* Return `fd` if it is above 2. Else close `fd` and return a copy of it, made
 * by awio_copy(). */
int awio_above_standard(int fd);
/* Return another descriptor of the same open file, above 2 and closed by exec;
 * or -errno. */
int awio_copy(int fd);

/* Make a thread that handles no signals: they are for the program. Returns 0 or
 * -errno.
 *
 *   attributes  NULL: the usual ones
 */
int awio_make_thread(pthread_t *out, const pthread_attr_t *attributes,
                     void *(*run)(void *data), void *data);

/* Make a condition whose timed waits go by the monotonic clock. */
void awio_make_condition(pthread_cond_t *condition);
/* Return the time on that clock `ms` from now. */
struct timespec awio_time_in(uint64_t ms);

/* A program to start. All pointers are borrowed. */
typedef struct awio_program {
  const char *command; /* looked for in our PATH if it has no slash */
  char **arguments, **environment; /* `environment` NULL: ours */
  const char *folder;              /* to run in; NULL: ours */
  int files[3];         /* its descriptors 0 to 2, all it has; -1: /dev/null */
  bool group;           /* closing the process ends its whole group */
  bool detached;        /* closing the process lets it run on */
  const char *terminal; /* path of its controlling terminal, or NULL */
  int terminal_fd;      /* the number in `files` that stands for `terminal` */
  bool shares_output;   /* its standard output is ours */
} awio_program;

/* Start a program, with no signal blocked and each at its default action. The
 * program leads a session and a group of its own if it has `group`, `detached`
 * or a terminal. Returns 0 or -errno. */
int awio_start(const awio_program *program, pid_t *out);

#endif
