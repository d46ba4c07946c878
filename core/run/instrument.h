/* instrument.h - events of tasks, for an instrument; see instrument.c
 *
 * A task is told of if its `told` is set. Callers test that flag, most often
 * together with another one that they test anyway: tracing costs a program that
 * has no instrument next to nothing.
 */
#ifndef AW_INSTRUMENT_H
#define AW_INSTRUMENT_H

#include "state.h"

AW_SELDOM void aw__tell_started(aw_task *task); /* sets `told` */
AW_SELDOM void aw__tell_ended(aw_task *task);
AW_SELDOM void aw__tell_cancelled(const aw_task *task);
AW_SELDOM void aw__tell_lost(aw_task *task);
/* A step of `task` begins. It ends by the next function, or when the task
 * begins to wait. */
AW_SELDOM void aw__tell_step(aw_task *task);
AW_SELDOM void aw__tell_step_over(aw_engine *engine);
/* `task` has begun to wait; its step, if one is under way, has ended. Returns
 * 0. */
AW_SELDOM int aw__tell_wait(const aw_task *task, const char *label);
AW_SELDOM void aw__tell_woken(const aw_task *task, int result);
/* `task` gives up its turn: a wait that ends as soon as it has begun. */
AW_SELDOM void aw__tell_turn(const aw_task *task);
AW_SELDOM void aw__tell_blocking(const aw_engine *engine, uint64_t until);
AW_SELDOM void aw__tell_unblocked(const aw_engine *engine);

#endif
