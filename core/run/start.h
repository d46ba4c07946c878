/* start.h - tasks are started on loops; see start.c */
#ifndef AW_START_H
#define AW_START_H

#include "state.h"

/* Make a task in `scope`, as aw_scope_start(), but do not schedule it. `*out`
 * is borrowed. */
int aw__loop_adopt(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out);
/* Make a task for an operand of the group whose scope is `scope`, as
 * aw__loop_adopt(); keeps `wire`. NULL when out of memory. */
aw_task *aw__loop_adopt_operand(aw_scope *scope, aw_wire *wire);
/* Schedule a task that was adopted. */
void aw__loop_schedule(aw_task *task);
/* Start the next wire that is the outcome of `task` as a child task [N5]. */
int aw__loop_spin_off(aw_task *task);

#endif
