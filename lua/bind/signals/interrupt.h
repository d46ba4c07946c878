/* interrupt.h - interrupting a body that is busy; see interrupt.c */
#ifndef AWL_INTERRUPT_H
#define AWL_INTERRUPT_H

#include "base/state.h"

#include <aiowire_lua.h>

/* From now on the bodies of the state may be interrupted: `co` of the state is
 * kept up to date. Each begin has an end. */
void awl_interrupt_begin(awl_state *s);
void awl_interrupt_end(awl_state *s);

/* Interrupt the body that runs now, if it stays busy in this step, and those
 * that begin later, unless awl_interrupt_learned() comes first.
 * With `tells`, the first error is a notice, too. Call from: a signal handler
 * on the thread that drives the state, after awl_interrupt_begin(). */
void awl_interrupt_running(awl_state *s, bool tells);
/* The driver has learned of the signal. */
void awl_interrupt_learned(awl_state *s);

/* Ask for the dump, or for a look at the tasks (awl_upcalls.look): the body
 * that is busy gives it soon, or the driver does. Call from: as above. */
enum { AWL_ASK_DUMP = 1, AWL_ASK_LOOK = 2 };
void awl_interrupt_ask(awl_state *s, int what);
bool awl_interrupt_is_asked(const awl_state *s);
/* For the driver: give what somebody asks for. Raises nothing. */
void awl_interrupt_answer(lua_State *L, awl_state *s);

/* Say whether the host program has told that the time limit of the run is over:
 * then awl_limit_end() ends it. Call from: also a signal handler, on the thread
 * that drives the state. */
void awl_interrupt_late(awl_state *s, bool late);

/* As aw_lua_interrupts_open(). Without `stops`, runs hold the signals of the
 * process as if no other thread interrupted them. */
int awl_interrupts_open(lua_State *L, bool stops, aw_lua_interrupts **out);
/* Ask the thread of the state for a look at the tasks, also in the middle of a
 * body. Returns and is called as aw_lua_interrupts_send(). */
int awl_interrupts_ask(aw_lua_interrupts *own);

/* The slow paths of the inline functions below. */
void awl_interrupt_switch(awl_state *s, lua_State *co);
void awl_interrupt_unhook(awl_state *s, lua_State *co);
/* The next body begins in `co`, whose last step is over. */
void awl_interrupt_renew(awl_state *s, lua_State *co);

static inline bool awl_interrupt_hooked(const awl_state *s) {
  return atomic_load_explicit(&s->interruption.hooked, memory_order_relaxed);
}

/* Note that `co` runs now (NULL: no coroutine runs). A handler may come at any
 * point; the fence keeps the compiler from moving the accesses. */
static inline void awl_interrupt_watch(awl_state *s, lua_State *co) {
  if (s->interruption.sources == 0)
    return;
  atomic_store_explicit(&s->interruption.co, co, memory_order_relaxed);
  atomic_signal_fence(memory_order_seq_cst);
  if (awl_interrupt_hooked(s))
    awl_interrupt_switch(s, co);
}

/* L is about to resume `co`. If the body runs in L now, note that it runs in
 * `co`, and return true: then call awl_interrupt_watch(s, L) after that. */
static inline bool awl_interrupt_enter(awl_state *s, const lua_State *L,
                                       lua_State *co) {
  if (s->interruption.sources == 0 ||
      atomic_load_explicit(&s->interruption.co, memory_order_relaxed) != L)
    return false;
  awl_interrupt_watch(s, co);
  return true;
}

/* The step in `co` has ended: remove the hook. */
static inline void awl_interrupt_step_over(awl_state *s, lua_State *co) {
  if (awl_interrupt_hooked(s))
    awl_interrupt_unhook(s, co);
}

#endif
