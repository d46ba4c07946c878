/* cut_record.h - which wait a time-out cuts short; see cut_record.c */
#ifndef AW_CUT_RECORD_H
#define AW_CUT_RECORD_H

#include "state.h"

/* The place for the record of a scope's time-out; NULL: the scope has none. */
aw_cut **aw__cut_place(aw_scope *scope);
/* The wait of `task` is about to be aborted. Returns a record of the wait if
 * this is the first wait that the expired deadline cuts short; else NULL. */
aw_cut *aw__cut_wait(aw_task *task);
/* The cancelled `task` may not wait. Returns a record of the refused wait if
 * the expired deadline has cut short no other wait; else NULL. */
aw_cut *aw__cut_refusal(aw_task *task);
/* `task` leaves the scope, which has ended as `end` says. If the time-out of
 * the scope is reported now, its record goes to `end`. If an outer time-out is
 * reported later, the record goes to the scope of that one. Else the record is
 * released. */
void aw__cut_leave(aw_task *task, aw_scope *scope, aw_scope_end *end);
/* Release the record of the scope that was closed last (engine.reported). */
void aw__cut_forget(aw_engine *engine);

#endif
