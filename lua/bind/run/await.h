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
/* Yield the wait that was just armed; `after` goes on when it has ended, in
 * whatever way, the stack as it was. `return` this. */
int awl_park(lua_State *L, awl_worker *worker, awl_after after);
/* An awl_after: raises if the wait ended badly, and gives nothing. */
int awl_after_wait(lua_State *L, awl_worker *worker);
/* May an await that need not wait return at once? Not if cancelled, nor when
 * the budget of this resume is spent [F3]. */
bool awl_at_once(awl_worker *worker);
/* A wait could not be armed, with `rc`: go on with `refused`, which raises what
 * worker->refused is then; at once or, when that was often enough, through the
 * queue, so that a loop which swallows it cannot hold the engine [F3]. The wait
 * in the queue may end badly as any other. `return` this. */
int awl_refuse(lua_State *L, awl_worker *worker, int rc, awl_after refused);
/* Before it begins, an await has let the others run, and its wait in the queue
 * is over: raise if that ended badly. True: the task was cancelled meanwhile,
 * and is to be given that by one more wait, which is armed: `return
 * awl_park()`, with the same `after` [C2]. */
bool awl_cancelled_in_turn(lua_State *L, awl_worker *worker);
/* A `refused` that raises the text of the code. */
int awl_refused(lua_State *L, awl_worker *worker);
/* For an `awl_after` that is told of a wait which was refused: raise that
 * `what` it was for belongs to another engine, or what else is wrong. */
int awl_raise_refusal(lua_State *L, awl_worker *worker, const char *what);
/* A wait was armed with `rc`: awl_park() with `after`, or awl_refuse() with
 * `refused`. `return` this. */
int awl_park_or_refuse(lua_State *L, awl_worker *worker, int rc,
                       awl_after after, awl_after refused);
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
/* Raise if the wait ended badly. */
void awl_check_result(lua_State *L, awl_worker *worker);

#endif
