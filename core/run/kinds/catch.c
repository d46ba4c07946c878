/* catch.c - aw_catch(): run a wire, and another one if it fails [O9]
 *
 *     frames:  COLD  SCOPE  CHAIN     `then` takes the place of all
 *
 * Cancelled is not an error: Cancelled passes.
 */
#include "run/kinds/cold.h"
#include "run/task.h"
#include "wire/build.h"

aw_wire *aw_catch(aw_wire *first, aw_wire *then) {
  return aw__build_pair(AW_KIND_CATCH, first, then);
}

static int enter(aw_task *task, aw_wire *wire) {
  int rc = aw__task_push(task, AW_FRAME_COLD, wire);
  return rc < 0 ? rc : aw__cold_scoped(task, wire->u.first);
}

static aw_after after(aw_task *task, aw_frame *frame) {
  if (task->outcome != AW_OUT_ERROR)
    return AW_AFTER_PASS;
  return aw__cold_hand_on(task, frame->wire->u.pair.then);
}

static aw_fate error(const aw_frame *frame) {
  (void)frame;
  return AW_FATE_TAKEN;
}

const aw_cold_kind aw__run_catch = {
    .enter = enter, .after = after, .error = error};
