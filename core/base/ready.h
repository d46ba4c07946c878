/* ready.h - the queue of runnable tasks, in rounds; see ready.c */
#ifndef AW_READY_H
#define AW_READY_H

#include "state.h"

void aw__ready_push(aw_engine *engine, aw_task *task);
aw_task *aw__ready_pop(aw_engine *engine); /* NULL: the round is over */
void aw__ready_round(aw_engine *engine);   /* begin the next one */
uint64_t aw__random(aw_engine *engine);    /* the engine's source */
/* A number below `count`, of another source, which depends on nothing but the
 * seed and the choices before [F5, F6]. */
uint32_t aw__choice(aw_engine *engine, uint32_t count);
/* Must a task that could go on do so by the queue [F2, F3]? */
bool aw__ready_must_queue(aw_engine *engine);

#endif
