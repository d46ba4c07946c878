/* race.c - aw_race(), `a | b`: the first operand to end decides [O5, O6, H3]
 *
 * The first operand that ends with a value or an error wins, and the group ends
 * as the winner did. An event wins earlier, by its commit. `values` has the
 * value of the winner. Any{} and Select{} are races, too, and share code.
 */
#include "run/groups/group.h"
#include "run/task.h"
#include "wire/build.h"

aw_wire *aw_race(aw_wire *const *wires, size_t count) {
  return count == 0 ? NULL : aw__build_table(AW_KIND_RACE, wires, count);
}

aw_wire *aw_either(aw_wire *a, aw_wire *b) {
  aw_wire *pair[2] = {a, b};
  return aw__build_flat(AW_KIND_RACE, pair, 2);
}

static size_t room(const aw_wire *wire) {
  (void)wire;
  return 1;
}

static void win(aw_group *group, const aw_task *operand) {
  group->won = operand->state != AW_TASK_CANCELLED;
  if (operand->state == AW_TASK_DONE)
    group->values[0] = aw__group_value_of(operand);
  else if (operand->state == AW_TASK_FAILED)
    group->error = aw_error_keep(operand->out.error);
}

static void lose(aw_group *group, const aw_task *operand) {
  if (aw__group_failed_in_clean_up(operand))
    aw__group_note_late(group, operand->out.error);
}

void aw__race_ended(aw_group *group, const aw_task *operand) {
  if (!group->decided && operand->state != AW_TASK_CANCELLED)
    aw__group_decide(group, operand);
  if (group->decided && group->winner != operand->where.place)
    lose(group, operand);
  else if (group->decided)
    win(group, operand);
}

bool aw__race_won(const aw_group *group) {
  return group->won;
}

static void finish(aw_task *task, aw_group *group) {
  if (group->wire->u.list.table)
    aw__group_gather(task, group, AW_SHAPE_INDEX_LAST, 1);
  else
    aw__task_end_value(task, group->values[0]);
}

const aw_group_kind aw__run_race = {.room = room,
                                    .competes = aw_wire_is_event,
                                    .ended = aw__race_ended,
                                    .complete = aw__race_won,
                                    .finish = finish};
