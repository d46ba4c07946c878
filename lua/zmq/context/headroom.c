/* headroom.c - checks whether there are free descriptors and threads
 *
 * libzmq aborts the process if it cannot get a descriptor or a thread [ZQ12].
 * So we get what the next call needs and give it back at once. If that fails,
 * the caller returns an error and does not call libzmq.
 */
#include "zmq.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

int awz_room_for_files(void) {
  enum { NEEDED = 8 };
  int fds[NEEDED], count = 0;
  while (count < NEEDED && pipe(&fds[count]) == 0)
    count += 2;
  int rc = count < NEEDED ? -errno : 0;
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
