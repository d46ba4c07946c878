/* headroom.c - checks whether there are free descriptors and threads
 *
 * libzmq aborts the process if it cannot get a descriptor or a thread [ZQ12].
 * So we get what the next call needs and give it back at once. If that fails,
 * the caller returns an error and does not call libzmq.
 *
 * Most times a look at the highest numbers spares most of that: the system
 * gives the lowest ones first, so they are free unless there are few left.
 */
#include "zmq.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NEEDED = 8 /* descriptors */ };

/* Tell whether the highest numbers of descriptors are all free. */
static bool highest_are_free(void) {
  struct rlimit limit;
  struct pollfd items[NEEDED];
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > INT_MAX ||
      limit.rlim_cur < NEEDED)
    return false;
  for (int i = 0; i < NEEDED; i++)
    items[i] = (struct pollfd){.fd = (int)limit.rlim_cur - 1 - i};
  if (poll(items, NEEDED, 0) != NEEDED)
    return false;
  for (int i = 0; i < NEEDED; i++)
    if (!(items[i].revents & POLLNVAL))
      return false;
  return true;
}

/* One pipe is tried in any case: the whole system may have run out. */
int awz_room_for_files(void) {
  int wanted = highest_are_free() ? 2 : NEEDED;
  int fds[NEEDED], count = 0;
  while (count < wanted && pipe(&fds[count]) == 0)
    count += 2;
  int rc = count < wanted ? -errno : 0;
  while (count > 0)
    close(fds[--count]);
  return rc;
}

static void *wait_for_lock(void *lock) {
  pthread_mutex_lock(lock);
  pthread_mutex_unlock(lock);
  return NULL;
}

/* The threads must exist at the same time: each waits for the lock. */
int awz_room_for_threads(int count) {
  enum { MOST = 64 };
  pthread_t threads[MOST];
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  int started = 0, rc = 0;
  if (count > MOST)
    count = MOST;
  pthread_mutex_lock(&lock);
  while (started < count && rc == 0) {
    rc = pthread_create(&threads[started], NULL, wait_for_lock, &lock);
    started += rc == 0;
  }
  pthread_mutex_unlock(&lock);
  while (started > 0)
    pthread_join(threads[--started], NULL);
  return -rc;
}
