/* expire.c - what happens when a deadline has come
 *
 * An alarm ends a wait, as a sleep, or concerns a scope: its time-out, the end
 * of its shield, or the grace of its cancel. The host hears of a clean-up that
 * holds back an error for too long.
 *
 * Neighbours: deadline.c has the alarms; next.c calls this once a pass.
 */
#include "drive/expire.h"

#include "base/memory.h"
#include "run/cancel.h"
#include "run/loop.h"
#include "run/task.h"
#include "run/wait.h"

/* The host hears of one such task at a time. The alarm of another task is set
 * again, so that its turn comes later. */
static void note_holding(aw_task *task) {
  aw_engine *engine = task->engine;
  if (engine->holding) {
    aw__scope_remind(&task->scope, engine->now + 1);
    return;
  }
  engine->holding = aw_task_keep(task);
  engine->holding_due = true;
  engine->news = true;
}

static void fire(aw_alarm *alarm) {
  if (!alarm->of_scope) {
    aw_task *task = AW_CONTAINER(aw_task, alarm, alarm);
    aw__prefetch(task->at);
    aw__prefetch(task->host);
    if (task->wait == &aw__wait_sleep)
      aw__task_wake(task, 0);
    else if (task->wait->due)
      task->wait->due(task, task->on);
    return; /* an idle wait is left to aw__expire_idle() */
  }
  aw_scope *scope = AW_CONTAINER(aw_scope, alarm, alarm);
  bool cancelled = scope->own != AW_LEVEL_NONE;
  aw_task *task = aw_scope_task(scope);
  if (task && !cancelled) {
    note_holding(task);
    return;
  }
  if (!scope->task && !cancelled)
    aw__loop_timed_out(AW_CONTAINER(aw_loop, root, scope));
  aw__scope_alarm(scope);
}

bool aw__expire(aw_engine *engine) {
  bool fired = false;
  aw_alarm *alarm;
  while ((alarm = aw__alarm_due(engine, engine->now)) != NULL) {
    fire(alarm);
    fired = true;
  }
  return fired;
}

bool aw__expire_idle(aw_engine *engine) {
  for (aw_link *l = engine->idle.next; l != &engine->idle; l = l->next) {
    aw_task *task = AW_CONTAINER(aw_task, link, l);
    if (task->alarm.place == 0) {
      aw__link_remove(l);
      aw__task_wake(task, 0);
      return true;
    }
  }
  return false;
}
