/* child.h - what the kernel tells of a child, and does to it
 *
 * Linux gives a descriptor for each child (a pidfd): it is readable once the
 * child has ended, whatever the process does about its signals. A child is
 * looked at without reaping it, so that its number stays its own meanwhile.
 */
#ifndef AWIO_CHILD_H
#define AWIO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* How a child ended. */
typedef struct awio_ending {
  int code;   /* its exit code … */
  int signal; /* … or the signal that it died of, or 0 */
  bool lost;  /* somebody else has reaped it: neither is known */
} awio_ending;

/* A pidfd, closed by exec; or -errno: -ESRCH once the child is reaped. */
int awio_child_open(pid_t pid);
/* Is there no pidfd at all: is -errno none of a limit that was met? */
bool awio_child_unwatchable(int rc);

/* Has the child ended? If so, tell how; it stays to be reaped. */
bool awio_child_look(pid_t pid, awio_ending *out);
/* Reap a child that has ended. */
void awio_child_reap(pid_t pid);

/* Send a signal to a child that is not reaped, to its group. Return 0 or
 * -errno.
 *
 *   fd  its pidfd, or -1
 */
int awio_child_signal(int fd, pid_t pid, int number);
int awio_group_signal(pid_t leader, int number);
/* The same for a group whose leader somebody else has reaped: its number may be
 * another's. -EINVAL where Linux is older than 6.9. */
int awio_lost_group_signal(int fd, int number);

/* Does a member of the group live, besides its leader, which has ended? True if
 * nobody can tell. */
bool awio_group_lives(pid_t leader);

#endif
