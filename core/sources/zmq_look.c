/* zmq_look.c - a look at one dirty socket of libzmq: which waits end? [Q4]
 *
 *     watchers           `observe` of the config, and `watch` for each of them
 *     receivers          `receive` of the config, in their order, until it
 *                        finds no message
 *     readers            read ahead, or ZMQ_EVENTS
 *     senders            `send`, if ZMQ_EVENTS says that the socket is writable
 *     writers, both      ZMQ_EVENTS
 *
 * Reading ZMQ_EVENTS takes two system calls. Most looks do without: a receive
 * that finds no message is as good (`drained`), and for tasks that wait for
 * input the binding can read ahead.
 *
 * A look serves at most BUDGET tasks of a list, so that a busy socket does not
 * keep the engine from its other work; then the socket is dirty again. It is
 * also marked again when the look itself may have consumed an edge of the
 * descriptor.
 *
 * Neighbours: zmq_sockets.c looks at the dirty sockets of an engine; zmq.c puts
 * the tasks into the lists.
 */
#include "sources/zmq_look.h"

#include "sources/zmq_watch.h"

#include <assert.h>
#include <errno.h>

enum { BUDGET = 64 };
enum { ZMQ_ETERM = 156384712 + 53 };

/* ---- ending waits ---- */

/* `task` is in no list any more. */
static void end_wait(aw_zmq *z, aw_task *task, int result) {
  z->waiting--;
  aw_wait_complete(task, result);
}

static void wake(aw_zmq *z, aw_link *list, int result) {
  aw_link *link;
  while ((link = aw__list_shift(list)) != NULL)
    end_wait(z, AW_CONTAINER(aw_task, link, link), result);
}

void aw__zmq_wake_everybody(aw_zmq *z, int result) {
  wake(z, &z->watchers, result);
  wake(z, &z->receivers, result);
  wake(z, &z->readers, result);
  wake(z, &z->both, result);
  wake(z, &z->senders, result);
  wake(z, &z->writers, result);
  assert(z->waiting == 0);
}

/* ---- asking libzmq, and the binding ---- */

int aw__zmq_option(const aw_zmq *z, int option, int *value) {
  enum {
    TRIES = 1000
  }; /* signals may interrupt a few; in a forked child all
                            of them fail */
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

/* Sockets that several threads may use, all of them drafts, have no descriptor;
 * a poller of libzmq has one for them. */
static int open_poller(aw_zmq *z) {
  enum { POLLIN_OF_ZMQ = 1 };
  if (!z->calls->poller_new)
    return -EINVAL;
  z->poller = z->calls->poller_new();
  if (!z->poller)
    return AW_ENOMEM;
  if (z->calls->poller_add(z->poller, z->socket, NULL, POLLIN_OF_ZMQ) == 0 &&
      z->calls->poller_fd(z->poller, &z->fd) == 0)
    return 0;
  int rc = -z->calls->last_error();
  z->calls->poller_destroy(&z->poller);
  z->poller = NULL;
  return rc;
}

int aw__zmq_find_fd(aw_zmq *z) {
  int rc = aw__zmq_option(z, AW_ZMQ_FD, &z->fd);
  return rc == -EINVAL ? open_poller(z) : rc;
}

void aw__zmq_leave_fd(aw_zmq *z) {
  if (z->poller && z->forks == aw_zmq_forks())
    z->calls->poller_destroy(&z->poller);
}

/* The descriptor of a poller stays readable until its poller was asked. What it
 * answers is of no interest: a look follows. */
static void quiet(const aw_zmq *z) {
  aw_zmq_poller_event event;
  if (z->poller && z->forks == aw_zmq_forks())
    z->calls->poller_wait(z->poller, &event, 0);
}

bool aw__zmq_holds(const aw_zmq *z) {
  return z->config->holds && z->config->holds(z->config->owner);
}

int aw__zmq_read_ahead(aw_zmq *z) {
  if (!z->config->read_ahead)
    return AW_EINVAL;
  return z->config->read_ahead(z->config->owner);
}

static int read_events(aw_zmq *z) {
  if (z->forks != aw_zmq_forks())
    return AW_EFORKED;
  int events;
  int rc = aw__zmq_option(z, AW_ZMQ_EVENTS, &events);
  if (rc < 0)
    return rc;
  z->drained = !(events & AW_READABLE);
  if (aw__zmq_holds(z))
    events |= AW_READABLE;
  if (z->config->sends_only)
    events &= ~AW_READABLE;
  return events & AW_ZMQ_EITHER; /* ZMQ_POLLIN, ZMQ_POLLOUT: the same bits */
}

int aw_zmq_events(aw_zmq *z) {
  if (!z)
    return AW_ECLOSED;
  int events = read_events(z);
  if (aw__zmq_awaited(z)) /* the call may have consumed an edge */
    aw__zmq_mark(z);
  return events;
}

/* The events of the socket, as far as tasks wait for them. */
static int awaited_events(aw_zmq *z) {
  bool for_input = aw__list_empty(&z->senders) && aw__list_empty(&z->writers) &&
                   aw__list_empty(&z->both);
  int rc = for_input ? aw__zmq_read_ahead(z) : AW_EINVAL;
  if (rc < 0)
    return read_events(z);
  return rc > 0 ? AW_READABLE : 0;
}

/* ---- receiving and sending for tasks ---- */

static aw_task *first_of(const aw_link *list) {
  return AW_CONTAINER(aw_task, link, (uintptr_t)list->next);
}

/* Returns false if there may be more for the tasks that still watch. */
static bool let_watch(aw_zmq *z) {
  if (aw__list_empty(&z->watchers))
    return true;
  int failed = z->config->observe(z->config->owner);
  bool drained = z->drained;
  aw_link *link = z->watchers.next;
  while (link != &z->watchers) {
    aw_task *task = AW_CONTAINER(aw_task, link, link);
    int rc = z->config->watch(task, task->on);
    link = link->next;
    if (rc == 0)
      rc = failed;
    if (rc == 0)
      continue;
    aw__link_remove(&task->link);
    end_wait(z, task, rc < 0 ? rc : 0);
  }
  return drained || aw__list_empty(&z->watchers);
}

/* Returns false if there may be more messages for the tasks that still wait. */
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

/* Move the tasks of `stuck` to the front of `list`, in their order. */
static void put_back(aw_link *list, aw_link *stuck) {
  while (!aw__list_empty(stuck)) {
    aw_link *last = stuck->prev;
    aw__link_remove(last);
    aw__list_append(list->next, last); /* before the first */
  }
}

/* Returns true if a message was sent. */
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
  if (full) /* libzmq does not report when these can be sent */
    aw__zmq_pause(z);
  return sent;
}

/* ---- the look ---- */

/* For the lists that need ZMQ_EVENTS. Returns true if another look is needed,
 * since this one may have consumed an edge. */
static bool look_at_events(aw_zmq *z) {
  int events = awaited_events(z);
  if (events < 0) {
    aw__zmq_wake_everybody(z, events);
    return false;
  }
  bool again = (events & AW_READABLE) && !aw__list_empty(&z->receivers);
  if (events & AW_READABLE)
    wake(z, &z->readers, 0);
  /* One of many peers may be gone: that is no event, but the send fails. */
  bool may_send = (events & AW_WRITABLE) || z->config->many;
  if (may_send && !z->pausing && !aw__list_empty(&z->senders))
    again = let_send(z) || again;
  if (events & AW_WRITABLE)
    wake(z, &z->writers, 0);
  if (events != 0)
    wake(z, &z->both, 0);
  return again;
}

void aw__zmq_look_at(aw_zmq *z) {
  quiet(z);
  bool again = !let_watch(z); /* first: receivers take what it holds */
  again = !let_receive(z) || again;
  if (!aw__list_empty(&z->senders) || !aw__list_empty(&z->readers) ||
      !aw__list_empty(&z->writers) || !aw__list_empty(&z->both))
    again = look_at_events(z) || again;
  /* An eager socket reads ahead a limited number of messages at a time. */
  bool unread = z->config->eager && !z->drained && aw__zmq_read_ahead(z) >= 0 &&
                !z->drained;
  aw__zmq_unlist(z); /* the calls above have marked it */
  if (unread || (again && aw__zmq_awaited(z)))
    aw__zmq_mark(z);
}
