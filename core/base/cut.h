/* cut.h - the record of a wait that a time-out cut short; see cut.c */
#ifndef AW_CUT_H
#define AW_CUT_H

#include "state.h"

/* Make a record of a wait. `task` is the id of the task that waited. `where`
 * (borrowed) is the place where that task was started. `text` (copied) says
 * what the task waited for. Gives; NULL when out of memory. */
aw_cut *aw__cut_new(aw_engine *engine, uint64_t task, const char *where,
                    const char *text);
/* Note that the task with the id `task` reports the time-out. */
void aw__cut_reported_by(aw_cut *cut, uint64_t task);

#endif
