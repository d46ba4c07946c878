/* pair.c - see pair.h
 *
 *     send:    put into the queue ─► tell the first receiver that has a ticket
 *     ready:   on the receiver's thread: take ─► tell the first sender
 *
 * Each receiver that was told has a message of the queue reserved: another
 * receiver takes a message only if there are more messages than told receivers.
 * When the queue is closed, all receivers are told. The first ones to try get
 * the messages that are left; the others get the end. The same holds for
 * senders and free places.
 *
 * Invariants, under the lock, while the queue is open: there are at most as
 * many told receivers as messages, and exactly as many if some receiver has not
 * been told; the same for senders and free places.
 */
#include "thread/pair.h"

#include "thread/line.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct awio_parcel {
  atomic_uint refs;
  awio_message *message;
};

struct awio_queue {
  awio_pair *pair;
  pthread_mutex_t lock;
  awio_parcel *ring[AWIO_PAIR_MOST];
  size_t first, count;
  awio_line receivers, senders;
  bool closed;
};

struct awio_pair {
  atomic_uint refs;
  unsigned forks;     /* aw_forks() when it was made */
  atomic_uint number; /* of the worker; 0: not known yet */
  awio_queue queues[AWIO_SIDES];
  char name[64];
};

struct awio_sending {
  atomic_uint refs;
  awio_pair *pair;
  awio_queue *queue;
  awio_parcel *parcel;
};

/* ---- parcels ---- */

awio_parcel *awio_parcel_new(awio_message *message) {
  awio_parcel *parcel = aw_allocate(sizeof *parcel);
  if (!parcel) {
    awio_message_free(message);
    return NULL;
  }
  atomic_init(&parcel->refs, 1);
  parcel->message = message;
  return parcel;
}

static awio_parcel *keep_parcel(awio_parcel *parcel) {
  atomic_fetch_add(&parcel->refs, 1);
  return parcel;
}

void awio_parcel_release(awio_parcel *parcel) {
  if (!parcel || atomic_fetch_sub(&parcel->refs, 1) > 1)
    return;
  awio_message_free(parcel->message);
  aw_free(parcel);
}

int awio_parcel_push(lua_State *L, const awio_parcel *parcel) {
  return awio_message_push(L, parcel->message);
}

/* ---- pairs ---- */

awio_pair *awio_pair_new(const char *name) {
  awio_pair *pair = aw_allocate(sizeof *pair);
  if (!pair)
    return NULL;
  atomic_init(&pair->refs, 1);
  pair->forks = aw_forks();
  snprintf(pair->name, sizeof pair->name, "%s", name);
  for (int i = 0; i < AWIO_SIDES; i++) {
    awio_queue *q = &pair->queues[i];
    q->pair = pair;
    pthread_mutex_init(&q->lock, NULL);
    awio_line_init(&q->receivers);
    awio_line_init(&q->senders);
  }
  return pair;
}

void awio_pair_number(awio_pair *pair, unsigned number) {
  pair->number = number;
}

static bool is_forked(const awio_pair *pair) {
  return pair->forks != aw_forks();
}

awio_pair *awio_pair_keep(awio_pair *pair) {
  atomic_fetch_add(&pair->refs, 1);
  return pair;
}

void awio_pair_release(awio_pair *pair) {
  if (!pair || atomic_fetch_sub(&pair->refs, 1) > 1)
    return;
  for (int i = 0; i < AWIO_SIDES; i++) {
    awio_queue *q = &pair->queues[i];
    for (size_t n = 0; n < q->count; n++)
      awio_parcel_release(q->ring[(q->first + n) % AWIO_PAIR_MOST]);
    if (!is_forked(pair))
      pthread_mutex_destroy(&q->lock);
  }
  aw_free(pair);
}

void awio_pair_describe(const awio_pair *pair, int side, char *out,
                        size_t size) {
  snprintf(out, size, "%sthread %u '%s'",
           side == AWIO_WORKER ? "the parent of " : "",
           atomic_load(&pair->number), pair->name);
}

awio_queue *awio_pair_queue(awio_pair *pair, int side) {
  return &pair->queues[side];
}

/* ---- a queue, under its lock ---- */

/* Bring the lines in line with the queue. */
static void tell_all(awio_queue *q) {
  size_t room = AWIO_PAIR_MOST - q->count;
  while ((q->closed || q->receivers.told < q->count) &&
         awio_line_tell(&q->receivers))
    continue;
  while ((q->closed || q->senders.told < room) && awio_line_tell(&q->senders))
    continue;
}

static void put_parcel(awio_queue *q, awio_parcel *parcel) {
  q->ring[(q->first + q->count++) % AWIO_PAIR_MOST] = keep_parcel(parcel);
}

static awio_parcel *take_parcel(awio_queue *q) {
  awio_parcel *parcel = q->ring[q->first];
  q->first = (q->first + 1) % AWIO_PAIR_MOST;
  q->count--;
  return parcel;
}

/* Send for one who stands in no line. */
static int send_to(awio_queue *q, awio_parcel *parcel) {
  if (q->closed)
    return AW_ECLOSED;
  if (q->count + q->senders.told >= AWIO_PAIR_MOST)
    return AW_EAGAIN;
  put_parcel(q, parcel);
  tell_all(q);
  return 0;
}

/* Receive for one to whom all messages but `others` may be given. */
static int recv_beyond(awio_queue *q, size_t others, awio_parcel **out) {
  if (q->count > others) {
    *out = take_parcel(q);
    tell_all(q);
    return 0;
  }
  return q->closed && q->count == 0 ? AW_ECLOSED : AW_EAGAIN;
}

/* Receive for one who stands in no line. */
static int recv_from(awio_queue *q, awio_parcel **out) {
  return recv_beyond(q, q->receivers.told, out);
}

/* ---- queues ---- */

/* Lock the queue. Returns false in a forked process: its lock may be held by a
 * thread that does not exist here. */
static bool lock_queue(awio_queue *q) {
  if (is_forked(q->pair))
    return false;
  pthread_mutex_lock(&q->lock);
  return true;
}

static void unlock_queue(awio_queue *q) {
  pthread_mutex_unlock(&q->lock);
}

void awio_queue_look(awio_queue *q, awio_queue_view *out) {
  if (!lock_queue(q)) {
    *out = (awio_queue_view){.closed = true};
    return;
  }
  *out = (awio_queue_view){.count = q->count,
                           .senders = q->senders.count,
                           .receivers = q->receivers.count,
                           .closed = q->closed};
  unlock_queue(q);
}

void awio_queue_close(awio_queue *q) {
  if (!lock_queue(q))
    return;
  q->closed = true;
  tell_all(q);
  unlock_queue(q);
}

void awio_queue_drop(awio_queue *q) {
  if (!lock_queue(q))
    return;
  q->closed = true;
  while (q->count > 0)
    awio_parcel_release(take_parcel(q));
  tell_all(q);
  unlock_queue(q);
}

int awio_queue_try_send(awio_queue *q, awio_parcel *parcel) {
  if (!lock_queue(q))
    return AW_EFORKED;
  int rc = send_to(q, parcel);
  unlock_queue(q);
  return rc;
}

int awio_queue_try_recv(awio_queue *q, awio_parcel **out) {
  if (!lock_queue(q))
    return AW_EFORKED;
  int rc = recv_from(q, out);
  unlock_queue(q);
  return rc;
}

/* ---- receiving ---- */

/* What a wait ends with. */
typedef struct delivery {
  aw_lua_value base;   /* first */
  awio_parcel *parcel; /* NULL: the end */
} delivery;

static int push_delivery(lua_State *L, aw_lua_value *value) {
  const delivery *r = (const delivery *)value;
  if (r->parcel)
    return awio_parcel_push(L, r->parcel);
  lua_pushnil(L);
  lua_pushliteral(L, "closed");
  return 2;
}

static void release_delivery(aw_lua_value *value) {
  delivery *r = (delivery *)value;
  awio_parcel_release(r->parcel);
  aw_free(r);
}

/* Receive for `task`, if that need not wait; AW_EAGAIN: it must. */
static int recv_for(awio_queue *q, aw_task *task, size_t others) {
  delivery *r = aw_allocate(sizeof *r);
  if (!r)
    return AW_ENOMEM;
  *r = (delivery){.base = {push_delivery, release_delivery, 0}};
  int rc = recv_beyond(q, others, &r->parcel);
  if (rc == AW_EAGAIN)
    aw_free(r);
  else
    aw_task_set_value(task, aw_lua_box(&r->base));
  return rc == AW_EAGAIN ? rc : 1;
}

static int queue_recv_arm(aw_task *task, void *data) {
  awio_queue *q = data;
  if (!lock_queue(q))
    return AW_EFORKED;
  int rc = recv_for(q, task, q->receivers.told);
  if (rc == AW_EAGAIN) {
    rc = awio_line_join(&q->receivers, task);
    if (rc == 0)
      awio_pair_keep(q->pair);
    tell_all(q); /* if the queue is closed */
  }
  unlock_queue(q);
  return rc;
}

/* The task was told. It leaves the line, so what it was told of is for it. */
static int queue_recv_ready(aw_task *task, void *data) {
  awio_queue *q = data;
  if (!lock_queue(q))
    return AW_EFORKED;
  awio_line_leave(&q->receivers, task);
  int rc = recv_for(q, task, 0);
  if (rc < 0) /* for want of memory: another one takes the message */
    tell_all(q);
  unlock_queue(q);
  awio_pair_release(q->pair);
  return rc;
}

static void queue_recv_disarm(aw_task *task, void *data) {
  awio_queue *q = data;
  if (!lock_queue(q))
    return;
  if (awio_line_leave(&q->receivers, task))
    tell_all(q);
  unlock_queue(q);
  awio_pair_release(q->pair);
}

static void describe_queue(const void *data, char *out, size_t size) {
  const awio_queue *q = data;
  int side = q == &q->pair->queues[AWIO_WORKER] ? AWIO_WORKER : AWIO_PARENT;
  awio_pair_describe(q->pair, side, out, size);
}

const aw_operation awio_recv_message = {.label = "recv",
                                        .arm = queue_recv_arm,
                                        .ready = queue_recv_ready,
                                        .disarm = queue_recv_disarm,
                                        .external = true,
                                        .describe = describe_queue};

/* ---- sending ---- */

awio_sending *awio_sending_new(awio_pair *pair, awio_queue *queue,
                               awio_parcel *parcel) {
  awio_sending *s = aw_allocate(sizeof *s);
  if (!s) {
    awio_parcel_release(parcel);
    return NULL;
  }
  atomic_init(&s->refs, 1);
  s->pair = awio_pair_keep(pair);
  s->queue = queue;
  s->parcel = parcel;
  return s;
}

static void keep_sending(awio_sending *s) {
  atomic_fetch_add(&s->refs, 1);
}

void awio_sending_release(awio_sending *s) {
  if (atomic_fetch_sub(&s->refs, 1) > 1)
    return;
  awio_parcel_release(s->parcel);
  awio_pair_release(s->pair);
  aw_free(s);
}

static int queue_send_arm(aw_task *task, void *data) {
  awio_sending *s = data;
  awio_queue *q = s->queue;
  if (!lock_queue(q))
    return AW_EFORKED;
  int rc = send_to(q, s->parcel);
  if (rc == AW_EAGAIN) {
    rc = awio_line_join(&q->senders, task);
    if (rc == 0)
      keep_sending(s);
  } else if (rc == 0) {
    rc = 1;
  }
  unlock_queue(q);
  return rc;
}

static int queue_send_ready(aw_task *task, void *data) {
  awio_sending *s = data;
  awio_queue *q = s->queue;
  if (!lock_queue(q))
    return AW_EFORKED;
  awio_line_leave(&q->senders, task);
  int rc = send_to(q, s->parcel);
  unlock_queue(q);
  awio_sending_release(s);
  return rc == 0 ? 1 : rc;
}

static void queue_send_disarm(aw_task *task, void *data) {
  awio_sending *s = data;
  awio_queue *q = s->queue;
  if (!lock_queue(q))
    return;
  if (awio_line_leave(&q->senders, task))
    tell_all(q);
  unlock_queue(q);
  awio_sending_release(s);
}

static void describe_pair_of(const void *data, char *out, size_t size) {
  const awio_sending *s = data;
  int side =
      s->queue == &s->pair->queues[AWIO_WORKER] ? AWIO_PARENT : AWIO_WORKER;
  awio_pair_describe(s->pair, side, out, size);
}

const aw_operation awio_send_message = {.label = "send",
                                        .arm = queue_send_arm,
                                        .ready = queue_send_ready,
                                        .disarm = queue_send_disarm,
                                        .external = true,
                                        .describe = describe_pair_of};
