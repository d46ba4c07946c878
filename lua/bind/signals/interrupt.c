/* interrupt.c - interrupting a body that is busy [J15], and asking it for the
 * dump [D2] or a look at the tasks [D41], from a signal handler
 *
 *     SIGINT and others    signals.c ──────────┐ on the thread that drives
 *     a request of a dump  signals.c ──────────┤
 *     another thread ──► aw_lua_interrupts_send│  (also guard.c)
 *                    ──► awl_interrupts_ask    │  (lua/monitor)
 *                          ──► arrived() ──────┤
 *                                              ▼
 *                               hook_running(): the hook in `co`
 *                  ASK instructions later │    │ BUSY instructions later
 *                                         ▼    ▼
 *      busy(): the dump is a notice; a look    the error "interrupted!"
 *
 * The handler arms a debug hook in the coroutine that runs. A body that goes on
 * for BUSY more instructions, or for LONG with slow ones, as calls of C are, is
 * busy: the hook interrupts the body with an error. A step that ends earlier is
 * not disturbed. After the first error, clean-up gets ROOM instructions until
 * the next one. After PATIENCE errors each instruction raises, so that `while
 * true do pcall(f) end` cannot swallow them. The hook replaces a hook of the
 * user and stays until the step ends. It follows the step into coroutines of
 * the user.
 *
 * A dump or a look that is asked for (`wanted`) is made once: by the hook, or
 * by the driver if the step ends first. Nothing is raised for it, and a hook
 * that was armed for it alone is removed then. The hook waits for ASK
 * instructions, since most steps end within that number. `asked` counts down:
 *
 *   positive     the instructions until the hook makes the dump or the look
 *   ASK_DRIVER   the hook could not, and leaves it to the driver
 *   0            nothing is asked for
 *
 * A coroutine that is made while the hook is armed inherits the hook from Lua.
 * When the hook is called there, it does what is asked for at that time. If
 * nothing is asked for any more, it removes itself.
 *
 * Each state has an awl_interruption. Only the thread that drives the state
 * uses it: the functions below, and the handlers that interrupt them there. So
 * its atomics order nothing between threads; they make sense of what a handler
 * changes in between. Lua lets no other thread set a hook.
 *
 * An interrupt of another thread lasts: it is meant for what its thread does
 * until that thread has learned the reason, such as a cancel that comes by a
 * ticket. The step under way may end right before the signal, and the next one
 * may be as busy. So each step gets the hook anew, with BUSY instructions of
 * its own, until aw_lua_interrupts_clear().
 *
 * Neighbours: signals.c has the signals of the process; errors/notice.c tells
 * dumps and places; process_signals.c installs the handlers, and restores what
 * was there before; worker.c and coroutine.c say which coroutine runs.
 */
#include "signals/interrupt.h"

#include "errors/errors.h"
#include "errors/frames.h"
#include "errors/notice.h"
#include "signals/limits.h"

#include <aiowire_lua.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

enum { BUSY = 1000000, ROOM = 100000, PATIENCE = 5 };
/* a switch of coroutines counts as 20 instructions */
enum { FIRST_SLICE = 50, SLICE = 1000, SWITCH = 20 };
enum { ASK = 100, ASK_DRIVER = -1 };

static const uint64_t LONG = 500 * 1000 * 1000; /* ns of processor time */

/* ---- the hook ---- */

static void busy(lua_State *L, lua_Debug *ar);

/* The number of instructions until the next error. */
static int room(const awl_interruption *i) {
  return i->raised == 0 ? BUSY : i->raised > PATIENCE ? 1 : ROOM;
}

/* The processor time of this thread, which a busy machine does not change. */
static uint64_t processor_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec + 1;
}

/* Is the hook to raise errors? */
static bool raises(const awl_interruption *i) {
  return atomic_load(&i->once) || atomic_load(&i->next) ||
         atomic_load(&i->lasting) > 0;
}

static bool has_use(const awl_interruption *i) {
  return raises(i) || atomic_load(&i->asked) > 0;
}

/* The hook begins to count for the next error. */
static void restart_count(awl_interruption *i) {
  i->ran = 0;
  i->since = 0;
}

static int smaller(int a, int b) {
  return a < b ? a : b;
}

/* Set the hook for one slice of instructions: each lua_sethook() restarts Lua's
 * count, so `ran` adds up the slices. */
static void hook(awl_interruption *i, lua_State *co) {
  int slice = i->ran < SLICE ? FIRST_SLICE : SLICE;
  int asked = atomic_load(&i->asked);
  if (raises(i))
    slice = smaller(slice, room(i) - i->ran);
  if (asked > 0)
    slice = smaller(slice, asked);
  i->slice = slice < 1 ? 1 : slice;
  lua_sethook(co, busy, LUA_MASKCOUNT, i->slice);
}

/* Arm the hook in `co`, and save the user's hook. A handler may do the same in
 * between. */
static void arm_hook(awl_interruption *i, lua_State *co) {
  awl_hook now = {lua_gethook(co), lua_gethookmask(co), lua_gethookcount(co)};
  if (now.call != busy)
    i->users = now;
  i->armed = co;
  if (i->since == 0)
    i->since = processor_time();
  hook(i, co);
}

/* Restore the user's hook, unless other code has replaced ours. */
static void disarm_hook(awl_interruption *i, lua_State *co) {
  i->armed = NULL;
  if (lua_gethook(co) == busy)
    lua_sethook(co, i->users.call, i->users.mask, i->users.count);
}

/* The hook of L is for nothing any more. */
static void remove_hook(awl_interruption *i, lua_State *L) {
  if (L == i->armed)
    disarm_hook(i, L);
  else
    lua_sethook(L, NULL, 0, 0); /* inherited */
  restart_count(i);
}

/* Give what is asked for. False: there was no memory for the dump, which is
 * still wanted. */
static bool give_wanted(lua_State *L, awl_state *s) {
  int wanted = atomic_exchange(&s->interruption.wanted, 0);
  if (wanted & AWL_ASK_LOOK && s->upcalls.look)
    s->upcalls.look(L, s, true);
  if (!(wanted & AWL_ASK_DUMP) || awl_notice_dump(L, s))
    return true;
  atomic_fetch_or(&s->interruption.wanted, AWL_ASK_DUMP);
  return false;
}

/* `ran` more instructions: is what is asked for to be given now? */
static bool is_answer_due(awl_interruption *i, int ran) {
  int asked = atomic_load(&i->asked);
  if (asked <= 0)
    return false;
  /* a handler that asks anew in between has told nobody a number yet */
  atomic_compare_exchange_strong(&i->asked, &asked,
                                 asked > ran ? asked - ran : 0);
  return atomic_load(&i->asked) == 0;
}

/* The time limit of the run, or of a test, is over: cancel the running task as
 * at an await, if the limit cancels it. In a handler, which is no task, the
 * loops learn that their time is over, and that it was the handler's. */
static void cut_short(lua_State *L, awl_state *s) {
  awl_worker *w = s->run.running;
  const aw_step *step = &s->run.step;
  if (!awl_limit_end(s) && !awl_limit_is_over(s))
    return;
  for (const awl_run *run = &s->run; run; run = run->outer)
    aw_engine_tick(run->engine->core);
  awl_limit_check(L, s);
  if (!w && step->what == AW_STEP_FAILED)
    (void)aw_task_cut_outside(step->task, "the handler of an error");
  if (!w || !aw_task_cancelled(w->task))
    return;
  awl_note_cut_here(L, w, "a function that does not wait");
  awl_push_cancelled(L, s, w->task);
  lua_error(L);
}

/* Interrupt the body in L: raise the error. */
static void interrupt_body(lua_State *L, awl_state *s) {
  awl_interruption *i = &s->interruption;
  if (i->raised++ == 0 && i->tells)
    awl_notice_interrupted(L, s);
  hook(i, L);
  cut_short(L, s);
  if (awl_push_busy_place(L, L))
    lua_pushfstring(L, "%s: interrupted!", lua_tostring(L, -1));
  else
    lua_pushliteral(L, "interrupted!");
  lua_error(L);
}

static void busy(lua_State *L, lua_Debug *ar) {
  (void)ar;
  awl_state *s = awl_find_state(L);
  if (!s) /* it has ended */
    return;
  awl_interruption *i = &s->interruption;
  if (is_answer_due(i, i->slice) && !give_wanted(L, s))
    atomic_store(&i->asked, ASK_DRIVER);
  if (!has_use(i)) {
    remove_hook(i, L);
    return;
  }
  uint64_t now = processor_time();
  if (i->since == 0)
    i->since = now;
  i->ran += i->slice;
  if (!raises(i) || (i->ran < room(i) && now - i->since < LONG)) {
    hook(i, L);
    return;
  }
  i->ran = 0;
  i->since = now;
  interrupt_body(L, s);
}

/* Returns false, with nothing done, if no coroutine runs. */
static bool hook_running(awl_interruption *i) {
  lua_State *running = atomic_load(&i->co);
  if (!running)
    return false;
  atomic_store(&i->hooked, true);
  arm_hook(i, running);
  return true;
}

/* The interrupt is also for the bodies that begin before the driver has learned
 * of the signal, as the other ones of a round: each of them may be busy. */
void awl_interrupt_running(awl_state *s, bool tells) {
  awl_interruption *i = &s->interruption;
  if (!raises(i))
    restart_count(i);
  i->tells = tells;
  atomic_store(&i->next, true);
  if (atomic_load(&i->co))
    atomic_store(&i->once, true);
  if (!hook_running(i))
    atomic_store(&i->hooked, true);
}

void awl_interrupt_late(awl_state *s, bool late) {
  atomic_store(&s->interruption.late, late);
}

void awl_interrupt_learned(awl_state *s) {
  atomic_store(&s->interruption.next, false);
}

void awl_interrupt_ask(awl_state *s, int what) {
  awl_interruption *i = &s->interruption;
  atomic_fetch_or(&i->wanted, what);
  atomic_store(&i->asked, ASK);
  if (!hook_running(i))
    atomic_store(&i->hooked, true);
}

bool awl_interrupt_is_asked(const awl_state *s) {
  return atomic_load(&s->interruption.asked) != 0;
}

void awl_interrupt_answer(lua_State *L, awl_state *s) {
  /* the look is given below, as one between two steps */
  atomic_fetch_and(&s->interruption.wanted, ~AWL_ASK_LOOK);
  if (atomic_exchange(&s->interruption.asked, 0) != 0 && !give_wanted(L, s)) {
    atomic_store(&s->interruption.wanted, 0);
    awl_notice_no_dump(s);
  }
  if (s->upcalls.look)
    s->upcalls.look(L, s, false);
}

/* ---- the coroutine that runs ---- */

/* A step is over. A handler may come at any point. */
static void forget_step(awl_interruption *i) {
  i->raised = 0;
  restart_count(i);
  atomic_store(&i->once, false);
  atomic_store(&i->hooked, false);
  if (has_use(i))
    atomic_store(&i->hooked, true);
}

void awl_interrupt_begin(awl_state *s) {
  awl_interruption *i = &s->interruption;
  if (i->sources++ > 0)
    return;
  atomic_store(&i->co, NULL);
  atomic_store(&i->next, false);
  atomic_store(&i->asked, 0);
  atomic_store(&i->wanted, 0);
  i->armed = NULL;
  forget_step(i);
}

void awl_interrupt_end(awl_state *s) {
  s->interruption.sources--;
}

void awl_interrupt_switch(awl_state *s, lua_State *co) {
  awl_interruption *i = &s->interruption;
  lua_State *before = i->armed;
  if (before && before == co)
    return;
  if (before)
    disarm_hook(i, before);
  i->ran += SWITCH;
  int asked = atomic_load(&i->asked);
  if (asked > 1) /* a handler that asks in between asks for the same */
    atomic_store(&i->asked, asked > SWITCH ? asked - SWITCH : 1);
  if (!co)
    forget_step(i); /* no coroutine runs */
  else if (has_use(i))
    arm_hook(i, co);
}

void awl_interrupt_unhook(awl_state *s, lua_State *co) {
  disarm_hook(&s->interruption, co);
  forget_step(&s->interruption);
  if (!awl_interrupt_hooked(s)) /* a handler may have come in between */
    disarm_hook(&s->interruption, co);
}

void awl_interrupt_renew(awl_state *s, lua_State *co) {
  if (has_use(&s->interruption))
    arm_hook(&s->interruption, co);
}

/* ---- interrupts of other threads ---- */

struct aw_lua_interrupts {
  awl_state *state;
  aw_lua_signal *signal;
  pthread_t thread; /* the one that drives the state */
  pid_t process;
  bool blocked;       /* the thread blocked the signal before */
  bool stops;         /* the other thread is who stops the runs of the state */
  atomic_bool sent;   /* an interrupt, and it has not arrived yet */
  atomic_bool asks;   /* the same of a question */
  atomic_int sending; /* calls that are under way */
  bool lasts;         /* it has arrived; for `thread` alone */
};

static int signal_number(void) {
#ifdef SIGRTMAX
  return SIGRTMAX - 4;
#else
  return SIGUSR2;
#endif
}

/* The handler. It is called for each open aw_lua_interrupts of the process, on
 * whatever thread a stray signal takes. */
static void arrived(void *data) {
  aw_lua_interrupts *own = data;
  if (!pthread_equal(pthread_self(), own->thread))
    return;
  if (atomic_exchange(&own->asks, false))
    awl_interrupt_ask(own->state, AWL_ASK_LOOK);
  if (!atomic_exchange(&own->sent, false))
    return;
  awl_interruption *i = &own->state->interruption;
  if (!raises(i)) {
    restart_count(i);
    i->tells = false;
  }
  if (!own->lasts)
    atomic_fetch_add(&i->lasting, 1);
  own->lasts = true;
  if (!hook_running(i))
    atomic_store(&i->hooked, true); /* for the next body */
}

static void only_ours(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, signal_number());
}

static bool is_blocked(void) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  return sigismember(&now, signal_number()) == 1;
}

int aw_lua_interrupts_open(lua_State *L, aw_lua_interrupts **out) {
  return L && out ? awl_interrupts_open(L, true, out) : AW_EINVAL;
}

int awl_interrupts_open(lua_State *L, bool stops, aw_lua_interrupts **out) {
  awl_state *s = awl_find_state(L);
  if (!s)
    return AW_EINVAL;
  aw_lua_interrupts *own = aw_allocate(sizeof *own);
  if (!own)
    return AW_ENOMEM;
  own->state = s;
  own->thread = pthread_self();
  own->process = getpid();
  own->blocked = is_blocked();
  own->stops = stops;
  awl_interrupt_begin(s);
  if (s->interruption.sources == 1) /* a task may be what opens it */
    atomic_store(&s->interruption.co, s->run.co);
  int rc = aw_lua_signal_take(signal_number(), arrived, own, &own->signal);
  if (rc < 0) {
    awl_interrupt_end(s);
    aw_free(own);
    return rc;
  }
  aw_lua_signal_await(own->signal, true); /* never undelivered */
  s->interruption.open += own->stops;
  *out = own;
  return 0;
}

/* A forked child has no such thread: nobody is sent anything there. */
static int send_signal(aw_lua_interrupts *own, atomic_bool *what) {
  int rc = 0;
  atomic_fetch_add(&own->sending, 1);
  if (own->process == getpid() && !atomic_exchange(what, true)) {
    rc = pthread_kill(own->thread, signal_number());
    if (rc != 0)
      atomic_store(what, false);
  }
  atomic_fetch_sub(&own->sending, 1);
  return -rc;
}

int aw_lua_interrupts_send(aw_lua_interrupts *own) {
  return own ? send_signal(own, &own->sent) : AW_EINVAL;
}

int awl_interrupts_ask(aw_lua_interrupts *own) {
  return send_signal(own, &own->asks);
}

void aw_lua_interrupts_clear(aw_lua_interrupts *own) {
  awl_interruption *i = &own->state->interruption;
  atomic_store(&own->sent, false); /* so a late signal does nothing */
  atomic_signal_fence(memory_order_seq_cst);
  if (!own->lasts)
    return;
  own->lasts = false;
  atomic_fetch_sub(&i->lasting, 1);
  if (has_use(i))
    return; /* somebody else has use for the hook, too */
  lua_State *running = atomic_load(&i->co);
  if (running)
    awl_interrupt_unhook(own->state, running);
  else
    forget_step(i);
}

/* A signal that was sent is pending until this thread enters the kernel. It
 * must not meet the action that was there before: by default that kills the
 * process [EM7]. */
static void discard_pending(void) {
#ifdef SIGRTMAX
  static const struct timespec NOW = {0, 0};
  sigset_t ours;
  only_ours(&ours);
  while (sigtimedwait(&ours, NULL, &NOW) > 0 || errno == EINTR)
    continue;
#endif
}

void aw_lua_interrupts_close(aw_lua_interrupts *own) {
  if (!own)
    return;
  /* what is being sent may be why this thread has come here */
  while (atomic_load(&own->sending) > 0 && own->process == getpid())
    sched_yield();
  sigset_t ours;
  only_ours(&ours);
  pthread_sigmask(SIG_BLOCK, &ours, NULL);
  discard_pending();
  aw_lua_signal_give_back(own->signal);
  aw_lua_interrupts_clear(own);
  own->state->interruption.open -= own->stops;
  awl_interrupt_end(own->state);
  if (!own->blocked)
    pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
  aw_free(own);
}
