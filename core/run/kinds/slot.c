/* slot.c - aw_with_slot(): state of a run, for the C steps in it
 *
 *     frames:  COLD (the slot)  CHAIN
 *
 * The slot is the state of the frame. A frame that is pushed has been entered,
 * and every outcome that reaches the frame leaves the slot: also a cancelled or
 * killed task unwinds its frames one by one. Tasks whose frames are only popped
 * (aw__task_end_cancelled) have not run, or are events of a race; a slot is no
 * event.
 *
 * Neighbours: operands of a group find the slots of the task that runs the
 * group, as in aw_task_whole().
 */
#include "base/memory.h"
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "run/task.h"
#include "wire/build.h"

#include <assert.h>

aw_wire *aw_with_slot(aw_wire *first, const aw_slot *slot, void *data) {
  if (!slot) {
    aw_wire_release(first);
    return NULL;
  }
  aw_wire *wire = aw__build_one(AW_KIND_SLOT, first, 0);
  if (wire) {
    wire->u.slot.type = slot;
    wire->u.slot.data = data;
  }
  return wire;
}

static size_t size_of(const aw_slot *type) {
  return type->size > 0 ? type->size : 1;
}

/* Make the slot of a run. Returns 0 or a negative code. */
static int make(aw_task *task, const aw_wire *wire, void **out) {
  const aw_slot *type = wire->u.slot.type;
  void *slot = aw__alloc(task->engine, size_of(type));
  if (!slot)
    return AW_ENOMEM;
  int rc = type->enter ? type->enter(task, slot, wire->u.slot.data) : 0;
  if (rc < 0)
    aw__free(task->engine, slot, size_of(type));
  else
    *out = slot;
  return rc < 0 ? rc : 0;
}

static int enter(aw_task *task, aw_wire *wire) {
  void *slot = NULL;
  int rc = aw__task_reserve(task, 2); /* COLD and CHAIN */
  if (rc == 0)
    rc = make(task, wire, &slot);
  if (rc < 0)
    return rc;
  rc = aw__task_push(task, AW_FRAME_COLD, wire);
  assert(rc == 0); /* there is room for both frames */
  (void)rc;
  aw__task_top(task)->u.state = slot;
  return aw__frame_chain(task, wire->u.first);
}

static aw_after after(aw_task *task, aw_frame *frame) {
  const aw_wire *wire = frame->wire;
  const aw_slot *type = wire->u.slot.type;
  if (type->leave)
    type->leave(frame->u.state, wire->u.slot.data);
  aw__free(task->engine, frame->u.state, size_of(type));
  return AW_AFTER_PASS;
}

const aw_cold_kind aw__run_slot = {.enter = enter, .after = after};

/* The slot in the frames of `task` alone, or NULL. */
static void *slot_within(const aw_task *task, const aw_slot *type) {
  for (size_t i = task->depth; i-- > 0;) {
    const aw_frame *frame = &task->frames[i];
    if (frame->kind == AW_FRAME_COLD && frame->wire->kind == AW_KIND_SLOT &&
        frame->wire->u.slot.type == type)
      return frame->u.state;
  }
  return NULL;
}

void *aw_task_slot(const aw_task *task, const aw_slot *type) {
  void *slot;
  while (!(slot = slot_within(task, type)) && task->operand)
    task = aw__group_of(task->scope.parent)->opened.scope.task;
  return slot;
}
