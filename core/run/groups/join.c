/* join.c - aw_all(), `a & b`: run wires together until all have ended [O4, O6]
 *
 * The first failure cancels the other operands. When all have ended, the group
 * ends with that failure. `values` has the value of each operand.
 */
#include "run/cancel.h"
#include "run/groups/group.h"
#include "run/start.h"
#include "run/task.h"
#include "wire/build.h"

aw_wire *aw_all(aw_wire *const *wires, size_t count, uint32_t limit) {
  aw_wire *wire = aw__build_table(AW_KIND_ALL, wires, count);
  if (wire)
    wire->limit = limit;
  return wire;
}

aw_wire *aw_both(aw_wire *a, aw_wire *b) {
  aw_wire *pair[2] = {a, b};
  return aw__build_flat(AW_KIND_ALL, pair, 2);
}

static size_t room(const aw_wire *wire) {
  return wire->count;
}

static void ended(aw_group *group, const aw_task *operand) {
  aw_scope *scope = &group->opened.scope;
  if (operand->state == AW_TASK_DONE)
    group->values[operand->where.place] = aw__group_value_of(operand);
  else if (operand->state == AW_TASK_FAILED)
    aw__scope_fail(scope, aw_error_keep(operand->out.error));
  bool go_on = scope->eff == AW_LEVEL_NONE && aw__group_has_room(group);
  aw_task *next = go_on ? aw__group_next(group) : NULL; /* under a `limit` */
  if (next)
    aw__loop_schedule(next);
}

static bool complete(const aw_group *group) {
  return !group->cut && group->begun == group->wire->count;
}

static void finish(aw_task *task, aw_group *group) {
  aw__group_gather(task, group, AW_SHAPE_LIST, group->wire->count);
}

static void drop(aw_group *group) {
  aw__group_drop(group, group->wire->count);
}

const aw_group_kind aw__run_join = {.room = room,
                                    .ended = ended,
                                    .complete = complete,
                                    .finish = finish,
                                    .drop = drop};
