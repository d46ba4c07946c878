/* want.c - does the outcome of a step go anywhere?
 *
 * A host may save the making of a value or an error that no frame of the task
 * uses: a sequence drops the values of all parts but the last. A group asks,
 * too, before it has the host gather the values of its operands.
 *
 * Neighbours: report.c gets the outcome, step.c passes it down the frames.
 */
#include "run/guard.h"

/* What a frame does with a value that reaches it: 1 uses it, 0 drops it, -1
 * passes it on to the frame below. */
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

/* The same for an error. */
static int wants_error(const aw_frame *frame) {
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_ELSE: return frame->u.n + 1 < frame->wire->count ? 0 : -1;
  case AW_FRAME_CATCH:
  case AW_FRAME_RETRY:
  case AW_FRAME_AWAIT: return 1;
  case AW_FRAME_CHAIN:
  case AW_FRAME_STEP:
  case AW_FRAME_SEQUENCE:
  case AW_FRAME_REPEAT:
  case AW_FRAME_SCOPE:
  case AW_FRAME_GROUP:
  case AW_FRAME_BIND:
  case AW_FRAME_FINALLY:
  case AW_FRAME_EVERY: break;
  }
  return -1;
}

bool aw_step_wants_error(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    int answer = wants_error(&task->frames[i]);
    if (answer >= 0)
      return answer > 0;
  }
  return true;
}
