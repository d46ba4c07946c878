/* signals.c - SIGINT and SIGTERM during the outermost run [L2], in the program
 * aiowire also SIGHUP; and requests of a dump [D2]
 *
 * One run in the process holds these signals: the first one under way, of any
 * Lua state. The handler counts the signal and wakes the engine, which stops
 * the loop: with grace at the first signal, at once at the second. The third
 * signal kills the process, since two have not stopped it. SIGHUP comes when
 * the terminal is closed.
 *
 * A signal that is ignored as the run begins stays ignored: a shell ignores
 * SIGINT for its background jobs, and nohup ignores SIGHUP.
 *
 * The handler also interrupts a body that is busy, see interrupt.c. So does the
 * end of the time limit that a host program watches: aw_lua_interrupt(0).
 *
 * Any thread may receive a signal, but only the thread that runs the coroutine
 * may set its hook: the handler forwards the signal to that thread.
 *
 * The variables below are about signals of the process, which has one holder.
 * What belongs to a thread is in its awl_state. `owner` is set after all others
 * and taken back before them, since a handler of the program may ask at any
 * time who holds them (aw_lua_interrupt, aw_lua_request_dump).
 *
 * Neighbours: process_signals.c shares these signals with aw.signal, and
 * restores the actions from before.
 */
#include "signals/signals.h"

#include "signals/interrupt.h"
#include "signals/limits.h"
#include "signals/process_signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { MOST_HELD = 3 };

static struct {
  /* the state whose run holds the signals, or NULL */
  _Atomic(awl_state *) owner;
  atomic_bool taken;           /* a run holds them, or is about to */
  _Atomic(aw_engine *) engine; /* the engine that a signal wakes */
  atomic_int count;            /* signals since the run holds them */
  atomic_int number;           /* number of the last signal */
  atomic_bool late;            /* the time limit of the run is over */
  atomic_bool session;         /* SIGINT is counted apart, as … */
  atomic_int interrupts;       /* … the number of all of them */
  /* Facts about the driving thread; only that thread changes them: */
  pthread_t thread;
  sigset_t blocked;    /* the signals that the thread blocks */
  int seen;            /* signals that the driver has handled, of both counts */
  int seen_interrupts; /* those of them that are SIGINTs of a session … */
  int before;          /* … and which were handled before its call began */
  int signals[MOST_HELD]; /* those that are held; 0: none */
} held;

/* Is this the thread that drives? If not, forward the signal to that thread,
 * unless that thread blocks it. */
static bool is_here(int number) {
  if (pthread_equal(pthread_self(), held.thread))
    return true;
  if (!sigismember(&held.blocked, number))
    pthread_kill(held.thread, number);
  return false;
}

/* The limit may have cut the tasks already, and aw_lua_interrupt(0) is still to
 * come. */
static void note_time_over(void) {
  const awl_state *s = atomic_load(&held.owner);
  if (s && s->fixed.loop && atomic_load(&held.count) == 0 &&
      awl_real_time() >= s->fixed.at)
    atomic_store(&held.late, true);
}

/* The end of the time limit stands for a first signal: the first one after it
 * acts as a second one. */
static void count_stop(int number) {
  atomic_store(&held.number, number);
  note_time_over();
  int before = atomic_fetch_add(&held.count, 1);
  /* two signals have not stopped the process */
  if (before + atomic_load(&held.late) >= 2) {
    signal(number, SIG_DFL);
    raise(number);
  }
}

static void on_stop(int number) {
  bool here = is_here(number);
  if (!here && !sigismember(&held.blocked, number))
    return;
  if (number == SIGINT && atomic_load(&held.session))
    atomic_fetch_add(&held.interrupts, 1);
  else
    count_stop(number);
  if (here)
    /* a filter whose output has lost its reader dies without a word */
    awl_interrupt_running(atomic_load(&held.owner), number != SIGPIPE);
  aw_engine_wake(atomic_load(&held.engine));
}

/* The driver or the hook ends the limit of the loop, see limits.c. */
static void stop_in_time(awl_state *s) {
  atomic_store(&held.late, true);
  awl_interrupt_late(s, true);
  awl_interrupt_running(s, false);
  aw_engine_wake(atomic_load(&held.engine));
}

bool aw_lua_interrupt(int signal_number) {
  awl_state *s = atomic_load(&held.owner);
  if (!s || atomic_load(&held.count) > 0)
    return false;
  if (signal_number == 0)
    stop_in_time(s);
  else
    on_stop(signal_number);
  return true;
}

aw_lua_end aw_lua_stopped_by(int *code) {
  enum { TIMED_OUT = 124 };
  const awl_state *s = atomic_load(&held.owner);
  if (!s || !code)
    return AW_LUA_OK;
  note_time_over();
  if (atomic_load(&held.count) > 0) {
    *code = atomic_load(&held.number);
    return AW_LUA_SIGNAL;
  }
  if (!atomic_load(&held.late) || !s->fixed.loop || s->exiting)
    return AW_LUA_OK;
  *code = TIMED_OUT;
  return AW_LUA_TIMEOUT;
}

bool aw_lua_request_dump(void) {
  awl_state *s = atomic_load(&held.owner);
  if (!s || !pthread_equal(pthread_self(), held.thread))
    return false;
  awl_interrupt_ask(s, AWL_ASK_DUMP);
  aw_engine_wake(atomic_load(&held.engine));
  return true;
}

/* ---- holding them ---- */

static void hold_all(const awl_state *s) {
  const int wanted[MOST_HELD] = {SIGINT, SIGTERM, s->host ? SIGHUP : 0};
  for (int i = 0; i < MOST_HELD; i++) {
    bool held_now = wanted[i] && !awl_signal_was_ignored(wanted[i]) &&
                    awl_signal_hold(wanted[i], on_stop) == 0;
    held.signals[i] = held_now ? wanted[i] : 0;
  }
}

bool awl_signals_hold(awl_state *s, awl_engine *engine) {
  if (s->interruption.open > 0) /* another thread stops it */
    return false;
  if (aw_engine_wakeable(engine->core) < 0 ||
      atomic_exchange(&held.taken, true))
    return false;
  atomic_store(&held.engine, engine->core);
  atomic_store(&held.count, 0);
  atomic_store(&held.number, 0);
  atomic_store(&held.late, false);
  atomic_store(&held.session, false);
  atomic_store(&held.interrupts, 0);
  held.thread = pthread_self();
  pthread_sigmask(SIG_SETMASK, NULL, &held.blocked);
  held.seen = held.seen_interrupts = held.before = 0;
  s->holds_signals = true;
  s->notices.interrupted[0] = '\0';
  awl_interrupt_begin(s);
  awl_interrupt_late(s, false);
  atomic_store(&held.owner, s);
  hold_all(s);
  return true;
}

int awl_signals_release(awl_state *s) {
  for (int i = 0; i < MOST_HELD; i++)
    if (held.signals[i])
      awl_signal_release(held.signals[i]);
  atomic_store(&held.owner, NULL);
  int number = atomic_load(&held.number);
  s->holds_signals = false;
  awl_interrupt_learned(s); /* no later run is meant */
  awl_interrupt_end(s);
  atomic_store(&held.taken, false);
  return number;
}

static int count_all(void) {
  return atomic_load(&held.count) + atomic_load(&held.interrupts);
}

aw_engine *awl_signals_wake(const awl_state *s, aw_engine *engine) {
  if (!s->holds_signals || aw_engine_wakeable(engine) < 0)
    return NULL;
  aw_engine *before = atomic_exchange(&held.engine, engine);
  /* the signal came just before the exchange */
  if (count_all() > held.seen || awl_interrupt_is_asked(s) ||
      atomic_load(&held.late))
    aw_engine_wake(engine);
  return before;
}

/* ---- what came ---- */

bool awl_signals_taken(awl_state *s, int *count) {
  *count = awl_signals_count(s);
  /* a signal that comes from now on makes another step for the driver */
  awl_interrupt_learned(s);
  if (!s->holds_signals || held.seen >= count_all())
    return false;
  held.seen_interrupts = atomic_load(&held.interrupts);
  held.seen = atomic_load(&held.count) + held.seen_interrupts;
  return true;
}

int awl_signals_count(const awl_state *s) {
  int count = s->holds_signals ? count_all() - held.before : 0;
  return count > 0 && atomic_load(&held.late) ? count + 1 : count;
}

void awl_signals_ask(awl_state *s) {
  if (s->holds_signals)
    atomic_store(&held.session, true);
}

static void see_interrupts(void) {
  int came = atomic_load(&held.interrupts);
  held.seen += came - held.seen_interrupts;
  held.seen_interrupts = held.before = came;
}

bool awl_signals_begin_call(const awl_state *s) {
  if (!s->holds_signals)
    return false;
  bool came = atomic_load(&held.interrupts) > held.before;
  see_interrupts();
  return came;
}

void awl_signals_end_call(const awl_state *s) {
  if (s->holds_signals)
    see_interrupts();
}

int awl_signals_interrupts(const awl_state *s) {
  return s->holds_signals ? atomic_load(&held.interrupts) - held.before : 0;
}

int awl_signals_stops(const awl_state *s, int *number) {
  int count = s->holds_signals ? atomic_load(&held.count) : 0;
  if (count > 0)
    *number = atomic_load(&held.number);
  return count;
}
