/* zmq.c - the readiness of a socket of libzmq, and the tasks that wait for it
 *
 *   a wait begins ──► the socket enters the task's engine ──► the task joins a
 *                     list ──► the socket is dirty ──► look
 *
 * A task waits for a message that `receive` of the config takes, or for room
 * for the one that `send` sends; or until `watch` says that something has come;
 * or until the socket is readable or writable.
 *
 * A wait begins with a look, unless the last receive found nothing and nothing
 * has happened since (`drained`): then the descriptor reports the next message.
 *
 * Invariant: `waiting` is the number of tasks in the six lists.
 *
 * The readiness takes four files, each of which calls those below it:
 *
 *     zmq.c         its life, and the tasks that wait
 *     zmq_sockets.c the sockets of one engine: a polled source
 *     zmq_look.c    a look at one socket: which waits end?
 *     zmq_watch.c   when is a look needed?
 *
 * Neighbours: libzmq.c loads the library. A binding, as lua/zmq, has the
 * sockets and sends and receives.
 */
#include "base/config.h"
#include "sources/zmq_look.h"
#include "sources/zmq_sockets.h"
#include "sources/zmq_watch.h"

#include <stdio.h>

/* ---- life ---- */

/* Does this version know all that `config` sets? It is not copied, since
 * `eager` may change. */
static bool is_known(const aw_zmq_config *config) {
  aw_zmq_config room;
  const void *own = config;
  return !config ||
         aw__config_copy(&own, AW_CONFIG_LAYOUT(aw_zmq_config), &room) == 0;
}

int aw_zmq_new(void *socket, const aw_zmq_config *config, aw_zmq **out) {
  static const aw_zmq_config plain = {0};
  const aw_zmq_calls *calls;
  if (!socket || !out || !is_known(config))
    return AW_EINVAL;
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
  aw__list_init(&z->watchers);
  aw__list_init(&z->readers);
  aw__list_init(&z->writers);
  aw__list_init(&z->both);
  rc = aw__zmq_find_fd(z);
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
  aw__zmq_wake_everybody(z, AW_ECLOSED);
  aw__zmq_leave(z);
  aw__zmq_leave_fd(z);
  aw_free(z);
}

int aw_zmq_fd(const aw_zmq *z) {
  return z ? z->fd : -1;
}

/* ---- waiting ---- */

bool aw_zmq_awaited(const aw_zmq *z) {
  return z && aw__zmq_awaited(z);
}

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

/* Must the engine look at the socket before a task may rest in `list`, so that
 * no edge is missed that was consumed before the task came? */
static bool must_look(const aw_zmq *z, const aw_link *list) {
  bool for_input =
      list == &z->receivers || list == &z->readers || list == &z->watchers;
  return !z->drained || !for_input || aw__zmq_holds(z);
}

static int join(aw_task *task, aw_zmq *z, aw_link *list) {
  int rc = aw__zmq_enter(z, task->engine);
  if (rc < 0)
    return rc;
  if (list == &z->readers && aw__zmq_read_ahead(z) > 0)
    return 1;
  aw__list_append(list, &task->link);
  z->waiting++;
  if (must_look(z, list))
    aw__zmq_mark(z);
  return 0;
}

int aw_zmq_arm(aw_task *task, aw_zmq *z, int events) {
  if (events < AW_READABLE || events > AW_ZMQ_EITHER)
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

int aw_zmq_arm_watch(aw_task *task, aw_zmq *z) {
  if (!z)
    return AW_ECLOSED;
  return z->config->watch ? join(task, z, &z->watchers) : AW_EINVAL;
}

/* The socket was not used: it is as dirty as before. */
void aw_zmq_disarm(aw_task *task, aw_zmq *z) {
  z->waiting--;
  aw__link_remove(&task->link);
}

/* ---- operations, whose `data` is the readiness ---- */

static int arm_readable(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, AW_READABLE);
}

static int arm_writable(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, AW_WRITABLE);
}

static int arm_either(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, AW_ZMQ_EITHER);
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
    [AW_ZMQ_EITHER] = OPERATION("ready", arm_either),
};

const aw_operation *aw_zmq_operation(int events) {
  bool is_valid = events >= AW_READABLE && events <= AW_ZMQ_EITHER;
  return is_valid ? &operations[events] : NULL;
}

aw_wire *aw_zmq_when_ready(aw_zmq *z, int events) {
  const aw_operation *operation = aw_zmq_operation(events);
  return operation ? aw_wait_for(operation, z) : NULL;
}
