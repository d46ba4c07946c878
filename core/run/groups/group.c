/* group.c - joins and races: several wires at once, in a scope of their own
 *
 *     task ─ frame GROUP ─► aw_group ─ scope ─┬ operand: a child task, `place`
 *            waits for its children           ├ operand …
 *                                             └ what they spin off is theirs
 *
 * The path of an operand: group_next() makes it, step.c schedules it or, an
 * event of a race, arms it at once; when it has ended, operand_ended() notes
 * what it ended with; the last one wakes the task, aw__group_close() makes the
 * outcome.
 *
 * A race is decided once (`decided`, `winner`): when an operand has ended, or
 * earlier, when the wait of an event is completed (aw__group_commit, called by
 * the wake itself [H3]). Rivals that are events in their wait end on the spot:
 * they have nothing to clean up. The others are cancelled, each by itself, for
 * the winner may have more to do (what is bound to an event).
 *
 * What a loser ends with is dropped, but for an error that it raised after it
 * had been given Cancelled: that is of its clean-up (`late`), and is raised
 * [O5].
 *
 * Invariants: an operand is a child of the group's scope and the frame is the
 * top one of the task until all have ended; `contender` operands are parked on
 * an abortable wait, or their wait is being armed.
 */
#include "run/groups/group.h"

#include "base/memory.h"
#include "base/ready.h"
#include "run/end.h"
#include "run/frame.h"
#include "run/scope.h"
#include "run/start.h"
#include "run/task.h"
#include "wire/kinds.h"
#include "wire/view.h"

#include <assert.h>

static aw_group *group_of(const aw_scope *scope) {
  assert(scope->group);
  return aw__group_of(scope);
}

static aw_task *task_of(const aw_group *group) {
  return group->opened.scope.task;
}

static bool is_join(const aw_group *group) {
  return group->wire->kind == AW_KIND_ALL;
}

/* ---- beginning ---- */

/* The order of Select{}, see below, in the room of values. */
static size_t room_for_order(const aw_wire *wire) {
  return (wire->count * sizeof(uint32_t) + sizeof(aw_value) - 1) /
         sizeof(aw_value);
}

/* How many values it keeps, see aw_group. */
static size_t room_of(const aw_wire *wire) {
  if (wire->kind == AW_KIND_SELECT)
    return 1 + room_for_order(wire);
  return wire->kind == AW_KIND_RACE ? 1 : wire->count;
}

static size_t size_of(const aw_wire *wire) {
  return sizeof(aw_group) + room_of(wire) * sizeof(aw_value);
}

static void free_group(aw_engine *engine, aw_group *group) {
  aw__opened_free(engine, &group->opened, size_of(group->wire));
}

static void operand_ended(aw_scope *scope, aw_task *operand);
static const aw_group_hooks hooks = {aw__group_commit, operand_ended};

int aw__group_open(aw_task *task, aw_wire *wire, aw_group **out) {
  aw_engine *engine = task->engine;
  aw_opened *opened = aw__opened_new(engine, size_of(wire));
  if (!opened)
    return AW_ENOMEM;
  aw_group *group = AW_CONTAINER(aw_group, opened, opened);
  group->hooks = &hooks;
  group->wire = wire;
  group->where = aw_task_where(task);
  group->wanted = aw_step_wants_value(task);
  int rc = aw__task_push(task, AW_FRAME_GROUP, wire);
  if (rc < 0) {
    free_group(engine, group);
    return rc;
  }
  aw__frame_enter(task, opened, AW_DEFAULT, AW_NO_SHIELD);
  opened->scope.group = true;
  *out = group;
  return 0;
}

/* ---- the order in which Select{} looks [F5, H4] ----
 *
 * Each choice looks in an order of its own, all orders being equally likely: so
 * each source that is ready has the same chance, whatever others are beside it,
 * and tasks that choose in turn cannot fall into step. (Where a choice only
 * began at another place each time, a source behind one that is seldom ready
 * was taken twice as often as the others.)
 *
 * Behind its one value a group has room for the order, a number for each
 * operand: 0 while the operand stands in its own place, else 1 + the operand
 * that stands there. It is shuffled as far as it is looked at. */

static uint32_t standing_at(const uint32_t *order, uint32_t place) {
  return order[place] ? order[place] - 1 : place;
}

/* The operand that begins next; it is drawn from those that have not. */
static uint32_t draw_place(aw_group *group) {
  uint32_t *order = (uint32_t *)&group->values[1];
  uint32_t at = group->begun;
  uint32_t drawn =
      at + aw__choice(task_of(group)->engine, group->wire->count - at);
  uint32_t place = standing_at(order, drawn);
  order[drawn] = standing_at(order, at) + 1;
  return place;
}

/* May one more begin now? */
static bool has_room(const aw_group *group) {
  const aw_wire *wire = group->wire;
  const aw_scope *scope = &group->opened.scope;
  if (group->decided || scope->error || group->begun == wire->count)
    return false;
  return wire->limit == 0 || scope->children < wire->limit;
}

aw_task *aw__group_next(aw_group *group) {
  if (!has_room(group))
    return NULL;
  aw_task *task = task_of(group), *operand;
  bool drawn = group->wire->kind == AW_KIND_SELECT;
  uint32_t place = drawn ? draw_place(group) : group->begun;
  aw_task_config config = {
      .background = task->background,
      .locals = aw__keep_value(task->engine, aw_task_locals(task))};
  aw_wire *wire = aw_wire_keep(group->wire->u.list.items[place]);
  if (aw__loop_adopt(&group->opened.scope, wire, &config, &operand) < 0) {
    aw__scope_fail(&group->opened.scope,
                   aw_error_new(task->engine, AW_ENOMEM, 0));
    return NULL;
  }
  group->begun++;
  operand->operand = true;
  operand->where.place = place;
  return operand;
}

/* Is there a function behind an event, which may fail yet? */
static bool goes_on(const aw_task *operand) {
  return aw__wire_inside(operand->root)->kind == AW_KIND_BIND;
}

/* Of Any{} only an event whose commit is the success: if the others of the race
 * waited on, they would be in each other's way. */
bool aw__group_is_event(const aw_group *group, const aw_task *operand) {
  if (is_join(group) || !aw_wire_is_event(operand->root))
    return false;
  return group->wire->kind != AW_KIND_ANY || !goes_on(operand);
}

/* ---- deciding a race ---- */

static void give_up(aw_task *loser) {
  if (loser->contender && loser->wait)
    aw__task_lose(loser);
  else if (!loser->contender) /* else it is being armed: see below */
    aw__scope_cancel(&loser->scope, AW_BY_RACE, 0, AW_DEFAULT);
}

/* The errors of Any{} stand in `values`, in their order; the lowest bit says
 * that one is of a clean-up. */
static const aw_value OF_CLEAN_UP = 1;

static aw_error *error_at(const aw_group *group, uint32_t index) {
  return (aw_error *)(uintptr_t)(group->values[index] & ~OF_CLEAN_UP);
}

static void drop_errors(aw_group *group) {
  while (group->failed > 0) {
    aw_error_release(error_at(group, --group->failed));
    group->values[group->failed] = 0;
  }
}

static void decide(aw_group *group, const aw_task *winner) {
  drop_errors(group); /* of Any{}: somebody did better */
  group->decided = true;
  group->winner = (uint32_t)winner->where.place;
  aw_scope *next;
  for (aw_scope *s = group->opened.scope.first; s; s = next) {
    next = s->next;
    if (s->task != winner)
      give_up(s->task);
  }
}

/* Is what this event of Any{} is going to end with a value? */
static bool is_success(const aw_task *contender) {
  const aw_wire *wire = aw__wire_inside(contender->root);
  if (wire->kind == AW_KIND_DONE && wire->u.task->state != AW_TASK_DONE)
    return false;
  return contender->result >= 0 && contender->outcome != AW_OUT_ERROR;
}

void aw__group_commit(aw_task *contender) {
  aw_group *group = group_of(contender->scope.parent);
  contender->contender = false;
  if (group->wire->kind == AW_KIND_ANY && !is_success(contender))
    return;
  decide(group, contender);
}

/* An operation that completed a rival while it was being armed has lost. */
void aw__group_armed(aw_task *contender) {
  if (contender->contender && group_of(contender->scope.parent)->decided)
    aw__task_lose(contender);
}

bool aw_task_rivals(const aw_task *a, const aw_task *b) {
  return a->contender && b->contender && a->scope.parent == b->scope.parent;
}

/* ---- ends of operands ---- */

static aw_value value_of(const aw_task *operand) {
  return aw__keep_value(operand->engine, operand->out.value);
}

/* Set the error of a loser's clean-up aside, until all have ended. */
static void note_late(aw_group *group, aw_error *error) {
  if (group->late)
    aw_error_suppress(group->late, aw_error_keep(error));
  else
    group->late = aw_error_keep(error);
}

static void ended_in_join(aw_group *group, const aw_task *operand) {
  if (operand->state == AW_TASK_DONE)
    group->values[operand->where.place] = value_of(operand);
  else if (operand->state == AW_TASK_FAILED)
    aw__scope_fail(&group->opened.scope, aw_error_keep(operand->out.error));
  bool go_on = group->opened.scope.eff == AW_LEVEL_NONE;
  aw_task *next = go_on ? aw__group_next(group) : NULL; /* of a limit */
  if (next)
    aw__loop_schedule(next);
}

/* Has the operand failed after it was cancelled, by what it raised then? */
static bool failed_in_clean_up(const aw_task *operand) {
  return operand->state == AW_TASK_FAILED && operand->out.error->late &&
         operand->scope.eff != AW_LEVEL_NONE;
}

bool aw_task_failed_late(const aw_task *task, const aw_error *error) {
  return error->late && task->scope.parent->eff != AW_LEVEL_NONE;
}

/* An operand that did not win, in a race that is decided. */
static void lost(aw_group *group, const aw_task *operand) {
  if (failed_in_clean_up(operand))
    note_late(group, operand->out.error);
}

static void won(aw_group *group, const aw_task *operand) {
  group->won = operand->state != AW_TASK_CANCELLED;
  if (operand->state == AW_TASK_DONE)
    group->values[0] = value_of(operand);
  else if (operand->state == AW_TASK_FAILED)
    group->error = aw_error_keep(operand->out.error);
}

static void ended_in_race(aw_group *group, const aw_task *operand) {
  if (!group->decided && operand->state != AW_TASK_CANCELLED)
    decide(group, operand);
  if (group->decided && group->winner != operand->where.place)
    lost(group, operand);
  else if (group->decided)
    won(group, operand);
}

static void ended_in_any(aw_group *group, const aw_task *operand) {
  if (operand->state != AW_TASK_FAILED || group->decided) {
    ended_in_race(group, operand);
    return;
  }
  aw_error *error = aw_error_keep(operand->out.error);
  aw_value bit = failed_in_clean_up(operand) ? OF_CLEAN_UP : 0;
  group->values[group->failed++] = (aw_value)(uintptr_t)error | bit;
}

static void operand_ended(aw_scope *scope, aw_task *operand) {
  aw_group *group = group_of(scope);
  if (operand->state == AW_TASK_CANCELLED && scope->eff != AW_LEVEL_NONE)
    group->cut = true;
  if (is_join(group))
    ended_in_join(group, operand);
  else if (group->wire->kind == AW_KIND_ANY)
    ended_in_any(group, operand);
  else
    ended_in_race(group, operand);
}

/* ---- the outcome ---- */

/* All have failed: the last error, with the others suppressed, oldest first. */
static aw_error *last_error(aw_group *group) {
  aw_error *last = error_at(group, --group->failed);
  for (uint32_t i = 0; i < group->failed; i++)
    aw_error_suppress(last, error_at(group, i));
  group->failed = 0;
  return last;
}

/* Any{} was cancelled from outside before it was decided: failures are forgiven
 * as ever, but not those of clean-up [E3]. */
static void forgive(aw_group *group) {
  for (uint32_t i = 0; i < group->failed; i++)
    if (group->values[i] & OF_CLEAN_UP)
      note_late(group, error_at(group, i));
  drop_errors(group);
}

/* The error that the group ends with, or NULL. Gives. */
static aw_error *error_of(aw_group *group, aw_error *in_scope) {
  aw_error *error = group->error;
  if (group->cut && group->failed < group->wire->count)
    forgive(group);
  if (group->failed > 0)
    error = last_error(group);
  if (!error)
    error = in_scope;
  else if (in_scope)
    aw_error_suppress(error, in_scope);
  if (!error)
    error = group->late;
  else if (group->late)
    aw_error_suppress(error, group->late);
  group->error = group->late = NULL;
  return error;
}

/* Let go of what was collected and is not wanted. */
static void drop_values(aw_engine *engine, aw_group *group) {
  const aw_wire *wire = group->wire;
  if (wire->kind == AW_KIND_ANY && !group->decided) {
    drop_errors(group);
    return;
  }
  size_t count = is_join(group) ? wire->count : 1;
  for (size_t i = 0; i < count; i++)
    aw__drop(engine, group->values[i]);
}

/* Make one value of those of the group, by the host; takes them. */
static void end_gathered(aw_task *task, aw_group *group, aw_shape shape,
                         size_t count) {
  aw_engine *engine = task->engine;
  aw_value value = 0;
  if (!engine->config.gather || !group->wanted) {
    drop_values(engine, group);
  } else {
    int rc = engine->config.gather(engine->config.host, shape, group->values,
                                   count, group->winner + 1, &value);
    if (rc < 0) {
      aw__task_end_code(task, rc);
      return;
    }
  }
  aw__task_end_value(task, value);
}

static void end_well(aw_task *task, aw_group *group) {
  const aw_wire *wire = group->wire;
  if (is_join(group))
    end_gathered(task, group, AW_SHAPE_LIST, wire->count);
  else if (wire->kind == AW_KIND_SELECT)
    end_gathered(task, group, AW_SHAPE_INDEX_FIRST, 1);
  else if (wire->kind == AW_KIND_RACE && wire->u.list.table)
    end_gathered(task, group, AW_SHAPE_INDEX_LAST, 1);
  else
    aw__task_end_value(task, group->values[0]);
}

/* Join: were all of them begun, and none cut short? Race: has one won? */
static bool is_complete(const aw_group *group) {
  if (is_join(group))
    return !group->cut && group->begun == group->wire->count;
  return group->won;
}

/* No operand has decided it: they were all cancelled, from outside or each by
 * its own task's cancel. */
static void end_undecided(aw_task *task, aw_group *group, bool outer) {
  drop_values(task->engine, group);
  aw__task_end_code(task,
                    group->cut || outer ? AW_ECANCELED : AW_ETASKCANCELLED);
}

void aw__group_close(aw_task *task) {
  aw_group *group = group_of(task->inner);
  aw_scope_end end;
  aw__frame_exit(task, &end);
  aw__drop(task->engine, end.reason);
  aw_error *error = error_of(group, end.error);
  if (error) {
    drop_values(task->engine, group);
    aw__task_end_error(task, error);
  } else if (is_complete(group)) {
    end_well(task, group);
  } else {
    end_undecided(task, group, end.outer);
  }
  free_group(task->engine, group);
}

/* ---- what others may know ---- */

const char *aw_scope_label(const aw_scope *scope) {
  if (!scope->group)
    return aw_scope_shields(scope) ? "shield" : "scope";
  return aw__kind_row(group_of(scope)->wire)->name;
}
