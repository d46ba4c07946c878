/* waits.h - texts for people of what events say */
#ifndef AWM_WAITS_H
#define AWM_WAITS_H

#include "trace/ring.h"

/* Return the label of the wait that begins with `record`, as "sleep". */
const char *awm_wait_label(const awm_record *record);
/* Write more about it, as "1.5", or "". */
void awm_write_about(const awm_event *event, char *out, size_t size);
/* Write how a wait has ended: "" for a success, "cancelled", or the error. */
void awm_write_result(int result, char *out, size_t size);
/* Return what has caused a cancel, an aw_cancel_kind. */
const char *awm_cancel_cause(int by);
/* Return how a task has ended, an aw_task_state. */
const char *awm_end_of_task(int state);

#endif
