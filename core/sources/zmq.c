/* zmq.c - when a socket of libzmq's is ready [Q4]
 *
 *   something was done with it (touch), or ──► dirty ──► look, once a turn:
 *   a task waits, or its descriptor fired                receive or ZMQ_EVENTS
 *                                                          └─► tasks wake
 *
 * Its descriptor is readable when libzmq has news for the socket; any call with
 * the socket reads them. So the engine never blocks before a dirty socket was
 * looked at: nothing can be news, and read, and unseen by who waits. A receive
 * that finds nothing has read all news and is as good as a look (`drained`);
 * that saves the look of each ordinary wait. Who waits for input only is served
 * by reading ahead, where the binding can: a look costs two system calls.
 *
 * No socket is looked at but dirty ones, and a look serves at most BUDGET
 * tasks. The watcher stays while tasks are busy; when it fires and nobody waits
 * it goes to `fired`, and is stopped before the engine blocks.
 *
 * Invariants: a socket is in `dirty` or `fired` or in neither, and only in an
 * engine; `drained` only if nothing was done with it since; who waits in it
 * waits in `engine`; what libuv holds is a `watch`, freed when both its handles
 * are closed [I4]. Peers: libzmq.c opens the library, engine.c calls look() and
 * settle().
 */
#include "sources/zmq.h"

#include "base/libuv.h"
#include "run/task.h"
#include "sources/poller.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum { BUDGET = 64 };
enum { LONGEST_PAUSE = 50 }; /* ms */
enum { EITHER = AW_READABLE | AW_WRITABLE };
enum { ZMQ_FD = 14, ZMQ_EVENTS = 15, ZMQ_ETERM = 156384712 + 53 };

typedef struct watch {
  uv_poll_t poll;
  uv_timer_t timer; /* until a message for a full peer is tried again */
  aw_zmq *zmq;      /* NULL: it is being closed */
  int handles;      /* not closed yet */
  bool polling;
} watch;

struct aw_zmq {
  void *socket;
  const aw_zmq_calls *calls;
  const aw_zmq_config *config;
  aw_engine *engine;                                  /* or NULL */
  watch *watch;                                       /* in that engine */
  aw_link receivers, senders, readers, writers, both; /* by aw_task.link */
  unsigned waiting;                                   /* tasks in these */
  aw_link link;  /* in pass: dirty, or fired */
  aw_link place; /* in pass.sockets */
  int fd;
  unsigned forks;
  int pause;    /* ms, the last one; 0: none since the last success */
  bool pausing; /* the timer runs: who wants to send waits for it */
  bool drained; /* all news were read, and there was nothing to receive */
};

struct aw__zmq_pass {
  aw_closer closer;
  aw_engine *engine;
  aw_link sockets; /* in this engine */
  aw_link dirty;   /* to look at … */
  aw_link round;   /* … in this turn */
  aw_link fired;   /* while nobody waited */
  unsigned forks;  /* when the sockets came */
};

/* ---- marking ---- */

static bool awaited(const aw_zmq *z) {
  return z->waiting > 0; /* asked at each call with the socket */
}

static void unlist(aw_zmq *z) {
  if (aw__link_used(&z->link))
    aw__link_remove(&z->link);
}

static void mark(aw_zmq *z) {
  unlist(z);
  aw__list_append(&z->engine->zmq->dirty, &z->link);
}

void aw_zmq_touch(aw_zmq *z) {
  if (!z)
    return;
  z->drained = false;
  if (awaited(z))
    mark(z);
}

void aw_zmq_found_empty(aw_zmq *z) {
  z->drained = true;
}

/* ---- what libuv holds ---- */

static void handle_closed(uv_handle_t *handle) {
  watch *w = handle->data;
  if (--w->handles == 0)
    aw_free(w);
}

static void close_watch(watch *w) {
  w->zmq = NULL;
  uv_close((uv_handle_t *)&w->timer, handle_closed);
  uv_close((uv_handle_t *)&w->poll, handle_closed);
}

static void fired(uv_poll_t *poll, int status, int events) {
  watch *w = poll->data;
  aw_zmq *z = w->zmq;
  (void)events;
  if (status < 0) /* libuv has stopped */
    w->polling = false;
  z->drained = false;
  if (awaited(z) || z->config->eager) {
    mark(z);
    return;
  }
  unlist(z);
  aw__list_append(&z->engine->zmq->fired, &z->link);
}

static void pause_over(uv_timer_t *timer) {
  const watch *w = timer->data;
  w->zmq->pausing = false;
  mark(w->zmq);
}

static void pause_sending(aw_zmq *z) {
  z->pause = z->pause == 0 ? 1 : z->pause * 2;
  if (z->pause > LONGEST_PAUSE)
    z->pause = LONGEST_PAUSE;
  z->pausing = true;
  uv_update_time(&z->engine->uv);
  uv_timer_start(&z->watch->timer, pause_over, (uint64_t)z->pause, 0);
}

static int open_watch(aw_zmq *z, aw_engine *engine) {
  watch *w = aw_allocate(sizeof *w);
  if (!w)
    return AW_ENOMEM;
  aw__poller_close_idle(engine); /* one may be of an earlier `fd` */
  int rc = uv_poll_init(&engine->uv, &w->poll, z->fd);
  if (rc < 0) { /* the handle was not made */
    aw_free(w);
    return rc;
  }
  uv_timer_init(&engine->uv, &w->timer);
  w->poll.data = w->timer.data = w;
  w->handles = 2;
  w->zmq = z;
  z->watch = w;
  return 0;
}

static int start_polling(aw_zmq *z) {
  watch *w = z->watch;
  if (w->polling)
    return 0;
  aw__poller_close_idle(z->engine);
  int rc = uv_poll_start(&w->poll, UV_READABLE, fired);
  w->polling = rc == 0;
  return rc;
}

/* ---- waking ---- */

/* `task` has left its list. */
static void end_wait(aw_zmq *z, aw_task *task, int result) {
  z->waiting--;
  aw_wait_complete(task, result);
}

static void wake(aw_zmq *z, aw_link *list, int result) {
  aw_link *link;
  while ((link = aw__list_shift(list)) != NULL)
    end_wait(z, AW_CONTAINER(aw_task, link, link), result);
}

static void wake_everybody(aw_zmq *z, int result) {
  wake(z, &z->receivers, result);
  wake(z, &z->readers, result);
  wake(z, &z->both, result);
  wake(z, &z->senders, result);
  wake(z, &z->writers, result);
  assert(z->waiting == 0);
}

/* ---- in an engine ---- */

static void part_from_parent(aw__zmq_pass *pass);

static void leave_engine(aw_zmq *z) {
  if (z->engine)
    part_from_parent(z->engine->zmq);
  if (!z->engine)
    return;
  unlist(z);
  aw__link_remove(&z->place);
  close_watch(z->watch);
  z->watch = NULL;
  z->engine = NULL;
  z->pausing = false;
}

/* A child that was forked off shares epoll with its parent: what it changes
 * there, it changes for both. It takes one of its own, and leaves the parent's
 * sockets [ZQ16]. */
static void part_from_parent(aw__zmq_pass *pass) {
  if (pass->forks == aw_zmq_forks())
    return;
  pass->forks = aw_zmq_forks();
  uv_loop_fork(&pass->engine->uv);
  while (!aw__list_empty(&pass->sockets)) {
    aw_zmq *z = AW_CONTAINER(aw_zmq, place, pass->sockets.next);
    wake_everybody(z, AW_EFORKED);
    leave_engine(z);
  }
}

static void close_pass(aw_closer *closer) {
  aw__zmq_pass *pass = AW_CONTAINER(aw__zmq_pass, closer, closer);
  while (!aw__list_empty(&pass->sockets))
    leave_engine(AW_CONTAINER(aw_zmq, place, pass->sockets.next));
  pass->engine->zmq = NULL;
  aw_free(pass);
}

static int open_pass(aw_engine *engine) {
  if (engine->zmq) {
    part_from_parent(engine->zmq);
    return 0;
  }
  int rc = aw__libuv_open(engine);
  if (rc < 0)
    return rc;
  aw__zmq_pass *pass = aw_allocate(sizeof *pass);
  if (!pass)
    return AW_ENOMEM;
  aw__list_init(&pass->sockets);
  aw__list_init(&pass->dirty);
  aw__list_init(&pass->round);
  aw__list_init(&pass->fired);
  pass->engine = engine;
  pass->forks = aw_zmq_forks();
  pass->closer.close = close_pass;
  aw_engine_add_closer(engine, &pass->closer);
  engine->zmq = pass;
  return 0;
}

static int enter_engine(aw_zmq *z, aw_engine *engine) {
  if (z->forks != aw_zmq_forks())
    return AW_EFORKED;
  if (z->engine == engine)
    return start_polling(z);
  if (awaited(z))
    return AW_EBUSY;
  leave_engine(z);
  int rc = open_pass(engine);
  if (rc == 0)
    rc = open_watch(z, engine);
  if (rc < 0)
    return rc;
  z->engine = engine;
  aw__list_append(&engine->zmq->sockets, &z->place);
  return start_polling(z);
}

int aw_zmq_attend(aw_zmq *z, aw_engine *engine) {
  if (!z)
    return AW_ECLOSED;
  int rc = enter_engine(z, engine);
  if (rc == 0)
    mark(z);
  return rc;
}

/* ---- life ---- */

static int get_int(const aw_zmq *z, int option, int *value) {
  enum { TRIES = 1000 }; /* a signal storm passes; in a forked child it stays */
  size_t size = sizeof *value;
  for (int i = 0; i < TRIES; i++) {
    if (z->calls->getsockopt(z->socket, option, value, &size) == 0)
      return 0;
    if (z->calls->last_error() != EINTR)
      break;
  }
  int code = z->calls->last_error();
  return code == ZMQ_ETERM ? AW_ECLOSED : -code;
}

int aw_zmq_new(void *socket, const aw_zmq_config *config, aw_zmq **out) {
  static const aw_zmq_config plain = {0};
  const aw_zmq_calls *calls;
  int rc = aw_zmq_open(&calls);
  if (rc < 0)
    return rc;
  aw_zmq *z = aw_allocate(sizeof *z);
  if (!z)
    return AW_ENOMEM;
  z->socket = socket;
  z->calls = calls;
  z->config = config ? config : &plain;
  z->forks = aw_zmq_forks();
  aw__list_init(&z->receivers);
  aw__list_init(&z->senders);
  aw__list_init(&z->readers);
  aw__list_init(&z->writers);
  aw__list_init(&z->both);
  rc = get_int(z, ZMQ_FD, &z->fd);
  if (rc < 0) {
    aw_free(z);
    return rc;
  }
  *out = z;
  return 0;
}

void aw_zmq_close(aw_zmq *z) {
  if (!z)
    return;
  wake_everybody(z, AW_ECLOSED);
  leave_engine(z);
  aw_free(z);
}

/* ---- looking ---- */

/* Does the binding hold a message? */
static bool holds(const aw_zmq *z) {
  return z->config->holds && z->config->holds(z->config->owner);
}

static int read_events(aw_zmq *z) {
  if (z->forks != aw_zmq_forks())
    return AW_EFORKED;
  int events;
  int rc = get_int(z, ZMQ_EVENTS, &events);
  if (rc < 0)
    return rc;
  z->drained = !(events & AW_READABLE);
  if (holds(z))
    events |= AW_READABLE;
  return events & EITHER; /* ZMQ_POLLIN and ZMQ_POLLOUT are the same bits */
}

int aw_zmq_fd(const aw_zmq *z) {
  return z ? z->fd : -1;
}

/* To read them uses up the news of who waits. */
int aw_zmq_events(aw_zmq *z) {
  if (!z)
    return AW_ECLOSED;
  int events = read_events(z);
  if (awaited(z))
    mark(z);
  return events;
}

static aw_task *first_of(const aw_link *list) {
  return AW_CONTAINER(aw_task, link, (uintptr_t)list->next);
}

/* A message for each of those who wait, in order. False: there are more
 * messages, as far as we know, for more tasks. */
static bool let_receive(aw_zmq *z) {
  for (int left = BUDGET; left > 0 && !aw__list_empty(&z->receivers); left--) {
    aw_task *task = first_of(&z->receivers);
    int rc = z->config->receive(task, task->on);
    if (rc == 0)
      return true;
    aw__link_remove(&task->link);
    end_wait(z, task, rc < 0 ? rc : 0);
  }
  return aw__list_empty(&z->receivers);
}

static void put_back(aw_link *list, aw_link *stuck) {
  while (!aw__list_empty(stuck)) {
    aw_link *last = stuck->prev;
    aw__link_remove(last);
    aw__list_append(list->next, last); /* before the first */
  }
}

/* Let those go that can. True: some did. */
static bool let_send(aw_zmq *z) {
  aw_link stuck;
  bool sent = false;
  aw__list_init(&stuck);
  for (int left = BUDGET; left > 0 && !aw__list_empty(&z->senders); left--) {
    aw_task *task = first_of(&z->senders);
    aw__link_remove(&task->link);
    int rc = z->config->send(task, task->on);
    if (rc == 0) {
      aw__list_append(&stuck, &task->link);
      if (!z->config->many)
        break;
      continue;
    }
    sent = true;
    end_wait(z, task, rc < 0 ? rc : 0);
  }
  bool full = !aw__list_empty(&stuck);
  put_back(&z->senders, &stuck);
  if (sent)
    z->pause = 0;
  if (full) /* libzmq will not tell when it is writable for these */
    pause_sending(z);
  return sent;
}

/* Is there a message for a task that waits for input? 1, 0, or negative. */
static int read_ahead(aw_zmq *z) {
  if (!z->config->read_ahead)
    return AW_EINVAL;
  return z->config->read_ahead(z->config->owner);
}

/* As read_events(), of what somebody waits for at least. */
static int awaited_events(aw_zmq *z) {
  bool for_input = aw__list_empty(&z->senders) && aw__list_empty(&z->writers) &&
                   aw__list_empty(&z->both);
  int rc = for_input ? read_ahead(z) : AW_EINVAL;
  if (rc < 0)
    return read_events(z);
  return rc > 0 ? AW_READABLE : 0;
}

/* Tasks that ZMQ_EVENTS is of interest to. True: look again in the next turn,
 * for what was done may have used news up. */
static bool look_at_events(aw_zmq *z) {
  int events = awaited_events(z);
  if (events < 0) {
    wake_everybody(z, events);
    return false;
  }
  bool again = (events & AW_READABLE) && !aw__list_empty(&z->receivers);
  if (events & AW_READABLE)
    wake(z, &z->readers, 0);
  /* Of many peers one may be gone: that is no event, a send tells it. */
  bool may_send = (events & AW_WRITABLE) || z->config->many;
  if (may_send && !z->pausing && !aw__list_empty(&z->senders))
    again = let_send(z) || again;
  if (events & AW_WRITABLE)
    wake(z, &z->writers, 0);
  if (events != 0)
    wake(z, &z->both, 0);
  return again;
}

static void look_at(aw_zmq *z) {
  bool again = !let_receive(z);
  if (!aw__list_empty(&z->senders) || !aw__list_empty(&z->readers) ||
      !aw__list_empty(&z->writers) || !aw__list_empty(&z->both))
    again = look_at_events(z) || again;
  bool unread = z->config->eager && !z->drained && read_ahead(z) >= 0 &&
                !z->drained; /* as much as it reads at a time, and more */
  unlist(z);                 /* by what was just done */
  if (unread || (again && awaited(z)))
    mark(z);
}

void aw__zmq_look(aw_engine *engine) {
  aw__zmq_pass *pass = engine->zmq;
  if (!pass)
    return;
  part_from_parent(pass);
  aw_link *link;
  while ((link = aw__list_shift(&pass->dirty)) != NULL)
    aw__list_append(&pass->round, link);
  while ((link = aw__list_shift(&pass->round)) != NULL)
    look_at(AW_CONTAINER(aw_zmq, link, link));
}

bool aw__zmq_is_dirty(const aw_engine *engine) {
  return engine->zmq && !aw__list_empty(&engine->zmq->dirty);
}

void aw__zmq_settle(aw_engine *engine) {
  aw__zmq_pass *pass = engine->zmq;
  if (!pass)
    return;
  aw_link *link;
  while ((link = aw__list_shift(&pass->fired)) != NULL) {
    aw_zmq *z = AW_CONTAINER(aw_zmq, link, link);
    if (awaited(z)) /* somebody has come since */
      continue;
    uv_poll_stop(&z->watch->poll);
    z->watch->polling = false;
  }
}

/* ---- waiting ---- */

bool aw_zmq_receiving(const aw_zmq *z) {
  return z && !aw__list_empty(&z->receivers);
}

bool aw_zmq_sending(const aw_zmq *z,
                    bool (*match)(const void *data, const void *what),
                    const void *what) {
  if (!z)
    return false;
  const aw_link *link = z->senders.next;
  for (; link != &z->senders; link = link->next) {
    const aw_task *task = AW_CONTAINER(aw_task, link, (uintptr_t)link);
    if (!match || match(task->on, what))
      return true;
  }
  return false;
}

/* Is a look due before `list` may wait for news? */
static bool must_look(const aw_zmq *z, const aw_link *list) {
  bool for_input = list == &z->receivers || list == &z->readers;
  return !z->drained || !for_input || holds(z);
}

static int join(aw_task *task, aw_zmq *z, aw_link *list) {
  int rc = enter_engine(z, task->engine);
  if (rc < 0)
    return rc;
  if (list == &z->readers && read_ahead(z) > 0)
    return 1;
  aw__list_append(list, &task->link);
  z->waiting++;
  if (must_look(z, list))
    mark(z);
  return 0;
}

int aw_zmq_arm(aw_task *task, aw_zmq *z, int events) {
  if (events < AW_READABLE || events > EITHER)
    return AW_EINVAL;
  if (!z)
    return AW_ECLOSED;
  return join(task, z,
              events == AW_READABLE   ? &z->readers
              : events == AW_WRITABLE ? &z->writers
                                      : &z->both);
}

int aw_zmq_arm_receive(aw_task *task, aw_zmq *z) {
  if (!z)
    return AW_ECLOSED;
  return z->config->receive ? join(task, z, &z->receivers) : AW_EINVAL;
}

int aw_zmq_arm_send(aw_task *task, aw_zmq *z) {
  if (!z)
    return AW_ECLOSED;
  return z->config->send ? join(task, z, &z->senders) : AW_EINVAL;
}

/* For the others nothing has changed. */
void aw_zmq_disarm(aw_task *task, aw_zmq *z) {
  z->waiting--;
  aw__link_remove(&task->link);
}

/* ---- as operations: `data` is the readiness ---- */

static int arm_readable(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, AW_READABLE);
}

static int arm_writable(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, AW_WRITABLE);
}

static int arm_either(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, EITHER);
}

static void disarm(aw_task *task, void *data) {
  aw_zmq_disarm(task, data);
}

static void describe(const void *data, char *out, size_t size) {
  const aw_zmq *z = data;
  snprintf(out, size, "zmq socket %d", z->fd);
}

#define OPERATION(name, how) \
  { \
    .label = (name), .arm = (how), .disarm = disarm, .external = true, \
    .describe = describe \
  }
static const aw_operation operations[] = {
    [AW_READABLE] = OPERATION("readable", arm_readable),
    [AW_WRITABLE] = OPERATION("writable", arm_writable),
    [EITHER] = OPERATION("ready", arm_either),
};

const aw_operation *aw_zmq_operation(int events) {
  bool is_valid = events >= AW_READABLE && events <= EITHER;
  return is_valid ? &operations[events] : NULL;
}

aw_wire *aw_zmq_when_ready(aw_zmq *z, int events) {
  const aw_operation *operation = aw_zmq_operation(events);
  return operation ? aw_wait_for(operation, z) : NULL;
}
