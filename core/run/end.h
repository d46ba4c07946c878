/* end.h - how a task ends; see end.c */
#ifndef AW_END_H
#define AW_END_H

#include "state.h"

void aw__task_finish(aw_task *task);   /* the outermost chain has ended */
void aw__task_conclude(aw_task *task); /* its children have been joined */
void aw__task_settle(aw_task *task);   /* an ended task leaves the tree */
/* End a task, as cancelled, that will run no more code, not even clean-up. */
void aw__task_end_cancelled(aw_task *task);
void aw__task_lose(aw_task *task); /* the same for an event that lost */
/* Kill a task whose turn it is. Returns true if `*out` is a step for the host,
 * which closes its code. */
bool aw__task_kill(aw_task *task, aw_step *out);
bool aw__task_kill_one(aw_engine *engine);

#endif
