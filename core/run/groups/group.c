/* group.c - several wires at once, as tasks in a scope of their own [O4-O6]
 *
 *     task ─ frame GROUP ─► aw_group ─ scope ─┬ operand: a child task, `place`
 *            waits for its children           ├ operand …
 *                                             └ tasks that operands spin off
 *
 * The life of an operand: aw__group_next() makes it; step.c schedules it or, if
 * it is an event of a race, arms it at once; operand_ended() notes how the
 * operand ended. The end of the last operand wakes the task, and
 * aw__group_close() makes the outcome.
 *
 * A race is decided once (`decided`, `winner`): when an operand has ended, or
 * earlier, when the wait of an event is completed. In that case the wake itself
 * calls aw__group_commit() [H3]. Rivals that are events and are parked end on
 * the spot: they have nothing to clean up. The other rivals are cancelled one
 * by one, not through the scope, since the winner is in the scope, too, and may
 * have more to do: a wire that is bound to its event.
 *
 * The result of a loser is dropped. But an error that a loser raises after it
 * was given Cancelled comes from its clean-up; the group raises that error
 * (`late`) [O5].
 *
 * Invariants: until all operands have ended, each is a child of the group's
 * scope, and the group's frame is the top one of the task. A `contender` is
 * parked on a wait with `disarm`, or its wait is being armed.
 *
 * Neighbours: each kind of group has a file beside this one, which says what
 * the end of an operand means; end.c tells the group of each such end.
 */
#include "run/groups/group.h"

#include "base/memory.h"
#include "run/cancel.h"
#include "run/end.h"
#include "run/frame.h"
#include "run/start.h"
#include "run/task.h"

#include <assert.h>

static aw_group *group_of(const aw_scope *scope) {
  assert(scope->group);
  return aw__group_of(scope);
}

aw_task *aw__group_task(const aw_group *group) {
  return group->opened.scope.task;
}

/* ---- beginning ---- */

static size_t size_of(const aw_wire *wire, const aw_group_kind *kind) {
  return sizeof(aw_group) + kind->room(wire) * sizeof(aw_value);
}

static void free_group(aw_engine *engine, aw_group *group) {
  aw__opened_free(engine, &group->opened, size_of(group->wire, group->kind));
}

static void operand_ended(aw_scope *scope, aw_task *operand);
static const aw_group_hooks hooks = {aw__group_commit, operand_ended};

int aw__group_open(aw_task *task, aw_wire *wire, const aw_group_kind *kind,
                   aw_group **out) {
  aw_engine *engine = task->engine;
  aw_opened *opened = aw__opened_new(engine, size_of(wire, kind));
  if (!opened)
    return AW_ENOMEM;
  aw_group *group = AW_CONTAINER(aw_group, opened, opened);
  group->hooks = &hooks;
  group->wire = wire;
  group->kind = kind;
  group->where = aw_task_where(task);
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

bool aw__group_has_room(const aw_group *group) {
  const aw_wire *wire = group->wire;
  const aw_scope *scope = &group->opened.scope;
  if (group->decided || scope->error || group->begun == wire->count)
    return false;
  return wire->limit == 0 || scope->children < wire->limit;
}

aw_task *aw__group_next(aw_group *group) {
  uint32_t place = group->kind->next ? group->kind->next(group) : group->begun;
  aw_scope *scope = &group->opened.scope;
  aw_wire *wire = group->wire->u.list.items[place];
  aw_task *operand = aw__loop_adopt_operand(scope, wire);
  if (!operand) {
    aw__scope_fail(scope, aw_error_new(scope->task->engine, AW_ENOMEM, 0));
    return NULL;
  }
  group->begun++;
  operand->where.place = place;
  return operand;
}

bool aw__group_competes(const aw_group *group, const aw_task *operand) {
  return group->kind->competes && group->kind->competes(operand->root);
}

/* ---- deciding a race ---- */

AW_APART static void cancel_loser(aw_task *loser) {
  loser->contender = false;
  aw__scope_cancel(&loser->scope, AW_BY_RACE, 0, AW_DEFAULT);
}

/* An event whose wait cannot be aborted now is cancelled like other rivals. */
static void give_up(aw_task *loser) {
  if (loser->contender && !loser->wait)
    return; /* aw__group_armed() ends it */
  if (loser->contender && aw__task_may_abort(loser))
    aw__task_lose(loser);
  else
    cancel_loser(loser);
}

void aw__group_decide(aw_group *group, const aw_task *winner) {
  if (group->kind->decided)
    group->kind->decided(group);
  group->decided = true;
  group->winner = (uint32_t)winner->where.place;
  aw_scope *next;
  for (aw_scope *s = group->opened.scope.first; s; s = next) {
    next = s->next;
    if (s->task != winner)
      give_up(s->task);
  }
}

void aw__group_commit(aw_task *contender) {
  aw_group *group = group_of(contender->scope.parent);
  contender->contender = false;
  if (!group->kind->decides || group->kind->decides(contender))
    aw__group_decide(group, contender);
}

/* While the operation was being armed, it may have completed a rival. */
void aw__group_armed(aw_task *contender) {
  if (contender->contender && group_of(contender->scope.parent)->decided)
    give_up(contender);
}

bool aw_task_rivals(const aw_task *a, const aw_task *b) {
  return a->contender && b->contender && a->scope.parent == b->scope.parent;
}

/* ---- ends of operands ---- */

aw_value aw__group_value_of(const aw_task *operand) {
  return aw__keep_value(operand->engine, operand->out.value);
}

void aw__group_note_late(aw_group *group, aw_error *error) {
  if (group->late)
    aw_error_suppress(group->late, aw_error_keep(error));
  else
    group->late = aw_error_keep(error);
}

bool aw__group_failed_in_clean_up(const aw_task *operand) {
  return operand->state == AW_TASK_FAILED && operand->out.error->late &&
         operand->scope.eff != AW_LEVEL_NONE;
}

bool aw_task_failed_late(const aw_task *task, const aw_error *error) {
  return error->late && task->scope.parent->eff != AW_LEVEL_NONE;
}

static void operand_ended(aw_scope *scope, aw_task *operand) {
  aw_group *group = group_of(scope);
  if (operand->state == AW_TASK_CANCELLED && scope->eff != AW_LEVEL_NONE)
    group->cut = true;
  group->kind->ended(group, operand);
}

/* ---- the outcome ---- */

/* Returns the error that the group ends with, or NULL. Gives. */
static aw_error *error_of(aw_group *group, aw_error *in_scope) {
  const aw_group_kind *kind = group->kind;
  aw_error *error = kind->take_error ? kind->take_error(group) : group->error;
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

void aw__group_drop(aw_group *group, size_t count) {
  for (size_t i = 0; i < count; i++)
    aw__drop(aw__group_task(group)->engine, group->values[i]);
}

static void drop_values(aw_group *group) {
  if (group->kind->drop)
    group->kind->drop(group);
  else
    aw__group_drop(group, 1);
}

void aw__group_gather(aw_task *task, aw_group *group, aw_shape shape,
                      size_t count) {
  aw_engine *engine = task->engine;
  aw_value value = 0;
  if (!engine->config.gather || !group->wants_value(task)) {
    drop_values(group);
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

/* The group has no result and no error: either a cancel from outside cut it
 * short, or the operands that matter were cancelled one by one. */
static void end_undecided(aw_task *task, aw_group *group, bool outer) {
  drop_values(group);
  aw__task_end_code(task,
                    group->cut || outer ? AW_ECANCELED : AW_ETASKCANCELLED);
}

/* Close the scope of the group, and pop the frame. */
static void leave_scope(aw_task *task, aw_scope_end *end) {
  if (aw__frame_quit(task)) { /* most often */
    *end = (aw_scope_end){.error = NULL};
    aw__task_pop(task);
    return;
  }
  aw__frame_exit(task, end);
  aw__drop(task->engine, end->reason);
}

void aw__group_close(aw_task *task) {
  aw_group *group = group_of(task->inner);
  aw_scope_end end;
  leave_scope(task, &end);
  aw_error *error = error_of(group, end.error);
  if (error) {
    drop_values(group);
    aw__task_end_error(task, error);
  } else if (group->kind->complete(group)) {
    group->kind->finish(task, group);
  } else {
    end_undecided(task, group, end.outer);
  }
  free_group(task->engine, group);
}

/* ---- for the host ---- */

const char *aw_scope_label(const aw_scope *scope) {
  if (!scope->group)
    return aw_scope_shields(scope) ? "shield" : "scope";
  return aw__kind_row(group_of(scope)->wire)->name;
}
