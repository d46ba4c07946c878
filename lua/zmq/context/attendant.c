/* attendant.c - see attendant.h
 *
 * The thread sleeps in zmq_poll(), for its listeners and for a pipe. One byte
 * in the pipe says that `added`, a `leaving` or `ending` has changed.
 *
 * `lock` guards the lists and `ending`. Only the thread removes listeners from
 * `listeners`, so it calls them without the lock.
 *
 * Attendants are memory of malloc(3): they are freed by the thread of Lua, but
 * the thread itself allocates its list of poll items.
 */
#include "context/attendant.h"

#include "context/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct awz_attendant {
  pthread_t thread;
  pthread_mutex_t lock;
  awz_listener *added;     /* not yet in `listeners` */
  awz_listener *listeners; /* of the thread */
  bool ending;
  int pipe[2];
  aw_zmq_poll_item *items; /* of the thread */
  size_t room;             /* of `items` */
};

enum { IN = 1 };

/* ---- the thread ---- */

static void take_bell(awz_attendant *a) {
  char bytes[64];
  while (read(a->pipe[0], bytes, sizeof bytes) > 0)
    continue;
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

/* Follow what other threads have asked for. Returns false at the end. */
static bool follow(awz_attendant *a) {
  pthread_mutex_lock(&a->lock);
  take_added(a);
  bool ending = a->ending;
  awz_listener *list = take_leaving(a, ending);
  pthread_mutex_unlock(&a->lock);
  while (list) {
    awz_listener *next = list->next;
    dismiss(list);
    list = next;
  }
  return !ending;
}

/* Returns the number of items, or 0 without memory for them. */
static size_t fill_items(awz_attendant *a) {
  size_t count = 1;
  for (const awz_listener *l = a->listeners; l; l = l->next)
    count++;
  if (count > a->room) {
    aw_zmq_poll_item *items = realloc(a->items, 2 * count * sizeof *items);
    if (!items)
      return 0;
    a->items = items;
    a->room = 2 * count;
  }
  a->items[0] = (aw_zmq_poll_item){NULL, a->pipe[0], IN, 0};
  aw_zmq_poll_item *item = &a->items[1];
  for (const awz_listener *l = a->listeners; l; l = l->next)
    *item++ = (aw_zmq_poll_item){l->socket, 0, IN, 0};
  return count;
}

/* Returns the ms until some listener is late; -1: none will be. */
static int shortest_wait(const awz_attendant *a) {
  int shortest = -1;
  for (awz_listener *l = a->listeners; l; l = l->next) {
    int ms = l->wait ? l->wait(l) : -1;
    if (ms >= 0 && (shortest < 0 || ms < shortest))
      shortest = ms;
  }
  return shortest;
}

static void serve(awz_attendant *a) {
  const aw_zmq_poll_item *item = &a->items[1];
  for (awz_listener *l = a->listeners; l; l = l->next, item++) {
    if (item->revents & IN)
      l->ready(l);
    if (l->wait && l->wait(l) == 0)
      l->late(l);
  }
}

/* Block until there is work. Returns false if that failed; then try again. */
static bool sleep_until_work(awz_attendant *a) {
  static const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  size_t count = fill_items(a);
  int rc = AW_ENOMEM;
  if (count > 0)
    rc = awz_apart_poll(a->items, (int)count, shortest_wait(a));
  if (rc < 0)
    nanosleep(&pause, NULL);
  return rc >= 0;
}

static void *attend(void *data) {
  awz_attendant *a = data;
  while (follow(a)) {
    if (!sleep_until_work(a))
      continue;
    take_bell(a);
    serve(a);
  }
  return NULL;
}

/* ---- for the thread of Lua ---- */

static void ring(const awz_attendant *a) {
  ssize_t rc;
  do
    rc = write(a->pipe[1], "", 1);
  while (rc < 0 && errno == EINTR); /* a full pipe rings, too */
}

static int open_bell(int fds[2]) {
  if (pipe(fds) < 0)
    return -errno;
  for (int i = 0; i < 2; i++) {
    fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    fcntl(fds[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
}

/* Start the thread with all signals blocked: they are for the program. */
static int start(awz_attendant *a) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = -pthread_create(&a->thread, NULL, attend, a);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc;
}

static void discard(awz_attendant *a) {
  close(a->pipe[0]);
  close(a->pipe[1]);
  pthread_mutex_destroy(&a->lock);
  free(a->items);
  free(a);
}

static int open_attendant(awz_attendant **out) {
  awz_attendant *a = calloc(1, sizeof *a);
  if (!a)
    return AW_ENOMEM;
  int rc = open_bell(a->pipe);
  if (rc < 0) {
    free(a);
    return rc;
  }
  pthread_mutex_init(&a->lock, NULL);
  rc = start(a);
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
  int rc = context->attendant ? 0 : open_attendant(&context->attendant);
  if (rc < 0)
    return rc;
  awz_attendant *a = context->attendant;
  pthread_mutex_lock(&a->lock);
  listener->leaving = false;
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

void awz_attendant_nudge(const awz_context *context) {
  const awz_attendant *a = attendant_of(context);
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
