/* loop.h - how a run of a loop ends; see loop.c */
#ifndef AW_LOOP_H
#define AW_LOOP_H

#include "state.h"

bool aw__loop_accepts(const aw_loop *loop); /* may tasks be started on it? */
/* The run has ended, and its cancel with it. */
void aw__loop_forget_cancel(aw_loop *loop);
/* `task` of this loop has ended; NULL: look only whether all tasks have. */
void aw__loop_settled(aw_loop *loop, aw_task *task);
/* The time-out of the run has expired. Its cancel is up to the caller. */
void aw__loop_timed_out(aw_loop *loop);
/* The run that was begun last and has tasks [L4]; or NULL. */
aw_loop *aw__loop_innermost_blocked(aw_engine *engine);

#endif
