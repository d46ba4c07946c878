/* attendant.c - see attendant.h
 *
 *     follow ─► serve: `ready` of dirty listeners, `late` ─► sleep ─┐
 *        ▲                                                         │
 *        └─────────────────────────────────────────────────────────┘
 *
 * The thread sleeps in poll(2), for the descriptors of its sockets and for a
 * pipe, the bell. A byte in it says that `added`, a `leaving`, a `dirty` or
 * `ending` has changed, or what a `wait` returns.
 *
 * The descriptor of a socket is edge-triggered, and any call with the socket
 * consumes the edge [ZQ1]. So a listener is dirty when it is new, when its
 * descriptor has fired, and after all use of its socket, until `ready` has
 * found no message. The thread does not block while one is dirty.
 *
 * `lock` guards all but `rung`. The thread gives it up while it sleeps.
 *
 * Attendants are memory of malloc(3): they are freed by the thread of Lua, but
 * the thread itself allocates its list of poll items.
 */
#include "context/attendant.h"

#include "base/system.h"
#include "context/apart.h"
#include "context/bell.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct awz_attendant {
  pthread_t thread;
  pthread_mutex_t lock;
  awz_listener *added; /* not yet in `listeners` */
  awz_listener *listeners;
  bool ending;
  awz_bell bell;    /* only its descriptors are used */
  atomic_bool rung; /* the pipe has a byte, or the thread is about to follow */
  struct pollfd *items;
  size_t room; /* of `items` */
};

/* ---- the thread ---- */

static void take_bell(awz_attendant *a) {
  char bytes[64];
  while (read(a->bell.fds[0], bytes, sizeof bytes) > 0)
    continue;
  atomic_store(&a->rung, false); /* only now: see ring() */
}

static void take_added(awz_attendant *a) {
  while (a->added) {
    awz_listener *l = a->added;
    a->added = l->next;
    l->next = a->listeners;
    a->listeners = l;
  }
}

static void dismiss(awz_listener *l) {
  if (l->drain)
    l->drain(l);
  awz_apart_close(l->socket);
  l->socket = NULL;
  l->gone(l);
}

/* Take the listeners that leave out of the list; all of them, if `everybody`.
 */
static awz_listener *take_leaving(awz_attendant *a, bool everybody) {
  awz_listener *list = NULL, **place = &a->listeners;
  while (*place) {
    awz_listener *l = *place;
    if (!l->leaving && !everybody) {
      place = &l->next;
      continue;
    }
    *place = l->next;
    l->next = list;
    list = l;
  }
  return list;
}

/* Follow what the thread of Lua has asked for. Returns false at the end. */
static bool follow(awz_attendant *a) {
  take_added(a);
  awz_listener *list = take_leaving(a, a->ending);
  while (list) {
    awz_listener *next = list->next;
    dismiss(list);
    list = next;
  }
  return !a->ending;
}

static void serve(const awz_attendant *a) {
  for (awz_listener *l = a->listeners; l; l = l->next) {
    if (l->dirty)
      l->dirty = l->ready(l);
    if (!l->wait || l->wait(l) != 0)
      continue;
    l->late(l);
    l->dirty = true; /* it may have used its socket */
  }
}

/* Returns the number of items, or 0 without memory for them. */
static size_t fill_items(awz_attendant *a) {
  size_t count = 1;
  for (const awz_listener *l = a->listeners; l; l = l->next)
    count++;
  if (count > a->room) {
    struct pollfd *items = realloc(a->items, 2 * count * sizeof *items);
    if (!items)
      return 0;
    a->items = items;
    a->room = 2 * count;
  }
  a->items[0] = (struct pollfd){.fd = a->bell.fds[0], .events = POLLIN};
  struct pollfd *item = &a->items[1];
  for (const awz_listener *l = a->listeners; l; l = l->next)
    *item++ = (struct pollfd){.fd = l->fd, .events = POLLIN};
  return count;
}

/* Returns the ms until some listener has work; -1: none has. */
static int shortest_wait(const awz_attendant *a) {
  int shortest = -1;
  for (awz_listener *l = a->listeners; l; l = l->next) {
    int ms = l->dirty ? 0 : l->wait ? l->wait(l) : -1;
    if (ms >= 0 && (shortest < 0 || ms < shortest))
      shortest = ms;
  }
  return shortest;
}

static void note_fired(const awz_attendant *a) {
  const struct pollfd *item = &a->items[1];
  for (awz_listener *l = a->listeners; l; l = l->next, item++)
    l->dirty = l->dirty || item->revents;
}

/* Block until there is work. */
static void sleep_until_work(awz_attendant *a) {
  static const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  size_t count = fill_items(a);
  int ms = shortest_wait(a), rc = -1;
  pthread_mutex_unlock(&a->lock);
  if (count > 0)
    rc = poll(a->items, (nfds_t)count, ms);
  if (rc < 0) /* try again after a while */
    nanosleep(&pause, NULL);
  if (rc > 0 && a->items[0].revents)
    take_bell(a);
  pthread_mutex_lock(&a->lock);
  if (rc > 0)
    note_fired(a);
}

static void *attend(void *data) {
  awz_attendant *a = data;
  pthread_mutex_lock(&a->lock);
  while (follow(a)) {
    serve(a);
    sleep_until_work(a);
  }
  pthread_mutex_unlock(&a->lock);
  return NULL;
}

/* ---- for the thread of Lua ---- */

/* If the bell is rung already, the thread will still look at all there is: it
 * says that it is not rung before it looks. */
static void ring(awz_attendant *a) {
  ssize_t rc;
  if (atomic_exchange(&a->rung, true))
    return;
  do
    rc = write(a->bell.fds[1], "", 1);
  while (rc < 0 && errno == EINTR); /* a full pipe rings, too */
}

static void discard(awz_attendant *a) {
  awz_bell_close(&a->bell);
  pthread_mutex_destroy(&a->lock);
  free(a->items);
  free(a);
}

static int open_attendant(awz_attendant **out) {
  awz_attendant *a = calloc(1, sizeof *a);
  if (!a)
    return AW_ENOMEM;
  int rc = awz_bell_open(&a->bell);
  if (rc < 0) {
    free(a);
    return rc;
  }
  pthread_mutex_init(&a->lock, NULL);
  rc = awio_make_thread(&a->thread, NULL, attend, a);
  if (rc < 0) {
    discard(a);
    return rc;
  }
  *out = a;
  return 0;
}

static awz_attendant *attendant_of(const awz_context *context) {
  return context->forks == aw_zmq_forks() ? context->attendant : NULL;
}

int awz_attendant_add(awz_context *context, awz_listener *listener) {
  if (context->forks != aw_zmq_forks())
    return AW_EFORKED;
  int rc = awz_apart_fd(listener->socket, &listener->fd);
  if (rc == 0 && !context->attendant)
    rc = open_attendant(&context->attendant);
  if (rc < 0)
    return rc;
  awz_attendant *a = context->attendant;
  pthread_mutex_lock(&a->lock);
  listener->leaving = false;
  listener->dirty = true;
  listener->next = a->added;
  a->added = listener;
  pthread_mutex_unlock(&a->lock);
  ring(a);
  return 0;
}

void awz_attendant_remove(awz_context *context, awz_listener *listener) {
  awz_attendant *a = attendant_of(context);
  if (!a)
    return;
  pthread_mutex_lock(&a->lock);
  listener->leaving = true;
  pthread_mutex_unlock(&a->lock);
  ring(a);
}

bool awz_attendant_hold(const awz_context *context) {
  awz_attendant *a = attendant_of(context);
  if (a)
    pthread_mutex_lock(&a->lock);
  return a != NULL;
}

void awz_attendant_let_go(const awz_context *context, awz_listener *listener,
                          bool dirty) {
  awz_attendant *a = context->attendant;
  listener->dirty = listener->dirty || dirty;
  pthread_mutex_unlock(&a->lock);
  if (dirty)
    ring(a);
}

void awz_attendant_nudge(const awz_context *context) {
  awz_attendant *a = attendant_of(context);
  if (a)
    ring(a);
}

void awz_attendant_end(awz_context *context) {
  awz_attendant *a = attendant_of(context);
  context->attendant = NULL;
  if (!a)
    return;
  pthread_mutex_lock(&a->lock);
  a->ending = true;
  pthread_mutex_unlock(&a->lock);
  ring(a);
  pthread_join(a->thread, NULL);
  discard(a);
}
