/* report.c - how the host says that a step of its own has ended
 *
 * A step that the host runs is over for the core when it is reported: the
 * outcome is kept in the task, and aw_next() goes on with it. What makes
 * repeated steps cheap is here too, since it is asked at that moment.
 */
#include "run/report.h"

#include "run/end.h"
#include "run/guard.h"
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
      frame->wire->u.unary.child != task->at)
    return false;
  if (frame->u.n != AW_FOREVER)
    frame->u.n--;
  engine->credit--;
  engine->steps++;
  task->steps++;
  return true;
}

/* What a frame makes of a value that reaches it: 1 wants it, 0 drops it, -1
 * hands it down. */
static int wants(const aw_frame *frame) {
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_SEQUENCE: return frame->u.n + 1 < frame->wire->count ? 0 : -1;
  case AW_FRAME_REPEAT: return frame->u.n != 1 ? 0 : -1;
  case AW_FRAME_EVERY: return 0;
  case AW_FRAME_BIND:
  case AW_FRAME_AWAIT: return 1;
  case AW_FRAME_RETRY:
  case AW_FRAME_FINALLY: return aw__guard_wants(frame->u.guard);
  case AW_FRAME_CHAIN:
  case AW_FRAME_STEP:
  case AW_FRAME_SCOPE:
  case AW_FRAME_GROUP:
  case AW_FRAME_ELSE:
  case AW_FRAME_CATCH: break;
  }
  return -1;
}

bool aw_step_wants_value(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    int answer = wants(&task->frames[i]);
    if (answer >= 0)
      return answer > 0;
  }
  return !task->operand || aw__group_of(task->scope.parent)->wanted;
}

/* What a frame makes of an error: as wants(). */
static int wants_error(const aw_frame *frame) {
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_ELSE: return frame->u.n + 1 < frame->wire->count ? 0 : -1;
  case AW_FRAME_CATCH:
  case AW_FRAME_RETRY:
  case AW_FRAME_AWAIT: return 1;
  default: return -1;
  }
}

bool aw_step_wants_error(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    int answer = wants_error(&task->frames[i]);
    if (answer >= 0)
      return answer > 0;
  }
  return true;
}
