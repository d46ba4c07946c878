/* wanted.c - is the outcome of a step used?
 *
 * A host need not make a value or an error that no frame of the task uses. For
 * example, a sequence drops the values of all parts but the last. step.c asks,
 * too: the host gathers the values of a group only if the result is used.
 *
 * Neighbours: report.c gets the outcome; step.c passes the outcome down the
 * frames.
 */
#include "run/kind_functions.h"

static aw_fate fate_of_value(const aw_frame *frame) {
  bool last;
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_SEQUENCE:
    last = frame->u.n + 1 >= frame->wire->count;
    return last ? AW_FATE_PASSED : AW_FATE_DROPPED;
  case AW_FRAME_REPEAT:
    return frame->u.n == 1 ? AW_FATE_PASSED : AW_FATE_DROPPED;
  case AW_FRAME_AWAIT: return AW_FATE_TAKEN;
  case AW_FRAME_COLD:
    if (aw__cold_kind(frame)->value)
      return aw__cold_kind(frame)->value(frame);
    break;
  case AW_FRAME_CHAIN:
  case AW_FRAME_STEP:
  case AW_FRAME_SCOPE:
  case AW_FRAME_GROUP: break;
  }
  return AW_FATE_PASSED;
}

/* What becomes of the value inside `task`? */
static aw_fate fate_within(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    aw_fate fate = fate_of_value(&task->frames[i]);
    if (fate != AW_FATE_PASSED)
      return fate;
  }
  return task->operand ? AW_FATE_PASSED : AW_FATE_TAKEN;
}

/* The groups around a task remember the answer, which does not change while
 * their operands run: otherwise each operand would walk all the way up. */
bool aw_step_wants_value(const aw_task *task) {
  const aw_task *at = task;
  aw_fate fate;
  while ((fate = fate_within(at)) == AW_FATE_PASSED) {
    const aw_group *group = aw__group_of(at->scope.parent);
    fate = (aw_fate)group->fate;
    if (fate != AW_FATE_PASSED)
      break;
    at = group->opened.scope.task;
  }
  while (task != at) {
    aw_group *group = aw__group_of(task->scope.parent);
    group->fate = (uint8_t)fate;
    task = group->opened.scope.task;
  }
  return fate == AW_FATE_TAKEN;
}

/* A scope holds an error back until its children have ended, and the host is
 * told of that error if they take long [D4]. */
static aw_fate fate_of_error(const aw_frame *frame) {
  if (frame->kind == AW_FRAME_AWAIT ||
      (frame->kind == AW_FRAME_SCOPE && frame->u.scope->children > 0))
    return AW_FATE_TAKEN;
  if (frame->kind == AW_FRAME_COLD && aw__cold_kind(frame)->error)
    return aw__cold_kind(frame)->error(frame);
  return AW_FATE_PASSED;
}

bool aw_step_wants_error(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    aw_fate fate = fate_of_error(&task->frames[i]);
    if (fate != AW_FATE_PASSED)
      return fate == AW_FATE_TAKEN;
  }
  return true;
}
