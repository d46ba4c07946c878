/* wait.h - how waits begin, and the operations of the core; see wait.c */
#ifndef AW_WAIT_H
#define AW_WAIT_H

#include "state.h"

extern const aw_operation aw__wait_sleep, aw__wait_task, aw__wait_children,
    aw__wait_idle;
/* Arm `operation`. Returns 0 if the task is parked, 1 if the wait is complete
 * at once, or a negative code if the wait could not begin. */
int aw__wait_begin(aw_task *task, const aw_operation *operation, void *data);
/* Arming has returned `rc` (0: armed, 1: complete at once, or negative): park
 * or queue the task. Returns 0 or the negative code, as an await does. */
int aw__wait_armed(aw_task *task, int rc, const aw_operation *operation,
                   void *data);
/* Call this before a wait is armed. `go` is what the task does after the wait.
 * Returns true if the task is cancelled: then the task is queued with
 * Cancelled, and the caller must arm nothing. */
bool aw__wait_refused(aw_task *task, aw_go go);
int aw__wait_until(aw_task *task, uint64_t at);
int aw__wait_span(aw_task *task, uint64_t ns);
int aw__wait_for_task(aw_task *task, aw_task *other, aw_go go);
bool aw__wait_for_children(aw_task *task, const aw_scope *scope);

#endif
