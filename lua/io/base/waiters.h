/* waiters.h - tasks that wait for the same thing, the oldest first */
#ifndef AWIO_WAITERS_H
#define AWIO_WAITERS_H

#include <aiowire.h>

#include <stddef.h>

/* A list of zeros is empty. */
typedef struct awio_waiters {
  aw_task **tasks;
  size_t count, size;
} awio_waiters;

int awio_waiters_add(awio_waiters *waiters, aw_task *task); /* 0, AW_ENOMEM */
void awio_waiters_remove(awio_waiters *waiters, const aw_task *task);
void awio_waiters_wake(awio_waiters *waiters, int result); /* all of them */
void awio_waiters_free(awio_waiters *waiters);

/* Before `fd` is closed: end the waits for it with AW_ECLOSED.
 *
 *   keeper   of the owner of `fd`
 *   waited   the engine whose tasks have waited last, or NULL; it may be freed
 *   running  the engine that runs now. NULL: Lua's collector closes `fd`, and
 *            nobody waits */
void awio_waits_end(const aw_keeper *keeper, aw_engine *waited,
                    aw_engine *running, int fd);

#endif
