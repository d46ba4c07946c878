/* libuv.c - the libuv loop of an engine, and what others have in it
 *
 * The loop is opened when the engine first blocks, or when a source or the host
 * needs it: an engine whose tasks only compute has none. The engine's own
 * handles are a timer and a prepare, which engine.c uses, and an async, by
 * which other threads wake the engine.
 *
 * Whoever has other handles in the libuv loop registers a closer. The engine
 * calls `close` of each closer before the libuv loop is closed, and `ended`
 * whenever an aw_loop has ended.
 *
 * Only one thread at a time may open or close a libuv loop. Opening tests for
 * free descriptors, and for a moment occupies those from 0 to 2: all threads of
 * the process share these.
 *
 * Neighbours: engine.c blocks in the loop; sources/ put their handles into it.
 */
#include "base/libuv.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void ignore_async(uv_async_t *async) {
  (void)async; /* aw_engine_wake() has set `woken` */
}

/* Occupy those of the descriptors 0 to 2 that are free, and return those as
 * bits. libuv must not get one of 0 to 2: on closing a descriptor, libuv
 * asserts that its number is higher. */
static unsigned hold_standard_files(void) {
  unsigned held = 0;
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) == fd)
      held |= 1U << fd;
  return held;
}

static void release_standard_files(unsigned held) {
  for (int fd = 0; fd <= 2; fd++)
    if (held & 1U << fd)
      close(fd);
}

/* Returns true if the process may open as many descriptors as a libuv loop
 * takes: libuv aborts the process when it cannot open its first pipe. */
static bool has_room(aw_engine *engine) {
  enum { NEEDED = 8 };
  int fds[NEEDED], count = 0;
  while (count < NEEDED && pipe(&fds[count]) == 0)
    count += 2;
  struct stat file;
  if (count > 0 && fstat(fds[0], &file) == 0)
    engine->poller.pipes = file.st_dev;
  for (int i = 0; i < count; i++)
    close(fds[i]);
  return count == NEEDED;
}

static void close_loop(aw_engine *engine) {
  uv_close((uv_handle_t *)&engine->timer, NULL);
  uv_close((uv_handle_t *)&engine->prepare, NULL);
  uv_run(&engine->uv, UV_RUN_DEFAULT);
  int rc = uv_loop_close(&engine->uv);
  assert(rc == 0);
  (void)rc;
}

static int open_loop(aw_engine *engine) {
  if (!has_room(engine))
    return UV_EMFILE;
  int rc = uv_loop_init(&engine->uv);
  if (rc < 0)
    return rc;
  uv_timer_init(&engine->uv, &engine->timer);
  uv_prepare_init(&engine->uv, &engine->prepare);
  engine->prepare.data = engine;
  rc = uv_async_init(&engine->uv, &engine->async, ignore_async);
  if (rc == 0) {
    engine->has_uv = true;
    return 0;
  }
  close_loop(engine);
  return rc;
}

int aw__libuv_open(aw_engine *engine) {
  if (engine->has_uv)
    return 0;
  pthread_mutex_lock(&lock);
  unsigned held = hold_standard_files();
  int rc = open_loop(engine);
  release_standard_files(held);
  pthread_mutex_unlock(&lock);
  return rc;
}

void aw__libuv_close(aw_engine *engine) {
  pthread_mutex_lock(&lock);
  uv_close((uv_handle_t *)&engine->async, NULL);
  close_loop(engine);
  pthread_mutex_unlock(&lock);
  engine->has_uv = false;
}

/* ---- what others have in the loop ---- */

void aw_engine_add_closer(aw_engine *engine, aw_closer *closer) {
  closer->next = engine->closers;
  engine->closers = closer;
}

aw_closer *aw_engine_find_closer(const aw_engine *engine,
                                 void (*close)(aw_closer *closer)) {
  aw_closer *closer = engine->closers;
  while (closer && closer->close != close)
    closer = closer->next;
  return closer;
}

void aw__libuv_close_others(aw_engine *engine) {
  aw_closer *closer;
  while ((closer = engine->closers) != NULL) {
    engine->closers = closer->next;
    closer->close(closer);
  }
}

void aw__libuv_loop_ended(aw_engine *engine, aw_loop *loop) {
  for (aw_closer *closer = engine->closers; closer; closer = closer->next)
    if (closer->ended)
      closer->ended(closer, loop);
}

static void count_handle(uv_handle_t *handle, void *count) {
  if (uv_has_ref(handle) && !uv_is_closing(handle))
    ++*(size_t *)count;
}

size_t aw__libuv_handles(const aw_engine *engine) {
  enum { OWN = 3 }; /* timer, prepare, async */
  if (!engine->has_uv)
    return 0;
  size_t count = 0;
  uv_walk((uv_loop_t *)(uintptr_t)&engine->uv, count_handle, &count);
  return count - OWN;
}

/* ---- waking the engine from other threads ---- */

int aw_engine_wakeable(aw_engine *engine) {
  return aw__libuv_open(engine);
}

void aw_engine_wake(aw_engine *engine) {
  engine->woken = 1;
  uv_async_send(&engine->async);
}
