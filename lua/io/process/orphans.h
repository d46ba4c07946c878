/* orphans.h - children that have outlived their engine
 *
 * A detached child goes on when its engine ends, but it is still a child of
 * this process, which may go on as well: somebody has to reap it. That is done
 * in passing, at the next start of a child or end of an engine, on any thread;
 * when this process ends, the system does it.
 */
#ifndef AWIO_ORPHANS_H
#define AWIO_ORPHANS_H

#include <sys/types.h>

/* Note a child that nobody else will reap. */
void awio_leave(pid_t pid);

/* Reap those of them that have ended. */
void awio_reap_left(void);

#endif
