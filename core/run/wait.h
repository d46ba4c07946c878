/* wait.h - how a wait begins, and what the core itself waits for; see wait.c */
#ifndef AW_WAIT_H
#define AW_WAIT_H

#include "state.h"

extern const aw_operation aw__wait_sleep, aw__wait_task, aw__wait_children,
    aw__wait_idle;
/* Arm `operation`. Returns 0: the task is parked; 1: it is over already; or a
 * negative code. */
int aw__wait_begin(aw_task *task, const aw_operation *operation, void *data);
/* Arming gave `rc`, as the above: park, or be over, through the queue. Returns
 * what an await returns. */
int aw__wait_armed(aw_task *task, int rc, const aw_operation *operation,
                   void *data);
/* Before a wait is armed: `go` follows it. True: cancelled, it is queued. */
bool aw__wait_refused(aw_task *task, aw_go go);
int aw__wait_until(aw_task *task, uint64_t at);
int aw__wait_for_task(aw_task *task, aw_task *other, aw_go go);
bool aw__wait_for_children(aw_task *task, const aw_scope *scope);

#endif
