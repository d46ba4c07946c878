/* libuv.c - the libuv loop of an engine, and what others have in it
 *
 * The loop is opened when the engine first blocks, or when a source or the host
 * needs it: an engine whose tasks only compute has none. Or the host hands over
 * a loop of its own (`config.uv`); the engine enters that one when it is made.
 *
 *                  own loop                    the host's loop
 *     timer        ends uv_run()               wakes the loop
 *     prepare      no poll if tasks are ready  settles, starts timer and idle
 *     check, idle  -                           a turn; "do not block"
 *     async        other threads wake the engine
 *
 * The callbacks stand in drive/. In the host's loop none of our handles counts
 * for uv_run(), except `check` while a loop of the engine runs.
 *
 * Whoever has other handles in the libuv loop registers a closer. The engine
 * calls `close` of each closer before the libuv loop is closed, and `ended`
 * whenever an aw_loop has ended.
 *
 * libuv calls the close callbacks of one turn in any order, and those of
 * handles that such a callback closes in the next turn. So in the host's loop
 * the timer is closed by the close callback of `check`: when it is closed, all
 * handles are that were closed before.
 *
 * Only one thread at a time may open or close a libuv loop. Opening tests for
 * free descriptors, and for a moment occupies those from 0 to 2: all threads of
 * the process share these. The host's loop has its descriptors already.
 *
 * Neighbours: drive/ blocks in the loop; sources/ put their handles into it.
 */
#include "base/libuv.h"

#include "base/memory.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A forked process has only the thread that forked: so that one holds the lock
 * meanwhile. */
static void before_fork(void) {
  pthread_mutex_lock(&lock);
}

static void after_fork(void) {
  pthread_mutex_unlock(&lock);
}

static void watch_forks(void) {
  pthread_atfork(before_fork, after_fork, after_fork);
}

static void ignore_async(uv_async_t *async) {
  (void)async; /* aw_engine_wake() has set `woken` */
}

/* Occupy those of the descriptors 0 to 2 that are free, and return those as
 * bits. libuv must not get one of 0 to 2: on closing a descriptor, libuv
 * asserts that its number is higher. */
static unsigned hold_standard_files(void) {
  unsigned held = 0;
  for (int fd = 0; fd <= 2; fd++) {
    if (fcntl(fd, F_GETFD) >= 0)
      continue;
    int opened = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (opened == fd)
      held |= 1U << fd;
    else if (opened >= 0)
      close(opened); /* another thread has just taken `fd` */
  }
  return held;
}

static void release_standard_files(unsigned held) {
  for (int fd = 0; fd <= 2; fd++)
    if (held & 1U << fd)
      close(fd);
}

/* Returns true if the process may open as many descriptors as a libuv loop
 * takes: libuv aborts the process when it cannot open its first pipe. All but
 * one pipe are copies, which cost a fifth of a pipe. */
static bool has_room(aw_engine *engine) {
  enum { NEEDED = 8 };
  int fds[NEEDED], count = 2;
  if (pipe(fds) < 0)
    return false;
  struct stat file;
  if (fstat(fds[0], &file) == 0)
    engine->poller.pipes = file.st_dev;
  while (count < NEEDED && (fds[count] = dup(fds[0])) >= 0)
    count++;
  for (int i = 0; i < count; i++)
    close(fds[i]);
  return count == NEEDED;
}

static void close_loop(aw_handles *handles) {
  uv_close((uv_handle_t *)&handles->timer, NULL);
  uv_close((uv_handle_t *)&handles->prepare, NULL);
  uv_run(&handles->own, UV_RUN_DEFAULT);
  int rc = uv_loop_close(&handles->own);
  assert(rc == 0);
  (void)rc;
}

/* Before 1.51, a uv_loop_init() that fails half-way leaves its epoll set open
 * [UV15]. It had room before: so another thread has taken descriptors. */
static int init_loop(uv_loop_t *uv) {
  int rc = uv_loop_init(uv);
  if (rc < 0 && uv_backend_fd(uv) > 2) /* else -1, or 0: not set yet */
    close(uv_backend_fd(uv));
  return rc;
}

static int open_loop(aw_engine *engine, aw_handles *handles) {
  if (!has_room(engine))
    return UV_EMFILE;
  int rc = init_loop(&handles->own);
  if (rc < 0)
    return rc;
  uv_timer_init(&handles->own, &handles->timer);
  uv_prepare_init(&handles->own, &handles->prepare);
  rc = uv_async_init(&handles->own, &handles->async, ignore_async);
  if (rc < 0)
    close_loop(handles);
  return rc;
}

static int make_handles(aw_engine *engine, aw_handles **out) {
  aw_handles *handles = aw_allocate(sizeof *handles);
  if (!handles)
    return AW_ENOMEM;
  handles->engine = engine;
  *out = handles;
  return 0;
}

static void set_handles(aw_engine *engine, aw_handles *handles, uv_loop_t *uv) {
  engine->handles = handles;
  engine->uv = uv;
}

int aw__libuv_open(aw_engine *engine) {
  if (engine->uv)
    return 0;
  aw_handles *handles;
  int rc = make_handles(engine, &handles);
  if (rc < 0)
    return rc;
  pthread_once(&once, watch_forks);
  pthread_mutex_lock(&lock);
  unsigned held = hold_standard_files();
  rc = open_loop(engine, handles);
  release_standard_files(held);
  pthread_mutex_unlock(&lock);
  if (rc < 0)
    aw_free(handles);
  else
    set_handles(engine, handles, &handles->own);
  return rc;
}

void aw__libuv_close(aw_engine *engine) {
  aw_handles *handles = engine->handles;
  pthread_mutex_lock(&lock);
  uv_close((uv_handle_t *)&handles->async, NULL);
  close_loop(handles);
  pthread_mutex_unlock(&lock);
  set_handles(engine, NULL, NULL);
  aw_free(handles);
}

void aw__libuv_fork(aw_engine *engine) {
  if (!engine->config.uv)
    uv_loop_fork(engine->uv);
}

/* ---- the host's loop ---- */

/* Are the structs of this libuv those that this library was compiled with, and
 * those that the host has? libuv promises to keep them within a major version,
 * but has changed uv_loop_t in 1.45; and a host may contain a libuv of its
 * own. */
static bool fits(const aw_engine_config *config) {
  return uv_version() >> 16 == UV_VERSION_MAJOR &&
         uv_loop_size() == sizeof(uv_loop_t) &&
         (config->uv_size == 0 || config->uv_size == sizeof(uv_loop_t)) &&
         uv_handle_size(UV_TIMER) == sizeof(uv_timer_t) &&
         uv_handle_size(UV_PREPARE) == sizeof(uv_prepare_t) &&
         uv_handle_size(UV_CHECK) == sizeof(uv_check_t) &&
         uv_handle_size(UV_IDLE) == sizeof(uv_idle_t) &&
         uv_handle_size(UV_ASYNC) == sizeof(uv_async_t) &&
         uv_handle_size(UV_POLL) == sizeof(uv_poll_t);
}

/* The async comes first: only that one can fail, and then there is no handle
 * that the host's loop would have to close. */
static int init_handles(aw_handles *handles, uv_loop_t *uv) {
  int rc = uv_async_init(uv, &handles->async, ignore_async);
  if (rc < 0)
    return rc;
  uv_timer_init(uv, &handles->timer);
  uv_prepare_init(uv, &handles->prepare);
  uv_check_init(uv, &handles->check);
  uv_idle_init(uv, &handles->idle);
  uv_unref((uv_handle_t *)&handles->async);
  uv_unref((uv_handle_t *)&handles->timer);
  uv_unref((uv_handle_t *)&handles->prepare);
  uv_unref((uv_handle_t *)&handles->check);
  uv_unref((uv_handle_t *)&handles->idle);
  return 0;
}

int aw__libuv_enter(aw_engine *engine) {
  if (!fits(&engine->config))
    return AW_EVERSION;
  aw_handles *handles;
  int rc = make_handles(engine, &handles);
  if (rc < 0)
    return rc;
  rc = init_handles(handles, engine->config.uv);
  if (rc < 0) {
    aw_free(handles);
    return rc;
  }
  aw__engine_keep(engine);
  set_handles(engine, handles, engine->config.uv);
  return 0;
}

static void all_closed(uv_handle_t *timer) {
  aw_handles *handles = AW_CONTAINER(aw_handles, timer, timer);
  void (*closed)(void *data) = handles->closed;
  void *data = handles->data;
  aw__engine_release(handles->engine);
  aw_free(handles);
  if (closed)
    closed(data);
}

static void others_closed(uv_handle_t *check) {
  aw_handles *handles = AW_CONTAINER(aw_handles, check, check);
  uv_close((uv_handle_t *)&handles->timer, all_closed);
}

void aw__libuv_leave(aw_engine *engine, void (*closed)(void *data),
                     void *data) {
  aw_handles *handles = engine->handles;
  handles->closed = closed;
  handles->data = data;
  set_handles(engine, NULL, NULL);
  uv_timer_stop(&handles->timer);
  uv_close((uv_handle_t *)&handles->async, NULL);
  uv_close((uv_handle_t *)&handles->prepare, NULL);
  uv_close((uv_handle_t *)&handles->idle, NULL);
  uv_close((uv_handle_t *)&handles->check, others_closed);
}

void aw__libuv_hold(aw_engine *engine) {
  if (!engine->config.uv || !engine->handles)
    return;
  uv_handle_t *check = (uv_handle_t *)&engine->handles->check;
  if (aw__list_empty(&engine->running) && aw__list_empty(&engine->drive.ended))
    uv_unref(check);
  else
    uv_ref(check);
}

/* ---- what others have in the loop ---- */

void aw_engine_add_closer(aw_engine *engine, aw_closer *closer) {
  for (const aw_closer *known = engine->closers; known; known = known->next)
    if (known == closer)
      return;
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
  if (!engine->uv || engine->config.uv)
    return 0;
  size_t count = 0;
  uv_walk(engine->uv, count_handle, &count);
  return count - OWN;
}

/* ---- waking the engine from other threads ---- */

int aw_engine_wakeable(aw_engine *engine) {
  return engine ? aw__libuv_open(engine) : AW_EINVAL;
}

#if defined(__linux__) && UV_VERSION_HEX < 0x012d00
/* End the poll of libuv without uv_async_send() [UV20]. `async` has nothing to
 * do, so its callback need not run: a write to the eventfd behind it is enough.
 * False: this libuv does not spin, or has a pipe instead. */
static bool write_to_eventfd(const uv_loop_t *uv) {
  static const uint64_t ONE = 1;
  if (uv_version() >= 0x012d00 || uv->async_wfd != -1)
    return false;
  return write(uv->async_io_watcher.fd, &ONE, sizeof ONE) == sizeof ONE;
}
#else
static bool write_to_eventfd(const uv_loop_t *uv) {
  (void)uv; /* this libuv does not spin */
  return false;
}
#endif

void aw__libuv_wake(aw_engine *engine) {
  uv_async_t *async = &engine->handles->async;
  if (!write_to_eventfd(async->loop))
    uv_async_send(async);
}

void aw_engine_wake(aw_engine *engine) {
  engine->woken = 1;
  aw__libuv_wake(engine);
}
