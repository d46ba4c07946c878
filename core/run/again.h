/* again.h - a task that goes on at once, past the interpreter
 *
 * Most often a task may go on as soon as its step has ended, and runs the same
 * step once more: for the next turn of a repeat, or because the step has
 * returned the wire that it runs in. The way through frames, rounds and the
 * queue leads to the same step, and costs several times as much as the step.
 * These functions look first whether the task may go on, and are inline for the
 * same reason.
 *
 * Neighbours: report.c uses them for steps of the host, step.c for C steps,
 * wait.c for yields.
 */
#ifndef AW_AGAIN_H
#define AW_AGAIN_H

#include "run/task.h"

/* Would `task`, which runs, be the next to run if it gave up its turn? Nobody
 * else is ready, no look at the clock is due, the host need not be told of
 * anything, and the task is not cancelled. */
static inline bool aw__again_free(const aw_task *task) {
  const aw_engine *engine = task->engine;
  return engine->ready.count == 0 && engine->credit > 1 && !engine->woken &&
         !engine->news && task->inner->eff == AW_LEVEL_NONE;
}

static inline void aw__again_count(aw_task *task) {
  task->engine->credit--;
  task->engine->steps++;
  task->steps++;
}

/* The step `at` has ended. If it is all that is in a repeat, and the repeat has
 * another turn, count that turn. Returns how many turns are left, this one
 * included, or 0. */
static inline uint64_t aw__again_turn(aw_task *task) {
  if (task->depth == 0)
    return 0;
  aw_frame *frame = aw__task_top(task);
  if (frame->kind != AW_FRAME_REPEAT || frame->u.n <= 1 ||
      frame->wire->u.first != task->at)
    return 0;
  return frame->u.n == AW_FOREVER ? AW_FOREVER : --frame->u.n;
}

#endif
