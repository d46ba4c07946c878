/* answer.c - runs a loop whose tasks need no steps of a host
 *
 * Neighbours: next.c gives the steps.
 */
#include "base/error.h"
#include "run/report.h"

static aw_error *no_host(aw_engine *engine) {
  aw_error *error = aw_error_new(engine, AW_EINVAL, 0);
  aw_error_set_about(error, "host step", -1);
  return error;
}

void aw_step_answer(aw_engine *engine, const aw_step *step) {
  switch (step->what) {
  case AW_STEP_CALL: /* there is no host to run it */
    aw_step_fail(step->task, no_host(engine));
    break;
  case AW_STEP_FAILED:
    if (!aw_task_handler(step->task))
      aw_loop_fail(step->loop, aw_error_keep(aw_task_error(step->task)));
    aw_step_handled(step->task);
    break;
  case AW_STEP_DEADLOCK:
    aw_loop_fail(step->loop, aw_error_new(engine, AW_EDEADLOCK, 0));
    break;
  case AW_STEP_RESUME: /* only host code parks */
  case AW_STEP_KILL:
  case AW_STEP_SLOW:
  case AW_STEP_LATE:
  case AW_STEP_SWALLOWED:
  case AW_STEP_HOLDING:
  case AW_STEP_WOKEN: break;
  }
}

int aw_loop_run(aw_loop *loop, uint64_t timeout) {
  if (!loop)
    return AW_EINVAL;
  aw_engine *engine = loop->engine;
  if (engine->gate & AW_DRIVEN)
    return AW_EINVAL;
  if (engine->gate & AW_INSIDE || engine->current)
    return AW_EBUSY;
  int rc = aw_loop_begin(loop, timeout);
  if (rc < 0)
    return rc;
  aw_step step;
  while ((rc = aw_next(engine, loop, &step)) == 1)
    aw_step_answer(engine, &step);
  if (rc == 0 && loop->state == AW_LOOP_FAILED)
    rc = aw_error_code(loop->error);
  return rc;
}
