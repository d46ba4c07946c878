/* await.h - how a C function of the binding awaits; see await.c */
#ifndef AWL_AWAIT_H
#define AWL_AWAIT_H

#include "base/state.h"

/* Return the worker that may await in L, or raise why L may not await [C11].
 * `what` names the function for the message. Inline, which halves its cost. */
awl_worker *awl_prepare_await(lua_State *L, awl_state *s, const char *what);
static inline awl_worker *awl_awaiter(lua_State *L, awl_state *s,
                                      const char *what) {
  awl_worker *w = s->run.running;
  if (!w || s->in_handler || L != s->run.co || s->careful || w->passing ||
      w->noted > 0 || !lua_isyieldable(L))
    return awl_prepare_await(L, s, what);
  aw_task_park(w->task, w);
  return w;
}
/* Release the error that the last await of `worker` raised. */
static inline void awl_drop_passing(awl_worker *worker) {
  if (worker->passing)
    aw_error_release(worker->passing);
  worker->passing = NULL;
}
/* Release that error for the running worker, unless awl_raise() is still
 * putting the error together. */
static inline void awl_forget_passing(awl_state *s) {
  awl_worker *w = s->run.running;
  if (w && !w->raising)
    awl_drop_passing(w);
}
/* Arming a wait returned `rc`: park until the wait has ended. A negative `rc`
 * means that the core refused the wait. Then `after` runs at once; but when
 * many awaits of this turn did not wait, other tasks get a turn first [F3].
 *
 *   after  the continuation; it finds the stack unchanged. It must check
 *          worker->result by one of the functions below: 0, or the code with
 *          which the wait ended or was refused
 *
 * Use it as `return awl_wait(...)`. */
int awl_wait(lua_State *L, awl_worker *worker, int rc, awl_after after);
/* aw.yield(): let other tasks have a turn. If there are none, and nothing else
 * is due, the coroutine goes on at once, at a third of the cost. Use it as
 * `return awl_yield(...)`. */
int awl_yield(lua_State *L, awl_worker *worker);
/* Let other tasks have a turn, then call `after`. If the task was cancelled in
 * that turn, worker->result says so. Use it as `return awl_take_turn(...)`. */
int awl_take_turn(lua_State *L, awl_worker *worker, awl_after after);
/* Raise if the wait ended with an error, or if the core refused it. */
void awl_check_result(lua_State *L, awl_worker *worker);
/* As awl_check_result(), for a wait for an object. If the object belongs to
 * another engine, the error says so and names `what`; if `what` is NULL, it
 * shows the value at index 1. */
void awl_check_object(lua_State *L, awl_worker *worker, const char *what);
/* Did the core refuse the wait? */
static inline bool awl_is_refused(const awl_worker *worker) {
  return worker->result != 0 && worker->refused != 0;
}
/* Raise if the wait was cancelled; else return worker->result. */
int awl_check_cancel(lua_State *L, awl_worker *worker);
/* An awl_after that calls awl_check_result() and returns no values. */
int awl_after_wait(lua_State *L, awl_worker *worker);
/* An awl_after for a wait for the object at index 1: it calls
 * awl_check_object(). */
int awl_after_object(lua_State *L, awl_worker *worker);
/* May an await that need not wait return at once? False if the task is
 * cancelled, or if the budget of this resume is spent [F3]. */
bool awl_at_once(awl_worker *worker);
/* Keep two userdata alive until the wait ends: the one at index 1 and the one
 * on top. The wait that is about to be armed uses them, and the user may close
 * the coroutine whose stack has them. Does nothing after aw.install(): then
 * coroutine.close refuses coroutines that wait. Raises. */
void awl_anchor_wait(lua_State *L, awl_worker *worker);
/* Release the userdata of a wait that has ended or was not armed. */
void awl_release_anchored(awl_worker *worker);
static inline void awl_release_wait(awl_worker *worker) {
  if (worker->anchored) /* most waits have none */
    awl_release_anchored(worker);
}
/* Push the message that only the engine may resume the coroutine of
 * `worker`. */
const char *awl_push_refusal(lua_State *L, const awl_worker *worker);
/* Push the message that only the engine does `verb`, such as "closes", to the
 * coroutine of `worker`. */
const char *awl_push_ownership(lua_State *L, const awl_worker *worker,
                               const char *verb);
/* The user has resumed a coroutine that is parked in `worker`, although only
 * the engine may. (The worker may even have ended, and be another task's now.)
 * Yield the refusal, and stay parked; `k` is the continuation of the next
 * resume. Use it as `return awl_park_again(...)`. */
int awl_park_again(lua_State *L, awl_worker *worker, lua_KFunction k);

#endif
