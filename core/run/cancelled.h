/* cancelled.h - how a task is given Cancelled; see cancelled.c */
#ifndef AW_CANCELLED_H
#define AW_CANCELLED_H

#include "state.h"

/* Abort the wait of `task`: parked → ready, Cancelled. Does nothing if the task
 * does not wait, or if its wait cannot be aborted. */
void aw__task_abort(aw_task *task);
/* The running task is cancelled and may not wait: running → ready, with
 * Cancelled. */
void aw__task_refuse(aw_task *task);
/* Give other tasks a turn: running → ready, cancelled or not. */
void aw__task_turn(aw_task *task);
/* The turn of a task has come whose object was closed: if the task is cancelled
 * by now, its wait ends with Cancelled instead. */
void aw__task_tell_closed(aw_task *task);

#endif
