/* bind.c - aw_bind(): run a wire, then another that takes its value [O11]
 *
 *     frames:  COLD  CHAIN     `then` takes the place of both
 *
 * There is no boundary between the two parts [N4], so a wire that is bound to
 * an event is itself an event.
 */
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "run/task.h"
#include "wire/build.h"

aw_wire *aw_bind(aw_wire *first, aw_wire *then) {
  return aw__build_pair(AW_KIND_BIND, first, then);
}

static int enter(aw_task *task, aw_wire *wire) {
  int rc = aw__task_push(task, AW_FRAME_COLD, wire);
  return rc < 0 ? rc : aw__frame_chain(task, wire->u.first);
}

static aw_after after(aw_task *task, aw_frame *frame) {
  if (task->outcome != AW_OUT_VALUE)
    return AW_AFTER_PASS;
  return aw__cold_hand_on(task, frame->wire->u.pair.then);
}

static aw_fate value(const aw_frame *frame) {
  (void)frame;
  return AW_FATE_TAKEN;
}

const aw_cold_kind aw__run_bind = {
    .enter = enter, .after = after, .value = value};
