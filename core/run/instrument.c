/* instrument.c - events of tasks, for tracers and monitors
 *
 * A task that starts while an instrument is set is `told`, and keeps that flag;
 * aw_task_tell() sets it later. So the start of a task is told before any other
 * event of it. `engine.told` counts such tasks until they have ended. Meanwhile
 * only an instrument with the same `data` can be set, so an instrument never
 * hears of a task whose start it does not know. An engine without an instrument
 * keeps the `data` of the last one for that reason.
 *
 *     started ─┬─ step begins ─── step ends ─┬─ ended
 *              ├─ wait begins ─── wait ends ─┤
 *              └───────────◄─────────────────┘
 *
 * At most one step is under way in an engine (`stepping`). A wait that a step
 * arms ends that step: nothing but a return is left of the step.
 *
 * Many steps run without the interpreter, see again.h. They do not while `news`
 * of the engine is set, and it stays set as long as there is an instrument
 * (see engine.c). So the hooks stand in the long ways only: call_step() of
 * step.c for C steps, aw_next() for host steps, park() of wait.c and
 * aw__task_wake() of task.c for waits.
 *
 * Neighbours: callers stand above this file. It calls none of them.
 */
#include "run/instrument.h"

#include "base/config.h"

#include <assert.h>
#include <string.h>

int aw_engine_instrument(aw_engine *engine, const aw_instrument *instrument) {
  static const aw_instrument none;
  aw_instrument room;
  const void *own = instrument ? instrument : &none;
  if (!engine ||
      aw__config_fit(&own, AW_CONFIG_LAYOUT(aw_instrument), &room) < 0)
    return AW_EINVAL;
  void *last = engine->instrument.data;
  bool taken = engine->instrumented || engine->told > 0;
  if (instrument && taken && instrument->data != last)
    return AW_EBUSY;
  memcpy(&engine->instrument, own, sizeof engine->instrument);
  engine->instrumented = instrument != NULL;
  engine->news |= engine->instrumented;
  if (!instrument) {
    engine->instrument.data = last;
    engine->stepping = NULL;
  }
  return 0;
}

/* Does the host run code of the task? Nobody would tell the end of a C step
 * that began untold: aw_next() runs the next step before it returns. */
static bool is_in_host_step(const aw_task *task) {
  const aw_engine *engine = task->engine;
  return task == engine->current && task->state == AW_TASK_RUNNING &&
         !(engine->gate & AW_INSIDE);
}

bool aw_task_tell(aw_task *task) {
  aw_engine *engine = task->engine;
  if (!engine->instrumented || !task->loop)
    return false;
  bool older = !task->told;
  if (older) {
    aw__tell_started(task);
    if (task->wait)
      (void)aw__tell_wait(task, task->wait->label);
  }
  if (engine->stepping == NULL && is_in_host_step(task))
    aw__tell_step(task);
  return older;
}

void aw__tell_started(aw_task *task) {
  const aw_instrument *to = &task->engine->instrument;
  task->told = true;
  task->engine->told++;
  if (to->task_started)
    to->task_started(to->data, task);
}

void aw__tell_ended(aw_task *task) {
  const aw_instrument *to = &task->engine->instrument;
  assert(task->engine->stepping != task);
  task->told = false;
  task->engine->told--;
  if (to->task_ended)
    to->task_ended(to->data, task);
}

void aw__tell_cancelled(const aw_task *task) {
  const aw_instrument *to = &task->engine->instrument;
  if (to->task_cancelled && task->root) /* its wire has not ended */
    to->task_cancelled(to->data, task);
}

/* No cancel reaches an event that loses its race, since it ends at once. To the
 * instrument it looks cancelled. */
void aw__tell_lost(aw_task *task) {
  aw_scope *scope = &task->scope;
  if (scope->eff != AW_LEVEL_NONE)
    return; /* that was told of */
  scope->own = scope->eff = AW_LEVEL_SOFT;
  scope->by = AW_BY_RACE;
  aw__tell_cancelled(task);
  scope->own = scope->eff = AW_LEVEL_NONE;
}

void aw__tell_step(aw_task *task) {
  const aw_instrument *to = &task->engine->instrument;
  if (!task->engine->instrumented)
    return;
  assert(task->engine->stepping == NULL);
  task->engine->stepping = task;
  if (to->step_begins)
    to->step_begins(to->data, task);
}

void aw__tell_step_over(aw_engine *engine) {
  const aw_instrument *to = &engine->instrument;
  const aw_task *task = engine->stepping;
  if (!task)
    return;
  engine->stepping = NULL;
  if (to->step_ends)
    to->step_ends(to->data, task);
}

int aw__tell_wait(const aw_task *task, const char *label) {
  const aw_instrument *to = &task->engine->instrument;
  if (task->engine->stepping == task)
    aw__tell_step_over(task->engine);
  if (to->wait_begins)
    to->wait_begins(to->data, task, label);
  return 0;
}

void aw__tell_woken(const aw_task *task, int result) {
  const aw_instrument *to = &task->engine->instrument;
  if (to->wait_ends)
    to->wait_ends(to->data, task, result);
}

void aw__tell_turn(const aw_task *task) {
  (void)aw__tell_wait(task, "yield");
  aw__tell_woken(task, 0);
}

void aw__tell_blocking(const aw_engine *engine, uint64_t until) {
  const aw_instrument *to = &engine->instrument;
  if (to->before_blocking)
    to->before_blocking(to->data, until);
}

void aw__tell_unblocked(const aw_engine *engine) {
  const aw_instrument *to = &engine->instrument;
  if (to->after_blocking)
    to->after_blocking(to->data);
}
