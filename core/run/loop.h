/* loop.h - what the tasks of a loop tell it; see loop.c */
#ifndef AW_LOOP_H
#define AW_LOOP_H

#include "state.h"

/* A new task in `scope`, as aw_scope_start(), but not scheduled: borrowed. */
int aw__loop_adopt(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out);
void aw__loop_schedule(aw_task *task);
void aw__loop_settled(aw_loop *loop, aw_task *task);
void aw__loop_timed_out(aw_loop *loop);
aw_loop *aw__loop_innermost_blocked(aw_engine *engine);

#endif
