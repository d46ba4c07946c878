/* limit.c - ends the program when its time is over; see limit.h
 *
 * The loop of each chunk has the rest of the time as its own limit, which cuts
 * the tasks that wait. A body that never waits must be interrupted by a signal
 * on the thread that runs it, and code that is blocked in C cannot be ended at
 * all. So a second thread, the guard, watches the clock from outside:
 *
 *   limit         the guard ─► a signal to the thread that runs Lua
 *                                ─► on_guard_signal() ─► aw_lua_interrupt(0)
 *   + each AGAIN  the signal again, while no run has learned of the limit, or
 *                 while a script is being read
 *   + the grace   the signal again, each AGAIN, for clean-up that is busy
 *   + MUCH        a message, and _exit(124); when only finalizers are left,
 *                 which no hook reaches, already at the end of the grace
 *
 * The limit of the loop may be over a bit before or after that, as when this
 * thread gets no processor between the start of the guard and that of the loop.
 * So the signal also ends the limit of the loop, see aw_lua_interrupt(), and it
 * makes no difference who is first. If no run has begun, the signal does
 * nothing and comes again. A program that is over before ends the guard.
 *
 * The signal is a real-time signal. The other one that the library uses, for
 * workers, is next to it.
 */
#include "signals/limit.h"

#include <aiowire_lua.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_TIMEOUT = 124 };

static const uint64_t GRACE = 5 * AW_SECOND; /* that of every loop */
static const uint64_t AGAIN = 250 * 1000 * 1000;
static const uint64_t MUCH = 2 * AW_SECOND;

static struct {
  uint64_t over;    /* when the limit is over; AW_NEVER: none */
  uint64_t graced;  /* when the grace is over, too; or AW_NEVER */
  pthread_t runner; /* the thread that runs Lua */
  pthread_t guard;
  bool begun; /* the guard exists */
  /* the guard waits for `ended`, at most until the time is over */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool ended;
} limit = {.over = AW_NEVER, .lock = PTHREAD_MUTEX_INITIALIZER};

static atomic_bool learned; /* a run has learned of the end of the limit */
static atomic_bool reading, closing;

static uint64_t read_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * AW_SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t later(uint64_t time, uint64_t by) {
  return by < AW_NEVER - time ? time + by : AW_NEVER;
}

/* ---- on the thread that runs Lua ----------------------------------------- */

static int guard_signal(void) {
#ifdef SIGRTMAX
  return SIGRTMAX - 5;
#else
  return SIGUSR2;
#endif
}

/* End the process. Its buffers are lost: what holds them may be what blocks.
 * Call from: also a signal handler. */
static void exit_at_once(const char *text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) {
    /* nobody can be told */
  }
  _exit(STATUS_TIMEOUT);
}

static void on_guard_signal(int number) {
  int saved = errno;
  (void)number;
  if (atomic_load(&closing) && read_clock() >= limit.graced)
    exit_at_once("aiowire: timeout in a finalizer at the end\n");
  if (aw_lua_interrupt(0))
    atomic_store(&learned, true);
  errno = saved;
}

void host_limit_reading(bool reads) {
  atomic_store(&reading, reads);
}

void host_limit_close(void) {
  atomic_store(&closing, true);
}

/* No SA_RESTART: a read of the script from a pipe must end, too. */
static int handle_guard_signal(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_guard_signal;
  sigemptyset(&action.sa_mask);
  return sigaction(guard_signal(), &action, NULL) < 0 ? errno : 0;
}

/* ---- the guard ----------------------------------------------------------- */

/* Wait until `time`, or until the program has ended; returns true then. */
static bool ends_before(uint64_t time) {
  uint64_t seconds = time / AW_SECOND;
  struct timespec until = {(time_t)seconds, (long)(time - seconds * AW_SECOND)};
  pthread_mutex_lock(&limit.lock);
  int rc = 0;
  while (!limit.ended && rc == 0)
    rc = time == AW_NEVER
             ? pthread_cond_wait(&limit.changed, &limit.lock)
             : pthread_cond_timedwait(&limit.changed, &limit.lock, &until);
  bool ended = limit.ended;
  pthread_mutex_unlock(&limit.lock);
  return ended;
}

/* Is another signal of use? luaL_loadfilex() reads on after the first read that
 * fails. Finalizers at the end are left alone: no hook reaches them. */
static bool is_to_repeat(void) {
  return atomic_load(&reading) ||
         (!atomic_load(&learned) && !atomic_load(&closing));
}

/* Wait until the grace is over, or until the program has ended; returns true
 * then. */
static bool ends_in_grace(void) {
  uint64_t at;
  while ((at = later(read_clock(), AGAIN)) < limit.graced) {
    if (ends_before(at))
      return true;
    if (is_to_repeat())
      pthread_kill(limit.runner, guard_signal());
  }
  return ends_before(limit.graced);
}

static void *guard_clock(void *nothing) {
  (void)nothing;
  if (ends_before(limit.over))
    return NULL;
  pthread_kill(limit.runner, guard_signal());
  if (ends_in_grace())
    return NULL;
  for (uint64_t at = 0; at <= MUCH; at += AGAIN) {
    pthread_kill(limit.runner, guard_signal());
    if (ends_before(later(limit.graced, at + AGAIN)))
      return NULL;
  }
  exit_at_once(
      "aiowire: the time limit and its grace are over, and the program "
      "does not end; ended at once\n");
  return NULL;
}

/* ---- the limit ----------------------------------------------------------- */

/* Start the guard, with all signals blocked. */
static int start_guard(void) {
  sigset_t all, before;
  pthread_condattr_t clock;
  int rc = pthread_condattr_init(&clock);
  if (rc != 0)
    return rc;
  rc = pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  if (rc == 0)
    rc = pthread_cond_init(&limit.changed, &clock);
  pthread_condattr_destroy(&clock);
  if (rc != 0)
    return rc;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  rc = pthread_create(&limit.guard, NULL, guard_clock, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return rc;
}

int host_limit_begin(uint64_t timeout, uint64_t grace) {
  limit.over = later(read_clock(), timeout);
  limit.graced = later(limit.over, grace == AW_DEFAULT ? GRACE : grace);
  limit.runner = pthread_self();
  if (limit.over == AW_NEVER)
    return 0;
  int rc = handle_guard_signal();
  if (rc == 0)
    rc = start_guard();
  limit.begun = rc == 0;
  return rc;
}

uint64_t host_limit_left(void) {
  if (limit.over == AW_NEVER)
    return AW_NEVER;
  uint64_t time = read_clock();
  return time < limit.over ? limit.over - time : 0;
}

void host_limit_end(void) {
  if (!limit.begun)
    return;
  pthread_mutex_lock(&limit.lock);
  limit.ended = true;
  pthread_cond_signal(&limit.changed);
  pthread_mutex_unlock(&limit.lock);
  pthread_join(limit.guard, NULL);
  limit.begun = false;
}
