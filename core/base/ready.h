/* ready.h - the queue of runnable tasks, in rounds; see ready.c */
#ifndef AW_READY_H
#define AW_READY_H

#include "state.h"

void aw__ready_push(aw_engine *engine, aw_task *task);
/* Take the next task of a round. The caller knows that there is one. */
aw_task *aw__ready_pop(aw_engine *engine);
/* If a driven engine rests, let its host give it a turn. */
void aw__ready_rouse(aw_engine *engine);
void aw__ready_round(aw_engine *engine); /* begin the next round */
uint64_t aw__random(aw_engine *engine);  /* the engine's generator */
/* A number below `count`. Its generator depends on nothing but the seed and the
 * earlier choices [F5, F6]. */
uint32_t aw__choice(aw_engine *engine, uint32_t count);
/* Must the running task go back to the queue before it goes on [F2, F3]? It
 * must if other tasks are ready, or if the engine must look at the clock. */
bool aw__ready_must_queue(aw_engine *engine);

#endif
