/* end.h - how a task ends; see end.c */
#ifndef AW_END_H
#define AW_END_H

#include "state.h"

void aw__task_finish(aw_task *task);   /* the outermost chain has ended */
void aw__task_conclude(aw_task *task); /* its children have been joined */
void aw__task_settle(aw_task *task);   /* an ended task leaves the tree */
/* End `task` as cancelled at once: its code runs no more, not even clean-up. */
void aw__task_end_cancelled(aw_task *task);
/* End a parked event that has lost its race; aw__task_may_abort() has agreed
 * to it. */
void aw__task_lose(aw_task *task);
/* Kill the task whose turn has come. Returns true if `*out` is a step in which
 * the host closes the code of the task. */
bool aw__task_kill(aw_task *task, aw_step *out);
/* Wake one parked task that sees a hard cancel, to kill it at its turn. Returns
 * false if there is none. */
bool aw__task_kill_one(aw_engine *engine);
bool aw__loop_kill_one(aw_loop *loop); /* the same for the tasks of `loop` */

#endif
