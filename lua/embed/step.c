/* step.c - runs steps of Lua for a host program that pulls them
 *
 * A worker pulls steps itself when the binding drives (run/worker.c). Here the
 * host program pulls: a worker runs one step and rests, and the engine runs no
 * code while Lua is on the C stack.
 *
 * A step belongs to Lua if its code is ours: the wire of a CALL has a leaf, and
 * parked code is a worker. The host program may have steps of its own in tasks
 * of Lua, and Lua's wires may run only in tasks of their state.
 */
#include "base/loops.h"
#include "base/tasks.h"
#include "embed/hub.h"
#include "run/driver.h"
#include "run/pool.h"
#include "wire/build.h"

/* ---- whose step is it? ---- */

static const aw_loop *loop_of(const aw_step *step) {
  if (step->task)
    return aw_task_loop(step->task);
  return step->what == AW_STEP_DEADLOCK ? step->loop : NULL;
}

static bool is_ours(const awl_hosted *hosted, const aw_step *step) {
  switch (step->what) {
  case AW_STEP_CALL: return aw_step_is_of(step->task, awl_release_leaf);
  case AW_STEP_RESUME:
  case AW_STEP_KILL: return hosted && awl_is_worker(hosted->state, step->data);
  default: return hosted != NULL;
  }
}

/* The wire of a leaf runs in a task that is not of its state. */
static bool is_astray(const awl_hosted *hosted, const aw_step *step) {
  const awl_leaf *leaf = step->data;
  return step->what == AW_STEP_CALL &&
         (!hosted || leaf->life->state != hosted->state);
}

/* ---- running it ---- */

static aw_loop *outermost(const awl_hosted *hosted, const aw_step *step) {
  const awl_loop *own = hosted->state->hosted_loop;
  if (own && own->core && aw_loop_state_of(own->core) == AW_LOOP_RUNNING)
    return own->core;
  return step->task ? aw_task_loop(step->task) : step->loop;
}

static void run(awl_hosted *hosted, const aw_step *step) {
  awl_state *s = hosted->state;
  awl_run outer = s->run;
  s->run = hosted->run;
  awl_run *run = &s->run;
  run->engine = hosted->engine;
  run->loop = outermost(hosted, step);
  run->driver = hosted->driver;
  if (!run->outside)
    run->outside = s->main;
  run->limit = run->hard_at = AW_NEVER;
  run->outer = outer.engine ? &outer : NULL;
  run->step = *step;
  run->rc = 1;
  hosted->hub->recent = hosted;
  awl_run_step(hosted->driver, s);
  hosted->run = s->run;
  s->run = outer;
}

/* Let those look who ask for it [D41]. */
static void let_look(awl_hub *hub) {
  for (uint32_t i = 1; i < hub->count; i++) {
    awl_hosted *hosted = hub->entries[i].hosted;
    if (hosted && hosted->state->upcalls.look)
      hosted->state->upcalls.look(hosted->driver, hosted->state, false);
  }
}

static bool run_notice(awl_hub *hub, const aw_step *step) {
  if (step->what == AW_STEP_WOKEN) {
    let_look(hub);
    awl_job_tell(hub);
    return false; /* it may be the host program that was woken */
  }
  if (!hub->recent)
    return false;
  run(hub->recent, step);
  return true;
}

static bool is_notice(const aw_step *step) {
  switch (step->what) {
  case AW_STEP_SLOW:
  case AW_STEP_LATE:
  case AW_STEP_SWALLOWED:
  case AW_STEP_WOKEN: return true;
  default: return false;
  }
}

bool aw_lua_step(aw_engine *engine, const aw_step *step) {
  awl_hub *hub = awl_hub_of(engine);
  if (!hub || !step)
    return false;
  if (is_notice(step))
    return run_notice(hub, step);
  awl_hosted *hosted = awl_hub_find(hub, loop_of(step));
  if (!hosted && awl_hub_lost(hub, loop_of(step))) {
    awl_end_step(NULL, step);
    return true;
  }
  if (!is_ours(hosted, step))
    return false;
  if (is_astray(hosted, step))
    aw_step_fail(step->task, aw_error_new(engine, AW_EINVAL, 0));
  else if (step->what == AW_STEP_FAILED && awl_job_handles(step->task))
    aw_step_handled(step->task);
  else
    run(hosted, step);
  return true;
}

void aw_lua_pull(void *host, aw_engine *engine) {
  (void)host;
  aw_step step;
  while (aw_next(engine, NULL, &step) == 1)
    if (!aw_lua_step(engine, &step))
      aw_step_answer(engine, &step);
}

/* ---- ending all tasks of a state ---- */

/* Parked code of the host program cannot be closed here. */
void awl_end_step(const awl_state *s, const aw_step *step) {
  switch (step->what) {
  case AW_STEP_CALL: aw_step_cancelled(step->task); break;
  case AW_STEP_RESUME:
  case AW_STEP_KILL:
    if (s && awl_is_worker(s, step->data))
      awl_worker_end(step->data);
    aw_step_killed(step->task);
    break;
  case AW_STEP_FAILED: aw_step_handled(step->task); break;
  case AW_STEP_DEADLOCK:
    aw_loop_fail(step->loop,
                 aw_error_new(aw_loop_engine(step->loop), AW_EDEADLOCK, 0));
    break;
  default: break;
  }
}

static bool is_any_loop(void *data, const aw_loop *loop) {
  (void)data;
  (void)loop;
  return true;
}

/* Parked code is garbage of the state, which need not be closed. */
static void end_left_step(void *data, const aw_step *step) {
  awl_end_step(data, step);
}

void awl_end_left(awl_state *s) {
  aw_loop_end how = {.data = NULL, .ends = is_any_loop, .run = end_left_step};
  if (s->left && s->engine && !s->run.engine)
    (void)aw_engine_end_loops(s->engine->core, &how);
}
