/* report.c - the host reports how a step has ended
 *
 * A report stores the outcome of a host step in the task; the next aw_next()
 * resumes the task with it. aw_step_again() and aw_step_itself() spare both
 * when the task would do nothing but run the same step again.
 *
 * Neighbours: step.c hands steps to the host; wanted.c says which outcomes the
 * host need not make.
 */
#include "run/report.h"

#include "run/again.h"
#include "run/end.h"
#include "run/task.h"
#include "wire/view.h"

#include <assert.h>

bool aw__step_with_host(const aw_task *task) {
  return task && task->state == AW_TASK_RUNNING && task->go == AW_GO_HOST;
}

static void leave_host(aw_task *task) {
  assert(task->go == AW_GO_HOST);
  task->host = NULL;
}

void aw_step_done(aw_task *task, aw_value value) {
  leave_host(task);
  aw__task_end_value(task, value);
}

void aw_step_next(aw_task *task, aw_wire *next) {
  if (!next) {
    aw_step_fail(task, aw_error_new(task->engine, AW_ENOMEM, 0));
    return;
  }
  leave_host(task);
  aw__task_drop_outcome(task);
  task->out.next = next;
  aw__task_outcome(task, AW_OUT_NEXT);
}

void aw_step_fail(aw_task *task, aw_error *error) {
  leave_host(task);
  if (!error)
    error = aw_error_keep(task->engine->unwanted);
  aw__task_raise(task, error);
}

void aw_step_cancelled(aw_task *task) {
  leave_host(task);
  aw__task_end_code(task, AW_ECANCELED);
}

void aw_step_handled(aw_task *task) {
  aw__task_settle(task);
}

uint64_t aw_step_again(aw_task *task) {
  uint64_t turns = aw__again_free(task) ? aw__again_turn(task) : 0;
  if (turns > 0)
    aw__again_count(task);
  return turns;
}

/* The innermost chain, if no frame is open above it; else NULL. */
static const aw_wire *chain_at_top(const aw_task *task) {
  if (task->depth == 0)
    return task->root;
  const aw_frame *frame = aw__task_top(task);
  return frame->kind == AW_FRAME_CHAIN ? frame->wire : NULL;
}

bool aw_step_itself(aw_task *task) {
  const aw_wire *wire = chain_at_top(task);
  if (!wire || aw__wire_inside(wire) != task->at || !aw__again_free(task))
    return false;
  task->host = NULL;
  aw__task_drop_outcome(task);
  aw__task_remember(task, wire);
  aw__again_count(task);
  return true;
}
