/* system.h - the little that libuv leaves to us */
#ifndef AWIO_SYSTEM_H
#define AWIO_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* As read(2) and write(2), but they go on after a signal, and give -errno. A
 * write to a pipe without a reader raises no SIGPIPE, whatever is done about
 * that signal in this process; what is done is left as it is. */
ssize_t awio_read(int fd, void *data, size_t size);
ssize_t awio_write(int fd, const void *data, size_t size);

/* Is a read (else a write) of `fd` sure not to block now? */
bool awio_ready(int fd, bool writing);

/* Let no descriptor above 2 be inherited by programs that are started. */
void awio_close_on_exec(void);

/* Open /dev/null in place of what is missing of the descriptors 0 to 2, and
 * undo that. Returns which were, as bits. */
unsigned awio_hold_standard_files(void);
void awio_release_standard_files(unsigned held);

/* A copy of `fd` above 2, in its place, to be closed by exec. */
int awio_above_standard(int fd);

/* How a child of ours ended. */
typedef enum awio_end {
  AWIO_RUNS,
  AWIO_ENDED,  /* and can be waited for */
  AWIO_REAPED, /* somebody else did that */
} awio_end;
awio_end awio_child(pid_t pid);

/* Wait a moment for a child that was killed, and reap it; false: not yet. */
bool awio_reap(pid_t pid);

#endif
