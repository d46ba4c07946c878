/* lsignal.c - SIGINT and SIGTERM while the outermost run drives [L2]; in the
 * program SIGHUP, too, and SIGQUIT, which prints the dump [D2]
 *
 * Signals belong to the process, so this file has its only variables. The
 * handler counts, wakes the engine (which stops the loop: with grace, the
 * second time at once), and arms a hook in the coroutine that runs just then:
 * a body that goes on for BUSY instructions after it is busy, and is
 * interrupted with an error. The hook stays until the step ends, in the
 * coroutine that runs, be it one of the user's: clean-up has
 * ROOM, and after PATIENCE errors each instruction raises, so that a
 * `while true do pcall(f) end` cannot swallow it. A step that ends soon is not
 * disturbed. What was there before is restored by sigaction. A third
 * signal kills: the first two have not stopped it. SIGHUP, which comes when
 * the terminal is closed, stays ignored where it is (nohup).
 */
#include "lsignal.h"

#include <signal.h>
#include <string.h>

enum { BUSY = 1000000, ROOM = 100000, PATIENCE = 5 };
enum { SLICE = 1000, SWITCH = 20 }; /* a switch of coroutines counts as 20 */

static struct {
  aw_engine *volatile engine;   /* that is woken; NULL: nothing is held */
  lua_State *volatile running;  /* coroutine that runs now, or NULL */
  volatile sig_atomic_t count;  /* signals since it is held */
  volatile sig_atomic_t seen;   /* of these, told to the engine */
  volatile sig_atomic_t number; /* the last one */
  volatile sig_atomic_t hooked; /* a hook is armed somewhere */
  int raised;                   /* errors by the hook, in this step */
  int ran;                      /* instructions since the last, or the signal */
  volatile sig_atomic_t dump;   /* SIGQUIT came [D2] */
  bool host;
  bool hangup; /* SIGHUP is held, too */
  struct sigaction old_int, old_term, old_hup, old_quit;
} held;

static void interrupt(lua_State *L, lua_Debug *ar);

/* How many instructions until the next error. */
static int room(void) {
  return held.raised == 0 ? BUSY : held.raised > PATIENCE ? 1 : ROOM;
}

/* A slice at a time, since each lua_sethook() begins to count anew. */
static void hook(lua_State *co) {
  int left = room() - held.ran;
  int count = left < 1 ? 1 : left < SLICE ? left : SLICE;
  lua_sethook(co, interrupt, LUA_MASKCOUNT, count);
}

static void interrupt(lua_State *L, lua_Debug *ar) {
  (void)ar;
  held.ran += SLICE;
  if (held.ran < room()) {
    hook(L);
    return;
  }
  held.ran = 0;
  held.raised++;
  hook(L);
  luaL_error(L, "interrupted!");
}

static void on_signal(int number) {
  held.number = number;
  held.count++;
  if (held.count > 2) { /* it does not even stop at once */
    signal(number, SIG_DFL);
    raise(number);
  }
  lua_State *running = held.running;
  if (running) {
    held.hooked = 1;
    hook(running);
  }
  aw_engine_wake(held.engine);
}

bool aw_lua_interrupt(int signal_number) {
  if (!held.engine || held.count > 0)
    return false;
  on_signal(signal_number);
  return true;
}

static void on_quit(int number) {
  (void)number;
  held.dump = 1;
  aw_engine_wake(held.engine);
}

bool awl_signals_hold(awl_state *s, awl_engine *engine) {
  if (held.engine || aw_engine_wakeable(engine->core) < 0)
    return false;
  held.host = s->host;
  held.count = held.seen = held.number = held.hooked = held.raised = held.ran =
      0;
  held.running = NULL;
  held.engine = engine->core;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaddset(&action.sa_mask, SIGHUP);
  sigaction(SIGINT, &action, &held.old_int);
  sigaction(SIGTERM, &action, &held.old_term);
  sigaction(SIGHUP, NULL, &held.old_hup);
  held.hangup = held.host && held.old_hup.sa_handler != SIG_IGN;
  if (held.hangup)
    sigaction(SIGHUP, &action, NULL);
  action.sa_handler = on_quit;
  if (held.host)
    sigaction(SIGQUIT, &action, &held.old_quit);
  return true;
}

int awl_signals_release(void) {
  sigaction(SIGINT, &held.old_int, NULL);
  sigaction(SIGTERM, &held.old_term, NULL);
  if (held.hangup)
    sigaction(SIGHUP, &held.old_hup, NULL);
  if (held.host)
    sigaction(SIGQUIT, &held.old_quit, NULL);
  held.engine = NULL;
  held.running = NULL;
  return held.number;
}

aw_engine *awl_signals_wake(aw_engine *engine) {
  aw_engine *before = held.engine;
  if (!before || aw_engine_wakeable(engine) < 0)
    return NULL;
  held.engine = engine;
  if (held.seen < held.count)
    aw_engine_wake(engine); /* it came just before */
  return before;
}

int awl_signals_taken(int *count) {
  *count = held.count;
  int number = held.seen < held.count ? held.number : 0;
  held.seen = held.count;
  return number;
}

int awl_signals_count(void) {
  return held.engine ? held.count : 0;
}

bool awl_signals_dump(void) {
  bool dump = held.dump;
  held.dump = 0;
  return dump;
}

void awl_signals_watch(lua_State *co) {
  lua_State *before = held.running;
  held.running = co;
  if (!held.hooked || before == co)
    return;
  if (before)
    lua_sethook(before, NULL, 0, 0);
  held.ran += SWITCH;
  if (co)
    hook(co);
  else
    held.hooked = held.raised = held.ran = 0; /* it waits: the step is over */
}

void awl_signals_step_over(lua_State *co) {
  if (!held.hooked)
    return;
  held.hooked = held.raised = held.ran = 0;
  lua_sethook(co, NULL, 0, 0);
}
