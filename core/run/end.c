/* end.c - how a task ends: its own scope is joined, then it leaves the tree
 *
 *     outcome of the outermost chain
 *        │ finish: step.c joins the children of the task [T1]
 *        ▼ conclude: set the final state; before settling, report a failure to
 *          the handler of the task or to the host [T5]
 *        ▼ settle: take the task out of the tree; tell its waiters, its group
 *          and its loop
 *
 * Some tasks end early: a task that its loop cannot start any more, an event
 * that has lost its race, and a task that is killed [C9].
 *
 * Neighbours: step.c calls finish and conclude; settle tells group.c of each
 * operand that has ended, and loop.c of each task.
 */
#include "run/end.h"

#include "base/memory.h"
#include "run/cancel.h"
#include "run/instrument.h"
#include "run/loop.h"
#include "run/task.h"
#include "run/tree.h"
#include "run/wait.h"

#include <assert.h>

/* Has the task failed, with nobody in its scope and without a cancel? Most
 * failures do. Then its scope ends at once, and the error stays the outcome. */
static bool fails_alone(aw_task *task) {
  return task->outcome == AW_OUT_ERROR && task->scope.children == 0 &&
         aw__scope_end_plainly(&task->scope);
}

/* The outermost chain of the task has ended: join its children next [T1]. */
void aw__task_finish(aw_task *task) {
  aw__task_end_root(task);
  task->host = NULL;
  task->go = AW_GO_CONCLUDE;
  if (fails_alone(task)) {
    aw__scope_look_failed(&task->scope);
    return;
  }
  if (task->outcome == AW_OUT_ERROR) {
    aw__scope_fail(&task->scope, task->out.error);
    task->outcome = AW_OUT_VALUE;
    task->out.value = 0;
  } else if (task->outcome == AW_OUT_CANCEL) {
    aw__scope_cancel(&task->scope, AW_BY_PARENT, 0, AW_DEFAULT);
  }
}

/* Returns true if a cancel cut the task short. The cancel that
 * aw__task_finish() makes does not count [E5]. */
static bool cut_short(const aw_task *task) {
  return task->killed || task->scope.by != AW_BY_PARENT ||
         aw__scope_level_outside(&task->scope) != AW_LEVEL_NONE;
}

static void set_final_state(aw_task *task, const aw_scope_end *end) {
  if (end->error) {
    aw__task_drop_outcome(task);
    task->outcome = AW_OUT_ERROR;
    task->out.error = end->error;
    task->state = AW_TASK_FAILED;
  } else if (task->outcome == AW_OUT_CANCEL) {
    bool cancelled = cut_short(task);
    task->state = cancelled ? AW_TASK_CANCELLED : AW_TASK_FAILED;
    aw__task_drop_outcome(task);
    if (!cancelled)
      aw__task_end_code(task, AW_ESTRAY);
  } else {
    task->state = AW_TASK_DONE;
  }
}

static void end_scope(aw_task *task) {
  aw_scope_end end;
  aw__scope_end(&task->scope, &end);
  set_final_state(task, &end);
  aw__drop(task->engine, end.reason);
}

/* All children have ended: the task gets its final state. A failed task that
 * has a handler, or that stands at the root of a loop, is reported to the host
 * first, and settles after that [T5]. */
void aw__task_conclude(aw_task *task) {
  if (task->outcome == AW_OUT_ERROR) { /* it fails alone */
    task->state = AW_TASK_FAILED;
  } else if (aw__scope_end_plainly(&task->scope)) {
    assert(task->outcome == AW_OUT_VALUE); /* see aw__task_finish() */
    task->state = AW_TASK_DONE;
    aw__task_settle(task);
    return;
  } else {
    end_scope(task);
  }
  bool at_root = task->scope.parent->task == NULL;
  if (task->state == AW_TASK_FAILED && (aw__task_handled(task) || at_root)) {
    aw__list_append(&task->engine->reports, &task->link);
    task->engine->news = true;
  } else {
    aw__task_settle(task);
  }
}

/* A wait for a task that was cancelled ends like a wait for an object that was
 * closed. */
static void wake_waiters(aw_task *task) {
  bool cancelled = task->state == AW_TASK_CANCELLED;
  aw_link *link;
  while ((link = aw__ring_shift(&task->waiters)) != NULL) {
    aw_task *waiter = AW_CONTAINER(aw_task, link, link);
    if (cancelled)
      aw__task_wake_closed(waiter, 0);
    else
      aw__task_wake(waiter, 0);
    aw_task_release(task);
  }
}

/* Tell the group that its operand `task` has ended. From now on `where` of the
 * task has the name of a place in the code. */
static void end_operand(aw_task *task, aw_scope *scope) {
  const aw_group *group = aw__group_of(scope);
  group->hooks->ended(scope, task);
  task->where.name = group->where;
  task->operand = false;
}

/* Somebody wants to know that `task` has ended. */
static void tell_ended(aw_task *task) {
  if (task->watched)
    task->engine->woken = task->engine->news = true;
  if (!task->told)
    return;
  if (task->contender) /* it has lost while it waited */
    aw__tell_woken(task, AW_ECANCELED);
  aw__tell_ended(task);
}

void aw__task_settle(aw_task *task) {
  aw_scope *parent = task->scope.parent;
  aw_loop *loop = task->loop;
  aw_engine *engine = task->engine;
  if (task->watched || task->told)
    tell_ended(task);
  aw__scope_unlink(&task->scope);
  parent->children--;
  if (task->state == AW_TASK_CANCELLED && parent->eff != AW_LEVEL_NONE)
    parent->cut = true;
  if (task->operand)
    end_operand(task, parent);
  else if (task->state == AW_TASK_FAILED && !aw__task_handled(task) &&
           parent->task)
    aw__scope_fail(parent, aw_error_keep(task->out.error));
  if (task->more) {
    aw__drop(engine, task->more->handler);
    aw__drop(engine, task->more->locals);
    task->more->handler = task->more->locals = 0;
    aw_wire_release(task->more->failed);
    task->more->failed = NULL;
  }
  task->loop = NULL;
  task->inner = NULL;
  wake_waiters(task);
  aw_task *owner = parent->task;
  if (owner && parent->children == 0 && owner->wait == &aw__wait_children &&
      owner->on == parent)
    aw__task_wake(owner, 0);
  engine->tasks--;
  aw__loop_settled(loop, task);
  aw_task_release(task);
}

/* ---- ending early ---- */

void aw__task_end_cancelled(aw_task *task) {
  while (task->depth > 0)
    aw__task_pop(task);
  aw__task_end_root(task);
  if (!aw__scope_end_plainly(&task->scope)) {
    aw_scope_end end;
    aw__scope_end(&task->scope, &end);
    aw__drop(task->engine, end.reason);
  }
  task->state = AW_TASK_CANCELLED;
  aw__task_settle(task);
}

void aw__task_lose(aw_task *task) {
  assert(task->contender && task->wait && task->wait->disarm);
  if (task->told)
    aw__tell_lost(task);
  task->wait->disarm(task, task->on);
  task->engine->external -= task->wait->external;
  task->wait = NULL;
  task->on = NULL;
  aw__task_end_cancelled(task);
}

/* ---- killing [C9] ---- */

bool aw__task_kill(aw_task *task, aw_step *out) {
  task->killed = true;
  if (!task->host) {
    aw__task_end_code(task, AW_ECANCELED);
    return false;
  }
  task->go = AW_GO_STEP;
  out->what = AW_STEP_KILL;
  out->task = task;
  out->data = task->host;
  return true;
}

void aw_step_killed(aw_task *task) {
  if (!aw__task_in_step(task))
    return;
  task->killed = true;
  task->host = NULL;
  aw__task_end_code(task, AW_ECANCELED);
}

/* End the wait of a parked task at once, abortable or not. Returns false if
 * that cannot be done. (A wait for child tasks cannot be ended: the children
 * are killed first.) */
static bool end_wait(aw_task *task) {
  const aw_operation *wait = task->wait;
  if (wait->abandon && (!wait->disarm || wait->abortable))
    wait->abandon(task, task->on);
  else if (wait->disarm && aw__task_may_abort(task))
    wait->disarm(task, task->on);
  else
    return false;
  return true;
}

/* Kill the parked task, if it sees a hard cancel and its wait can be ended. */
static bool kill_parked(aw_task *task) {
  if (task->inner->eff != AW_LEVEL_HARD || !task->wait || !end_wait(task))
    return false;
  task->go = AW_GO_KILL;
  task->contender = false;
  aw__task_wake(task, AW_ECANCELED);
  return true;
}

bool aw__loop_kill_one(aw_loop *loop) {
  const aw_scope *root = &loop->root;
  size_t depth = 0;
  for (const aw_scope *s = root; s; s = aw_scope_walk(root, s, &depth)) {
    aw_task *task = aw_scope_task(s);
    if (task && kill_parked(task))
      return true;
  }
  return false;
}

bool aw__task_kill_one(aw_engine *engine) {
  if (engine->hardened == 0)
    return false;
  for (aw_link *l = engine->running.next; l != &engine->running; l = l->next)
    if (aw__loop_kill_one(AW_CONTAINER(aw_loop, running, l)))
      return true;
  return false;
}
