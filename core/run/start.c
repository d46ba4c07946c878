/* start.c - loops are made and freed, and tasks are started on them
 *
 *     adopt       a new task becomes a child of a scope
 *     schedule    the task is queued; while its loop does not run, the task
 *                 stands in `pending` instead [S7]
 *
 * A task ends without having run if its loop is closed first, or if the grace
 * of a cancel of its loop has expired [T3].
 *
 * Neighbours: loop.c runs the loop; end.c ends a task that has not run; step.c
 * and group.c start tasks for wires.
 */
#include "run/start.h"

#include "base/config.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/cancel.h"
#include "run/end.h"
#include "run/instrument.h"
#include "run/loop.h"
#include "run/task.h"
#include "run/tree.h"

#include <assert.h>

int aw_loop_new(aw_engine *engine, const aw_loop_config *config,
                aw_loop **out) {
  enum { GRACE_SECONDS = 5 };
  static const aw_loop_config plain = {.grace = GRACE_SECONDS * AW_SECOND};
  if (!engine)
    return AW_EINVAL;
  aw_loop_config room;
  const void *own = config ? config : &plain;
  aw_value host = config ? config->host : 0;
  int rc = out ? aw__config_fit(&own, AW_CONFIG_LAYOUT(aw_loop_config), &room)
               : AW_EINVAL;
  aw_loop *loop = rc == 0 ? aw__alloc(engine, sizeof *loop) : NULL;
  if (!loop) {
    aw__drop(engine, host);
    return rc < 0 ? rc : AW_ENOMEM;
  }
  loop->engine = engine;
  loop->grace = ((const aw_loop_config *)own)->grace;
  loop->host = host;
  aw__list_init(&loop->pending);
  aw__scope_init(&loop->root, NULL, NULL);
  aw__engine_keep(engine);
  engine->loops++;
  *out = loop;
  return 0;
}

/* End a task that has never run: its state is "cancelled" [T3]. */
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

/* Make `task` the youngest child of `scope`. */
static void enter(aw_scope *scope, aw_task *task, aw_loop *loop) {
  aw__scope_init(&task->scope, scope, task);
  task->inner = &task->scope;
  task->loop = loop;
  scope->children++;
  loop->live++;
  loop->foreground += !task->background;
}

int aw__loop_adopt(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out) {
  aw_loop *loop = aw__scope_loop(scope);
  aw_engine *engine = aw__scope_engine(scope);
  bool open = loop && aw__loop_accepts(loop) && !scope->closed;
  if (!open) {
    aw_wire_release(wire);
    wire = NULL;
  }
  aw_task *task = aw__task_new(engine, wire, config);
  if (!task)
    return open ? AW_ENOMEM : AW_EENDED;
  assert(open); /* without a wire, there is no task */
  task->background |= scope->task && scope->task->background; /* [T2] */
  enter(scope, task, loop);
  if (engine->instrumented)
    aw__tell_started(task);
  *out = task;
  return 0;
}

/* A task with the locals of `task`. */
AW_SELDOM static aw_task *make_heir(const aw_task *task, aw_wire *wire) {
  aw_engine *engine = task->engine;
  aw_task_config config = {.locals =
                               aw__keep_value(engine, task->more->locals)};
  return aw__task_new(engine, wire, &config);
}

aw_task *aw__loop_adopt_operand(aw_scope *scope, aw_wire *wire) {
  const aw_task *task = scope->task;
  assert(aw__loop_accepts(task->loop) && !scope->closed);
  aw_task *operand = NULL;
  if (task->more && task->more->locals)
    operand = make_heir(task, aw_wire_keep(wire));
  else
    operand = aw__task_plain(task->engine, aw_wire_keep(wire));
  if (!operand)
    return NULL;
  operand->operand = true;
  if (task->background)
    operand->background = true;
  enter(scope, operand, task->loop);
  if (task->told)
    aw__tell_started(operand);
  return operand;
}

static int start(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                 aw_task **out) {
  aw_task *task;
  int rc = aw__loop_adopt(scope, wire, config, &task);
  if (rc < 0)
    return rc;
  if (out)
    *out = aw_task_keep(task);
  aw__ready_rouse(task->engine); /* the host may start tasks between turns */
  aw__loop_schedule(task);
  return 0;
}

/* Like start(), but the new task inherits the locals of the task whose step is
 * under way, unless `config` has locals. */
static int start_heir(aw_scope *scope, aw_wire *wire,
                      const aw_task_config *config, aw_task **out) {
  const aw_task *by = aw__scope_engine(scope)->current;
  bool runs = by->state == AW_TASK_RUNNING &&
              (by->engine->gate & AW_INSIDE || by->go == AW_GO_STEP);
  aw_task_config heir = config ? *config : (aw_task_config){0};
  if (runs && !heir.locals)
    heir.locals = aw__keep_value(by->engine, by->more->locals);
  return start(scope, wire, &heir, out);
}

/* A wrong call. Dispose of what it takes. */
static int refuse(const aw_scope *scope, aw_wire *wire,
                  const aw_task_config *config) {
  aw_wire_release(wire);
  if (scope && config) {
    aw_engine *engine = aw__scope_engine(scope);
    aw__drop(engine, config->handler);
    aw__drop(engine, config->locals);
  }
  return AW_EINVAL;
}

int aw_scope_start(aw_scope *scope, aw_wire *wire, const aw_task_config *config,
                   aw_task **out) {
  aw_task_config room;
  const void *own = config;
  if (!scope || (own && aw__config_fit(&own, AW_CONFIG_LAYOUT(aw_task_config),
                                       &room) < 0))
    return refuse(scope, wire, config);
  const aw_task *by = aw__scope_engine(scope)->current;
  if (by && by->more && by->more->locals) /* rarely */
    return start_heir(scope, wire, own, out);
  return start(scope, wire, own, out);
}

int aw_loop_start(aw_loop *loop, aw_wire *wire, const aw_task_config *config,
                  aw_task **out) {
  return aw_scope_start(loop ? &loop->root : NULL, wire, config, out);
}

int aw__loop_spin_off(aw_task *task) {
  aw_wire *next = task->out.next;
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
  aw_task_config config = {.where = aw_task_where(task)};
  return aw_scope_start(task->inner, next, &config, NULL);
}

/* ---- the end of a loop ---- */

int aw_loop_close(aw_loop *loop) {
  if (!loop)
    return AW_EINVAL;
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

int aw_loop_free(aw_loop *loop) {
  if (!loop)
    return 0;
  int rc = aw_loop_close(loop);
  if (rc < 0)
    return rc;
  aw_engine *engine = loop->engine;
  aw__loop_forget_end(loop);
  aw__loop_forget_cancel(loop);
  aw_error_release(loop->error);
  aw__drop(engine, loop->host);
  engine->loops--;
  aw_cut_release(loop->cut);
  aw__free(engine, loop, sizeof *loop);
  aw__engine_release(engine);
  return 0;
}
