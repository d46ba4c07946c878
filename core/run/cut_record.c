/* cut_record.c - which wait a time-out cuts short, for its error message [E2]
 *
 * An expired deadline aborts the waits below its scope. When the Timeout is
 * reported, these waits are gone. So the first wait that the deadline aborts
 * leaves a record (base/cut.h) in the scope: the text of the wait and the id of
 * the task. If no task was waiting, the record describes the first wait that is
 * refused later. The host adds the place in its code, from the stack of the
 * task, when the task resumes with Cancelled. Until then `on` of the task
 * points to the record.
 *
 *     engine.cutting ──► aw_opened.cut of a scope, or aw_loop.cut of a root:
 *                        the place for the record; NULL once it is filled
 *
 * Invariant: the record lives longer than the pointer in `on`. The scope owns
 * the record, and the scope ends only after that task has resumed.
 *
 * When memory has run out, there is no record. Neighbours: cancelled.c aborts
 * waits, cancel.c lets the deadline expire, frame.c leaves the scope.
 */
#include "run/cut_record.h"

#include "base/cut.h"
#include "run/task.h"
#include "run/tree.h"

static aw_cut *make(const aw_task *task, const char *text) {
  return aw__cut_new(task->engine, task->id, aw_task_where(task), text);
}

static aw_cut *make_of_wait(const aw_task *task) {
  const aw_operation *operation = task->wait;
  if (operation->by_number)
    return aw__cut_later(task->engine, task->id, aw_task_where(task), operation,
                         task->on);
  char text[AW_CUT_LONGEST];
  aw__cut_describe(operation, task->on, text);
  return make(task, text);
}

aw_cut *aw__cut_wait(aw_task *task) {
  aw_cut **place = task->engine->cutting;
  if (!place)
    return NULL;
  task->engine->cutting = NULL;
  return *place = make_of_wait(task);
}

aw_cut **aw__cut_place(aw_scope *scope) {
  if (scope->task && scope != &scope->task->scope)
    return &AW_CONTAINER(aw_opened, scope, (uintptr_t)scope)->cut;
  return scope->task ? NULL
                     : &AW_CONTAINER(aw_loop, root, (uintptr_t)scope)->cut;
}

/* The place for the record of the time-out that has cancelled `scope`; NULL: no
 * time-out has. */
static aw_cut **place_above(aw_scope *scope) {
  aw_scope *origin = aw__scope_origin(scope);
  bool of_loop =
      !origin->task &&
      AW_CONTAINER(aw_loop, root, (uintptr_t)origin)->ending == AW_LOOP_TIMEOUT;
  return of_loop || origin->by == AW_BY_DEADLINE ? aw__cut_place(origin) : NULL;
}

aw_cut *aw_task_cut_outside(aw_task *task, const char *text) {
  aw_cut **place = place_above(task->inner);
  if (!place || *place)
    return NULL;
  return *place = make(task, text);
}

aw_cut *aw__cut_refusal(aw_task *task) {
  return aw_task_cut_outside(task, "a wait that had not begun");
}

void aw__cut_leave(aw_task *task, aw_scope *scope, aw_scope_end *end) {
  aw_cut **place = aw__cut_place(scope), *cut = *place;
  if (!cut)
    return;
  *place = NULL;
  aw_cut **above = end->outer ? place_above(scope) : NULL;
  if (above && !*above) {
    *above = cut;
    return;
  }
  if (!task->wait && task->on == cut)
    task->on = NULL; /* the host has not taken the record */
  if (end->timed_out && !end->outer) {
    aw__cut_reported_by(cut, task->id);
    aw__cut_forget(task->engine);
    task->engine->reported = end->waited = cut;
    task->engine->news = true;
  } else {
    aw_cut_release(cut);
  }
}

void aw__cut_forget(aw_engine *engine) {
  aw_cut *cut = engine->reported;
  engine->reported = NULL;
  aw_cut_release(cut);
}

aw_cut *aw_task_take_cut(aw_task *task) {
  aw_cut *cut = task->wait ? NULL : task->on;
  if (cut)
    task->on = NULL;
  return cut;
}
