/* poller.c - when a descriptor can be read or written [Q3]
 *
 *     watches[fd] ─► watch ─┬ uv_poll_t: the one OS watcher of fd [I7]
 *                           ├ readers, writers, both: its waiters
 *                           ├ keepers: owners that will wait again
 *                           └ link: in `changed`, to look at before libuv
 *                                   polls, or in `idle`, without waiters
 *
 *   wait:  fstat → join the waiters of the watch → `changed`
 *   poll:  settle(): a watch with waiters is armed, one without is idle
 *   fire:  libuv → wake the waiters of that direction → `changed`; those whose
 *          operation has `ready` try first, and may wait on
 *   end:   a watch with neither waiters nor keepers is disarmed at once
 *   rest:  idle watches are closed before the engine blocks
 *
 * A task may close its descriptor as soon as it resumes, while the file stays
 * open elsewhere. So a watcher leaves the kernel's set when its last wait ends,
 * before that task resumes; see epoll.c. This costs three system calls for each
 * wait. An owner that waits again and again, and says when it is done, is a
 * keeper: each of its waits costs one fstat; none, if nobody else closes the
 * descriptor (`owned`).
 *
 * While no task waits, the watcher of a keeper is muted when it fires for the
 * second time. In a crowd, where hundreds of tasks are ready or become ready in
 * one poll, a task waits again long after its report. There a muted watcher is
 * armed for one report (`once`): the kernel then mutes it, without a second
 * report and another system call.
 *
 * Such a watcher is closed when the engine has nothing else to do, and by
 * aw_engine_uv(). The last is needed because libuv files watchers by
 * descriptor. If the user has closed the descriptor, and a handle of libuv gets
 * the same number, one of the two watchers is deaf.
 *
 * A descriptor that was closed too early is noticed when its watcher is
 * disarmed (`stale`); the kernel's set is renewed before the next poll.
 *
 * epoll_ctl on a closed descriptor makes libuv abort the process. So a watcher
 * is started in settle() only, right before the poll, after a look at the file.
 * Regular files, and others that cannot be polled, are always ready.
 *
 * Invariants: a watch is in the table until its handle is being closed, and its
 * memory is freed in the close callback [I4]. `armed` is what libuv watches; it
 * is 0 for a watch that has neither waiters nor keepers.
 *
 * Neighbours: drive/ calls settle() and closes idle watches; epoll.c has the
 * kernel's set.
 *
 * More than 500 lines: struct aw_watch is known only here.
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
enum { MUTED = 2 };   /* reports */
enum { CROWD = 256 }; /* tasks that are ready, or reports of one poll */

struct aw_watch {
  uv_poll_t poll;
  aw_engine *engine;
  aw_link readers, writers, both; /* by aw_task.link */
  aw_keeper *keepers; /* a list; the watch stays armed for them between waits */
  aw_link link;       /* in engine.poller: changed, or idle */
  dev_t device;       /* with `inode`: the file that `fd` named */
  ino_t inode;
  int fd;
  int armed;   /* events that libuv watches: AW_READABLE | AW_WRITABLE */
  int unheard; /* reports since the last waiter has gone */
  bool once;   /* the next report mutes the watcher */
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

/* The descriptor ends the wait of `task`, and so an alarm that was set, too. */
static void end_wait(aw_task *task, int result) {
  if (task->wait->due)
    aw_alarm_disarm(task);
  aw__task_wake(task, result);
}

/* Wake the waiters of a ready descriptor. An operation with `ready` tries
 * first, and may go on waiting; then its task keeps its place in the list. */
static void wake_ready(aw_link *waiters, int result) {
  aw_link waiting;
  aw_link *link;
  if (aw__list_empty(waiters)) /* so are two of three, usually */
    return;
  aw__list_init(&waiting);
  while ((link = aw__list_shift(waiters)) != NULL) {
    aw_task *task = AW_CONTAINER(aw_task, link, link);
    int rc = result < 0 || !task->wait->ready
                 ? 1
                 : task->wait->ready(task, task->on);
    if (rc == 0)
      aw__list_append(&waiting, link);
    else if (rc != AW_MOVED)
      end_wait(task, rc < 0 ? rc : result);
  }
  while ((link = aw__list_shift(&waiting)) != NULL)
    aw__list_append(waiters, link);
}

/* Wake all waiters with an error. */
static void wake_all(aw_watch *watch, int error) {
  wake_ready(&watch->readers, error);
  wake_ready(&watch->both, error);
  wake_ready(&watch->writers, error);
}

static int uv_events(int events) {
  return (events & AW_READABLE ? UV_READABLE : 0) |
         (events & AW_WRITABLE ? UV_WRITABLE : 0);
}

static int poll_events(int events) {
  return (events & AW_READABLE ? POLLIN : 0) |
         (events & AW_WRITABLE ? POLLOUT : 0);
}

/* Let the kernel report these events only, unknown to libuv. Returns false if
 * the file is not in the kernel's set. */
static bool set_events(const aw_watch *watch, int events) {
  return aw__epoll_watches(watch->engine, watch->fd, poll_events(events));
}

/* Let the kernel report the events of a muted watch again. */
static bool unmute(aw_watch *watch, int events) {
  aw_engine *engine = watch->engine;
  watch->unheard = 0;
  watch->once = engine->poller.crowded &&
                aw__epoll_watches_once(engine, watch->fd, poll_events(events));
  return watch->once || set_events(watch, events);
}

/* libuv ignores whether the kernel knew the descriptor, so ask the kernel. */
static void disarm_watch(aw_watch *watch) {
  if (watch->armed == 0)
    return;
  watch->armed = 0;
  if (!aw__epoll_remove(watch->engine, watch->fd))
    watch->engine->poller.stale = true;
  uv_poll_stop(&watch->poll);
}

/* A wait or a keeper has gone. Disarm the watch before the task resumes and may
 * close the descriptor. The handle stays until the engine blocks: a task that
 * waits again before that needs no new handle. */
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

static void unlink_keeper(aw_keeper *keeper) {
  keeper->watch = NULL;
  keeper->next = NULL;
}

static void forget_keepers(aw_watch *watch) {
  while (watch->keepers) {
    aw_keeper *keeper = watch->keepers;
    watch->keepers = keeper->next;
    unlink_keeper(keeper);
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

/* uv_poll_init() makes the open file non-blocking for all users of it, such as
 * io.read in this program: restore the flag. */
static int init_poll(aw_engine *engine, uv_poll_t *poll, int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0)
    return -errno;
  int rc = uv_poll_init(engine->uv, poll, fd);
  if (rc == 0)
    aw__libuv_adopt(engine, (uv_handle_t *)poll);
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

/* Does the inode tell this file from a later one? Terminals, timers and others
 * share an inode; the inodes of named pipes are used again. */
static bool has_own_inode(const aw_engine *engine, const struct stat *file) {
  return S_ISSOCK(file->st_mode) ||
         (S_ISFIFO(file->st_mode) && file->st_dev == engine->poller.pipes);
}

/* Is the descriptor still open for the file that the watch was made for? For an
 * armed watch it must be the same file, else any file with the same inode. */
static bool is_same(aw_watch *watch, const struct stat *file) {
  if (!has_inode(watch, file))
    return false;
  if (watch->armed == 0 || has_own_inode(watch->engine, file))
    return true;
  watch->unheard = 0;
  watch->once = false;
  return set_events(watch, watch->armed);
}

/* The watch of an earlier wait for `fd`, if this one can use it; or NULL. A
 * watch for a file that was closed is closed, too. */
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

/* Take a report that no task waits for. Most keepers wait again after a step or
 * two of their tasks, so the first report is passed over. The second one mutes
 * the watcher: two system calls, where a new watcher takes ten. An error is
 * reported nevertheless, and closes the watcher. */
static void pass_over(aw_watch *watch, int status) {
  watch->unheard++;
  bool stays =
      status == 0 && (watch->unheard == 1 ||
                      (watch->unheard == MUTED && set_events(watch, 0)));
  if (!stays)
    close_watch(watch);
}

static void fired(uv_poll_t *poll, int status, int events) {
  aw_watch *watch = AW_CONTAINER(aw_watch, poll, poll);
  int result = 0;
  bool muted = watch->once;
  watch->engine->poller.reports++;
  if (muted) {
    watch->once = false;
    watch->unheard = MUTED;
  }
  if (wanted(watch) == 0) {
    if (!muted || status < 0)
      pass_over(watch, status);
    return;
  }
  if (status < 0) { /* POLLERR: libuv has stopped the handle, but the kernel
                       still has it */
    disarm_watch(watch);
    events = UV_READABLE | UV_WRITABLE;
    result = fcntl(watch->fd, F_GETFD) < 0 ? UV_EBADF : 0;
  } /* the next call of the task returns the error */
  if (events & UV_READABLE)
    wake_ready(&watch->readers, result);
  wake_ready(&watch->both, result);
  if (events & UV_WRITABLE)
    wake_ready(&watch->writers, result);
  leave(watch);
}

/* Let libuv watch `events`. */
static int arm(aw_watch *watch, int events) {
  struct stat file;
  if (fstat(watch->fd, &file) < 0 || !is_same(watch, &file))
    return UV_EBADF;
  int rc = uv_poll_start(&watch->poll, uv_events(events), fired);
  if (rc == 0) {
    watch->armed = events;
    watch->unheard = 0;
    watch->once = false;
  }
  return rc;
}

/* Does the kernel report `events` already, or again? */
static bool is_armed(aw_watch *watch, int events) {
  if (events != watch->armed)
    return false;
  if (watch->unheard >= MUTED)
    return unmute(watch, events);
  watch->unheard = 0;
  return true;
}

static void settle(aw_watch *watch) {
  int events = wanted(watch);
  if (events == 0) {
    move_to(watch, &watch->engine->poller.idle);
    return;
  }
  if (is_armed(watch, events))
    return;
  int rc = arm(watch, events);
  if (rc < 0) {
    wake_all(watch, rc);
    close_watch(watch);
  }
}

/* A descriptor was closed while it was watched, and its file may be open
 * elsewhere: take the file out of the kernel's set. A copied entry may
 * have the events of a closed file with the same number and inode, so set the
 * events of all armed watches again. */
static void renew(aw_engine *engine) {
  aw_poller *poller = &engine->poller;
  poller->stale = !aw__epoll_renew(engine);
  for (size_t fd = 0; fd < poller->size; fd++) {
    aw_watch *watch = poller->watches[fd];
    if (!watch || !watch->armed)
      continue;
    watch->once = false;
    set_events(watch, watch->unheard < MUTED ? watch->armed : 0);
  }
}

void aw__poller_settle(aw_engine *engine) {
  aw_poller *poller = &engine->poller;
  aw_link *link;
  poller->crowded = poller->reports >= CROWD || engine->ready.count >= CROWD;
  poller->reports = 0;
  while ((link = aw__list_shift(&poller->changed)) != NULL)
    settle(AW_CONTAINER(aw_watch, link, link));
  if (poller->stale)
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

size_t aw__poller_watches(const aw_engine *engine) {
  const aw_poller *poller = &engine->poller;
  size_t count = 0;
  for (size_t fd = 0; fd < poller->size; fd++)
    count += poller->watches[fd] != NULL;
  return count;
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

/* The watch that an owner keeps for `fd`, whose file is sure to be the same; or
 * NULL. */
static aw_watch *owned_watch(const aw_engine *engine, int fd,
                             const aw_keeper *keeper) {
  aw_watch *watch = keeper && keeper->owned ? keeper->watch : NULL;
  return watch && watch->engine == engine && watch->fd == fd ? watch : NULL;
}

/* Find or open the watch of `fd`. Returns 0, 1 if `fd` never blocks, or a
 * negative code. */
static int look_at(aw_engine *engine, int fd, aw_watch **out) {
  struct stat file;
  if (fstat(fd, &file) < 0)
    return -errno;
  if (S_ISREG(file.st_mode))
    return 1;
  *out = still_good(engine, fd, &file);
  if (*out)
    return 0;
  int rc = open_watch(engine, fd, &file, out);
  return rc == UV_EPERM ? 1 : rc; /* a file that cannot be polled */
}

int aw_ready_arm_kept(aw_task *task, int fd, int events, aw_keeper *keeper) {
  if (!is_valid(events))
    return AW_EINVAL;
  aw_watch *watch = owned_watch(task->engine, fd, keeper);
  int rc = watch ? 0 : look_at(task->engine, fd, &watch);
  if (rc != 0)
    return rc;
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

/* Without a watch, another engine has closed the descriptor. */
void aw_ready_disarm(aw_task *task, int fd) {
  aw_watch *watch = find(task->engine, fd);
  aw__link_remove(&task->link);
  if (watch)
    leave(watch);
}

void aw_ready_done(aw_keeper *keeper) {
  aw_watch *watch = keeper ? keeper->watch : NULL;
  if (!watch)
    return;
  aw_keeper **place = &watch->keepers;
  while (*place != keeper)
    place = &(*place)->next;
  *place = keeper->next;
  unlink_keeper(keeper);
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

/* The index is the events. */
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
