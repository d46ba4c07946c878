/* context.c - contexts own their sockets, and end in a thread [ZQ13]
 *
 *   close: close the sockets ─► the last state that has the context (shared.h)
 *   ─► a thread waits until libzmq has sent the unsent messages, at most as
 *   long as each socket lingers ─► over
 *
 * The end of the Lua state waits for these threads, for each at most for the
 * patience of its context. Then it leaves the context as it is, and leaks it,
 * rather than hang.
 *
 * The context owns its `ending`, until it leaves the ending to the thread
 * (`left`), which frees it then. So an ending is memory of the C library, which
 * any thread may free. In a forked child, contexts and their endings belong to
 * the parent, and the child leaves them alone.
 */
#include "base/system.h"
#include "context/attendant.h"
#include "context/shared.h"

#include <uv.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

typedef struct awz_ending {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  void *raw;
  bool over, left; /* guarded by `lock` */
} ending;

/* ---- the thread ---- */

static ending *ending_new(void *raw) {
  ending *e = calloc(1, sizeof *e);
  if (!e)
    return NULL;
  pthread_mutex_init(&e->lock, NULL);
  awio_make_condition(&e->changed);
  e->raw = raw;
  return e;
}

static void ending_free(ending *e) {
  pthread_mutex_destroy(&e->lock);
  pthread_cond_destroy(&e->changed);
  free(e);
}

static bool is_ending_over(ending *e) {
  pthread_mutex_lock(&e->lock);
  bool over = e->over;
  pthread_mutex_unlock(&e->lock);
  return over;
}

/* Free it, or leave it to its thread if it is not over. */
static void ending_release(ending *e) {
  pthread_t thread = e->thread;
  pthread_mutex_lock(&e->lock);
  bool over = e->over;
  e->left = !over;
  pthread_mutex_unlock(&e->lock);
  if (over) {
    pthread_join(thread, NULL);
    ending_free(e);
  } else {
    pthread_detach(thread);
  }
}

static void *end_it(void *data) {
  ending *e = data;
  awz_raw_end_context(e->raw);
  pthread_mutex_lock(&e->lock);
  e->over = true;
  bool left = e->left;
  pthread_cond_signal(&e->changed);
  pthread_mutex_unlock(&e->lock);
  if (left)
    ending_free(e);
  return NULL;
}

/* Begin to end a context of libzmq in a thread. Returns NULL without memory or
 * a thread: the context stays as it is until the process ends. */
static ending *start_end(void *raw) {
  ending *e = ending_new(raw);
  if (!e || pthread_create(&e->thread, NULL, end_it, e) == 0)
    return e;
  ending_free(e);
  return NULL;
}

/* Wait until it is over, but not beyond `at`. */
static void wait_for_ending(ending *e, const struct timespec *at) {
  int rc = 0;
  pthread_mutex_lock(&e->lock);
  while (!e->over && rc == 0)
    rc = pthread_cond_timedwait(&e->changed, &e->lock, at);
  pthread_mutex_unlock(&e->lock);
}

/* ---- contexts ---- */

static bool is_ending(const awz_context *context) {
  return context->ending && context->forks == aw_zmq_forks();
}

/* Release the contexts whose ending is over. */
static void prune(awz_home *home) {
  awz_context **place = &home->first;
  while (*place) {
    awz_context *context = *place;
    if (is_ending(context) && is_ending_over(context->ending)) {
      *place = context->next;
      awz_context_release(context);
    } else {
      place = &context->next;
    }
  }
}

/* Make a context for `shared`; takes that reference. */
static int join_shared(awz_home *home, awz_shared *shared, awz_context **out) {
  awz_context *context = aw_allocate(sizeof *context);
  if (!context) {
    awz_context_drop_shared(shared);
    return AW_ENOMEM;
  }
  prune(home);
  context->shared = shared;
  context->raw = shared->raw;
  context->calls = shared->calls;
  context->forks = shared->forks;
  context->refs = 2;
  context->home = home;
  context->next = home->first;
  home->first = context;
  *out = context;
  return 0;
}

int awz_context_new(awz_home *home, int io_threads, awz_context **out) {
  awz_shared *shared;
  int rc = awz_shared_new(io_threads, &shared);
  return rc < 0 ? rc : join_shared(home, shared, out);
}

int awz_context_join(awz_home *home, awz_shared *shared, awz_context **out) {
  return join_shared(home, awz_shared_keep(shared), out);
}

void awz_context_drop_shared(awz_shared *shared) {
  void *raw = shared->raw;
  int wait;
  ending *e = awz_shared_leave(shared, &wait) ? start_end(raw) : NULL;
  if (e)
    ending_release(e); /* its thread goes on */
}

void awz_context_release(awz_context *context) {
  enum { HOME_ONLY = 1 };
  if (--context->refs == HOME_ONLY)
    awz_context_close(context);
  if (context->refs > 0)
    return;
  if (is_ending(context))
    ending_release(context->ending);
  aw_free(context);
}

void awz_context_close(awz_context *context) {
  while (context->sockets)
    awz_socket_close(context->sockets);
  awz_shared *shared = context->shared;
  if (!shared)
    return;
  awz_attendant_end(context);
  if (context->zap) /* it was one of the listeners, as was the reader */
    awz_shared_answers(shared, -1);
  context->zap = NULL;
  context->reader = NULL;
  context->shared = NULL;
  if (awz_shared_leave(shared, &context->wait))
    context->ending = start_end(context->raw);
  context->raw = NULL;
}

void awz_home_close(awz_home *home) {
  for (awz_context *c = home->first; c; c = c->next)
    awz_context_close(c);
  if (home->usual)
    awz_context_release(home->usual);
  home->usual = NULL;
  while (home->first) {
    awz_context *context = home->first;
    home->first = context->next;
    struct timespec at = awio_time_in((uint64_t)context->wait);
    if (is_ending(context))
      wait_for_ending(context->ending, &at);
    awz_context_release(context);
  }
  awz_forget_leaving(home);
}
