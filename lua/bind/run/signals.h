/* signals.h - signals that reach a run; see signals.c */
#ifndef AWL_SIGNALS_H
#define AWL_SIGNALS_H

#include "base/state.h"

#include <stdatomic.h>

/* Hold the signals for a run on `engine`. False: another run holds them, or a
 * signal cannot wake the engine. */
bool awl_signals_hold(awl_state *s, awl_engine *engine);
/* Returns the last signal that came, or 0. */
int awl_signals_release(awl_state *s);
/* From now on a signal wakes `engine`, which is driven now. Returns the
 * previous engine, or NULL if nothing has changed. */
aw_engine *awl_signals_wake(const awl_state *s, aw_engine *engine);
/* Returns the last signal if there is a new one, or 0; `*count` as below. */
int awl_signals_taken(const awl_state *s, int *count);
int awl_signals_count(const awl_state *s); /* signals so far */
bool awl_signals_dump(const awl_state *s); /* did SIGQUIT ask for a dump? */

/* The slow paths of the inline functions below, for the state that holds the
 * signals. */
void awl_signals_switch(lua_State *before, lua_State *co);
void awl_signals_unhook(lua_State *co);

/* What the handler reads, for the state that holds the signals. */
typedef struct awl_signals_running {
  _Atomic(lua_State *) co; /* the coroutine that runs now, or NULL */
  atomic_bool hooked;      /* a hook is armed somewhere */
} awl_signals_running;
extern awl_signals_running awl_signals_now;

static inline bool awl_signals_hooked(void) {
  return atomic_load_explicit(&awl_signals_now.hooked, memory_order_relaxed);
}

/* Note that `co` runs now (NULL: no coroutine runs). */
static inline void awl_signals_watch(const awl_state *s, lua_State *co) {
  if (!s->holds_signals)
    return;
  lua_State *before =
      atomic_load_explicit(&awl_signals_now.co, memory_order_relaxed);
  atomic_store_explicit(&awl_signals_now.co, co, memory_order_relaxed);
  if (awl_signals_hooked() && before != co)
    awl_signals_switch(before, co);
}

/* The step in `co` has ended: remove the hook of signals. */
static inline void awl_signals_step_over(const awl_state *s, lua_State *co) {
  if (s->holds_signals && awl_signals_hooked())
    awl_signals_unhook(co);
}

#endif
