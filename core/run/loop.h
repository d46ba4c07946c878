/* loop.h - how a run of a loop ends; see loop.c */
#ifndef AW_LOOP_H
#define AW_LOOP_H

#include "state.h"

bool aw__loop_accepts(const aw_loop *loop); /* open to new tasks? */
/* Reset the cancel of the root after a run. */
void aw__loop_forget_cancel(aw_loop *loop);
/* `task` of this loop has ended. With NULL, only check whether the run ends. */
void aw__loop_settled(aw_loop *loop, aw_task *task);
/* Note that the time-out of the run has expired; the caller cancels the run. */
void aw__loop_timed_out(aw_loop *loop);
/* Do not tell the host of the end of a run any more. */
void aw__loop_forget_end(aw_loop *loop);
/* The running loop that was begun last and has tasks [L4]; or NULL. */
aw_loop *aw__loop_innermost_blocked(aw_engine *engine);

#endif
