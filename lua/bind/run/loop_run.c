/* loop_run.c - runs an EventLoop: ev:run(), `__close`, ev:close() [L1-L5]
 *
 * Outside of the loop's engine, run() drives the loop. In a task of the same
 * engine, run() awaits the end of the loop.
 *
 * Neighbours: driver.c drives; objects/loop.c has the class.
 */
#include "run/loop_run.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/error_object.h"
#include "errors/errors.h"
#include "errors/frames.h"
#include "run/await.h"
#include "run/driver.h"
#include "signals/guard.h"
#include "signals/interrupt.h"
#include "signals/limits.h"
#include "signals/signals.h"

static int raise_run_failure(lua_State *L, awl_state *s, awl_loop *loop) {
  aw_error *error = aw_loop_error(loop->core);
  awl_worker *w = s->run.running;
  awl_push_error(L, s, loop, error);
  awl_place_error(L, s, NULL);
  if (w && L == s->run.co)
    return awl_raise(L, w, aw_error_keep(error));
  return lua_error(L);
}

/* Push how the run ended, as a string; or raise the error of the loop. */
static int end_run(lua_State *L, awl_state *s, awl_loop *loop) {
  switch (aw_loop_state_of(loop->core)) {
  case AW_LOOP_FAILED: return raise_run_failure(L, s, loop);
  case AW_LOOP_TIMEOUT: lua_pushliteral(L, "timeout"); return 1;
  case AW_LOOP_STOPPED: lua_pushliteral(L, "stopped"); return 1;
  default: lua_pushliteral(L, "done"); return 1;
  }
}

/* Begin a run of `loop`. The EventLoop is anchored while the run lasts. */
static int begin_run(lua_State *L, awl_loop *loop, uint64_t timeout) {
  if (!awl_loop_anchor(L, loop))
    return AW_EENDED;
  int rc = aw_loop_begin(loop->core, timeout);
  awl_loop_let_go(loop->state, loop->core);
  return rc;
}

/* Let the task of `w` wait for a run of `loop`. */
static int await_run(lua_State *L, awl_worker *w, awl_loop *loop,
                     uint64_t timeout) {
  if (!awl_loop_anchor(L, loop))
    return AW_EENDED;
  int rc = aw_await_loop(w->task, loop->core, timeout);
  awl_loop_let_go(loop->state, loop->core);
  return rc;
}

int awl_loop_drive(lua_State *L, awl_loop *loop, aw_task *until) {
  int rc = begin_run(L, loop, AW_NEVER);
  return rc < 0 ? rc : awl_drive(L, loop->state, loop, until, AW_NEVER);
}

static int refuse_run(lua_State *L, const awl_loop *loop, int rc) {
  if (rc == AW_EBUSY)
    return awl_error(L, "this EventLoop is already running");
  if (rc == AW_EENDED)
    return awl_ended(L, loop);
  return awl_error(L, "not enough memory");
}

/* Raise Cancelled if the running task is cancelled. */
static void check_cancel(lua_State *L, awl_state *s) {
  const aw_task *task = awl_running_task(s);
  if (!task || !aw_task_cancelled(task))
    return;
  awl_note_cut_here(L, s->run.running, "EventLoop:run");
  awl_push_cancelled(L, s, task);
  lua_error(L);
}

int awl_refuse_hosted(lua_State *L, const char *what) {
  return awl_error(L,
                   "cannot run an EventLoop outside a task here (%s): the host "
                   "program drives the engine; let the program start a task",
                   what);
}

static int raise_interrupted(lua_State *L, const awl_state *s) {
  const char *place = s->notices.interrupted;
  if (place[0] == '\0')
    return awl_error(L, "interrupted!");
  return awl_error(L, "interrupted! (busy at %s)", place);
}

/* Drive `loop` from the caller. In a task of another engine the call is an
 * await: it raises Cancelled if the task is cancelled before or during the run
 * [C2, S6, S7]. */
static int run_outside(lua_State *L, awl_state *s, awl_loop *loop,
                       uint64_t timeout, uint64_t limit) {
  check_cancel(L, s);
  if (s->background > 0 && aw_loop_state_of(loop->core) == AW_LOOP_IDLE)
    s->upcalls.start_background(L, s, loop);
  int rc = begin_run(L, loop, timeout);
  if (rc < 0)
    return refuse_run(L, loop, rc);
  /* the signals are those of the host program, if there is one */
  bool held = loop->signals && !s->hosted && awl_signals_hold(s, loop->engine);
  rc = awl_drive(L, s, loop, NULL, limit);
  int signal = 0;
  if (held) {
    awl_interrupt_answer(L, s); /* the run has ended before the driver did */
    signal = awl_signals_release(s);
  }
  if (rc < 0) { /* as without descriptors; it may be run again, or closed */
    aw_loop_pause(loop->core);
    return aw_lua_system_error(L, rc, "run", "the event loop");
  }
  if (aw_loop_state_of(loop->core) == AW_LOOP_RUNNING)
    aw_loop_pause(loop->core); /* the run was left, see first_await.c */
  if (signal)
    s->signal = signal;
  if (signal && !s->host && aw_loop_state_of(loop->core) != AW_LOOP_FAILED)
    return raise_interrupted(L, s);
  /* the run around this one will stop as well */
  bool stopped = awl_signals_count(s) > 0 && !awl_session_of(s, s->run.loop);
  if (!stopped && aw_loop_state_of(loop->core) != AW_LOOP_FAILED)
    check_cancel(L, s);
  return end_run(L, s, loop);
}

static int after_run(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  awl_loop *loop = awl_loop_at(L, 1);
  if (awl_is_refused(w))
    return refuse_run(L, loop, w->result);
  /* If the wait was refused and the task was cancelled in the turn after that,
   * the loop may be closed by now. */
  if (!loop->core || aw_loop_state_of(loop->core) != AW_LOOP_FAILED) {
    check_cancel(L, s);
    awl_check_result(L, w);
  }
  return end_run(L, s, loop);
}

static int run_loop(lua_State *L, awl_state *s, awl_loop *loop,
                    uint64_t timeout) {
  if (!loop->core)
    return awl_ended(L, loop);
  if (s->drawing && s->run.running)
    awl_awaiter(L, s, "EventLoop:run"); /* does not return */
  bool inside = s->run.engine == loop->engine;
  if (!inside && loop->engine->hosted)
    return awl_refuse_hosted(L, "EventLoop:run");
  if (s->hosted && s->hosted_loop == loop &&
      aw_loop_state_of(loop->core) == AW_LOOP_RUNNING)
    return refuse_run(L, loop, AW_EBUSY);
  if (s->in_handler)
    return awl_error(L, "cannot run an EventLoop in a handler; start tasks");
  if (!inside || (!s->run.running && !s->run.engine))
    return run_outside(L, s, loop, timeout, AW_NEVER);
  awl_worker *w = awl_awaiter(L, s, "EventLoop:run");
  int rc = await_run(L, w, loop, timeout);
  return awl_wait(L, w, rc, after_run);
}

int awl_loop_run(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  uint64_t timeout = lua_isnoneornil(L, 2) ? loop->timeout : awl_check_ns(L, 2);
  lua_settop(L, 1);
  return run_loop(L, s, loop, timeout);
}

/* Does a run drive the engine of `loop`: the current run, or one around it?
 * Then that run will end the loop in its own time. If no run does and the loop
 * is running, a task's `__close` has left the loop half way: whoever closes the
 * loop drives it. */
static bool is_driven(const awl_loop *loop) {
  if (loop->engine->hosted || awl_session_of(loop->state, loop->core))
    return true;
  for (const awl_run *r = &loop->state->run; r; r = r->outer)
    if (r->engine == loop->engine)
      return true;
  return false;
}

void awl_loop_stop(awl_loop *loop) {
  awl_session *session = awl_session_of(loop->state, loop->core);
  if (session)
    session->stop(session);
  else
    aw_loop_stop(loop->core, false);
}

static void end_left(lua_State *L, awl_loop *loop) {
  awl_state *s = loop->state;
  awl_loop_stop(loop);
  if (is_driven(loop))
    return;
  /* may be true for a task of another engine */
  bool in_handler = s->in_handler;
  s->in_handler = false;
  awl_loop_drive(L, loop, NULL);
  s->in_handler = in_handler;
}

/* Close the loop. If it is running, stop it; if its run was left half way,
 * drive it to its end. */
static int close_now(lua_State *L, awl_loop *loop) {
  if (!loop->core)
    return 0;
  if (aw_loop_close(loop->core) == AW_EBUSY)
    end_left(L, loop);
  return 0;
}

static int after_close_run(lua_State *L, awl_worker *w) {
  awl_loop *loop = awl_loop_at(L, 1);
  int results = after_run(L, w);
  close_now(L, loop);
  return results;
}

/* `__close`: run the loop if the block ended without an error; after an error,
 * close the loop, so that its tasks end unstarted [L1]. */
int awl_loop_leave(lua_State *L) {
  awl_state *s = awl_of(L);
  awl_loop *loop = awl_check_loop(L, s);
  if (!loop->core)
    return 0;
  aw_loop_state state = aw_loop_state_of(loop->core);
  bool half_way = state == AW_LOOP_RUNNING && !is_driven(loop);
  if (!lua_isnoneornil(L, 2) || (state != AW_LOOP_IDLE && !half_way))
    return close_now(L, loop);
  lua_settop(L, 1);
  if (s->run.engine != loop->engine && loop->engine->hosted) {
    close_now(L, loop);
    return awl_refuse_hosted(L, "EventLoop:close");
  }
  if (s->run.engine != loop->engine) {
    run_loop(L, s, loop, loop->timeout);
    return close_now(L, loop);
  }
  awl_worker *w = awl_awaiter(L, s, "EventLoop:run");
  int rc = await_run(L, w, loop, loop->timeout);
  return awl_wait(L, w, rc, after_close_run);
}

int awl_loop_close(lua_State *L) {
  return close_now(L, awl_check_loop(L, awl_of(L)));
}

/* (loop, light limit) */
static int run_test(lua_State *L) {
  awl_state *s = awl_of(L);
  const uint64_t *limit = lua_touserdata(L, 2);
  return run_outside(L, s, awl_check_loop(L, s), AW_NEVER, *limit);
}

/* (loop, seconds): the loop of a test. A body that is busy at the limit is
 * interrupted. */
int awl_loop_run_limited(lua_State *L) {
  awl_check_loop(L, awl_of(L));
  uint64_t ns = awl_check_ns(L, 2), now = awl_real_time();
  uint64_t limit = ns < AW_NEVER - now ? now + ns : AW_NEVER;
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1)); /* for awl_of() */
  lua_pushcclosure(L, run_test, 1);
  lua_insert(L, 1);
  lua_pushlightuserdata(L, &limit);
  awl_guard *guard = NULL;
  int rc = limit < AW_NEVER ? awl_guard_open(L, limit, &guard) : 0;
  if (rc < 0)
    return aw_lua_system_error(L, rc, "run", "the event loop");
  int status = lua_pcall(L, 2, 1, 0);
  awl_guard_close(guard);
  return status == LUA_OK ? 1 : lua_error(L);
}
