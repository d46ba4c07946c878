/* memory_test.c - memory runs out in loops, tasks and scopes; see sweep.h */
#include "sweep.h"

#include <unistd.h>

/* ---- steps that pass errors on ---- */

static aw_turn waiting(aw_task *task, int rc) {
  return rc < 0 ? aw_task_fail(task, rc) : AW_WAIT;
}

static aw_turn nothing(aw_task *task, void *data) {
  (void)task, (void)data;
  return AW_DONE;
}

static aw_turn closed(aw_task *task, void *data) {
  (void)data;
  return aw_task_fail(task, AW_ECLOSED);
}

/* Sleep in a C step. */
static aw_turn nap(aw_task *task, void *data) {
  (void)data;
  if (aw_task_steps(task) == 1)
    return waiting(task, aw_await_sleep(task, 10));
  return aw_task_result(task) < 0 ? aw_task_fail(task, aw_task_result(task))
                                  : AW_DONE;
}

static aw_turn hop(aw_task *task, void *data) {
  if (aw_task_steps(task) > 12)
    return AW_DONE;
  aw_task_set_next(task, aw_named(aw_call(hop, data), data));
  return AW_NEXT;
}

static aw_turn spin(aw_task *task, void *data) {
  (void)data;
  aw_task_set_next(task, aw_then(aw_sleep(3), aw_call(nothing, NULL)));
  return AW_NEXT;
}

/* Open nested scopes, and sleep in the innermost. */
static aw_turn scopes(aw_task *task, void *data) {
  bool shield = data != NULL;
  aw_scope_end end;
  if (aw_task_steps(task) > 1) {
    for (int i = 0; i < 3; i++) {
      if (aw_scope_leave(task, NULL, aw_task_result(task) < 0) != 0)
        return AW_WAIT;
      aw_scope_close(task, &end);
      aw_error_release(end.error);
    }
    return end.outer ? AW_FAIL : AW_DONE;
  }
  aw_scope *scope;
  int rc = 0;
  for (int i = 0; i < 3 && rc == 0; i++) {
    aw_scope_config config = {
        .deadline = (uint64_t)(100 - 10 * i), .grace = 5, .shield = shield};
    rc = aw_scope_open(task, &config, &scope);
  }
  return waiting(task, rc < 0 ? rc : aw_await_sleep(task, 500));
}

/* Open a scope with children, and wait for their end. */
static aw_turn family(aw_task *task, void *data) {
  aw_scope_end end;
  if (aw_task_steps(task) == 1) {
    aw_scope *scope;
    aw_scope_config config = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
    int rc = aw_scope_open(task, &config, &scope);
    if (rc < 0)
      return aw_task_fail(task, rc);
    for (int i = 0; i < 4 && rc == 0; i++)
      rc = aw_scope_start(scope, aw_call(i == 2 && data ? closed : nap, NULL),
                          NULL, NULL);
    aw_error *error = NULL;
    if (rc < 0)
      error = aw_error_new(aw_loop_engine(aw_task_loop(task)), rc, 0);
    if (aw_scope_leave(task, error, false) == 1)
      return AW_WAIT;
  }
  aw_scope_close(task, &end);
  if (!end.error)
    return end.outer ? AW_FAIL : AW_DONE;
  aw_task_set_error(task, end.error);
  return AW_FAIL;
}

static aw_turn run_inner(aw_task *task, void *loop) {
  if (aw_task_steps(task) == 1)
    return waiting(task, aw_await_loop(task, loop, 20));
  return aw_task_cancelled(task) ? AW_FAIL : AW_DONE;
}

/* ---- a simple host ---- */

/* Answer a host call: the first one returns a wire, all others await one. */
static int answer_call(const aw_step *step, int calls) {
  aw_task *task = step->task;
  if (calls == 1) {
    aw_step_next(task, aw_host_call(NULL, NULL, "next"));
    return 0;
  }
  aw_task_park(task, &memory);
  int rc = aw_await_wire(
      task, aw_then(aw_sleep(1), aw_repeat(aw_call(nothing, NULL), 2)), true);
  if (rc < 0)
    aw_step_fail(task, aw_error_new(aw_loop_engine(aw_task_loop(task)), rc, 0));
  return 0;
}

static void answer_resume(const aw_step *step) {
  aw_error *error = aw_task_take_error(step->task);
  if (error)
    aw_step_fail(step->task, error);
  else if (step->result == AW_ECANCELED)
    aw_step_cancelled(step->task);
  else if (step->result < 0)
    aw_step_fail(step->task,
                 aw_error_new(aw_loop_engine(step->loop), step->result, 0));
  else
    aw_step_done(step->task, 0);
}

static int host_run(aw_engine *engine, aw_loop *loop) {
  int rc = aw_loop_begin(loop, 1000);
  if (rc < 0)
    return rc;
  aw_step step;
  memset(&step, 0, sizeof step);
  for (int calls = 0; (rc = aw_next(engine, loop, &step)) == 1;) {
    step.loop = step.loop ? step.loop : loop;
    switch (step.what) {
    case AW_STEP_CALL: answer_call(&step, ++calls); break;
    case AW_STEP_RESUME: answer_resume(&step); break;
    case AW_STEP_KILL: aw_step_killed(step.task); break;
    case AW_STEP_FAILED:
      aw_loop_fail(loop, aw_error_keep(aw_task_error(step.task)));
      aw_step_handled(step.task);
      break;
    case AW_STEP_DEADLOCK:
      aw_loop_fail(loop, aw_error_new(engine, AW_EDEADLOCK, 0));
      break;
    case AW_STEP_SLOW:
    case AW_STEP_LATE:
    case AW_STEP_SWALLOWED:
    case AW_STEP_HOLDING:
    case AW_STEP_WOKEN: break;
    }
  }
  if (rc == 0 && aw_loop_state_of(loop) == AW_LOOP_FAILED)
    rc = aw_error_code(aw_loop_error(loop));
  return rc;
}

/* ---- scenarios: start something in a loop, and run it ---- */

static int run_wire(aw_loop *loop, aw_wire *wire) {
  int rc = aw_loop_start(loop, wire, NULL, NULL);
  return rc < 0 ? rc : aw_loop_run(loop, 200);
}

static int sleeps(aw_loop *loop) {
  return run_wire(loop, aw_repeat(aw_then(aw_sleep(1), aw_sleep(2)), 3));
}

static int deep(aw_loop *loop) {
  aw_wire *wire = aw_call(nap, NULL);
  for (int i = 0; i < 20; i++)
    wire = aw_then(aw_whole(aw_repeat(wire, 1)), aw_sleep(1));
  return run_wire(loop, aw_shielded(aw_named(wire, "deep"), 50));
}

static int chain(aw_loop *loop) {
  return run_wire(loop, aw_call(hop, (void *)(uintptr_t) "hop"));
}

static int spun(aw_loop *loop) {
  return run_wire(loop, aw_repeat(aw_call(spin, NULL), 5));
}

static int crowd(aw_loop *loop) {
  int rc = 0;
  for (uint64_t i = 0; i < 150 && rc == 0; i++)
    rc = aw_loop_start(loop, aw_sleep(150 - i), NULL, NULL);
  return rc < 0 ? rc : aw_loop_run(loop, AW_NEVER);
}

static int cut_short(aw_loop *loop) {
  int rc = 0;
  for (int i = 0; i < 5 && rc == 0; i++)
    rc = aw_loop_start(loop, aw_shielded(aw_sleep(AW_NEVER), 300), NULL, NULL);
  return rc < 0 ? rc : aw_loop_run(loop, 10);
}

static int scopes_of_time(aw_loop *loop) {
  return run_wire(loop, aw_call(scopes, NULL));
}

static int shields(aw_loop *loop) {
  return run_wire(loop, aw_call(scopes, loop));
}

static int families(aw_loop *loop) {
  return run_wire(loop, aw_repeat(aw_call(family, NULL), 1));
}

static int failing_families(aw_loop *loop) {
  int rc = run_wire(loop, aw_call(family, loop));
  return rc == AW_ECLOSED ? 0 : rc;
}

static int two_failures(aw_loop *loop) {
  int rc = aw_loop_start(loop, aw_call(closed, NULL), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_call(closed, NULL));
  return rc == AW_ECLOSED ? 0 : rc;
}

static int waits_for_a_task(aw_loop *loop) {
  aw_task *task;
  aw_task_config config = {.name = "nap", .where = "here", .grace = 7};
  int rc = aw_loop_start(loop, aw_call(nap, NULL), &config, &task);
  if (rc < 0)
    return rc;
  rc = aw_loop_start(loop, aw_when_done(task), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_then(aw_sleep(2), aw_when_done(task)));
  aw_task_release(task);
  return rc;
}

static int cancelled_task(aw_loop *loop) {
  aw_task *task;
  int rc = aw_loop_start(loop, aw_repeat(aw_call(nap, NULL), 9), NULL, &task);
  if (rc < 0)
    return rc;
  aw_task_cancel(task, 0, 3);
  aw_task_release(task);
  return run_wire(loop, aw_sleep(1));
}

static int inner_loop(aw_loop *loop) {
  aw_loop *inner;
  int rc = aw_loop_new(aw_loop_engine(loop), NULL, &inner);
  if (rc < 0)
    return rc;
  rc = aw_loop_start(inner, aw_sleep(500), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_call(run_inner, inner));
  CHECK(aw_loop_free(inner) == 0);
  return rc;
}

static int never_run(aw_loop *loop) {
  int rc = aw_loop_start(loop, aw_named(aw_sleep(1), "never"), NULL, NULL);
  if (rc == 0)
    rc = aw_loop_start(loop, aw_call(nap, NULL), NULL, NULL);
  aw_scope_cancel(aw_loop_scope(loop), 0, 50);
  return rc;
}

static int run_twice(aw_loop *loop) {
  int rc = run_wire(loop, aw_sleep(5));
  return rc < 0 ? rc : run_wire(loop, aw_sleep(6));
}

static int hosted(aw_loop *loop) {
  int rc = 0;
  for (int i = 0; i < 3 && rc == 0; i++)
    rc = aw_loop_start(loop, aw_repeat(aw_host_call(NULL, NULL, "host"), 2),
                       NULL, NULL);
  return rc < 0 ? rc : host_run(aw_loop_engine(loop), loop);
}

/* The loop of libuv closes a handle later, and its memory goes then [I4]. */
static int waits_for_a_descriptor(aw_loop *loop) {
  int ends[2];
  CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
  int rc = run_wire(loop, aw_readable(ends[0]));
  close(ends[0]);
  close(ends[1]);
  return rc;
}

static int deadlocked(aw_loop *loop) {
  int rc = aw_loop_start(loop, aw_sleep(AW_NEVER), NULL, NULL);
  if (rc == 0)
    rc = aw_loop_run(loop, AW_NEVER);
  return rc == AW_EDEADLOCK ? 0 : rc;
}

static const scenario all[] = {
    {"sleeps", sleeps},
    {"deep", deep},
    {"chain", chain},
    {"spun", spun},
    {"crowd", crowd},
    {"cut short", cut_short},
    {"scopes of time", scopes_of_time},
    {"shields", shields},
    {"families", families},
    {"failing families", failing_families},
    {"two failures", two_failures},
    {"waits for a task", waits_for_a_task},
    {"cancelled task", cancelled_task},
    {"inner loop", inner_loop},
    {"never run", never_run},
    {"run twice", run_twice},
    {"hosted", hosted},
    {"deadlocked", deadlocked},
    {"waits for a descriptor", waits_for_a_descriptor},
};

/* ---- size ---- */

static aw_turn weigh(aw_task *task, void *data) {
  aw_loop *loop = aw_task_loop(task);
  aw_stats stats;
  aw_engine_stats(aw_loop_engine(loop), &stats);
  *(size_t *)data = stats.bytes / stats.tasks;
  aw_loop_stop(loop, true);
  return AW_DONE;
}

/* With its deadline, and with what is free in the slabs and the heap. */
static void a_sleeping_task_is_small(void) {
  enum { CROWD = 100000, MOST = 280 };
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  size_t bytes = 0;
  aw_wire *sleep = aw_sleep(AW_SECOND);
  for (int i = 0; i < CROWD; i++)
    start(loop, aw_wire_keep(sleep));
  start(loop, aw_then(aw_sleep(1), aw_call(weigh, &bytes)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_wire_release(sleep);
  CHECK(bytes > 0 && bytes <= MOST);
  empty(engine, loop);
}

int main(void) {
  sweep_all(all, sizeof all / sizeof *all);
  a_sleeping_task_is_small();
  return 0;
}
