/* loop.c - a loop: a root scope on an engine, and how a run of it ends [L1-L3]
 *
 *     IDLE ──begin──► RUNNING ──all tasks settled──► IDLE (done), or the
 *                                                    state in `ending`
 *
 * A run ends when all tasks of the loop have ended. The time-out is the alarm
 * of the root scope. The time-out, a stop and an error cancel the root; the
 * grace of that cancel limits the rest of the run. `ending` remembers which
 * of the three came first, but an error always replaces the other two.
 *
 * Neighbours: start.c makes loops and starts tasks on them; end.c reports each
 * task that has ended; drive/ gives tasks their turns, and tells the host of a
 * driven engine of ends.
 */
#include "run/loop.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/libuv.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/cancel.h"
#include "run/task.h"
#include "run/tree.h"
#include "run/wait.h"

#include <assert.h>

void aw__loop_forget_cancel(aw_loop *loop) {
  aw_engine *engine = loop->engine;
  aw__alarm_clear(engine, &loop->root.alarm);
  if (loop->root.own == AW_LEVEL_HARD)
    engine->hardened--;
  loop->root.own = loop->root.eff = AW_LEVEL_NONE;
  aw__drop(engine, loop->root.reason);
  loop->root.reason = 0;
}

bool aw__loop_accepts(const aw_loop *loop) {
  return loop->state == AW_LOOP_IDLE || loop->state == AW_LOOP_RUNNING;
}

/* ---- running ---- */

static void end_run(aw_loop *loop) {
  aw__link_remove(&loop->running);
  if (loop->root.own != AW_LEVEL_NONE)
    aw__scope_note_late(&loop->root, loop->error);
  aw__loop_forget_cancel(loop);
  loop->state = loop->ending;
  loop->driven = false;
  aw__libuv_loop_ended(loop->engine, loop);
  if (loop->runner) {
    aw_task *runner = loop->runner;
    loop->runner = NULL;
    aw__task_wake(runner, 0);
  } else if (loop->engine->gate & AW_DRIVEN) {
    aw__list_append(&loop->engine->drive.ended, &loop->running);
  }
}

bool aw_loop_untold(const aw_loop *loop) {
  return loop->state != AW_LOOP_RUNNING && aw__link_used(&loop->running);
}

void aw__loop_forget_end(aw_loop *loop) {
  if (aw_loop_untold(loop))
    aw__link_remove(&loop->running);
}

/* Let the loop end after `timeout`. A cancelled loop ends anyway: its alarm
 * already stands for the grace. */
static int arm_timeout(aw_loop *loop, uint64_t timeout) {
  aw_engine *engine = loop->engine;
  if (loop->root.own != AW_LEVEL_NONE)
    return 0;
  uint64_t now = aw_engine_now(engine);
  if (aw__list_empty(&engine->running))
    engine->now = now; /* what was before is no step of ours */
  uint64_t until = aw__later(now, timeout);
  loop->timeout = timeout;
  aw__alarm_clear(engine, &loop->root.alarm);
  if (until == AW_NEVER)
    return 0;
  return aw__alarm_set(engine, &loop->root.alarm, until);
}

int aw_loop_begin(aw_loop *loop, uint64_t timeout) {
  if (!loop)
    return AW_EINVAL;
  aw_engine *engine = loop->engine;
  if ((loop->state == AW_LOOP_RUNNING && loop->driven) || aw_loop_untold(loop))
    return AW_EBUSY;
  if (!aw__loop_accepts(loop))
    return AW_EENDED;
  if (arm_timeout(loop, timeout) < 0)
    return AW_ENOMEM;
  loop->driven = true;
  if (loop->state == AW_LOOP_RUNNING)
    return 0; /* the loop was paused */
  loop->state = AW_LOOP_RUNNING;
  loop->ending = AW_LOOP_IDLE;
  aw__list_append(&engine->running, &loop->running);
  aw_link *link;
  while ((link = aw__list_shift(&loop->pending)) != NULL)
    aw__task_queue(AW_CONTAINER(aw_task, link, link));
  aw__loop_settled(loop, NULL);
  aw__libuv_hold(engine);
  aw__ready_rouse(engine); /* also if the run has ended already */
  return 0;
}

int aw_await_loop(aw_task *task, aw_loop *loop, uint64_t timeout) {
  if (!aw__task_may_wait(task) || !loop || loop->engine != task->engine)
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  int rc = aw_loop_begin(loop, timeout);
  bool over = rc == 0 && loop->state != AW_LOOP_RUNNING;
  if (over)
    aw__loop_forget_end(loop);
  if (rc == 0 && !over)
    loop->runner = task;
  return aw__wait_armed(task, over ? 1 : rc, &aw__wait_loop, loop);
}

void aw_loop_pause(aw_loop *loop) {
  loop->driven = false;
}

/* Only background tasks are left: they end with the loop [T2]. */
static void end_background(aw_loop *loop) {
  if (loop->root.own == AW_LEVEL_NONE)
    aw__scope_cancel(&loop->root, AW_BY_PARENT, 0, AW_DEFAULT);
}

void aw__loop_settled(aw_loop *loop, aw_task *task) {
  if (task) {
    loop->live--;
    loop->foreground -= !task->background;
  }
  if (loop->state != AW_LOOP_RUNNING)
    return;
  if (loop->live == 0)
    end_run(loop);
  else if (loop->foreground == 0)
    end_background(loop);
}

/* ---- ending ---- */

void aw__loop_timed_out(aw_loop *loop) {
  if (loop->ending == AW_LOOP_IDLE)
    loop->ending = AW_LOOP_TIMEOUT;
}

void aw_loop_fail(aw_loop *loop, aw_error *error) {
  if (!error)
    error = aw_error_new(loop->engine, AW_EINVAL, 0);
  if (loop->error)
    aw_error_suppress(loop->error, error);
  else
    loop->error = error;
  if (loop->state != AW_LOOP_RUNNING)
    return;
  loop->ending = AW_LOOP_FAILED;
  aw__ready_rouse(loop->engine);
  aw__scope_cancel(&loop->root, AW_BY_LOOP, 0, AW_DEFAULT);
}

aw_loop *aw__loop_innermost_blocked(aw_engine *engine) {
  for (aw_link *l = engine->running.prev; l != &engine->running; l = l->prev) {
    aw_loop *loop = AW_CONTAINER(aw_loop, running, l);
    if (loop->live > 0)
      return loop;
  }
  return NULL;
}

/* ---- looking inside ---- */

aw_loop_state aw_loop_state_of(const aw_loop *loop) {
  return (aw_loop_state)loop->state;
}

aw_error *aw_loop_error(const aw_loop *loop) {
  return loop->error;
}

const aw_cut *aw_loop_cut(const aw_loop *loop) {
  return loop->cut;
}

aw_value aw_loop_host(const aw_loop *loop) {
  return loop->host;
}

aw_engine *aw_loop_engine(const aw_loop *loop) {
  return loop->engine;
}

aw_scope *aw_loop_scope(aw_loop *loop) {
  return &loop->root;
}

uint64_t aw_loop_timeout(const aw_loop *loop) {
  return loop->timeout;
}

uint64_t aw_loop_grace(const aw_loop *loop) {
  return loop->grace;
}
