/* ready.h - the queue of runnable tasks, in rounds; see ready.c */
#ifndef AW_READY_H
#define AW_READY_H

#include "state.h"

void aw__ready_push(aw_engine *engine, aw_task *task);
aw_task *aw__ready_pop(aw_engine *engine); /* NULL: the round is over */
void aw__ready_round(aw_engine *engine);   /* begin the next one */
uint64_t aw__random(aw_engine *engine);    /* the engine's source */
/* Must a task that could go on do so by the queue [F2, F3]? */
bool aw__ready_must_queue(aw_engine *engine);

#endif
