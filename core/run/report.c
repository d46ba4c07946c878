/* report.c - the host reports how a step has ended
 *
 * A report stores the outcome of a host step in the task; the next aw_next()
 * resumes the task with it. aw_step_again() and aw_step_itself() spare both
 * when the task would do nothing but run the same step again, and
 * aw_step_become() spares a machine the making of a wire for each transition.
 *
 * Neighbours: step.c hands steps to the host; wanted.c says which outcomes the
 * host need not make.
 */
#include "run/report.h"

#include "base/memory.h"
#include "base/ready.h"
#include "run/again.h"
#include "run/end.h"
#include "run/task.h"
#include "wire/view.h"

#include <assert.h>

bool aw__step_with_host(const aw_task *task) {
  return task && task->state == AW_TASK_RUNNING && task->go == AW_GO_STEP;
}

bool aw_step_is_of(const aw_task *task, void (*release)(void *data)) {
  return task->at && aw_wire_data(task->at, release) != NULL;
}

/* A report at a wrong time, when no step is under way: it was reported already,
 * or waits. Dispose of what the report takes. */
AW_APART static void refuse_value(const aw_task *task, aw_value value) {
  aw__drop(task->engine, value);
}

void aw_step_done(aw_task *task, aw_value value) {
  if (!aw__task_in_step(task)) {
    refuse_value(task, value);
    return;
  }
  task->host = NULL;
  aw__task_end_value(task, value);
}

void aw_step_next(aw_task *task, aw_wire *next) {
  if (!next) {
    aw_step_fail(task, aw_error_new(task->engine, AW_ENOMEM, 0));
    return;
  }
  if (!aw__task_in_step(task)) {
    aw_wire_release(next);
    return;
  }
  task->host = NULL;
  aw__task_drop_outcome(task);
  task->out.next = next;
  aw__task_outcome(task, AW_OUT_NEXT);
}

void aw_step_fail(aw_task *task, aw_error *error) {
  if (!aw__task_in_step(task)) {
    aw_error_release(error);
    return;
  }
  task->host = NULL;
  if (!error)
    error = aw_error_keep(task->engine->unwanted);
  aw__task_raise(task, error);
}

void aw_step_cancelled(aw_task *task) {
  if (!aw__task_in_step(task))
    return;
  task->host = NULL;
  aw__task_end_code(task, AW_ECANCELED);
}

/* The task has failed, was handed out, and has not settled. */
void aw_step_handled(aw_task *task) {
  if (task->state == AW_TASK_FAILED && task->loop &&
      !aw__link_used(&task->link))
    aw__task_settle(task);
}

uint64_t aw_step_again(aw_task *task) {
  uint64_t turns = aw__again_free(task) ? aw__again_turn(task) : 0;
  if (turns > 0)
    aw__again_count(task);
  return turns;
}

/* The innermost chain, if no frame is open above it; else NULL. */
static const aw_wire *chain_at_top(const aw_task *task) {
  if (task->depth == 0)
    return task->root;
  const aw_frame *frame = aw__task_top(task);
  return frame->kind == AW_FRAME_CHAIN ? frame->wire : NULL;
}

/* The innermost chain, if its wire is nothing but the step; else NULL. */
static const aw_wire *chain_of_step(const aw_task *task) {
  const aw_wire *wire = chain_at_top(task);
  return wire && aw__wire_inside(wire) == task->at ? wire : NULL;
}

bool aw_step_itself(aw_task *task) {
  const aw_wire *wire = chain_of_step(task);
  if (!wire || !aw__again_free(task))
    return false;
  task->host = NULL;
  aw__task_drop_outcome(task);
  aw__task_remember(task, wire);
  aw__again_count(task);
  return true;
}

bool aw_step_can_become(const aw_task *task) {
  const aw_wire *wire = chain_of_step(task);
  return wire && wire->refs == 1 && task->inner->eff == AW_LEVEL_NONE &&
         (wire->kind == AW_KIND_HOST || wire->kind == AW_KIND_HOLD);
}

/* Make `wire` what aw_hold() or aw_host_call() would make. Gives the wire that
 * was inside it, or NULL. */
static aw_wire *rewrite(aw_wire *wire, aw_wire *inside, const char *name) {
  bool held = wire->kind == AW_KIND_HOLD;
  aw_wire *before = held ? wire->u.first : NULL;
  void *data = held ? wire->u.hold.data : wire->u.host.data;
  void (*release)(void *) = held ? wire->u.hold.release : wire->u.host.release;
  wire->kind = inside ? AW_KIND_HOLD : AW_KIND_HOST;
  wire->count = inside ? 1 : 0;
  if (inside) {
    wire->u.first = inside;
    wire->u.hold.data = data;
    wire->u.hold.release = release;
  } else {
    wire->u.host.data = data;
    wire->u.host.release = release;
    wire->u.host.name = name;
  }
  return before;
}

/* Go over the transition to `wire` by the next aw_next() [N3]. */
static void go_later(aw_task *task, aw_wire *wire) {
  task->at = wire;
  task->go = AW_GO_DESCEND;
  if (aw__ready_must_queue(task->engine))
    aw__task_queue(task);
}

void *aw_step_become(aw_task *task, aw_wire *inside, const char *name,
                     bool at_once) {
  assert(aw_step_can_become(task));
  aw_wire *wire = (aw_wire *)(uintptr_t)chain_at_top(task);
  task->host = NULL;
  aw__task_drop_outcome(task);
  aw__task_remember(task, wire);
  aw_wire *before = rewrite(wire, inside, name);
  aw_wire *step = aw__wire_inside(wire);
  void *data = NULL;
  if (at_once && step->kind == AW_KIND_HOST && aw__again_free(task)) {
    aw__again_count(task);
    task->at = step;
    data = step->u.host.data;
  } else {
    go_later(task, wire);
  }
  aw_wire_release(before);
  return data;
}
