/* child.h - looks at children, reaps them and sends them signals
 *
 * Linux has a descriptor for each child, a pidfd. A pidfd is readable once the
 * child has ended, whatever our process does about signals. awio_child_look()
 * does not reap the child, so no other process gets its number.
 */
#ifndef AWIO_CHILD_H
#define AWIO_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* How a child ended. */
typedef struct awio_ending {
  int code;   /* the exit code */
  int signal; /* the signal of which the child died; 0: it has exited */
  bool lost;  /* somebody else has reaped the child: both are unknown */
} awio_ending;

/* Open a pidfd, which exec closes. Returns it or -errno: -ESRCH if the child is
 * reaped. */
int awio_child_open(pid_t pid);
/* Does the code of awio_child_open() mean that no pidfd can ever be opened
 * here? False if a limit was met or the child is reaped. */
bool awio_child_unwatchable(int rc);

/* Has the child ended? If so, fill in `out`; the child is not reaped. */
bool awio_child_look(pid_t pid, awio_ending *out);
/* Reap a child that has ended. */
void awio_child_reap(pid_t pid);

/* Send a signal to a child that is not reaped. Returns 0 or -errno.
 *
 *   fd  its pidfd; -1: none
 */
int awio_child_signal(int fd, pid_t pid, int number);
/* Send a signal to a group whose leader is not reaped. Returns 0 or -errno. */
int awio_group_signal(pid_t leader, int number);
/* Send a signal to a group whose leader somebody else has reaped, by the
 * leader's pidfd, since the number may belong to another group by now. Returns
 * 0 or -errno: -EINVAL on a Linux older than 6.9. */
int awio_lost_group_signal(int fd, int number);

/* Does a member of the group live, besides its leader, which has ended? True if
 * /proc cannot be read. */
bool awio_group_lives(pid_t leader);

#endif
