/* await.h - how a C function of the binding awaits; see await.c */
#ifndef AWL_AWAIT_H
#define AWL_AWAIT_H

#include "base/state.h"

/* The worker that may await in L; raises why not [C11]. `what` names the
 * function for the message. */
awl_worker *awl_awaiter(lua_State *L, awl_state *s, const char *what);
/* Let go of the error that the last await of `worker` raised. */
static inline void awl_drop_passing(awl_worker *worker) {
  if (worker->passing)
    aw_error_release(worker->passing);
  worker->passing = NULL;
}
/* The same for the running body, unless that error is being put together. */
static inline void awl_forget_passing(awl_state *s) {
  awl_worker *w = s->run.running;
  if (w && !w->raising)
    awl_drop_passing(w);
}
/* A wait was armed with `rc`: park until it has ended. If `rc` is negative, the
 * core refused the wait, and `after` runs at once, or, when many waits did not
 * wait in this turn, after a turn of the others [F3].
 *
 *   after  the continuation, the stack as it was. It must check
 *          worker->result, by one of the functions below: 0, or the code with
 *          which the wait ended or was refused
 *
 * Use it as `return awl_wait(...)`. */
int awl_wait(lua_State *L, awl_worker *worker, int rc, awl_after after);
/* Let other tasks have a turn, and go on with `after`. If the task was
 * cancelled in that turn, worker->result says so. Use it as `return
 * awl_take_turn(...)`. */
int awl_take_turn(lua_State *L, awl_worker *worker, awl_after after);
/* Raise if the wait ended badly, or was refused. */
void awl_check_result(lua_State *L, awl_worker *worker);
/* The same for a wait for an object, which may belong to another engine: then
 * the error says so of `what`, or, if that is NULL, of the value at 1. */
void awl_check_object(lua_State *L, awl_worker *worker, const char *what);
/* Is the result that of a wait which the core refused? */
static inline bool awl_is_refused(const awl_worker *worker) {
  return worker->result != 0 && worker->refused != 0;
}
/* Raise if the task was cancelled; else return the result. */
int awl_check_cancel(lua_State *L, awl_worker *worker);
/* An awl_after: raises as awl_check_result(), and gives nothing. */
int awl_after_wait(lua_State *L, awl_worker *worker);
/* The same for a wait for the object at 1: raises as awl_check_object(). */
int awl_after_object(lua_State *L, awl_worker *worker);
/* May an await that need not wait return at once? Not if cancelled, nor when
 * the budget of this resume is spent [F3]. */
bool awl_at_once(awl_worker *worker);
/* Keep the userdata at 1 and on top, which the wait about to be armed works on,
 * as long as that lasts: the stack that has them may be closed by hand. Raises.
 */
void awl_anchor_wait(lua_State *L, awl_worker *worker);
/* The same for frequent waits, of channels and their like: it does nothing
 * where coroutine.close is ours, and refuses. */
void awl_anchor_object(lua_State *L, awl_worker *worker);
/* The wait has ended, or was not armed. */
void awl_release_wait(awl_worker *worker);
/* Push why nobody but the engine may resume the coroutine of `worker`. */
const char *awl_push_refusal(lua_State *L, const awl_worker *worker);
/* The same for what else it alone does: `verb` is that, as "closes". */
const char *awl_push_ownership(lua_State *L, const awl_worker *worker,
                               const char *verb);
/* Somebody did, a coroutine that rests in `worker`, even if that has ended and
 * is another task's now: yield that, and rest on; `k` is what goes on then.
 * `return` this. */
int awl_park_again(lua_State *L, awl_worker *worker, lua_KFunction k);

#endif
