/* task.h - a running wire: its frames, outcome and state; see task.c */
#ifndef AW_TASK_H
#define AW_TASK_H

#include "state.h"

aw_task *aw__task_new(aw_engine *engine, aw_wire *wire,
                      const aw_task_config *config);
int aw__task_push(aw_task *task, aw_frame_kind kind, aw_wire *wire);
/* Pop the top frame. What a frame owns besides a wire is freed before. */
void aw__task_pop(aw_task *task);
static inline aw_frame *aw__task_top(const aw_task *task) {
  return &task->frames[task->depth - 1];
}
void aw__task_end_root(aw_task *task); /* the outermost chain is over */
void aw__task_outcome(aw_task *task, aw_outcome outcome);
void aw__task_drop_outcome(aw_task *task);
void aw__task_end_value(aw_task *task, aw_value value);
void aw__task_end_code(aw_task *task, int code);         /* also AW_ECANCELED */
void aw__task_end_error(aw_task *task, aw_error *error); /* takes */
/* The same for an error that code of the task has just raised. */
void aw__task_raise(aw_task *task, aw_error *error);
void aw__task_remember(aw_task *task, const aw_wire *left);
bool aw__task_handled(const aw_task *task);    /* its failures have a handler */
void aw__task_queue(aw_task *task);            /* running → ready */
void aw__task_wake(aw_task *task, int result); /* parked → ready [I2] */
void aw__wake_list(aw_link *waiters, int result); /* all, by their `link` */
/* The same as a wake with AW_ECLOSED, where the wait ends otherwise. */
void aw__task_wake_closed(aw_task *task, int result);
/* May background tasks that were woken so learn of it? */
bool aw__task_has_closed(const aw_engine *engine);
/* Queue them, if it is time. */
void aw__task_queue_closed(aw_engine *engine);
/* The depth of the outermost scope of `task` whose cancel it sees; 0: it sees
 * none. What a shield hides is not seen. */
uint16_t aw__task_cancel_depth(const aw_task *task);
/* The task was given Cancelled. What it raises until it has left the scope of
 * that cancel comes of its clean-up [O5]. */
void aw__task_note_cancelled(aw_task *task);
/* The task has left a scope: forget Cancelled if it was of that scope. */
void aw__task_forget_cancelled(aw_task *task);

#endif
