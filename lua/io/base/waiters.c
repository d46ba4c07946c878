/* waiters.c - a list of waiters in one block, so that most waits allocate
 * nothing
 *
 * aw_wait_complete() only queues a task, so no waiter is added during a wake.
 * But the rivals of a woken task in a race leave the list [H3]. Rivals come
 * after the woken task, and the waiters behind them move up.
 */
#include "base/waiters.h"

int awio_waiters_add(awio_waiters *w, aw_task *task) {
  if (w->count == w->size) {
    size_t size = w->size ? w->size * 2 : 1;
    aw_task **tasks = aw_reallocate(w->tasks, size * sizeof(aw_task *));
    if (!tasks)
      return AW_ENOMEM;
    w->tasks = tasks;
    w->size = size;
  }
  w->tasks[w->count++] = task;
  return 0;
}

void awio_waiters_remove(awio_waiters *w, const aw_task *task) {
  size_t left = 0;
  for (size_t i = 0; i < w->count; i++)
    if (w->tasks[i] != task)
      w->tasks[left++] = w->tasks[i];
  w->count = left;
}

void awio_waiters_wake(awio_waiters *w, int result) {
  for (size_t i = 0; i < w->count; i++)
    aw_wait_complete(w->tasks[i], result);
  w->count = 0;
}

void awio_waiters_free(awio_waiters *w) {
  aw_free(w->tasks);
  *w = (awio_waiters){NULL, 0, 0};
}

/* Tasks of another engine may wait, such as those of a loop around a loop that
 * has a clock of its own. The keeper tells whether that engine still lives. */
void awio_waits_end(const aw_keeper *keeper, aw_engine *waited,
                    aw_engine *running, int fd) {
  if (running && (waited == running || keeper->watch))
    aw_poller_forget(waited, fd);
}
