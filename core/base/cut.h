/* cut.h - the record of a wait that a time-out cut short; see cut.c */
#ifndef AW_CUT_H
#define AW_CUT_H

#include "state.h"

/* Make a record of a wait. `task` is the id of the task that waited. `where`
 * (borrowed) is the place where that task was started. `text` (copied) says
 * what the task waited for. Gives; NULL when out of memory. */
aw_cut *aw__cut_new(aw_engine *engine, uint64_t task, const char *where,
                    const char *text);
/* The same for a wait whose operation is `by_number`: the text is made when
 * somebody asks for it. */
aw_cut *aw__cut_later(aw_engine *engine, uint64_t task, const char *where,
                      const aw_operation *operation, const void *data);
/* Write what a wait on `operation` with `data` waits for. */
enum { AW_CUT_LONGEST = 192 };
void aw__cut_describe(const aw_operation *operation, const void *data,
                      char out[AW_CUT_LONGEST]);
/* Note that the task with the id `task` reports the time-out. */
void aw__cut_reported_by(aw_cut *cut, uint64_t task);

#endif
