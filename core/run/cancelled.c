/* cancelled.c - how a task is given Cancelled
 *
 *     parked    abort: disarm its wait, queue the task with Cancelled
 *     running   refuse: arm no wait, queue the task with Cancelled [C2]
 *     woken     tell_closed: Cancelled replaces the news that an object was
 *               closed; or the owner of a wait that could not be aborted has
 *               ended it so
 *
 * A task that catches Cancelled and waits again is given Cancelled at each
 * wait. The core warns the host of such a task once [D4]. After too many times
 * the core kills the task [C9].
 *
 * Neighbours: cancel.c calls abort, wait.c calls refuse, step.c calls
 * tell_closed. task.c queues tasks, and remembers the scope whose cancel a task
 * was given. cut_record.c records the first wait that a time-out cuts short.
 */
#include "run/cancelled.h"

#include "run/cut_record.h"
#include "run/instrument.h"
#include "run/task.h"
#include "run/tree.h"

/* Count that the cancelled task goes on. TOO_OFTEN ends in a kill [C9]. */
static void count_cancelled(aw_task *task) {
  enum { TOO_OFTEN = 1000, AFTER_GRACE = 250 };
  bool hard = task->inner->eff == AW_LEVEL_HARD; /* no grace is left */
  unsigned times = task->cancels + (hard ? AFTER_GRACE : 1U);
  task->cancels = (times < TOO_OFTEN ? times : TOO_OFTEN) & 0x3ff;
  if (times >= TOO_OFTEN)
    task->go = AW_GO_KILL;
}

static int give_cancelled(aw_task *task) {
  bool again = task->given > 0 && task->given == aw__task_cancel_depth(task);
  task->contender = false; /* its commit decides no race any more */
  aw__task_note_cancelled(task);
  if (again && !task->warned) { /* Cancelled was caught [D4] */
    task->warned = true;
    task->engine->swallowed = (aw_notice){.id = task->id, .due = true};
    task->engine->news = true;
  }
  count_cancelled(task);
  return AW_ECANCELED;
}

/* Is a failure the reason of the cancel that `task` sees? */
static bool failed_above(const aw_task *task) {
  unsigned by = aw__scope_origin(task->inner)->by;
  return by == AW_BY_FAILURE ||
         (by == AW_BY_LOOP && task->loop->ending == AW_LOOP_FAILED);
}

void aw__task_tell_closed(aw_task *task) {
  bool told = task->result == AW_ECANCELED; /* by the owner of the wait */
  task->closed = false;
  if (task->inner->eff == AW_LEVEL_NONE || (failed_above(task) && !told))
    return;
  aw__task_drop_outcome(task);
  task->result = give_cancelled(task);
}

void aw__task_turn(aw_task *task) {
  if (task->inner->eff != AW_LEVEL_NONE)
    count_cancelled(task);
  if (task->told)
    aw__tell_turn(task);
  task->result = 0;
  aw__task_queue(task);
}

void aw__task_abort(aw_task *task) {
  const aw_operation *operation = task->wait;
  if (!operation || !operation->disarm || !aw__task_may_abort(task))
    return;
  aw_cut *cut = aw__cut_wait(task);
  operation->disarm(task, task->on);
  aw__task_wake(task, give_cancelled(task));
  task->on = cut;
}

void aw__task_refuse(aw_task *task) {
  task->on = aw__cut_refusal(task);
  task->result = give_cancelled(task);
  aw__task_queue(task);
}
