/* context.c - contexts own their sockets, and end in a thread [ZQ13]
 *
 *   close: close the sockets ─► a thread waits until libzmq has sent the unsent
 *   messages, at most as long as each socket lingers ─► over
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
#include "context/attendant.h"

#include <uv.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&e->lock, NULL);
  pthread_cond_init(&e->changed, &attributes);
  pthread_condattr_destroy(&attributes);
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

/* Begin to end the context in a thread. Without memory or a thread, the context
 * stays as it is until the process ends. */
static void start_end(awz_context *context) {
  ending *e = ending_new(context->raw);
  if (!e)
    return;
  if (pthread_create(&e->thread, NULL, end_it, e) == 0)
    context->ending = e;
  else
    ending_free(e);
}

static struct timespec in_ms(int ms) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += ms / 1000;
  at.tv_nsec += ms % 1000 * 1000000L;
  if (at.tv_nsec >= 1000000000L) {
    at.tv_sec++;
    at.tv_nsec -= 1000000000L;
  }
  return at;
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

enum { AWZ_RESERVE = sizeof((awz_context *)0)->reserve / sizeof(int) };

/* libzmq needs descriptors to end a context, and aborts if there are none
 * [ZQ12]. */
static void take_reserve(awz_context *context) {
  for (int i = 0; i < AWZ_RESERVE; i++)
    context->reserve[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void give_reserve(awz_context *context) {
  for (int i = 0; i < AWZ_RESERVE; i++)
    if (context->reserve[i] >= 0)
      close(context->reserve[i]);
}

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

int awz_context_new(awz_home *home, int io_threads, awz_context **out) {
  enum { REAPER = 1, ATTENDANT = 1, PATIENCE = 5000, MAX_SOCKETS = 1023 };
  int version[3];
  int rc = awz_raw_version(version);
  if (rc == 0)
    rc = awz_room_for_files();
  if (rc == 0)
    rc = awz_room_for_threads(io_threads + REAPER + ATTENDANT);
  if (rc < 0)
    return rc;
  awz_context *context = aw_allocate(sizeof *context);
  if (!context)
    return AW_ENOMEM;
  rc = awz_raw_open_context(context, io_threads);
  if (rc < 0) {
    aw_free(context);
    return rc;
  }
  context->max_sockets = MAX_SOCKETS;
  awz_raw_limit_context(context, MAX_SOCKETS);
  prune(home);
  take_reserve(context);
  context->forks = aw_zmq_forks();
  context->patience = PATIENCE;
  context->refs = 2;
  context->home = home;
  context->next = home->first;
  home->first = context;
  *out = context;
  return 0;
}

void awz_context_release(awz_context *context) {
  enum { HOME_ONLY = 1 };
  if (--context->refs == HOME_ONLY)
    awz_context_close(context);
  if (context->refs > 0)
    return;
  if (is_ending(context))
    ending_release(context->ending);
  awz_forget_ghosts(context);
  aw_free(context);
}

void awz_context_close(awz_context *context) {
  while (context->sockets)
    awz_socket_close(context->sockets);
  if (!context->raw)
    return;
  awz_attendant_end(context);
  context->reader = NULL; /* it was one of the listeners */
  if (context->forks == aw_zmq_forks()) {
    give_reserve(context);
    start_end(context);
  }
  context->raw = NULL;
}

/* Returns how long to wait for the end of the context, in ms: its sockets may
 * linger that long over unsent messages. */
static int time_for(const awz_context *context) {
  enum { MARGIN = 500 };
  int linger = context->longest_linger;
  if (linger < 0 || linger > context->patience - MARGIN)
    return context->patience;
  return linger + MARGIN;
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
    struct timespec at = in_ms(time_for(context));
    if (is_ending(context))
      wait_for_ending(context->ending, &at);
    awz_context_release(context);
  }
  awz_forget_leaving(home);
}
