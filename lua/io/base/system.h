/* system.h - the little that libuv leaves to us */
#ifndef AWIO_SYSTEM_H
#define AWIO_SYSTEM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As read(2) and write(2), but they go on after a signal, and give -errno. A
 * write to a pipe without a reader raises no SIGPIPE, whatever is done about
 * that signal in this process; what is done is left as it is. */
ssize_t awio_read(int fd, void *data, size_t size);
ssize_t awio_write(int fd, const void *data, size_t size);

/* Around a write by other means: SIGPIPE does nothing there, but at a standard
 * stream in a process that has a handler for it.
 *
 *   broken  it failed, perhaps for want of a reader
 */
typedef struct awio_quiet {
  sigset_t before; /* the mask of this thread */
} awio_quiet;
void awio_quiet_begin(awio_quiet *quiet);
void awio_quiet_end(const awio_quiet *quiet, int fd, bool broken);

/* A child has died of SIGPIPE by writing to our standard output: let the
 * handler that the process has for it, if any, know as if we had written. */
void awio_tell_broken_output(void);

/* Is a read (else a write) of `fd` sure not to block now? */
bool awio_ready(int fd, bool writing);

/* Open /dev/null in place of what is missing of the descriptors 0 to 2, and
 * undo that. Returns which were, as bits. */
unsigned awio_hold_standard_files(void);
void awio_release_standard_files(unsigned held);

/* A copy of `fd` above 2, in its place, to be closed by exec. */
int awio_above_standard(int fd);
/* Another descriptor of its open file, of that kind; or -errno. */
int awio_copy(int fd);

/* A program to start. All borrowed. */
typedef struct awio_program {
  const char *command; /* looked for in our PATH if it has no slash */
  char **arguments, **environment; /* NULL: ours */
  const char *folder;              /* NULL: ours */
  int files[3];  /* descriptors for 0 to 2; -1: /dev/null. Others it has none */
  bool group;    /* its group ends as a whole, when it is closed */
  bool detached; /* it goes on when it is closed */
  const char *terminal; /* that controls its session, or NULL … */
  int terminal_fd;      /* … the descriptor of it among `files` */
  bool shares_output;   /* its standard output is ours */
} awio_program;

/* Start it, with the signals as they are at first; one with a group, a terminal
 * or detached leads a session and a group of its own. Returns 0 or -errno. */
int awio_start(const awio_program *program, pid_t *out);

#endif
