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

#endif
