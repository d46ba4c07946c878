/* any.c - aw_any(): a race in which the first value decides [O6]
 *
 * `values` has the value of the winner. Behind that value stand the failures so
 * far, `failed` of them, in the order of the ends. When an operand wins, the
 * failures are dropped. When all operands have failed, the group ends with the
 * last error.
 */
#include "run/groups/group.h"
#include "run/task.h"
#include "wire/build.h"
#include "wire/view.h"

/* The failure of one operand. */
typedef struct failure {
  aw_error *error;  /* kept */
  bool in_clean_up; /* clean-up of the operand raised it [E3] */
} failure;

aw_wire *aw_any(aw_wire *const *wires, size_t count) {
  return count == 0 ? NULL : aw__build_table(AW_KIND_ANY, wires, count);
}

static size_t room(const aw_wire *wire) {
  size_t failures = wire->count * sizeof(failure);
  return 1 + (failures + sizeof(aw_value) - 1) / sizeof(aw_value);
}

/* ---- events ---- */

/* The second part of a BIND may still fail after the commit of its event. So a
 * BIND decides at its end. */
static bool competes(const aw_wire *wire) {
  return aw_wire_is_event(wire) && aw__wire_inside(wire)->kind != AW_KIND_BIND;
}

/* Only an event that is going to end with a value decides. */
static bool decides(const aw_task *contender) {
  const aw_wire *wire = aw__wire_inside(contender->root);
  if (wire->kind == AW_KIND_DONE && wire->u.task->state != AW_TASK_DONE)
    return false;
  return contender->result >= 0 && contender->outcome != AW_OUT_ERROR;
}

/* ---- failures ---- */

static failure *failures_of(aw_group *group) {
  return (failure *)&group->values[1];
}

/* Once an operand has won, the failures before it do not count. */
static void drop_errors(aw_group *group) {
  while (group->failed > 0)
    aw_error_release(failures_of(group)[--group->failed].error);
}

static void note_failure(aw_group *group, const aw_task *operand) {
  failure *noted = &failures_of(group)[group->failed++];
  noted->error = aw_error_keep(operand->out.error);
  noted->in_clean_up = aw__group_failed_in_clean_up(operand);
}

static void ended(aw_group *group, const aw_task *operand) {
  if (operand->state == AW_TASK_FAILED && !group->decided)
    note_failure(group, operand);
  else
    aw__race_ended(group, operand);
}

/* The group was cancelled from outside before an operand won. Drop the
 * failures, but keep those of clean-up for the outcome of the group [E3]. */
static void forgive(aw_group *group) {
  const failure *failures = failures_of(group);
  for (uint32_t i = 0; i < group->failed; i++)
    if (failures[i].in_clean_up)
      aw__group_note_late(group, failures[i].error);
  drop_errors(group);
}

/* The last error, with the others suppressed in it, the oldest first. */
static aw_error *last_error(aw_group *group) {
  const failure *failures = failures_of(group);
  aw_error *last = failures[--group->failed].error;
  for (uint32_t i = 0; i < group->failed; i++)
    aw_error_suppress(last, failures[i].error);
  group->failed = 0;
  return last;
}

static aw_error *take_error(aw_group *group) {
  if (group->cut && group->failed < group->wire->count)
    forgive(group);
  return group->failed > 0 ? last_error(group) : group->error;
}

/* ---- the outcome ---- */

static void finish(aw_task *task, aw_group *group) {
  aw__task_end_value(task, group->values[0]);
}

static void drop(aw_group *group) {
  drop_errors(group);
  aw__group_drop(group, 1);
}

const aw_group_kind aw__run_any = {.room = room,
                                   .competes = competes,
                                   .decides = decides,
                                   .decided = drop_errors,
                                   .ended = ended,
                                   .take_error = take_error,
                                   .complete = aw__race_won,
                                   .finish = finish,
                                   .drop = drop};
