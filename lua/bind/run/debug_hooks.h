/* debug_hooks.h - debug hooks of the user, in bodies; see debug_hooks.c */
#ifndef AWL_DEBUG_HOOKS_H
#define AWL_DEBUG_HOOKS_H

#include "base/state.h"

/* What the functions below do where there is a hook. */
void awl_hooks_give(lua_State *L, awl_worker *worker);
void awl_hooks_clean(lua_State *L, awl_worker *worker);
void awl_hooks_mute(lua_State *L, awl_hook *hook);

/* The coroutine of `worker` is about to be resumed, from L: let it have the
 * hook that was set outside of bodies, unless its body has set one. */
static inline void awl_hooks_resume(lua_State *L, awl_worker *worker) {
  if (lua_gethook(worker->state->run.outside) || worker->hooked)
    awl_hooks_give(L, worker);
}

/* The body of `worker` has ended in its coroutine L, and with it the hook that
 * it has set; the next body has the one from outside. */
static inline void awl_hooks_step_over(lua_State *L, awl_worker *worker) {
  if (lua_gethook(L) || worker->hooked)
    awl_hooks_clean(L, worker);
}

/* Our own code runs in L, which is no body's: its hook keeps quiet meanwhile.
 * `*hook` is what awl_hooks_unmute() puts back. */
static inline void awl_hooks_begin_mute(lua_State *L, awl_hook *hook) {
  hook->call = NULL;
  if (lua_gethook(L))
    awl_hooks_mute(L, hook);
}
void awl_hooks_unmute(lua_State *L, const awl_hook *hook);

/* lua_pcall() of a function of ours, without a message handler, muted. */
int awl_hooks_pcall(lua_State *L, int nargs, int nresults);

/* A part of the library that is in Lua begins in L, and has returned: its lines
 * are not for hooks of the user. */
void awl_hooks_screen(lua_State *L, const awl_state *s);
void awl_hooks_unscreen(lua_State *L, const awl_state *s);

/* A handler is about to run in L, the thread that drives, and has run: it is
 * outside of bodies [E7]. */
void awl_hooks_enter_handler(lua_State *L, awl_state *s);
void awl_hooks_leave_handler(lua_State *L, awl_state *s);

/* The main chunk begins, in the body of the running task: what it sets is set
 * outside of bodies. */
void awl_hooks_main_chunk(awl_state *s);
/* `worker` goes. */
void awl_hooks_forget(awl_worker *worker);

#endif
