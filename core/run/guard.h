/* guard.h - wires that run under protection; see guard.c */
#ifndef AW_GUARD_H
#define AW_GUARD_H

#include "state.h"

typedef enum aw_after {
  AW_AFTER_PASS, /* the outcome goes on down: pop the frame */
  AW_AFTER_ON,   /* go on with `task->go` */
  AW_AFTER_OFF   /* the task is queued or parked */
} aw_after;
/* Push what `wire` needs; `task->at` is what it begins with. */
int aw__guard_enter(aw_task *task, aw_wire *wire);
/* An outcome has reached the top frame, that of a guard. */
aw_after aw__guard_after(aw_task *task);
void aw__guard_resume(aw_task *task);       /* a wait of its own has ended */
int aw__guard_wants(const aw_guard *guard); /* see aw_step_wants_value() */

#endif
