/* task.h - a running wire: its frames, outcome and state; see task.c */
#ifndef AW_TASK_H
#define AW_TASK_H

#include "state.h"

aw_task *aw__task_new(aw_engine *engine, aw_wire *wire,
                      const aw_task_config *config);
/* A task without any configuration; takes `wire`. */
aw_task *aw__task_plain(aw_engine *engine, aw_wire *wire);
/* Make room for `count` more frames: so many pushes cannot fail. */
int aw__task_reserve(aw_task *task, int count);
/* Inline, since each group and each composite pushes frames. */
static inline int aw__task_push(aw_task *task, aw_frame_kind kind,
                                aw_wire *wire) {
  int rc = task->depth == task->capacity ? aw__task_reserve(task, 1) : 0;
  if (rc < 0)
    return rc;
  aw_frame *frame = &task->frames[task->depth++];
  frame->kind = (uint8_t)kind;
  frame->wire = wire;
  frame->u.n = 0;
  return 0;
}
/* Pop the top frame, and release the wire that it keeps. The caller has freed
 * what else the frame owns. */
void aw__task_pop(aw_task *task);
/* Is a step of `task` under way that has armed no wait, and that the host has
 * not reported? Else the program has called a function for steps at a wrong
 * time. */
static inline bool aw__task_in_step(const aw_task *task) {
  return task->go == AW_GO_STEP;
}
/* The same for a task that a program hands in. */
static inline bool aw__task_may_wait(const aw_task *task) {
  return task && aw__task_in_step(task);
}
/* May the wait of `task`, which has `disarm`, be aborted now? If so, the caller
 * calls `disarm` at once. */
static inline bool aw__task_may_abort(aw_task *task) {
  const aw_operation *wait = task->wait;
  return !wait->abortable || wait->abortable(task, task->on);
}
static inline aw_frame *aw__task_top(const aw_task *task) {
  return &task->frames[task->depth - 1];
}
void aw__task_end_root(aw_task *task); /* the outermost chain is over */
void aw__task_outcome(aw_task *task, aw_outcome outcome);
void aw__task_release_outcome(aw_task *task); /* see the next function */
/* Most often there is nothing to drop. */
static inline void aw__task_drop_outcome(aw_task *task) {
  task->input = false;
  if (task->outcome != AW_OUT_VALUE || task->out.value != 0)
    aw__task_release_outcome(task);
}
void aw__task_end_value(aw_task *task, aw_value value);
void aw__task_end_code(aw_task *task, int code);         /* also AW_ECANCELED */
void aw__task_end_error(aw_task *task, aw_error *error); /* takes */
/* End with an error that the code of the task has just raised; takes the error,
 * and notes in it whether the task was given Cancelled before. */
void aw__task_raise(aw_task *task, aw_error *error);
/* The task goes on from the wire `left` to another one: remember the name of
 * `left` in the chain [D3]. A machine that goes on to itself only counts, and
 * is inline. */
void aw__task_remember_name(aw_task *task, const aw_wire *left);
static inline void aw__task_remember(aw_task *task, const aw_wire *left) {
  aw_chain *chain = task->more ? &task->more->chain : NULL;
  if (chain && chain->count > 0 &&
      chain->names[chain->newest] == aw_wire_name(left))
    chain->times[chain->newest]++;
  else
    aw__task_remember_name(task, left);
}
bool aw__task_handled(const aw_task *task);    /* its failures have a handler */
void aw__task_queue(aw_task *task);            /* running → ready */
void aw__task_wake(aw_task *task, int result); /* parked → ready [I2] */
/* Wake `task` like a wake with AW_ECLOSED, but with any `result`; see "waits
 * whose object was closed" in task.c. */
void aw__task_wake_closed(aw_task *task, int result);
/* May the background tasks in engine.closed be queued? */
bool aw__task_has_closed(const aw_engine *engine);
/* Queue the tasks in engine.closed, or let them wait for other tasks. */
void aw__task_queue_closed(aw_engine *engine);
/* The depth of the outermost scope whose cancel `task` sees; 1 also if that
 * scope is above `task`; 0 if `task` sees no cancel. Cancels that a shield
 * hides do not count. */
uint16_t aw__task_cancel_depth(const aw_task *task);
/* Note that `task` was given Cancelled. Errors that the task raises before it
 * has left the scope of that cancel come from its clean-up [O5]. */
void aw__task_note_cancelled(aw_task *task);
/* `task` has left a scope: forget a Cancelled that came from this scope. */
void aw__task_forget_cancelled(aw_task *task);

#endif
