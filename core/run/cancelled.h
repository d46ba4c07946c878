/* cancelled.h - how a task is given Cancelled; see cancelled.c */
#ifndef AW_CANCELLED_H
#define AW_CANCELLED_H

#include "state.h"

/* Abort the wait of `task`: parked → ready, Cancelled. Does nothing if the task
 * does not wait, or if its wait cannot be aborted. */
void aw__task_abort(aw_task *task);
/* Refuse a wait to the running, cancelled task: running → ready, Cancelled. */
void aw__task_refuse(aw_task *task);
/* Give other tasks a turn: running → ready, cancelled or not. */
void aw__task_turn(aw_task *task);
/* Call this at the turn of a task whose wait has ended because the object was
 * closed. If the task is cancelled by now, the wait ends with Cancelled
 * instead, unless a failure is the reason of that cancel. */
void aw__task_tell_closed(aw_task *task);

#endif
