/* poller.c - when a descriptor can be read from or written to [Q3]
 *
 *     watches[fd] ─► watch ─┬ uv_poll_t: the one OS watcher of fd [I7]
 *                           ├ readers, writers, both: tasks that wait
 *                           ├ keepers: owners that will wait again
 *                           └ link: `changed`, look at it before libuv polls,
 *                                   or `idle`, nobody waits
 *
 *   wait:  fstat → join the watch's waiters → `changed`
 *   poll:  settle(): what has waiters is armed, what has none is idle
 *   fire:  libuv → wake all waiters of that direction → `changed`
 *   end:   neither waiters nor keepers: disarmed at once
 *   rest:  idle ones are closed, before the engine blocks
 *
 * A task may close its descriptor as soon as it goes on, and the file may be
 * open elsewhere. So a watcher leaves the kernel's set when its last wait ends,
 * before that task goes on; see epoll.c. That costs three system calls for a
 * wait. An owner that waits again and again, and says when it is done, is a
 * keeper: it pays nothing but one fstat. A keeper's watcher without waiters is
 * closed when it fires, when the engine has nothing else to do, and by
 * aw_engine_uv(): libuv keeps it under its number, and when a handle of libuv's
 * own gets that number, since the user closed it, one of the two hears of
 * nothing any more.
 *
 * A descriptor that is closed too early all the same is noticed when its
 * watcher is disarmed (`stale`); then the kernel's set is renewed before the
 * next poll.
 *
 * epoll_ctl on a closed descriptor makes libuv abort the process. So a watcher
 * is started in settle() only, right before the poll, after a look at the
 * file. Regular files, and what else cannot be polled, are always ready.
 *
 * Invariants: a watch is in the table until its handle is being closed; its
 * memory goes in the close callback [I4]; `armed` is what libuv watches, and
 * 0 for a watch that has neither waiters nor keepers.
 */
#include "sources/poller.h"

#include "base/libuv.h"
#include "base/memory.h"
#include "run/task.h"
#include "sources/epoll.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

enum { EITHER = AW_READABLE | AW_WRITABLE };

struct aw_watch {
  uv_poll_t poll;
  aw_engine *engine;
  aw_link readers, writers, both; /* by aw_task.link */
  aw_keeper *keepers;             /* a list; they want it armed between waits */
  aw_link link;                   /* in engine.poller: changed, or idle */
  dev_t device;                   /* of the file that `fd` was … */
  ino_t inode;
  int fd;
  int armed; /* events that libuv watches: AW_READABLE | AW_WRITABLE */
};

/* ---- the table ---- */

static aw_watch *find(const aw_engine *engine, int fd) {
  const aw_poller *poller = &engine->poller;
  return (size_t)fd < poller->size ? poller->watches[fd] : NULL;
}

static int make_room(aw_engine *engine, int fd) {
  enum { SMALLEST = 32 };
  aw_poller *poller = &engine->poller;
  size_t size = poller->size ? poller->size : SMALLEST;
  while (size <= (size_t)fd)
    size *= 2;
  if (size == poller->size)
    return 0;
  aw_watch **watches =
      aw__resize(engine, poller->watches, poller->size * sizeof(aw_watch *),
                 size * sizeof(aw_watch *));
  if (!watches)
    return AW_ENOMEM;
  for (size_t i = poller->size; i < size; i++)
    watches[i] = NULL;
  poller->watches = watches;
  poller->size = size;
  return 0;
}

/* ---- a watch ---- */

static int wanted(const aw_watch *watch) {
  return (aw__list_empty(&watch->readers) ? 0 : AW_READABLE) |
         (aw__list_empty(&watch->writers) ? 0 : AW_WRITABLE) |
         (aw__list_empty(&watch->both) ? 0 : EITHER);
}

static void move_to(aw_watch *watch, aw_link *list) {
  if (aw__link_used(&watch->link))
    aw__link_remove(&watch->link);
  aw__list_append(list, &watch->link);
}

static void mark(aw_watch *watch) {
  move_to(watch, &watch->engine->poller.changed);
}

static void wake_all(aw_watch *watch, int result) {
  aw__wake_list(&watch->readers, result);
  aw__wake_list(&watch->both, result);
  aw__wake_list(&watch->writers, result);
}

static int uv_events(int events) {
  return (events & AW_READABLE ? UV_READABLE : 0) |
         (events & AW_WRITABLE ? UV_WRITABLE : 0);
}

static int poll_events(int events) {
  return (events & AW_READABLE ? POLLIN : 0) |
         (events & AW_WRITABLE ? POLLOUT : 0);
}

/* libuv ignores whether the kernel found the descriptor: ask first. */
static void disarm_watch(aw_watch *watch) {
  if (watch->armed == 0)
    return;
  watch->armed = 0;
  if (!aw__epoll_remove(watch->engine, watch->fd))
    watch->engine->poller.stale = true;
  uv_poll_stop(&watch->poll);
}

/* A wait or a keeper has gone. Disarm before the task goes on: it may close
 * the descriptor. The handle stays until the engine blocks: a task that waits
 * again while others are busy need not make a new one. */
static void leave(aw_watch *watch) {
  if (wanted(watch) == 0 && !watch->keepers)
    disarm_watch(watch);
  mark(watch);
}

static void join(aw_keeper *keeper, aw_watch *watch) {
  if (keeper->watch == watch)
    return;
  aw_ready_done(keeper);
  keeper->watch = watch;
  keeper->next = watch->keepers;
  watch->keepers = keeper;
}

static void forget_keepers(aw_watch *watch) {
  while (watch->keepers) {
    aw_keeper *keeper = watch->keepers;
    watch->keepers = keeper->next;
    *keeper = (aw_keeper){NULL, NULL};
  }
}

static void free_watch(uv_handle_t *handle) {
  aw_watch *watch = AW_CONTAINER(aw_watch, poll, handle);
  aw__free(watch->engine, watch, sizeof *watch);
}

static void close_watch(aw_watch *watch) {
  assert(wanted(watch) == 0);
  forget_keepers(watch);
  disarm_watch(watch);
  watch->engine->poller.watches[watch->fd] = NULL;
  if (aw__link_used(&watch->link))
    aw__link_remove(&watch->link);
  uv_close((uv_handle_t *)&watch->poll, free_watch);
}

/* uv_poll_init() makes the open file non-blocking, for all who share it, this
 * program's io.read included: put that back. */
static int init_poll(aw_engine *engine, uv_poll_t *poll, int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0)
    return -errno;
  int rc = uv_poll_init(&engine->uv, poll, fd);
  if (rc == 0 && !(flags & O_NONBLOCK))
    fcntl(fd, F_SETFL, flags);
  return rc;
}

static int open_watch(aw_engine *engine, int fd, const struct stat *file,
                      aw_watch **out) {
  int rc = aw__libuv_open(engine);
  if (rc == 0)
    rc = make_room(engine, fd);
  if (rc < 0)
    return rc;
  aw_watch *watch = aw__alloc(engine, sizeof *watch);
  if (!watch)
    return AW_ENOMEM;
  rc = init_poll(engine, &watch->poll, fd);
  if (rc < 0) { /* the handle was not made: there is nothing to close */
    aw__free(engine, watch, sizeof *watch);
    return rc;
  }
  watch->engine = engine;
  watch->fd = fd;
  watch->device = file->st_dev;
  watch->inode = file->st_ino;
  aw__list_init(&watch->readers);
  aw__list_init(&watch->writers);
  aw__list_init(&watch->both);
  engine->poller.watches[fd] = watch;
  *out = watch;
  return 0;
}

static bool has_inode(const aw_watch *watch, const struct stat *file) {
  return watch->device == file->st_dev && watch->inode == file->st_ino;
}

/* Does its inode tell it from a later one of its kind? Those of terminals,
 * timers and others are shared, those of named pipes are used again. */
static bool has_own_inode(const aw_engine *engine, const struct stat *file) {
  return S_ISSOCK(file->st_mode) ||
         (S_ISFIFO(file->st_mode) && file->st_dev == engine->poller.pipes);
}

/* Is the file that the watch was made for still that of its number? An armed
 * one must be the very same, any other one of its kind will do. */
static bool is_same(const aw_watch *watch, const struct stat *file) {
  aw_engine *engine = watch->engine;
  return has_inode(watch, file) &&
         (watch->armed == 0 || has_own_inode(engine, file) ||
          aw__epoll_watches(engine, watch->fd, poll_events(watch->armed)));
}

/* The watch that `fd` has from an earlier wait, if it is still good. */
static aw_watch *still_good(aw_engine *engine, int fd,
                            const struct stat *file) {
  aw_watch *watch = find(engine, fd);
  if (!watch)
    return NULL;
  if (!is_same(watch, file)) { /* closed, and the number used again */
    wake_all(watch, UV_EBADF);
    close_watch(watch);
    return NULL;
  }
  return watch;
}

/* ---- libuv ---- */

static void fired(uv_poll_t *poll, int status, int events) {
  aw_watch *watch = AW_CONTAINER(aw_watch, poll, poll);
  int result = 0;
  if (wanted(watch) == 0) {
    close_watch(watch);
    return;
  }
  if (status < 0) { /* POLLERR: libuv has stopped, and left it in the set */
    disarm_watch(watch);
    events = UV_READABLE | UV_WRITABLE;
    result = fcntl(watch->fd, F_GETFD) < 0 ? UV_EBADF : 0;
  } /* what the task tries next will tell the error */
  if (events & UV_READABLE)
    aw__wake_list(&watch->readers, result);
  aw__wake_list(&watch->both, result);
  if (events & UV_WRITABLE)
    aw__wake_list(&watch->writers, result);
  leave(watch);
}

/* Let libuv watch what is waited for. */
static int arm(aw_watch *watch, int events) {
  struct stat file;
  if (fstat(watch->fd, &file) < 0 || !is_same(watch, &file))
    return UV_EBADF;
  int rc = uv_poll_start(&watch->poll, uv_events(events), fired);
  if (rc == 0)
    watch->armed = events;
  return rc;
}

static void settle(aw_watch *watch) {
  int events = wanted(watch);
  if (events == 0) {
    move_to(watch, &watch->engine->poller.idle);
    return;
  }
  if (events == watch->armed)
    return;
  int rc = arm(watch, events);
  if (rc < 0) {
    wake_all(watch, rc);
    close_watch(watch);
  }
}

/* A file was closed under its watcher, and may be open elsewhere: get it out of
 * the kernel's set. Entries of equal inodes are told apart by what is armed. */
static void renew(aw_engine *engine) {
  aw_poller *poller = &engine->poller;
  poller->stale = !aw__epoll_renew(engine);
  for (size_t fd = 0; fd < poller->size; fd++) {
    const aw_watch *watch = poller->watches[fd];
    if (watch && watch->armed)
      aw__epoll_watches(engine, watch->fd, poll_events(watch->armed));
  }
}

void aw__poller_settle(aw_engine *engine) {
  aw_link *link;
  while ((link = aw__list_shift(&engine->poller.changed)) != NULL)
    settle(AW_CONTAINER(aw_watch, link, link));
  if (engine->poller.stale)
    renew(engine);
}

static void close_idle(aw_link *list) {
  aw_link *next;
  for (aw_link *link = list->next; link != list; link = next) {
    next = link->next;
    aw_watch *watch = AW_CONTAINER(aw_watch, link, link);
    if (wanted(watch) == 0)
      close_watch(watch);
  }
}

void aw__poller_close_idle(aw_engine *engine) {
  close_idle(&engine->poller.changed);
  close_idle(&engine->poller.idle);
}

static size_t count_idle(const aw_link *list) {
  size_t count = 0;
  for (const aw_link *link = list->next; link != list; link = link->next)
    count += wanted(AW_CONTAINER(aw_watch, link, (uintptr_t)link)) == 0;
  return count;
}

size_t aw__poller_idle(const aw_engine *engine) {
  return count_idle(&engine->poller.changed) + count_idle(&engine->poller.idle);
}

void aw__poller_free(aw_engine *engine) {
  aw_poller *poller = &engine->poller;
  for (size_t fd = 0; fd < poller->size; fd++)
    if (poller->watches[fd])
      close_watch(poller->watches[fd]);
  aw__free(engine, poller->watches, poller->size * sizeof(aw_watch *));
  poller->watches = NULL;
  poller->size = 0;
}

/* ---- waiting ---- */

static bool is_valid(int events) {
  return events >= AW_READABLE && events <= EITHER;
}

int aw_ready_arm_kept(aw_task *task, int fd, int events, aw_keeper *keeper) {
  struct stat file;
  if (!is_valid(events))
    return AW_EINVAL;
  if (fstat(fd, &file) < 0)
    return -errno;
  if (S_ISREG(file.st_mode))
    return 1;
  aw_watch *watch = still_good(task->engine, fd, &file);
  if (!watch) {
    int rc = open_watch(task->engine, fd, &file, &watch);
    if (rc < 0) /* no poll for this kind of file: never blocks */
      return rc == UV_EPERM ? 1 : rc;
  }
  aw_link *waiters = events == AW_READABLE   ? &watch->readers
                     : events == AW_WRITABLE ? &watch->writers
                                             : &watch->both;
  aw__list_append(waiters, &task->link);
  if (keeper)
    join(keeper, watch);
  mark(watch);
  return 0;
}

int aw_ready_arm(aw_task *task, int fd, int events) {
  return aw_ready_arm_kept(task, fd, events, NULL);
}

void aw_ready_disarm(aw_task *task, int fd) {
  aw__link_remove(&task->link);
  leave(find(task->engine, fd));
}

void aw_ready_done(aw_keeper *keeper) {
  aw_watch *watch = keeper->watch;
  if (!watch)
    return;
  aw_keeper **place = &watch->keepers;
  while (*place != keeper)
    place = &(*place)->next;
  *place = keeper->next;
  *keeper = (aw_keeper){NULL, NULL};
  leave(watch);
}

void aw_poller_forget(aw_engine *engine, int fd) {
  aw_watch *watch = fd < 0 ? NULL : find(engine, fd);
  if (!watch)
    return;
  wake_all(watch, AW_ECLOSED);
  close_watch(watch);
}

/* ---- as operations: `data` is the descriptor ---- */

static int fd_of(const void *data) {
  return (int)(intptr_t)data;
}

static int arm_readable(aw_task *task, void *data) {
  return aw_ready_arm(task, fd_of(data), AW_READABLE);
}

static int arm_writable(aw_task *task, void *data) {
  return aw_ready_arm(task, fd_of(data), AW_WRITABLE);
}

static int arm_either(aw_task *task, void *data) {
  return aw_ready_arm(task, fd_of(data), EITHER);
}

static void disarm(aw_task *task, void *data) {
  aw_ready_disarm(task, fd_of(data));
}

static void describe(const void *data, char *out, size_t size) {
  snprintf(out, size, "%d", fd_of(data));
}

/* By events. */
#define OPERATION(name, how) \
  { \
    .label = (name), .arm = (how), .disarm = disarm, .external = true, \
    .describe = describe, .fd = fd_of \
  }
static const aw_operation operations[] = {
    [AW_READABLE] = OPERATION("readable", arm_readable),
    [AW_WRITABLE] = OPERATION("writable", arm_writable),
    [EITHER] = OPERATION("ready", arm_either),
};

const aw_operation *aw_ready_operation(int events) {
  return is_valid(events) ? &operations[events] : NULL;
}

aw_wire *aw_when_ready(int fd, int events) {
  if (!is_valid(events))
    return NULL;
  return aw_wait_for(&operations[events], (void *)(intptr_t)fd);
}

aw_wire *aw_readable(int fd) {
  return aw_when_ready(fd, AW_READABLE);
}

aw_wire *aw_writable(int fd) {
  return aw_when_ready(fd, AW_WRITABLE);
}

int aw_await_ready(aw_task *task, int fd, int events) {
  if (!is_valid(events))
    return AW_EINVAL;
  return aw_await_operation(task, &operations[events], (void *)(intptr_t)fd);
}

int aw_await_readable(aw_task *task, int fd) {
  return aw_await_ready(task, fd, AW_READABLE);
}

int aw_await_writable(aw_task *task, int fd) {
  return aw_await_ready(task, fd, AW_WRITABLE);
}
