/* wait.h - how waits begin, and the operations of the core; see wait.c */
#ifndef AW_WAIT_H
#define AW_WAIT_H

#include "state.h"

extern const aw_operation aw__wait_sleep, aw__wait_task, aw__wait_children,
    aw__wait_idle;
/* Arm `operation`. Returns 0 if the task is parked, 1 if the wait is complete
 * at once, or a negative code. */
int aw__wait_begin(aw_task *task, const aw_operation *operation, void *data);
/* Arming has returned `rc`, as above: park or queue the task. Returns 0 or a
 * negative code, as an await does. */
int aw__wait_armed(aw_task *task, int rc, const aw_operation *operation,
                   void *data);
/* Call before a wait is armed; `go` is what follows the wait. Returns true if
 * the task is cancelled: it is queued with Cancelled, and nothing may be
 * armed. */
bool aw__wait_refused(aw_task *task, aw_go go);
int aw__wait_until(aw_task *task, uint64_t at);
int aw__wait_for_task(aw_task *task, aw_task *other, aw_go go);
bool aw__wait_for_children(aw_task *task, const aw_scope *scope);

#endif
