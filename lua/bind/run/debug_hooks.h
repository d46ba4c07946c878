/* debug_hooks.h - debug hooks of the user, in bodies; see debug_hooks.c */
#ifndef AWL_DEBUG_HOOKS_H
#define AWL_DEBUG_HOOKS_H

#include "base/state.h"

/* The slow paths of the inline functions below, for threads with a hook. */
void awl_hooks_give(lua_State *L, awl_worker *worker);
void awl_hooks_clean(lua_State *L, awl_worker *worker);
void awl_hooks_mute(lua_State *L, awl_hook *hook);

/* Call this before L resumes the coroutine of `worker`: the coroutine gets the
 * hook that was set outside of bodies, unless the body has set one. */
static inline void awl_hooks_resume(lua_State *L, awl_worker *worker) {
  if (lua_gethook(worker->state->run.outside) || worker->hooked)
    awl_hooks_give(L, worker);
}

/* The body of `worker` has ended in its coroutine L. The hook that the body has
 * set ends, too; the next body gets the hook from outside. */
static inline void awl_hooks_step_over(lua_State *L, awl_worker *worker) {
  if (lua_gethook(L) || worker->hooked)
    awl_hooks_clean(L, worker);
}

/* Mute the hook of L while the binding's own code runs there.
 * awl_hooks_unmute() restores the hook from `*hook`. */
static inline void awl_hooks_begin_mute(lua_State *L, awl_hook *hook) {
  hook->call = NULL;
  if (lua_gethook(L))
    awl_hooks_mute(L, hook);
}
void awl_hooks_unmute(lua_State *L, const awl_hook *hook);

/* lua_pcall() of a function of the binding with the hook muted, without a
 * message handler. */
int awl_hooks_pcall(lua_State *L, int nargs, int nresults);

/* Call these before and after a part of the library that is written in Lua runs
 * in L: hooks of the user must not see its lines. */
void awl_hooks_screen(lua_State *L, const awl_state *s);
void awl_hooks_unscreen(lua_State *L, const awl_state *s);

/* Call these before and after a handler runs in L, the thread that drives. A
 * handler counts as outside of bodies [E7]. */
void awl_hooks_enter_handler(lua_State *L, awl_state *s);
void awl_hooks_leave_handler(lua_State *L, awl_state *s);

/* The main chunk begins in the body of the running task: a hook that the chunk
 * sets counts as set outside of bodies. */
void awl_hooks_main_chunk(awl_state *s);
/* `worker` ends: drop its record. */
void awl_hooks_forget(awl_worker *worker);

#endif
