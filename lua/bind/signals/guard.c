/* guard.c - interrupts a body that is busy when a test is over its limit [K6]
 *
 * The driver checks the limit of a test between steps, see limits.c. It gets no
 * turn while a body computes. So a thread, the guard, waits for the same time
 * and sends an interrupt to the thread that drives, see interrupt.c. That
 * interrupt lasts until the guard is closed: it reaches the bodies that are
 * busy in clean-up, too.
 *
 * The guard begins MARGIN later than the limit, so that a driver that gets its
 * turn stops the run by itself. It is closed before the test returns. A child
 * that a body has forked has no guard thread, and leaves the guard as it is.
 */
#include "signals/guard.h"

#include "signals/interrupt.h"

#include <aiowire_lua.h>

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static const uint64_t MARGIN = 2 * 1000 * 1000;

struct awl_guard {
  uint64_t at; /* real time at which it interrupts */
  aw_lua_interrupts *interrupts;
  pid_t process;
  pthread_t thread;
  /* the thread waits for `ended`, at most until `at` */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool ended;
};

/* Wait until `at`, or until the guard is closed; returns true then. */
static bool ends_in_time(awl_guard *g) {
  uint64_t seconds = g->at / AW_SECOND;
  struct timespec until = {(time_t)seconds,
                           (long)(g->at - seconds * AW_SECOND)};
  pthread_mutex_lock(&g->lock);
  int rc = 0;
  while (!g->ended && rc == 0)
    rc = pthread_cond_timedwait(&g->changed, &g->lock, &until);
  bool ended = g->ended;
  pthread_mutex_unlock(&g->lock);
  return ended;
}

static void *watch_limit(void *data) {
  awl_guard *g = data;
  if (!ends_in_time(g))
    aw_lua_interrupts_send(g->interrupts);
  return NULL;
}

static int make_changed(awl_guard *g) {
  pthread_condattr_t clock;
  int rc = pthread_condattr_init(&clock);
  if (rc != 0)
    return -rc;
  rc = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  if (rc == 0)
    rc = pthread_cond_init(&g->changed, &clock);
  pthread_condattr_destroy(&clock);
  return -rc;
}

/* Start the thread, with all signals blocked. */
static int start_thread(awl_guard *g) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&g->thread, NULL, watch_limit, g);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -rc;
}

int awl_guard_open(lua_State *L, uint64_t at, awl_guard **out) {
  awl_guard *g = aw_allocate(sizeof *g);
  if (!g)
    return AW_ENOMEM;
  g->at = at < AW_NEVER - MARGIN ? at + MARGIN : at;
  g->process = getpid();
  g->ended = false;
  int rc = make_changed(g);
  if (rc < 0)
    goto free_guard;
  rc = -pthread_mutex_init(&g->lock, NULL);
  if (rc < 0)
    goto destroy_condition;
  rc = awl_interrupts_open(L, false, &g->interrupts);
  if (rc < 0)
    goto destroy_lock;
  rc = start_thread(g);
  if (rc < 0)
    goto close_interrupts;
  *out = g;
  return 0;

close_interrupts:
  aw_lua_interrupts_close(g->interrupts);
destroy_lock:
  pthread_mutex_destroy(&g->lock);
destroy_condition:
  pthread_cond_destroy(&g->changed);
free_guard:
  aw_free(g);
  return rc;
}

static void end_limit_watch(awl_guard *g) {
  pthread_mutex_lock(&g->lock);
  g->ended = true;
  pthread_cond_signal(&g->changed);
  pthread_mutex_unlock(&g->lock);
  pthread_join(g->thread, NULL);
}

void awl_guard_close(awl_guard *g) {
  if (!g)
    return;
  bool here = g->process == getpid();
  if (here)
    end_limit_watch(g);
  aw_lua_interrupts_close(g->interrupts);
  if (here) { /* else the thread may hold the lock, in the other process */
    pthread_cond_destroy(&g->changed);
    pthread_mutex_destroy(&g->lock);
  }
  aw_free(g);
}
