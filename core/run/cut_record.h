/* cut_record.h - which wait a time-out cuts short; see cut_record.c */
#ifndef AW_CUT_RECORD_H
#define AW_CUT_RECORD_H

#include "state.h"

/* The place for the record of a scope's time-out; NULL: the scope has none. */
aw_cut **aw__cut_place(aw_scope *scope);
/* The wait of `task` is about to be aborted. Returns its record if it is the
 * first wait that the expired deadline cuts short; else NULL. */
aw_cut *aw__cut_wait(aw_task *task);
/* The cancelled `task` may not wait. Returns the record of that if the expired
 * deadline has cut short no other wait; else NULL. */
aw_cut *aw__cut_refusal(aw_task *task);
/* `task` leaves the scope, which has ended as `end` says. The record goes to
 * the reporter of the time-out by `end`, or it is released. */
void aw__cut_leave(aw_task *task, aw_scope *scope, aw_scope_end *end);
/* Release the record that the last scope has ended with. */
void aw__cut_forget(aw_engine *engine);

#endif
