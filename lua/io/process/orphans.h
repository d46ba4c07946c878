/* orphans.h - children that have outlived their engine
 *
 * A detached child runs on when its engine ends. If this process runs on as
 * well, it must reap that child one day. awio_reap_left() does so, whenever a
 * child is started or an engine that has started children ends, on any thread.
 * When this process ends, the system takes over.
 */
#ifndef AWIO_ORPHANS_H
#define AWIO_ORPHANS_H

#include <sys/types.h>

/* Note a child that nobody else will reap. */
void awio_leave(pid_t pid);

/* Reap the noted children that have ended. */
void awio_reap_left(void);

#endif
