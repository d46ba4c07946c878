/* raised.c - keeps errors that have been raised and not yet caught
 *
 * The message handler of bodies makes the info of an error where the error is
 * raised. The error is on its way from there to the protected call that catches
 * it: the innermost scope that is open in the worker, or the body. Meanwhile
 * its info is a value of the task's EventLoop, in the awl_raised of that call.
 * `__close` handlers run on the way. They may open scopes, in which other
 * errors may be on their way. An error that a `__close` handler raises may
 * replace another error on the same way; then the new info has the old one in
 * `replaced` [E3].
 *
 * An error that an await raises is the worker's `passing` until the next await,
 * and keeps its info when the body does not catch it.
 *
 * Neighbours: core_error.c makes a core error of an error that has left a body.
 */
#include "errors/raised.h"

#include "base/loops.h"
#include "base/tasks.h"
#include "base/values.h"
#include "errors/errors.h"
#include "errors/frames.h"
#include "errors/info.h"
#include "errors/traceback.h"
#include "open.h"

/* ---- the infos of a worker ---- */

awl_raised *awl_raised_in(awl_worker *worker) {
  return worker->scopes ? &worker->scopes->raised : &worker->raised;
}

/* Push the info of the error on its way, or nil. False: nil was pushed. */
static bool push_raised(lua_State *L, awl_state *s, awl_worker *worker) {
  aw_value info = awl_raised_in(worker)->info;
  awl_push_value(L, s, info);
  return info != 0;
}

/* Push the info of the error that an await of `worker` raised last, if that
 * is the error at `error`. */
static bool push_passing(lua_State *L, awl_state *s, const awl_worker *worker,
                         int error) {
  if (!worker->passing)
    return false;
  error = lua_absindex(L, error);
  awl_push_value(L, s, aw_error_value(worker->passing));
  if (awl_is_info(L, -1) && awl_is_info_of(L, -1, error))
    return true;
  lua_pop(L, 1);
  return false;
}

/* [.., info] → [..]: note that the error of the info is on its way from now on.
 * `error` is the core error that an await raised, or NULL. */
static void set_raised(lua_State *L, awl_state *s, awl_worker *worker,
                       aw_error *error) {
  aw_value info = awl_hold(L, awl_loop_of(s, aw_task_loop(worker->task)));
  awl_raised *raised = awl_raised_in(worker), old = *raised;
  raised->error = error ? aw_error_keep(error) : NULL;
  raised->info = info;
  worker->noted += old.info == 0;
  awl_drop(s, old.info);
  if (old.error)
    aw_error_release(old.error);
}

void awl_drop_raised(awl_worker *worker, awl_raised *raised) {
  awl_raised old = *raised;
  *raised = (awl_raised){NULL, 0};
  if (old.info) {
    worker->noted--;
    if (worker->holding && worker->noted == 0) {
      worker->holding = false;
      aw_task_let_out(worker->task);
    }
    awl_drop(worker->state, old.info);
  }
  if (old.error)
    aw_error_release(old.error);
}

bool awl_put_first_error(lua_State *L, awl_worker *worker) {
  if (!push_raised(L, worker->state, worker)) {
    lua_pop(L, 1);
    return false;
  }
  awl_push_fact(L, -1, AWL_FACT_ERR);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return true;
}

/* The innermost error on its way in `worker`; there is one. */
static const awl_raised *innermost_raised(const awl_worker *worker) {
  const awl_scope *scope = worker->scopes;
  while (scope && !scope->raised.info)
    scope = scope->outer;
  return scope ? &scope->raised : &worker->raised;
}

bool awl_push_held(lua_State *L, awl_state *s, const aw_task *task) {
  for (uint32_t i = 0; i < s->worker_count; i++) {
    awl_worker *w = s->workers[i];
    if (!w || w->task != task || w->noted == 0)
      continue;
    awl_push_value(L, s, innermost_raised(w)->info);
    awl_push_fact(L, -1, AWL_FACT_ERR);
    lua_remove(L, -2);
    return true;
  }
  return false;
}

/* Will nobody see the error that has left the body of `worker`? */
static bool is_unseen(awl_worker *worker) {
  worker->unseen = !worker->scopes && !aw_step_wants_error(worker->task);
  return worker->unseen;
}

bool awl_push_caught(lua_State *L, awl_state *s, awl_worker *worker) {
  int err = lua_gettop(L);
  bool replaces = push_raised(L, s, worker);
  if (replaces && awl_is_info_of(L, err + 1, err))
    return true;
  awl_push_record(L, err);
  if (replaces) {
    lua_pushvalue(L, err + 1);
    awl_set_fact(L, -2, AWL_FACT_REPLACED);
  }
  lua_remove(L, err + 1);
  return false;
}

/* ---- where an error is raised ---- */

/* [text] → [text]: the text has no line of a file. Add the stacks of the other
 * workers of the task, which await the running worker, until it has one. */
static void add_outer_stacks(lua_State *L, awl_state *s) {
  const awl_worker *running = s->run.running, *w;
  bool lines = false;
  size_t i = 0;
  while (!lines && (w = awl_parked_at(s, running->task, &i)) != NULL)
    if (w != running)
      lines = awl_join_traceback(L, s, w->co);
}

/* [err, info]: set the traceback to the stack of L, which the running worker
 * runs. */
static void add_stack_of_error(lua_State *L, awl_state *s, bool is_new) {
  bool lines = awl_push_stack(L, s, 1), shared = lua_isuserdata(L, -1);
  if (lines && shared && is_new) {
    awl_set_origin(L, 2);
    return;
  }
  if (shared)
    awl_take_traceback(L);
  if (!lines)
    add_outer_stacks(L, s);
  awl_set_fact(L, 2, AWL_FACT_TRACEBACK);
}

/* [err, info] → the same: give the info a traceback, unless it has one already
 * from the place where the error was first raised. (An error of the core has no
 * traceback before an await raises the error.) A Timeout gets raw frames, since
 * its traceback is seldom read. */
static void add_traceback(lua_State *L, awl_state *s, bool is_new) {
  if (!is_new) {
    int type = awl_push_fact(L, 2, AWL_FACT_TRACEBACK);
    lua_pop(L, 1);
    if (type != LUA_TNIL)
      return;
  }
  if (lua_istable(L, 1) && awl_is(L, s, 1, AWL_TIMEOUT)) {
    awl_push_frames(L, s, 1);
    awl_set_fact(L, 2, AWL_FACT_TRACEBACK);
  } else {
    add_stack_of_error(L, s, is_new);
  }
}

/* [err]: note the info of the error, and where it was raised. */
static void note_raised(lua_State *L, awl_state *s, awl_worker *worker) {
  bool replaces = awl_raised_in(worker)->info != 0;
  if (replaces) {
    push_raised(L, s, worker);
    if (awl_is_info_of(L, 2, 1))
      return; /* the same error is raised again: its info is known */
    lua_settop(L, 1);
  }
  bool passes = push_passing(L, s, worker, 1);
  if (!passes)
    awl_push_record(L, 1); /* [err, info] */
  add_traceback(L, s, !passes);
  if (replaces) {
    push_raised(L, s, worker);
    awl_set_fact(L, 2, AWL_FACT_REPLACED);
  }
  set_raised(L, s, worker, passes ? worker->passing : NULL);
}

/* The message handler of bodies: notes the info and returns the error
 * unchanged. Many errors are not noted: nobody needs the info, or L is a
 * coroutine that is being closed. */
static int note_traceback(lua_State *L) {
  awl_state *s = lua_touserdata(L, lua_upvalueindex(1));
  awl_worker *worker = s->run.running;
  if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "<nil error>");
    lua_replace(L, 1);
  }
  if (worker && L == s->run.co && !is_unseen(worker) &&
      !awl_is_cancelled(L, s, 1)) {
    note_raised(L, s, worker);
    lua_settop(L, 1);
  }
  return 1; /* the error, which is the only argument */
}

void awl_open_raised(lua_State *L, awl_state *s) {
  lua_pushlightuserdata(L, s);
  lua_pushcclosure(L, note_traceback, 1);
  lua_xmove(L, s->util, 1);
  lua_replace(s->util, AWL_HANDLER);
}
