/* ticket.c - waits that other threads complete
 *
 *     other threads   aw_ticket_complete() ──► queue of the mailbox
 *                                                │ it was empty: wake
 *     engine          look(), once a pass    ◄───┘ takes the whole queue
 *                       ├─► aw_wait_complete(), or the value is dropped
 *                       └─► AW_READY: `ready` of the operation tries, and may
 *                           make the next ticket of the same wait
 *
 * An engine has one mailbox, from its first ticket on. The mailbox is a polled
 * source (polled.h), so each pass looks at it, and the engine does not block
 * while something is in the queue. The mailbox outlives the engine until the
 * last ticket is gone; `closed` says whether the engine still exists.
 *
 * Which wait a ticket belongs to. The first ticket of a wait draws a number,
 * which stands in `result` of the task until the wait ends: a pending wait has
 * no result yet. However the wait ends, the result of the wait replaces the
 * number. So a ticket becomes invalid at no cost, and other waits pay nothing.
 *
 * Invariants: a wait that has a ticket has a positive `result`, other waits
 * have 0. A ticket in the queue is complete: its thread has forgotten it. While
 * the mailbox is open, only the engine's thread frees tickets; the memory of
 * one is the engine's, but any thread may free it by aw_free() when the mailbox
 * is closed.
 *
 * Neighbours: wait.c clears `result` before it arms an operation; task.c ends
 * waits; libuv.c has the async handle that wakes the engine.
 */
#include "sources/ticket.h"

#include "base/libuv.h"
#include "base/memory.h"
#include "sources/polled.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>

typedef struct aw_mailbox {
  aw_polled polled;
  aw_closer closer;
  aw_engine *engine;  /* borrowed; others may use it only while not `closed` */
  aw_link tickets;    /* all of them; for the engine's thread, until closed */
  atomic_bool filled; /* there is something in the queue */
  atomic_int waking;  /* threads that are about to wake the engine */
  pthread_mutex_t lock;
  /* The rest belongs to the owner of `lock`. */
  aw_ticket *first, **end; /* the queue */
  size_t refs; /* of tickets and of closing, while closing or closed */
  uint64_t wakes;
  unsigned forks; /* aw_forks() when `waking` was begun */
  bool awake;     /* the engine was woken since it looked last */
  bool closed;    /* the engine is gone */
} aw_mailbox;

struct aw_ticket {
  aw_link link; /* in `tickets` of the mailbox */
  aw_mailbox *mailbox;
  aw_task *task; /* kept, while the mailbox is open */
  aw_ticket *next;
  aw_value value;
  int wait; /* its number, see above */
  int result;
  bool released; /* nobody completes the wait */
};

/* ---- the mailbox ---- */

static void empty_queue(aw_mailbox *mailbox) {
  mailbox->first = NULL;
  mailbox->end = &mailbox->first;
  mailbox->awake = false;
  mailbox->filled = false;
}

/* Takes a reference, and unlocks the mailbox. */
static void leave(aw_mailbox *mailbox) {
  bool last = --mailbox->refs == 0;
  pthread_mutex_unlock(&mailbox->lock);
  if (!last)
    return;
  pthread_mutex_destroy(&mailbox->lock);
  aw_free(mailbox);
}

/* Take the whole queue. */
static aw_ticket *take_queue(aw_mailbox *mailbox) {
  pthread_mutex_lock(&mailbox->lock);
  aw_ticket *first = mailbox->first;
  empty_queue(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
  return first;
}

/* Is the task still in the wait that the ticket was made for? Waits of the core
 * itself are not external, and keep the result of the wait before: a positive
 * one, if an owner has given a wrong code. */
static bool is_valid(const aw_ticket *ticket) {
  const aw_task *task = ticket->task;
  return task->wait && task->wait->external && task->result == ticket->wait;
}

/* Something may be ready: let the operation try, as the poller does. */
static void try_operation(aw_task *task) {
  const aw_operation *wait = task->wait;
  int rc = wait->ready ? wait->ready(task, task->on) : AW_EINVAL;
  if (rc != 0 && rc != AW_MOVED)
    aw_wait_complete(task, rc < 0 ? rc : 0);
}

static void end_or_try(const aw_ticket *ticket) {
  aw_task *task = ticket->task;
  if (ticket->result == AW_READY) {
    try_operation(task);
    return;
  }
  aw_task_set_value(task, ticket->value);
  aw_wait_complete(task, ticket->result);
}

static void deliver(aw_ticket *ticket) {
  aw_task *task = ticket->task;
  aw_engine *engine = task->engine;
  bool valid = is_valid(ticket);
  if (!valid || ticket->result == AW_READY)
    aw__drop(engine, ticket->value);
  if (valid && !ticket->released)
    end_or_try(ticket);
  aw__link_remove(&ticket->link);
  aw__free(engine, ticket, sizeof *ticket);
  aw_task_release(task);
}

static void deliver_all(aw_ticket *ticket) {
  while (ticket) {
    aw_ticket *next = ticket->next;
    deliver(ticket);
    ticket = next;
  }
}

static void look(aw_polled *polled) {
  aw_mailbox *mailbox = AW_CONTAINER(aw_mailbox, polled, polled);
  if (mailbox->filled)
    deliver_all(take_queue(mailbox));
}

static bool dirty(const aw_polled *polled) {
  return AW_CONTAINER(aw_mailbox, polled, (uintptr_t)polled)->filled;
}

static void settle(aw_polled *polled) {
  (void)polled; /* the async handle is armed at all times */
}

/* Take all that is the engine's out of the tickets. From now on they are freed
 * one by one, by whoever has them. */
static void detach_all(aw_mailbox *mailbox) {
  aw_link *link;
  while ((link = aw__list_shift(&mailbox->tickets)) != NULL) {
    aw_ticket *ticket = AW_CONTAINER(aw_ticket, link, link);
    aw_task_release(ticket->task);
    mailbox->engine->bytes -= sizeof *ticket;
    mailbox->refs++;
  }
}

/* Drop the values of tickets that were completed while they were detached. */
static void drop_all(aw_mailbox *mailbox, aw_ticket *ticket) {
  while (ticket) {
    aw_ticket *next = ticket->next;
    aw__drop(mailbox->engine, ticket->value);
    aw_free(ticket);
    pthread_mutex_lock(&mailbox->lock);
    leave(mailbox); /* the engine has one more reference */
    ticket = next;
  }
}

/* In a forked process the wakers of the parent do not exist. */
static void forget_lost_wakers(aw_mailbox *mailbox) {
  unsigned forks = aw_forks();
  if (mailbox->forks != forks)
    atomic_store(&mailbox->waking, 0);
  mailbox->forks = forks;
}

/* Wait for the threads that wake the engine: they use its async handle. */
static void await_wakers(aw_mailbox *mailbox) {
  forget_lost_wakers(mailbox);
  while (atomic_load(&mailbox->waking) > 0)
    sched_yield();
}

/* The engine is being freed. */
static void close_mailbox(aw_closer *closer) {
  aw_mailbox *mailbox = AW_CONTAINER(aw_mailbox, closer, closer);
  deliver_all(take_queue(mailbox));
  aw__polled_remove(mailbox->engine, &mailbox->polled);
  mailbox->engine->mailbox = NULL;
  mailbox->refs = 1;
  detach_all(mailbox);
  pthread_mutex_lock(&mailbox->lock);
  mailbox->closed = true;
  aw_ticket *first = mailbox->first;
  empty_queue(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
  await_wakers(mailbox);
  drop_all(mailbox, first);
  pthread_mutex_lock(&mailbox->lock);
  leave(mailbox);
}

static aw_mailbox *make_mailbox(aw_engine *engine) {
  aw_mailbox *mailbox = aw_allocate(sizeof *mailbox);
  if (!mailbox)
    return NULL;
  if (pthread_mutex_init(&mailbox->lock, NULL) != 0) {
    aw_free(mailbox);
    return NULL;
  }
  mailbox->engine = engine;
  mailbox->forks = aw_forks();
  aw__list_init(&mailbox->tickets);
  empty_queue(mailbox);
  mailbox->closer.close = close_mailbox;
  aw_engine_add_closer(engine, &mailbox->closer);
  mailbox->polled = (aw_polled){.look = look, .settle = settle, .dirty = dirty};
  aw__polled_add(engine, &mailbox->polled);
  return engine->mailbox = mailbox;
}

/* ---- tickets ---- */

/* Does `arm` of an operation run for the task, or is its wait under way? Before
 * arming, wait.c sets `go` to what follows the wait; no step runs with these
 * values. */
static bool takes_tickets(const aw_task *task) {
  if (task->wait)
    return task->wait->external;
  return task->state == AW_TASK_RUNNING &&
         (task->go == AW_GO_LEAF || task->go == AW_GO_RESUME);
}

/* The number of the wait that the ticket is for. */
static int number_of_wait(aw_task *task) {
  aw_engine *engine = task->engine;
  if (task->result <= 0) {
    engine->ticketed = engine->ticketed % INT32_MAX + 1;
    task->result = (int)engine->ticketed;
  }
  return task->result;
}

aw_ticket *aw_ticket_new(aw_task *task) {
  if (!task)
    return NULL;
  aw_engine *engine = task->engine;
  if (!takes_tickets(task) || aw__libuv_open(engine) < 0)
    return NULL;
  aw_mailbox *mailbox =
      engine->mailbox ? engine->mailbox : make_mailbox(engine);
  aw_ticket *ticket = mailbox ? aw__alloc(engine, sizeof *ticket) : NULL;
  if (!ticket)
    return NULL;
  ticket->mailbox = mailbox;
  ticket->task = aw_task_keep(task);
  ticket->wait = number_of_wait(task);
  aw__list_append(&mailbox->tickets, &ticket->link);
  return ticket;
}

/* Should the caller wake the engine, after it has unlocked the mailbox? While
 * `waking` counts the caller, the async handle stays open. */
static bool must_wake(aw_mailbox *mailbox) {
  if (mailbox->awake)
    return false;
  mailbox->awake = true;
  mailbox->wakes++;
  forget_lost_wakers(mailbox);
  atomic_fetch_add(&mailbox->waking, 1);
  return true;
}

/* The engine may run at once, and take the lock: so nobody has it now. */
static void wake(aw_mailbox *mailbox) {
  aw__libuv_wake(mailbox->engine);
  atomic_fetch_sub(&mailbox->waking, 1);
}

/* Hand the ticket over to the engine's thread. AW_EENDED: there is no engine
 * any more, and the ticket was freed. */
static int hand_over(aw_ticket *ticket, bool wakes) {
  aw_mailbox *mailbox = ticket->mailbox;
  pthread_mutex_lock(&mailbox->lock);
  if (mailbox->closed) {
    aw_free(ticket);
    leave(mailbox);
    return AW_EENDED;
  }
  ticket->next = NULL;
  *mailbox->end = ticket;
  mailbox->end = &ticket->next;
  mailbox->filled = true;
  wakes = wakes && must_wake(mailbox);
  pthread_mutex_unlock(&mailbox->lock);
  if (wakes)
    wake(mailbox);
  return 0;
}

int aw_ticket_complete(aw_ticket *ticket, int result, aw_value value) {
  if (!ticket)
    return AW_EINVAL;
  ticket->result = result <= AW_READY ? result : AW_EINVAL;
  ticket->value = value;
  return hand_over(ticket, true);
}

void aw_ticket_release(aw_ticket *ticket) {
  if (!ticket)
    return;
  ticket->released = true;
  hand_over(ticket, false);
}

uint64_t aw__ticket_wakes(const aw_engine *engine) {
  aw_mailbox *mailbox = engine->mailbox;
  if (!mailbox)
    return 0;
  pthread_mutex_lock(&mailbox->lock);
  uint64_t wakes = mailbox->wakes;
  pthread_mutex_unlock(&mailbox->lock);
  return wakes;
}
