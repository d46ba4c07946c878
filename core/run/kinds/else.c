/* else.c - aw_or_else(), `a // b`: when a wire fails, run the next one [O7]
 *
 *     frames:  COLD (n: the part under way)  [SCOPE]  CHAIN
 *
 * Each part but the last runs in a scope of its own, so that a child task that
 * fails also makes the part fail. The last part needs no scope: nothing comes
 * after the last part. A part that is one host step gets its scope when it
 * needs one: when the step returns a next wire, or spins off a child in a wire
 * that it awaits (aw__frame_cover). Most often it does neither.
 */
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "run/task.h"
#include "wire/build.h"

aw_wire *aw_or_else(aw_wire *a, aw_wire *b) {
  aw_wire *pair[2] = {a, b};
  return aw__build_flat(AW_KIND_ELSE, pair, 2);
}

static bool is_last(const aw_frame *frame) {
  return frame->u.n + 1 >= frame->wire->count;
}

static int begin_part(aw_task *task) {
  const aw_frame *frame = aw__task_top(task);
  aw_wire *part = frame->wire->u.list.items[frame->u.n];
  if (!is_last(frame) && part->kind != AW_KIND_HOST)
    return aw__cold_scoped(task, part);
  task->at = part;
  task->go = AW_GO_DESCEND;
  return 0;
}

static int enter(aw_task *task, aw_wire *wire) {
  int rc = aw__task_push(task, AW_FRAME_COLD, wire);
  return rc < 0 ? rc : begin_part(task);
}

static aw_after after(aw_task *task, aw_frame *frame) {
  if (task->outcome == AW_OUT_NEXT && !is_last(frame)) {
    int rc = aw__frame_cover(task);
    task->go = AW_GO_ASCEND; /* the chain takes the next wire */
    return aw__cold_begun(task, rc);
  }
  if (task->outcome != AW_OUT_ERROR || is_last(frame))
    return AW_AFTER_PASS;
  aw__task_drop_outcome(task);
  frame->u.n++;
  return aw__cold_begun(task, begin_part(task));
}

/* In effect the report of an unwanted error, and the aw_next() after it. */
void *aw_step_else(aw_task *task) {
  aw_frame *frame = task->depth > 0 ? aw__task_top(task) : NULL;
  if (!frame || frame->kind != AW_FRAME_COLD ||
      frame->wire->kind != AW_KIND_ELSE || is_last(frame))
    return NULL;
  aw_wire *next = frame->wire->u.list.items[frame->u.n + 1];
  if (next->kind != AW_KIND_HOST)
    return NULL;
  aw__task_drop_outcome(task);
  frame->u.n++;
  task->host = NULL;
  task->at = next;
  task->steps++;
  task->engine->steps++;
  return next->u.host.data;
}

static aw_fate error(const aw_frame *frame) {
  return is_last(frame) ? AW_FATE_PASSED : AW_FATE_DROPPED;
}

const aw_cold_kind aw__run_else = {
    .enter = enter, .after = after, .error = error};
