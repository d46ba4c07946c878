/* report.c - the host reports how a step has ended
 *
 * A report stores the outcome of a host step in the task; the next aw_next()
 * resumes the task with it. aw_step_again() spares both when the task would
 * do nothing but run the same step again.
 *
 * Neighbours: step.c hands steps to the host; wanted.c says which outcomes the
 * host need not make.
 */
#include "run/report.h"

#include "run/end.h"
#include "run/task.h"

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

bool aw_step_again(aw_task *task) {
  aw_engine *engine = task->engine;
  if (task->depth == 0 || engine->ready.count > 0 || engine->credit <= 1 ||
      engine->woken || task->inner->eff != AW_LEVEL_NONE)
    return false;
  aw_frame *frame = &task->frames[task->depth - 1];
  if (frame->kind != AW_FRAME_REPEAT || frame->u.n <= 1 ||
      frame->wire->u.first != task->at)
    return false;
  if (frame->u.n != AW_FOREVER)
    frame->u.n--;
  engine->credit--;
  engine->steps++;
  task->steps++;
  return true;
}
