/* loop.c - a loop: a root scope on an engine, and how a run of it ends [L1-L3]
 *
 *     IDLE ──begin──► RUNNING ──all tasks settled──► IDLE (done), or the
 *                                                    state in `ending`
 *
 * Tasks started while it does not run wait in `pending` and stand still [S7].
 * A time-out is the alarm of the root; it, a stop and an error cancel the
 * root, whose grace bounds the rest. `ending` remembers the first of them; an
 * error overrides a stop.
 */
#include "run/loop.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/libuv.h"
#include "base/memory.h"
#include "run/end.h"
#include "run/scope.h"
#include "run/task.h"
#include "run/tree.h"
#include "run/wait.h"

#include <assert.h>

int aw_loop_new(aw_engine *engine, const aw_loop_config *config,
                aw_loop **out) {
  enum { GRACE_SECONDS = 5 };
  aw_loop *loop = aw__alloc(engine, sizeof *loop);
  if (!loop) {
    aw__drop(engine, config ? config->host : 0);
    return AW_ENOMEM;
  }
  loop->engine = engine;
  loop->grace = config ? config->grace : GRACE_SECONDS * AW_SECOND;
  loop->host = config ? config->host : 0;
  aw__list_init(&loop->pending);
  aw__scope_init(&loop->root, NULL, NULL);
  aw__engine_keep(engine);
  engine->loops++;
  *out = loop;
  return 0;
}

/* The cancel of a run is over with it. */
static void forget_cancel(aw_loop *loop) {
  aw_engine *engine = loop->engine;
  aw__alarm_clear(engine, &loop->root.alarm);
  if (loop->root.own == AW_LEVEL_HARD)
    engine->hardened--;
  loop->root.own = loop->root.eff = AW_LEVEL_NONE;
  aw__drop(engine, loop->root.reason);
  loop->root.reason = 0;
}

int aw_loop_free(aw_loop *loop) {
  if (!loop)
    return 0;
  int rc = aw_loop_close(loop);
  if (rc < 0)
    return rc;
  aw_engine *engine = loop->engine;
  forget_cancel(loop);
  aw_error_release(loop->error);
  aw__drop(engine, loop->host);
  engine->loops--;
  aw_cut_release(loop->cut);
  aw__free(engine, loop, sizeof *loop);
  aw__engine_release(engine);
  return 0;
}

/* ---- starting ---- */

static bool accepts(const aw_loop *loop) {
  return loop->state == AW_LOOP_IDLE || loop->state == AW_LOOP_RUNNING;
}

/* After the grace of its loop a task is cancelled before it runs [T3]. */
static void end_unstarted(aw_task *task) {
  aw__scope_cancel(&task->scope, AW_BY_LOOP, 0, 0);
  aw__task_end_cancelled(task);
}

void aw__loop_schedule(aw_task *task) {
  aw_loop *loop = task->loop;
  if (loop->root.own == AW_LEVEL_HARD)
    end_unstarted(task);
  else if (loop->state == AW_LOOP_RUNNING)
    aw__task_queue(task);
  else
    aw__list_append(&loop->pending, &task->link);
}

int aw__loop_adopt(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out) {
  aw_loop *loop = aw__scope_loop(scope);
  aw_engine *engine = aw__scope_engine(scope);
  bool open = loop && accepts(loop) && !scope->closed;
  if (!open) {
    aw_wire_release(wire);
    wire = NULL;
  }
  aw_task *task = aw__task_new(engine, wire, config);
  if (!task)
    return open ? AW_ENOMEM : AW_EENDED;
  aw__scope_init(&task->scope, scope, task);
  task->inner = &task->scope;
  task->loop = loop;
  task->background |= scope->task && scope->task->background; /* [T2] */
  scope->children++;
  loop->live++;
  loop->foreground += !task->background;
  *out = task;
  return 0;
}

static int start(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                 aw_task **out) {
  aw_task *task;
  int rc = aw__loop_adopt(scope, wire, config, &task);
  if (rc < 0)
    return rc;
  if (out)
    *out = aw_task_keep(task);
  aw__loop_schedule(task);
  return 0;
}

/* The same by the task whose step is under way, if it is: its locals are those
 * of the new one, unless that has its own. */
static int start_heir(aw_scope *scope, aw_wire *wire,
                      const aw_task_config *config, aw_task **out) {
  const aw_task *by = aw__scope_engine(scope)->current;
  bool runs = by->state == AW_TASK_RUNNING &&
              (by->engine->inside || by->go == AW_GO_HOST);
  aw_task_config heir = config ? *config : (aw_task_config){0};
  if (runs && !heir.locals)
    heir.locals = aw__keep_value(by->engine, by->more->locals);
  return start(scope, wire, &heir, out);
}

int aw_scope_start(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out) {
  const aw_task *by = aw__scope_engine(scope)->current;
  if (by && by->more && by->more->locals) /* rarely */
    return start_heir(scope, wire, config, out);
  return start(scope, wire, config, out);
}

int aw_loop_start(aw_loop *loop, aw_wire *wire, const aw_task_config *config,
                  aw_task **out) {
  return aw_scope_start(&loop->root, wire, config, out);
}

/* ---- running ---- */

static void end_run(aw_loop *loop) {
  aw__link_remove(&loop->running);
  if (loop->root.own != AW_LEVEL_NONE)
    aw__scope_note_late(&loop->root, loop->error);
  forget_cancel(loop);
  loop->state = loop->ending;
  loop->driven = false;
  aw__libuv_loop_ended(loop->engine, loop);
  if (loop->runner) {
    aw_task *runner = loop->runner;
    loop->runner = NULL;
    aw__task_wake(runner, 0);
  }
}

/* Let the loop end after `timeout`. One that is cancelled does so anyway: its
 * alarm is that of its grace. */
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
  aw_engine *engine = loop->engine;
  if (loop->state == AW_LOOP_RUNNING && loop->driven)
    return AW_EBUSY;
  if (!accepts(loop))
    return AW_EENDED;
  if (arm_timeout(loop, timeout) < 0)
    return AW_ENOMEM;
  loop->driven = true;
  if (loop->state == AW_LOOP_RUNNING)
    return 0; /* it was paused */
  loop->state = AW_LOOP_RUNNING;
  loop->ending = AW_LOOP_IDLE;
  aw__list_append(&engine->running, &loop->running);
  aw_link *link;
  while ((link = aw__list_shift(&loop->pending)) != NULL)
    aw__task_queue(AW_CONTAINER(aw_task, link, link));
  aw__loop_settled(loop, NULL);
  return 0;
}

int aw_await_loop(aw_task *task, aw_loop *loop, uint64_t timeout) {
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  int rc = aw_loop_begin(loop, timeout);
  bool over = rc == 0 && loop->state != AW_LOOP_RUNNING;
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

int aw_loop_close(aw_loop *loop) {
  if (loop->state == AW_LOOP_RUNNING)
    return AW_EBUSY;
  aw_link *link;
  while ((link = aw__list_shift(&loop->pending)) != NULL)
    end_unstarted(AW_CONTAINER(aw_task, link, link));
  if (loop->state == AW_LOOP_IDLE)
    loop->state = AW_LOOP_CLOSED;
  assert(loop->live == 0);
  return 0;
}

void aw_loop_fail(aw_loop *loop, aw_error *error) {
  if (loop->error)
    aw_error_suppress(loop->error, error);
  else
    loop->error = error;
  if (loop->state != AW_LOOP_RUNNING)
    return;
  loop->ending = AW_LOOP_FAILED;
  aw__scope_cancel(&loop->root, AW_BY_LOOP, 0, AW_DEFAULT);
}

/* The run that was begun last and has tasks [L4]. */
aw_loop *aw__loop_innermost_blocked(aw_engine *engine) {
  for (aw_link *l = engine->running.prev; l != &engine->running; l = l->prev) {
    aw_loop *loop = AW_CONTAINER(aw_loop, running, l);
    if (loop->live > 0)
      return loop;
  }
  return NULL;
}

/* ---- what others may know ---- */

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
