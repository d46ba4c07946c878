/* process_signals.c - the signals of the process, and who gets them
 *
 *     a signal ──► takers: aw.signal of any Lua state       [H5]
 *                    │ nobody waits, and one is undelivered already
 *                    ▼
 *                  the holder: the run that holds it        [L2]
 *                    │ none
 *                    ▼
 *                  what was there before
 *
 * Signals belong to the whole process, so this file and signals.c have global
 * variables, the only ones of the binding. Any number of states on any number
 * of threads may take a signal. The action that was there before the first
 * taker is restored after the last one. The table changes under `lock`. The
 * handler reads the table without the lock: entries are published by atomics,
 * and whoever removes an entry waits until no handler is under way (`inside`).
 * A forked child has the thread that forked, and no other: there the handlers
 * of other threads are not under way, and nobody has the lock.
 *
 * libuv's handles for signals are not used, for two reasons. They restore
 * SIG_DFL instead of the previous action. And they report nothing while a body
 * is busy, so a busy program that drains after aw.signal "INT" could not be
 * stopped.
 */
#include "signals/process_signals.h"

#include <aiowire_lua.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

enum { SIGNALS = 65 };

struct aw_lua_signal {
  _Atomic(aw_lua_signal *) next; /* the next taker of the same signal */
  void (*notify)(void *data);
  void *data;
  atomic_bool waited;      /* a task waits for the signal */
  atomic_bool undelivered; /* the signal came, and no task has got it yet */
  int number;
  bool blocked; /* the signal was blocked in the thread that took it */
};

typedef struct entry {
  _Atomic(aw_lua_signal *) takers;
  _Atomic(awl_signal_holder) holder;
  struct sigaction original; /* the previous action; valid while `installed` */
  bool installed;
} entry;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static entry entries[SIGNALS];
static atomic_int inside; /* handlers under way, on all threads */

/* ---- the handler ---- */

/* Does `taker` accept the signal? Yes if a task waits, or if no undelivered
 * signal is kept yet. */
static bool offer(aw_lua_signal *taker) {
  bool kept = atomic_exchange(&taker->undelivered, true);
  if (kept && !atomic_load(&taker->waited))
    return false;
  taker->notify(taker->data);
  return true;
}

/* Does this signal stop the run or the program if all takers refuse it? Any
 * other signal coalesces with the kept one [H5]. */
static bool stops(int number, awl_signal_holder holder) {
  return number == SIGINT || number == SIGTERM || (number == SIGHUP && holder);
}

static void act_as(const struct sigaction *action, int number, siginfo_t *info,
                   void *context) {
  if (action->sa_flags & SA_SIGINFO) {
    action->sa_sigaction(number, info, context);
  } else if (action->sa_handler == SIG_DFL) {
    signal(number, SIG_DFL);
    raise(number);
  } else if (action->sa_handler != SIG_IGN) {
    action->sa_handler(number);
  }
}

static void on_signal(int number, siginfo_t *info, void *context) {
  int saved = errno;
  atomic_fetch_add(&inside, 1);
  entry *e = &entries[number];
  aw_lua_signal *taker = atomic_load(&e->takers);
  awl_signal_holder holder = atomic_load(&e->holder);
  bool falls = !taker || stops(number, holder);
  for (; taker; taker = atomic_load(&taker->next))
    if (offer(taker))
      falls = false;
  struct sigaction original = e->original;
  if (falls && holder)
    holder(number);
  atomic_fetch_sub(&inside, 1);
  if (falls && !holder)
    /* the previous action may not return */
    act_as(&original, number, info, context);
  errno = saved;
}

/* ---- forks ---- */

static void lock_for_fork(void) {
  pthread_mutex_lock(&lock);
}

static void unlock_in_parent(void) {
  pthread_mutex_unlock(&lock);
}

static void unlock_in_child(void) {
  atomic_store(&inside, 0);
  pthread_mutex_unlock(&lock);
}

static void watch_forks(void) {
  (void)pthread_atfork(lock_for_fork, unlock_in_parent, unlock_in_child);
}

/* ---- the table, under the lock ---- */

static void enter_table(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  pthread_mutex_lock(&lock);
}

static void leave_table(void) {
  pthread_mutex_unlock(&lock);
}

static void let_handlers_end(void) {
  while (atomic_load(&inside) > 0)
    sched_yield();
}

static bool is_installed(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
         now.sa_sigaction == on_signal;
}

/* Restore the previous action, unless somebody else has replaced our handler
 * meanwhile. */
static void put_action_back(int number) {
  entry *e = &entries[number];
  if (e->installed && is_installed(number))
    sigaction(number, &e->original, NULL);
  e->installed = false;
}

/* Install our handler. System calls restart after a signal that is taken, but
 * not after one that stops the run. */
static int put_ours(int number) {
  entry *e = &entries[number];
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO;
  if (atomic_load(&e->takers))
    action.sa_flags |= SA_RESTART;
  sigfillset(&action.sa_mask);
  if (!e->installed && sigaction(number, NULL, &e->original) < 0)
    return -errno;
  if (sigaction(number, &action, NULL) < 0)
    return -errno;
  e->installed = true;
  return 0;
}

/* Install or remove the handler after each change of the entry. */
static int update(int number) {
  const entry *e = &entries[number];
  int rc = 0;
  if (atomic_load(&e->takers) || atomic_load(&e->holder))
    rc = put_ours(number);
  else
    put_action_back(number);
  let_handlers_end();
  return rc;
}

/* ---- holding [L2] ---- */

int awl_signal_hold(int number, awl_signal_holder holder) {
  enter_table();
  atomic_store(&entries[number].holder, holder);
  int rc = update(number);
  leave_table();
  return rc;
}

void awl_signal_release(int number) {
  enter_table();
  atomic_store(&entries[number].holder, NULL);
  update(number);
  leave_table();
}

bool awl_signal_was_ignored(int number) {
  struct sigaction now;
  enter_table();
  const entry *e = &entries[number];
  if (e->installed)
    now = e->original;
  else
    sigaction(number, NULL, &now);
  leave_table();
  return !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_IGN;
}

/* ---- taking [H5] ---- */

static void unlink_taker(aw_lua_signal *taker) {
  _Atomic(aw_lua_signal *) *link = &entries[taker->number].takers;
  while (atomic_load(link) != taker)
    link = &atomic_load(link)->next;
  atomic_store(link, atomic_load(&taker->next));
}

static bool set_blocked(int number, bool blocked) {
  sigset_t set, before;
  sigemptyset(&set);
  sigaddset(&set, number);
  pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, &before);
  return sigismember(&before, number) == 1;
}

int aw_lua_signal_take(int number, void (*notify)(void *data), void *data,
                       aw_lua_signal **out) {
  if (number <= 0 || number >= SIGNALS)
    return AW_EINVAL;
  aw_lua_signal *taker = aw_allocate(sizeof *taker);
  if (!taker)
    return AW_ENOMEM;
  taker->notify = notify;
  taker->data = data;
  taker->number = number;
  enter_table();
  atomic_store(&taker->next, atomic_load(&entries[number].takers));
  atomic_store(&entries[number].takers, taker);
  int rc = update(number);
  if (rc < 0) {
    unlink_taker(taker);
    update(number);
  }
  leave_table();
  if (rc < 0) {
    aw_free(taker);
    return rc;
  }
  taker->blocked = set_blocked(number, false);
  *out = taker;
  return 0;
}

void aw_lua_signal_give_back(aw_lua_signal *taker) {
  if (taker->blocked)
    set_blocked(taker->number, true);
  enter_table();
  unlink_taker(taker);
  update(taker->number);
  leave_table();
  aw_free(taker);
}

void aw_lua_signal_await(aw_lua_signal *taker, bool waited) {
  atomic_store(&taker->waited, waited);
}

bool aw_lua_signal_arrived(aw_lua_signal *taker) {
  return atomic_exchange(&taker->undelivered, false);
}
