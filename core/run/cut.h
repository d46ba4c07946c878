/* cut.h - what a time-out cuts short; see cut.c */
#ifndef AW_CUT_H
#define AW_CUT_H

#include "state.h"

/* Where the record of a scope's time-out stands; NULL: it has none. */
aw_cut **aw__cut_place(aw_scope *scope);
/* The wait of `task` is about to be aborted: the record of it, if that is the
 * first one that the time-out going off cuts short; else NULL. */
aw_cut *aw__cut_wait(aw_task *task);
/* `task` cannot begin to wait, being cancelled: the same, if no wait was under
 * way when the time-out went off. */
aw_cut *aw__cut_refusal(aw_task *task);
/* The scope of `task` is left, its end known: its record is for who reports the
 * time-out, in `end`, or goes with it. */
void aw__cut_leave(aw_task *task, aw_scope *scope, aw_scope_end *end);
/* Nobody looks at the record that a scope ended with any more. */
void aw__cut_forget(aw_engine *engine);

#endif
