/* forks.c - counts the forks that have led to this process
 *
 * A forked process has one thread. Locks and tickets that other threads of its
 * parent held are never released in it. So the owner of a lock or a ticket
 * stores the count beside it, and does not touch it under another count.
 */
#include "base/forks.h"

#include <aiowire.h>

#include <pthread.h>
#include <stdatomic.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failure;
static atomic_uint forks;

static void count_fork(void) {
  atomic_fetch_add(&forks, 1);
}

static void begin_to_count(void) {
  failure = -pthread_atfork(NULL, NULL, count_fork);
}

int aw__forks_count(void) {
  pthread_once(&once, begin_to_count);
  return failure;
}

unsigned aw_forks(void) {
  (void)aw__forks_count();
  return atomic_load_explicit(&forks, memory_order_relaxed);
}
