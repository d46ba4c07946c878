/* driver.c - the driver: pulls steps from the engine and runs them
 *
 *   ev:run() ─ awl_drive() ── aw_next() ──► step: CALL, RESUME → worker.c
 *                  ▲    │                         FAILED → its handler [E7]
 *                  │    ▼                         KILL, DEADLOCK, … → here
 *                  └─ dispatch_step()
 *
 * A running worker pulls steps itself. It leaves to the driver each step that
 * no worker can run (run.step). Nothing in this file raises: code that may
 * raise runs in lua_pcall. Out of memory, the loop fails with the engine's own
 * error.
 *
 * The file is long, since the answer to each kind of step stands in it.
 *
 * Neighbours: loop_run.c calls awl_drive(), and so does lua/embed/session.c,
 * which answers what would end its loop; limits.c bounds a run.
 */
#include "run/driver.h"

#include "base/loops.h"
#include "base/memory_pressure.h"
#include "base/parts.h"
#include "base/show_value.h"
#include "base/tasks.h"
#include "base/values.h"
#include "errors/core_error.h"
#include "errors/error_object.h"
#include "errors/errors.h"
#include "errors/info.h"
#include "errors/kept.h"
#include "errors/mistake.h"
#include "errors/notice.h"
#include "errors/raised.h"
#include "errors/traceback.h"
#include "open.h"
#include "run/debug_hooks.h"
#include "run/pool.h"
#include "run/worker.h"
#include "signals/interrupt.h"
#include "signals/limits.h"
#include "signals/signals.h"
#include "wire/build.h"
#include "wire/task_text.h"

#include <stdio.h>
#include <string.h>

/* ---- killed tasks [C9] ---- */

/* Push the entry of `task` in ev.stuck. Return whether the entry is new. */
static bool push_stuck(lua_State *L, awl_state *s, aw_task *task) {
  awl_push_loop(L, s, awl_loop_of(s, aw_task_loop(task)));
  lua_getiuservalue(L, -1, 2);
  int stuck = lua_gettop(L);
  lua_Integer count = (lua_Integer)lua_rawlen(L, stuck);
  awl_push_task(L, s, task);
  if (count > 0) {
    lua_rawgeti(L, stuck, count);
    lua_getfield(L, -1, "task");
    if (lua_rawequal(L, -1, stuck + 1)) {
      lua_pop(L, 1);
      return false;
    }
  }
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, -1);
  lua_rawseti(L, stuck, count + 1);
  lua_pushvalue(L, stuck + 1);
  lua_setfield(L, -2, "task");
  return true;
}

/* (light worker): list the worker's task in ev.stuck, with the traceback of
 * this worker. */
static int note_stuck(lua_State *L) {
  awl_worker *w = lua_touserdata(L, 1);
  awl_state *s = awl_open(L);
  bool is_new = push_stuck(L, s, w->task);
  int entry = lua_gettop(L);
  awl_push_plain_name(L, s, w->task);
  lua_setfield(L, entry, "name");
  awl_push_traceback(L, s, w->co, 0);
  if (!is_new) { /* this worker is an outer one of the same task */
    lua_getfield(L, entry, "traceback");
    lua_insert(L, -2);
    lua_pushliteral(L, "\n");
    lua_insert(L, -2);
    lua_concat(L, 3);
  }
  lua_setfield(L, entry, "traceback");
  return 0;
}

static void do_kill(lua_State *L, awl_state *s) {
  awl_worker *w = s->run.step.data;
  aw_task *task = s->run.step.task;
  if (!s->starved) { /* else each attempt would collect all garbage */
    lua_pushcfunction(L, note_stuck);
    lua_pushlightuserdata(L, w);
    if (!awl_succeeded(s, lua_pcall(L, 1, 0, 0)))
      lua_pop(L, 1); /* the worker is closed all the same */
  }
  char text[96];
  snprintf(text, sizeof text,
           "aiowire: task %llu did not end when it was cancelled, and is "
           "killed; see ev.stuck",
           (unsigned long long)aw_task_id(task));
  lua_warning(L, text, 0);
  awl_worker_end(w);
  aw_step_killed(task);
}

/* ---- failures and their handlers [E7, E8] ---- */

/* Let the loop fail with `error` (taken). A session only tells of it. */
static void end_loop(lua_State *L, awl_loop *loop, aw_error *error,
                     aw_task *task) {
  awl_session *session = awl_session_of(loop->state, loop->core);
  if (!session) {
    aw_loop_fail(loop->core, error);
    return;
  }
  session->failed(session, L, error, task);
  aw_error_release(error);
}

/* Let the loop fail with the error on top (popped). Its info is a copy of the
 * info at `info`, with the error as `err`. */
static void fail_loop(lua_State *L, awl_loop *loop, int info) {
  end_loop(L, loop, awl_make_derived_error(L, loop, info), NULL);
}

/* The message handler for handlers of tasks: wraps the error in a table {err=,
 * traceback=}. */
static int trace_handler(lua_State *L) {
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) { /* [E1] */
    lua_pushliteral(L, "<nil error>");
    lua_replace(L, 1);
  }
  lua_createtable(L, 0, 2);
  lua_pushvalue(L, 1);
  lua_setfield(L, -2, "err");
  awl_push_traceback(L, awl_open(L), L, 1);
  lua_setfield(L, -2, "traceback");
  return 1;
}

/* The error at `raised` is what run() raises, raw. If it is a table, the error
 * at `error` becomes its `cause` [E8]. */
static void set_cause(lua_State *L, int raised, int error) {
  if (!lua_istable(L, raised))
    return;
  lua_pushliteral(L, "cause");
  if (lua_rawget(L, raised) == LUA_TNIL) {
    lua_pushliteral(L, "cause");
    lua_pushvalue(L, error);
    lua_rawset(L, raised);
  }
  lua_pop(L, 1);
}

/* The handler of a task has raised. `failure` is the error of the task; its
 * value is at ERROR, and its info at INFO. If `traced`, the table of
 * trace_handler() is on top; else a plain error, since there was no memory for
 * a table. */
enum { ERROR = 2, INFO = 3, HANDLER = 4 };
static void handler_raised(lua_State *L, awl_loop *loop, aw_error *failure,
                           bool traced) {
  if (!traced) {
    fail_loop(L, loop, INFO);
    return;
  }
  lua_getfield(L, -1, "err");
  /* the handler raised the same error again */
  if (lua_rawequal(L, -1, ERROR)) {
    fail_loop(L, loop, INFO);
    return;
  }
  set_cause(L, lua_gettop(L), ERROR);
  lua_pop(L, 1);
  end_loop(L, loop, awl_make_handler_error(L, loop, INFO, failure), NULL);
}

/* The handler at HANDLER returned the value on top. */
static void handler_returned(lua_State *L, const aw_task *task) {
  if (!lua_isuserdata(L, -1) || !awl_is_object(L, awl_open(L), -1))
    return;
  awl_show_value(L, awl_open(L), -1);
  lua_pushfstring(L,
                  "nobody runs the wire that this task's handler returned "
                  "(%s); start it, as ev:start(w), or use w:catch(f)",
                  lua_tostring(L, -1));
  const char *where = aw_task_where(task);
  awl_mistake(L, where ? where : "?", "handler");
}

/* Push the info of the failed task, and put it at INFO. */
static void put_info(lua_State *L, awl_state *s, aw_task *task) {
  awl_push_info(L, s, aw_task_error(task), task);
  lua_replace(L, INFO);
}

/* Call the handler. Debug hooks apply to the handler; a hook that it sets
 * applies to all bodies. A handler that cannot see its third argument gets no
 * info. */
static void call_handler(lua_State *L, awl_state *s, awl_loop *loop,
                         aw_task *task) {
  int count = awl_sees_argument(L, HANDLER, 3) ? 3 : 2;
  if (count == 3)
    put_info(L, s, task);
  lua_pushcfunction(L, trace_handler);
  lua_pushvalue(L, HANDLER);
  awl_push_loop(L, s, loop);
  lua_pushvalue(L, ERROR);
  if (count == 3)
    lua_pushvalue(L, INFO);
  awl_hooks_unmute(L, &s->run.muted);
  awl_hooks_enter_handler(L, s);
  int status = lua_pcall(L, count, 1, HANDLER + 1);
  awl_hooks_leave_handler(L, s);
  awl_hooks_begin_mute(L, &s->run.muted);
  if (awl_succeeded(s, status)) {
    handler_returned(L, task);
    return;
  }
  if (count < 3)
    put_info(L, s, task);
  handler_raised(L, loop, aw_task_error(task), status == LUA_ERRRUN);
}

/* (light task, light state): call the handler of the failed task [E7, E8]. */
static int handle_failure(lua_State *L) {
  aw_task *task = lua_touserdata(L, 1);
  awl_state *s = lua_touserdata(L, 2);
  awl_loop *loop = awl_loop_of(s, aw_task_loop(task));
  aw_error *failure = aw_task_error(task);
  awl_push_error(L, s, loop, failure);
  awl_place_error(L, s, task);
  lua_replace(L, ERROR);
  lua_pushnil(L); /* at INFO */
  awl_push_value(L, s, aw_task_handler(task));
  if (s->upcalls.settle_ready(L, s, task))
    return 0;
  if (lua_isnil(L, HANDLER) && awl_session_of(s, loop->core)) {
    end_loop(L, loop, aw_error_keep(failure), task);
  } else if (lua_isnil(L, HANDLER)) {
    put_info(L, s, task);
    lua_pushvalue(L, ERROR);
    lua_pushvalue(L, INFO);
    awl_push_unhandled(L);
    fail_loop(L, loop, INFO);
  } else if (lua_isboolean(L, HANDLER)) { /* aw.run(): the error itself, raw */
    end_loop(L, loop, aw_error_keep(failure), task);
  } else if (awl_is_keep(L, s, HANDLER)) {
    put_info(L, s, task);
    lua_pushvalue(L, INFO);
    awl_keep_failure(L, s, task);
  } else {
    call_handler(L, s, loop, task);
  }
  return 0;
}

static bool lacked_memory(const aw_task *task) {
  return aw_error_code(aw_task_error(task)) == AW_ENOMEM;
}

/* A task has failed for lack of memory: must its loop fail at once? True if it
 * is too late to call a handler, or if memory is still short and the task has
 * no handler. */
static bool must_fail_loop(const awl_state *s, const aw_task *task) {
  return aw_scope_overdue(aw_loop_scope(aw_task_loop(task))) ||
         (s->starved && !aw_task_handler(task));
}

/* There is no memory to call a handler, or to say more. */
static void fail_plainly(lua_State *L, awl_state *s, const aw_task *task) {
  aw_loop *loop = aw_task_loop(task);
  aw_error *error = aw_task_error(task);
  if (awl_session_of(s, loop))
    lua_warning(L, "aiowire: a task has failed: not enough memory", 0);
  else
    aw_loop_fail(loop, aw_error_keep(error));
}

static void do_failed(lua_State *L, awl_state *s) {
  aw_task *task = s->run.step.task;
  aw_loop *loop = s->run.step.loop;
  const awl_session *session = awl_session_of(s, loop);
  if (session && session->calls(session, task)) {
    aw_step_handled(task);
    return;
  }
  /* The core may lack memory while Lua still finds some for each handler, by a
   * full collection each time. */
  bool lacked = lacked_memory(task);
  if (lacked)
    s->run.hurried = true;
  if (lacked && must_fail_loop(s, task)) {
    fail_plainly(L, s, task);
    aw_step_handled(task);
    return;
  }
  bool outer = s->in_handler;
  aw_loop *outer_loop = s->handler_loop;
  aw_task *outer_task = s->handler_task;
  s->in_handler = true;
  s->handler_loop = loop;
  s->handler_task = task;
  lua_pushcfunction(L, handle_failure);
  lua_pushlightuserdata(L, task);
  lua_pushlightuserdata(L, s);
  awl_interrupt_watch(s, L);
  int status = lua_pcall(L, 2, 0, 0);
  awl_interrupt_watch(s, NULL);
  awl_interrupt_step_over(s, L);
  if (!awl_succeeded(s, status)) {
    lua_pop(L, 1);
    fail_plainly(L, s, task);
  }
  s->in_handler = outer;
  s->handler_loop = outer_loop;
  s->handler_task = outer_task;
  aw_step_handled(task);
}

/* (light loop): fail the loop with a Deadlock that shows the tree of tasks
 * [L4]. */
static int note_deadlock(lua_State *L) {
  awl_state *s = awl_open(L);
  awl_loop *loop = awl_loop_of(s, lua_touserdata(L, 1));
  awl_push_embedded(L, "aiowire.dump");
  awl_push_loop(L, s, loop);
  lua_call(L, 1, 1);
  awl_add_recorded(L, s);
  awl_push_deadlock(L, lua_tostring(L, -1));
  aw_loop_fail(loop->core, awl_make_derived_error(L, loop, 0));
  return 0;
}

static void do_deadlock(lua_State *L, awl_state *s) {
  aw_loop *loop = s->run.step.loop;
  awl_session *session = awl_session_of(s, loop);
  if (session && session->blocked(session, L))
    return;
  lua_pushcfunction(L, note_deadlock);
  lua_pushlightuserdata(L, loop);
  if (!awl_succeeded(s, lua_pcall(L, 1, 0, 0))) {
    lua_pop(L, 1);
    aw_loop_fail(loop, aw_error_new(s->run.engine->core, AW_EDEADLOCK, 0));
  }
}

/* Signals have come, `count` in all. */
static void stop_run(const awl_state *s, const awl_run *run, int count) {
  awl_session *session = awl_session_of(s, run->loop);
  if (session)
    session->signalled(session);
  else
    aw_loop_stop(run->loop, count > 1);
}

static void do_woken(lua_State *L, awl_state *s) {
  awl_interrupt_answer(L, s);
  int count;
  if (awl_signals_taken(s, &count)) {
    awl_limit_grace(&s->run);
    stop_run(s, &s->run, count);
  }
  const awl_session *session = awl_session_of(s, s->run.loop);
  if (session && session->ready)
    s->run.over = true;
  (void)awl_limit_end(s);
  awl_limit_check(L, s);
}

/* ---- warnings, for who has them on (`-W`, `warn "@on"`) [D4] ---- */

static void do_slow(lua_State *L, awl_state *s) {
  const aw_step *step = &s->run.step;
  char text[128];
  snprintf(text, sizeof text,
           "aiowire: for %.2f s nothing else could run; the step was of task "
           "%llu or of one just before it",
           awl_seconds(step->ns), (unsigned long long)step->id);
  lua_warning(L, text, 0);
  awl_limit_slow(s);
}

/* (light error, light loop) → its text, or "". */
static int error_text(lua_State *L) {
  awl_loop *loop = lua_touserdata(L, 2);
  awl_push_error(L, loop->state, loop, lua_touserdata(L, 1));
  luaL_tolstring(L, -1, NULL);
  return 1;
}

/* Warn that a slow clean-up is over. The error that it held back is known
 * now. */
static void do_late(lua_State *L, awl_state *s) {
  const aw_step *step = &s->run.step;
  char text[128];
  char whose[32] = "the loop";
  if (step->id)
    snprintf(whose, sizeof whose, "task %llu", (unsigned long long)step->id);
  snprintf(text, sizeof text, "aiowire: clean-up of %s took %.2f s%s", whose,
           awl_seconds(step->ns),
           step->error ? "; until then it hid this error: " : "");
  lua_warning(L, text, step->error != NULL);
  if (!step->error)
    return;
  lua_pushcfunction(L, error_text);
  lua_pushlightuserdata(L, step->error);
  lua_pushlightuserdata(L, awl_loop_of(s, s->run.loop));
  bool made = lua_pcall(L, 2, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING;
  lua_warning(L, made ? lua_tostring(L, -1) : "(no text)", 0);
  lua_pop(L, 1);
}

static void do_swallowed(lua_State *L, awl_state *s) {
  char text[160];
  snprintf(text, sizeof text,
           "aiowire: task %llu was cancelled, caught that, and awaited again: "
           "raise Cancelled on, and let clean-up await inside aw.shield",
           (unsigned long long)s->run.step.id);
  lua_warning(L, text, 0);
}

/* (light step): warn that the clean-up of the task still holds back an
 * error. */
static int tell_holding(lua_State *L) {
  const aw_step *step = lua_touserdata(L, 1);
  awl_state *s = awl_open(L);
  if (step->error)
    awl_push_error(L, s, awl_loop_of(s, aw_task_loop(step->task)), step->error);
  else if (!awl_push_held(L, s, step->task))
    return 0;
  const char *text = luaL_tolstring(L, -1, NULL);
  awl_push_task_name(L, s, step->task);
  lua_pushfstring(
      L,
      "aiowire: the clean-up of %s has taken %d s so far, and until "
      "it ends it holds back this error: %s",
      lua_tostring(L, -1), (int)awl_seconds(step->ns), text);
  lua_warning(L, lua_tostring(L, -1), 0);
  return 0;
}

static void do_holding(lua_State *L, awl_state *s) {
  awl_try_telling(L, tell_holding, &s->run.step);
}

/* ---- driving ---- */

/* Run a step that resumes no body, or a RESUME of a task that is given up. */
static void dispatch_muted(lua_State *L, awl_state *s) {
  awl_hooks_begin_mute(L, &s->run.muted);
  switch (s->run.step.what) {
  case AW_STEP_CALL: break;
  case AW_STEP_RESUME:
  case AW_STEP_KILL: do_kill(L, s); break;
  case AW_STEP_FAILED: do_failed(L, s); break;
  case AW_STEP_DEADLOCK: do_deadlock(L, s); break;
  case AW_STEP_SLOW: do_slow(L, s); break;
  case AW_STEP_LATE: do_late(L, s); break;
  case AW_STEP_SWALLOWED: do_swallowed(L, s); break;
  case AW_STEP_HOLDING: do_holding(L, s); break;
  case AW_STEP_WOKEN: do_woken(L, s); break;
  }
  awl_hooks_unmute(L, &s->run.muted);
}

static void dispatch_step(lua_State *L, awl_state *s) {
  s->steps++;
  switch (s->run.step.what) {
  case AW_STEP_CALL: awl_worker_call(L, s); break;
  case AW_STEP_RESUME:
    if (!awl_is_given_up(s, s->run.step.task)) {
      awl_worker_resume(L, s);
      break;
    }
    /* fallthrough */
  default: dispatch_muted(L, s);
  }
}

/* A signal that ended the run of a private engine also ends the run around it
 * [L2]. */
static void pass_signal_on(const awl_state *s, const awl_run *outer) {
  int count = awl_signals_count(s);
  if (count > 0)
    stop_run(s, outer, count);
}

/* Is there a step to run? A worker may have left one; else pull the next. */
static bool has_step(awl_run *run) {
  if (run->has_step || run->over)
    return !run->over;
  if (awl_until_is_over(run))
    run->over = true;
  else
    awl_pull(run);
  return run->has_step;
}

/* Run the step at hand, and those that follow. Both callers come here, so that
 * dispatch_step() is inline. */
static void drive(lua_State *L, awl_state *s) {
  do {
    s->run.has_step = false;
    dispatch_step(L, s);
  } while (has_step(&s->run));
}

void awl_run_step(lua_State *L, awl_state *s) {
  s->run.over = true; /* a worker pulls no further step */
  drive(L, s);
}

/* The engine that runs has changed. */
static void tell_who_looks(lua_State *L, awl_state *s) {
  if (s->upcalls.runs)
    s->upcalls.runs(L, s);
}

int awl_drive(lua_State *L, awl_state *s, awl_loop *loop, aw_task *until,
              uint64_t limit) {
  awl_run outer = s->run;
  memset(&s->run, 0, sizeof s->run);
  awl_run *run = &s->run;
  run->engine = loop->engine;
  run->loop = loop->core;
  run->driver = run->outside = L;
  run->until = until;
  run->settles = awl_session_of(s, loop->core) != NULL;
  run->limit = limit;
  run->hard_at = AW_NEVER;
  run->outer = outer.engine ? &outer : NULL;
  /* where the body around this run is; it may be a coroutine of the user */
  lua_State *around =
      s->interruption.sources > 0 ? atomic_load(&s->interruption.co) : outer.co;
  aw_engine *woken =
      loop->signals ? awl_signals_wake(s, loop->engine->core) : NULL;
  awl_limit_check(L, s);
  tell_who_looks(L, s);
  if (has_step(run))
    drive(L, s);
  int rc = run->rc;
  if (woken)
    awl_signals_wake(s, woken);
  s->run = outer;
  tell_who_looks(L, s);
  if (!outer.engine) {
    awl_workers_trim(s);
  } else {
    pass_signal_on(s, &outer);
    awl_limit_check(L, s);
  }
  awl_interrupt_watch(s, around);
  return rc;
}

void awl_open_driver(lua_State *L, awl_state *s) {
  (void)L;
  s->upcalls.worker = awl_worker_main;
  s->upcalls.turns = awl_worker_turns;
  s->upcalls.handler = handle_failure;
}
