/* worker.c - workers: the only place that resumes coroutines of the engine
 *
 *   aw_next() ──► step: CALL   → awl_worker_call():   an idle worker
 *                       RESUME → awl_worker_resume(): the parked worker
 *      lua_resume ──► worker: lua_pcallk(step), aw_step_done(), aw_next(), …
 *      yields when its step waits, or when the next step is not a CALL
 *
 * A worker is a coroutine that pulls steps from the engine itself: as long as
 * the next step is a CALL, the worker runs it without a switch of coroutines. A
 * step that awaits keeps its worker, parked, and the driver goes on with
 * another worker. So a yield never unwinds a frame of the core. A task with
 * awaits inside awaits owns several workers.
 *
 * A body runs in lua_pcallk inside its worker's coroutine [E6], so its
 * `<close>` handlers run there, in order, and may await. An error outside of
 * that call (for example, no room for the results) ends the worker, and the
 * task fails with that error.
 *
 * Neighbours: pool.c makes and ends workers; input.c pushes what a body is
 * called with; report.c reports the end of a body to the core; driver.c runs
 * all other steps.
 *
 * Invariants: run.running is the worker whose coroutine is being resumed, and
 * run.co the coroutine in which awaits are valid. A worker that yields is idle
 * or has set `parked`. A parked worker goes on only when `resumed` is set.
 */
#include "run/worker.h"

#include "base/location.h"
#include "base/loops.h"
#include "base/memory_pressure.h"
#include "errors/core_error.h"
#include "errors/errors.h"
#include "errors/frames.h"
#include "run/await.h"
#include "run/debug_hooks.h"
#include "run/input.h"
#include "run/pool.h"
#include "run/report.h"
#include "signals/interrupt.h"
#include "signals/limits.h"
#include "wire/build.h"

#include <stdio.h>
#include <string.h>

/* ---- the worker ---- */

static int after_call(lua_State *L, int status, lua_KContext context);
static int after_idle(lua_State *L, int status, lua_KContext context);

/* These call the body of the step. They return its status if it ends without a
 * yield; else after_call() goes on. */

/* The body is a plain function: f() of a Call, or f(ev). */
static int call_plain(lua_State *L, awl_worker *w, int results, int handler) {
  int count = w->leaf->kind != AWL_LEAF_CALL;
  lua_pushvalue(L, w->content);
  if (count > 0)
    lua_pushvalue(L, AWL_AT_LOOP);
  return lua_pcallk(L, count, results, handler, (lua_KContext)w, after_call);
}

/* Is the body a function that gets nothing but, perhaps, the EventLoop? */
static bool is_plain(const awl_leaf *leaf) {
  return leaf->extra < 0 &&
         (leaf->kind == AWL_LEAF_CALL || leaf->kind == AWL_LEAF_BODY ||
          leaf->kind == AWL_LEAF_HELD);
}

static int call_body(lua_State *L, awl_worker *w) {
  if (w->state->gc_stress)
    lua_gc(L, LUA_GCCOLLECT);
  int count = awl_push_call(L, w);
  if (!awl_leaf_calls(w->leaf))
    return LUA_OK;
  return lua_pcallk(L, count, LUA_MULTRET, AWL_AT_HANDLER, (lua_KContext)w,
                    after_call);
}

/* Call the body of the worker's leaf. If nobody will see its error, there is no
 * message handler: the handler costs as much as a call. The leaf knows from its
 * last error whether it is worth while to ask. */
static int call_leaf(lua_State *L, awl_worker *w) {
  if (!is_plain(w->leaf) || w->state->gc_stress)
    return call_body(L, w);
  bool unseen = w->leaf->unseen && !aw_step_wants_error(w->task);
  return call_plain(L, w, LUA_MULTRET, unseen ? 0 : AWL_AT_HANDLER);
}

/* Run the step at hand. Returns as call_body(). */
static int begin_step(lua_State *L, awl_worker *w) {
  awl_run *run = &w->state->run;
  run->has_step = false;
  w->task = run->step.task;
  w->reported = false;
  w->leaf = run->step.data;
  awl_put_content(L, w);
  return call_leaf(L, w);
}

/* ---- the same step once more ----
 *
 * The body has ended without an error. Most often its task then runs the same
 * step again: it is the next turn of a repeat, or the body has returned the
 * wire that it runs in. Then the worker calls the body at once, without a
 * report. */

/* Can the report be spared? It drops errors; after it, the worker looks for the
 * end of the run. */
static bool is_plain_end(const awl_worker *w) {
  return !w->noted && !w->passing && !w->raising && !w->state->run.until;
}

static bool has_chores(lua_State *L, const awl_worker *w) {
  return lua_gethook(L) || w->hooked || w->state->gc_stress;
}

/* The hooks that the body has set end with it. If somebody interrupts the next
 * body, too, that one begins with such a hook. */
static void end_hooks(awl_worker *w) {
  awl_interrupt_step_over(w->state, w->co);
  awl_hooks_step_over(w->co, w);
  awl_interrupt_renew(w->state, w->co);
}

static void do_chores(lua_State *L, awl_worker *w) {
  end_hooks(w);
  if (w->state->gc_stress)
    lua_gc(L, LUA_GCCOLLECT);
}

/* How many results to ask a turn of a repeat for, when so many turns are left:
 * all, to look at them, or in the last turn, which gives the value of the
 * wire. */
static int wanted_results(const awl_leaf *leaf, uint64_t turns) {
  return leaf->looks < AWL_MOST_LOOKS || turns == 1 ? LUA_MULTRET : 0;
}

/* Nobody wants the results of a turn of a repeat. */
static void drop_results(lua_State *L, awl_worker *w) {
  if (lua_gettop(L) == AWL_AT_BASE)
    return;
  if (w->leaf->looks < AWL_MOST_LOOKS)
    awl_look_for_wire(L, w, AWL_AT_BASE + 1);
  lua_settop(L, AWL_AT_BASE);
}

/* The turns of a repeat of a plain Call, after the first ones, share one
 * protected call, that of awl_worker_turns(). Each of them is a plain call
 * there, which costs less. */
enum { TURNS_CALL = 2 };

/* Run turns as long as the task may go on, and nothing is to be done between
 * them. The results of the last turn, or results to look at, are above
 * TURNS_CALL then. */
static int run_turns(lua_State *L, int status, lua_KContext context) {
  (void)status;
  const awl_worker *w = (const awl_worker *)context;
  uint64_t turns;
  while (lua_gettop(L) == TURNS_CALL && !has_chores(L, w) && is_plain_end(w) &&
         (turns = aw_step_again(w->task)) > 0) {
    lua_pushvalue(L, TURNS_CALL);
    lua_callk(L, 0, wanted_results(w->leaf, turns), context, run_turns);
  }
  return lua_gettop(L) - TURNS_CALL;
}

/* (light worker, f) → the results of f */
int awl_worker_turns(lua_State *L) {
  return run_turns(L, LUA_OK, (lua_KContext)lua_touserdata(L, 1));
}

/* Returns as call_body(). */
static int call_turns(lua_State *L, awl_worker *w) {
  lua_pushcfunction(L, awl_worker_turns);
  lua_pushlightuserdata(L, w);
  lua_pushvalue(L, w->content);
  return lua_pcallk(L, TURNS_CALL, LUA_MULTRET, AWL_AT_HANDLER, (lua_KContext)w,
                    after_call);
}

/* These run the body again as long as they may. They return as call_body(). */

static int repeat_call(lua_State *L, awl_worker *w, bool plain) {
  int status = LUA_OK, results = LUA_MULTRET;
  uint64_t turns;
  while (status == LUA_OK && is_plain_end(w) &&
         (turns = aw_step_again(w->task)) > 0) {
    if (has_chores(L, w))
      do_chores(L, w);
    if (results != 0)
      drop_results(L, w);
    results = plain ? wanted_results(w->leaf, turns) : LUA_MULTRET;
    status =
        plain ? call_plain(L, w, results, AWL_AT_HANDLER) : call_body(L, w);
    if (status == LUA_OK && plain && lua_gettop(L) == AWL_AT_BASE &&
        !has_chores(L, w)) {
      status = call_turns(L, w);
      results = LUA_MULTRET; /* there may be some */
    }
  }
  return status;
}

/* The worker's leaf is that of another body, and AWL_AT_BASE + 1 has the value
 * that the task holds: the body itself, or its Wire. */
static void put_next_content(lua_State *L, awl_worker *w) {
  const awl_leaf *leaf = w->leaf;
  if (leaf->kind == AWL_LEAF_HELD && (!leaf->wrapped || leaf->extra >= 0)) {
    lua_copy(L, AWL_AT_BASE + 1, w->content);
    w->serial = leaf->serial;
  } else if (leaf->number == AWL_UNNUMBERED) { /* in that Wire */
    lua_getiuservalue(L, AWL_AT_BASE + 1, 1);
    lua_replace(L, w->content);
    w->serial = leaf->serial;
  }
  awl_put_content(L, w);
}

/* May the task of a body go on to the same body, or to the next one, and does
 * it? */
static bool is_body_again(lua_State *L, awl_worker *w) {
  int results = lua_gettop(L) - AWL_AT_BASE;
  if (results == 0)
    return aw_step_again(w->task) > 0;
  if (results != 1)
    return false;
  if (awl_is_itself(L, w, AWL_AT_BASE + 1))
    return aw_step_itself(w->task);
  if (!awl_goes_on(L, w, AWL_AT_BASE + 1, true) || w->reported)
    return false;
  put_next_content(L, w);
  return true;
}

/* The loop ends also when the task has gone on to a leaf of another kind. */
static int repeat_body(lua_State *L, awl_worker *w) {
  int status = LUA_OK;
  do {
    if (!is_plain_end(w) || !is_body_again(L, w))
      return LUA_OK;
    if (has_chores(L, w))
      do_chores(L, w);
    lua_settop(L, AWL_AT_BASE);
    bool plain = awl_is_body(w->leaf) && w->leaf->extra < 0;
    status =
        plain ? call_plain(L, w, LUA_MULTRET, AWL_AT_HANDLER) : call_body(L, w);
  } while (status == LUA_OK && w->leaf->kind != AWL_LEAF_CALL);
  return status;
}

static int run_again(lua_State *L, awl_worker *w) {
  if (w->leaf->kind == AWL_LEAF_CALL)
    return repeat_call(L, w, is_plain(w->leaf));
  return repeat_body(L, w);
}

/* ---- the next alternative ----
 *
 * The body has failed. In `a // b` its task most often runs the next body. */

/* Does the task go on to the next part of a `//`, and is that part a body? */
static bool has_alternative(lua_State *L, awl_worker *w) {
  awl_state *s = w->state;
  if (w->reported || s->run.until || awl_is_cancelled(L, s, -1) ||
      awl_is_given_up(s, w->task))
    return false;
  awl_leaf *failed = (awl_leaf *)(uintptr_t)w->leaf, *next;
  next = aw_step_else(w->task);
  if (!next)
    return false;
  failed->unseen = true;
  w->leaf = next;
  return true;
}

/* Run the next alternatives as long as bodies fail. Returns as call_body(). */
static int run_alternatives(lua_State *L, awl_worker *w, int status) {
  while (status == LUA_ERRRUN && has_alternative(L, w)) {
    awl_clear_body(w);
    if (has_chores(L, w))
      do_chores(L, w);
    lua_settop(L, AWL_AT_BASE);
    awl_put_second_content(L, w);
    status = call_leaf(L, w);
  }
  return status;
}

static bool is_run_over(awl_run *run) {
  if (awl_until_is_over(run))
    run->over = true;
  return run->over;
}

/* Pull the next step. True: it is a CALL, which this worker runs. */
static bool pull_call(awl_worker *w) {
  awl_run *run = &w->state->run;
  if (awl_interrupt_hooked(w->state))
    end_hooks(w);
  else
    awl_hooks_step_over(w->co, w);
  run->has_step = false;
  if (is_run_over(run))
    return false;
  awl_pull(run);
  bool is_call = run->has_step && run->step.what == AW_STEP_CALL &&
                 !awl_is_given_up(w->state, run->step.task);
  w->state->steps += is_call;
  return is_call;
}

static int go_idle(lua_State *L, awl_worker *w) {
  w->task = NULL;
  w->leaf = NULL;
  w->serial = w->second_serial = 0;
  w->loop_number = 0;
  lua_settop(L, AWL_AT_HANDLER); /* keep no value alive */
  awl_pool_put(w);
  w->parked = true;
  return lua_yieldk(L, 0, (lua_KContext)w, after_idle);
}

/* A body has ended with `status`. Run it or its alternatives, or report the
 * step and run the next ones, until there is none that this worker can run. */
static int step_over(lua_State *L, awl_worker *w, int status) {
  for (;;) {
    if (status == LUA_OK)
      status = run_again(L, w);
    else
      status = run_alternatives(L, w, status);
    awl_report_step(L, w, status);
    if (!pull_call(w))
      return go_idle(L, w);
    status = begin_step(L, w);
  }
}

static int run_steps(lua_State *L, awl_worker *w) {
  return step_over(L, w, begin_step(L, w));
}

static int after_call(lua_State *L, int status, lua_KContext context) {
  return step_over(L, (awl_worker *)context,
                   status == LUA_YIELD ? LUA_OK : status);
}

static int after_idle(lua_State *L, int status, lua_KContext context) {
  (void)status;
  awl_worker *w = (awl_worker *)context;
  bool dropped = w->co != L;    /* see drop_idle() in pool.c */
  if (dropped || !w->resumed) { /* resumed by the user: rest on */
    lua_settop(L, AWL_AT_HANDLER);
    w->parked = w->parked || !dropped;
    return lua_yieldk(L, 0, context, after_idle);
  }
  w->resumed = false;
  lua_settop(L, AWL_AT_HANDLER);
  lua_settop(L, AWL_AT_BASE);
  return run_steps(L, w);
}

int awl_worker_main(lua_State *L) {
  awl_worker *w = lua_touserdata(L, 1);
  awl_push_slot(L, w->state, AWL_HANDLER);
  lua_replace(L, AWL_AT_HANDLER);
  lua_settop(L, AWL_AT_BASE);
  w->content = AWL_AT_CONTENT;
  w->resumed = false;
  return run_steps(L, w);
}

/* ---- running them ---- */

static aw_error *out_of_memory(awl_state *s) {
  return aw_error_new(s->run.engine->core, AW_ENOMEM, 0);
}

/* (error, light task): fail the step of the task with that error. Called by
 * pcall. */
static int fail_task(lua_State *L) {
  awl_state *s = awl_open(L);
  aw_task *task = lua_touserdata(L, 2);
  lua_settop(L, 1);
  aw_step_fail(task, awl_make_plain_error(L, s, task));
  return 0;
}

/* Fail the step of `task` with the error on top of L (popped). Out of memory,
 * the task fails with the engine's own error: each attempt to make one in Lua
 * would collect all garbage. */
static void fail_step(lua_State *L, awl_state *s, aw_task *task, int status) {
  if (status == LUA_ERRMEM) {
    awl_starve(s);
    lua_pop(L, 1);
    aw_step_fail(task, out_of_memory(s));
    return;
  }
  lua_pushcfunction(L, fail_task);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, task);
  if (awl_hooks_pcall(L, 2, 0) != LUA_OK) {
    lua_pop(L, 1);
    aw_step_fail(task, out_of_memory(s));
  }
}

/* The worker's coroutine is dead or must not go on: its task fails with the
 * error on top of L. */
static void bury_worker(lua_State *L, awl_worker *w, int status) {
  awl_state *s = w->state;
  aw_task *task = w->reported ? NULL : w->task;
  awl_worker_end(w);
  if (task)
    fail_step(L, s, task, status);
  else
    lua_pop(L, 1);
}

/* (light text) → text */
static int make_text(lua_State *L) {
  lua_pushstring(L, lua_touserdata(L, 1));
  return 1;
}

/* Push `text`, or the error "not enough memory": the driver must not raise. */
static void push_text_safely(lua_State *L, const char *text) {
  lua_pushcfunction(L, make_text);
  lua_pushlightuserdata(L, (void *)(uintptr_t)text);
  (void)awl_hooks_pcall(L, 1, 1);
}

/* Push the message that the body of `w` called coroutine.yield(), and where. */
static void push_yielded(lua_State *L, const awl_worker *w) {
  char text[LUA_IDSIZE + 160], where[LUA_IDSIZE + 16] = "";
  lua_Debug ar;
  if (lua_getstack(w->co, 1, &ar) && lua_getinfo(w->co, "Sl", &ar) &&
      ar.currentline > 0)
    snprintf(where, sizeof where, "%s:%d: ", ar.short_src, ar.currentline);
  snprintf(text, sizeof text,
           "%scoroutine.yield in a body, outside any coroutine of its own: "
           "to wait, use aw.yield() or another await",
           where);
  push_text_safely(L, text);
}

/* Resume a worker; it runs until it parks, goes idle, or dies. */
static void resume_worker(lua_State *L, awl_worker *w) {
  awl_run *run = &w->state->run;
  w->parked = false;
  w->resumed = true;
  w->at_once = 0;
  run->running = w;
  run->co = w->co;
  awl_hooks_resume(L, w);
  awl_interrupt_watch(w->state, w->co);
  int results = 0;
  int status = lua_resume(w->co, L, w->started ? 0 : 1, &results);
  w->started = true;
  awl_interrupt_watch(w->state, NULL);
  run->running = NULL;
  run->co = NULL;
  if (status == LUA_YIELD && w->parked) {
    if (results > 0)
      lua_pop(w->co, results);
    return;
  }
  if (status == LUA_YIELD)
    push_yielded(L, w);
  else
    lua_xmove(w->co, L, 1); /* the worker died: take the error */
  bury_worker(L, w, status);
}

void awl_worker_call(lua_State *L, awl_state *s) {
  aw_task *task = s->run.step.task;
  if (awl_is_given_up(s, task)) {
    aw_step_cancelled(task);
    return;
  }
  awl_worker *w = awl_pool_take(s);
  if (!w && s->starved && aw_task_cancelled(task)) {
    aw_step_cancelled(task); /* a cancelled task need not begin */
    return;
  }
  if (!w)
    w = awl_pool_make(L, s);
  if (!w) {
    aw_step_fail(task, out_of_memory(s));
    return;
  }
  w->task = task; /* bury_worker() fails this task */
  w->reported = false;
  resume_worker(L, w);
}

void awl_worker_resume(lua_State *L, awl_state *s) {
  awl_worker *w = s->run.step.data;
  awl_release_wait(w);
  w->result = s->run.step.result;
  if (w->result != 0)
    w->refused = 0;
  if (w->result == AW_ECANCELED)
    awl_note_cut(L, w);
  if (lua_status(w->co) == LUA_YIELD) {
    resume_worker(L, w);
    return;
  }
  push_text_safely(L, "its coroutine was closed from outside");
  bury_worker(L, w, LUA_ERRRUN);
}
