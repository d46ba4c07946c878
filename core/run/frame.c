/* frame.c - frames that open a chain or a scope, and how a scope is left
 *
 *     a wire in a scope of its own:   … SCOPE  CHAIN │ what is under way
 *
 * An outcome that reaches the frame of a scope waits there until the scope has
 * no children [S2]; step.c joins them. Then the scope is closed, which decides
 * the outcome: the failure of a child comes first, and a Cancelled that comes
 * from the scope's own cancel ends here [S3, C5]. Host code opens and leaves
 * scopes in the middle of a step, with the same frames. The host keeps the
 * outcome of such a scope.
 *
 * Neighbours: step.c passes outcomes to these frames; the cold kinds and
 * group.c push them.
 */
#include "run/frame.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/memory.h"
#include "run/cancel.h"
#include "run/cancelled.h"
#include "run/cut_record.h"
#include "run/task.h"
#include "run/tree.h"
#include "run/wait.h"
#include "wire/kinds.h"
#include "wire/origin.h"

#include <assert.h>
#include <string.h>

int aw__frame_chain(aw_task *task, aw_wire *wire) {
  int rc = aw__task_push(task, AW_FRAME_CHAIN, wire);
  if (rc < 0)
    return rc;
  aw_wire_keep(wire);
  task->at = wire;
  task->go = AW_GO_DESCEND;
  return 0;
}

/* ---- opening ---- */

aw_opened *aw__opened_new(aw_engine *engine, size_t size) {
  aw_opened *opened = aw__alloc(engine, size);
  if (opened)
    engine->scopes++;
  return opened;
}

void aw__opened_free(aw_engine *engine, aw_opened *opened, size_t size) {
  if (!opened)
    return;
  aw__free(engine, opened, size);
  engine->scopes--;
}

void aw__frame_enter(aw_task *task, aw_opened *opened, uint64_t grace,
                     uint64_t shield) {
  aw_scope *scope = &opened->scope;
  opened->grace = grace;
  opened->until = shield;
  scope->shield = scope->hides = shield != AW_NO_SHIELD;
  aw__scope_init(scope, task->inner, task);
  task->inner = scope;
  task->frames[task->depth - 1].u.scope = scope;
}

static void close_scope(aw_task *task, aw_scope_end *end);

static int open_scope(aw_task *task, const aw_scope_config *config,
                      aw_wire *wire) {
  aw_engine *engine = task->engine;
  aw_opened *opened = aw__opened_new(engine, sizeof *opened);
  int rc = opened ? aw__task_push(task, AW_FRAME_SCOPE, wire) : AW_ENOMEM;
  if (rc < 0) {
    aw__opened_free(engine, opened, sizeof *opened);
    return rc;
  }
  aw__frame_enter(task, opened, config->grace,
                  config->shield ? config->deadline : AW_NO_SHIELD);
  if (config->deadline == AW_NEVER ||
      aw__alarm_set(engine, &opened->scope.alarm, config->deadline) == 0)
    return 0;
  aw_scope_end end;
  close_scope(task, &end);
  return AW_ENOMEM;
}

int aw__frame_scope(aw_task *task, const aw_scope_config *config) {
  return open_scope(task, config, NULL);
}

int aw__frame_limit(aw_task *task, aw_wire *wire, uint64_t ns, uint64_t grace) {
  uint64_t now = aw_engine_now(task->engine);
  aw_scope_config config = {.deadline = aw__later(now, ns), .grace = grace};
  int rc = open_scope(task, &config, wire);
  if (rc == 0)
    aw__opened_of(task->inner)->moved = ns;
  return rc;
}

uint64_t aw__frame_shield_end(const aw_task *task, uint64_t grace) {
  if (grace == AW_DEFAULT)
    grace = task->loop->grace;
  return aw__later(aw_engine_now(task->engine), grace);
}

int aw_scope_open(aw_task *task, const aw_scope_config *config,
                  aw_scope **out) {
  aw_scope_config room;
  const void *own = config;
  if (!task || !own || !out || !aw__task_in_step(task))
    return AW_EINVAL;
  int rc = aw__config_fit(&own, AW_CONFIG_LAYOUT(aw_scope_config), &room);
  if (rc == 0)
    rc = aw__frame_scope(task, own);
  if (rc == 0)
    *out = task->inner;
  return rc;
}

/* The place of the frame of a `//` whose part is a host step without a scope,
 * among the frames above the innermost scope; the depth of the task: none. */
static size_t find_bare(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    const aw_frame *frame = &task->frames[i];
    if (frame->kind == AW_FRAME_SCOPE || frame->kind == AW_FRAME_GROUP)
      break;
    if (frame->kind == AW_FRAME_COLD && frame->wire->kind == AW_KIND_ELSE &&
        frame->u.n + 1 < frame->wire->count)
      return i;
  }
  return task->depth;
}

int aw__frame_cover(aw_task *task) {
  enum { ADDED = 2 };
  size_t at = find_bare(task);
  if (at == task->depth)
    return 0;
  int rc = aw__task_reserve(task, ADDED);
  aw_opened *opened =
      rc == 0 ? aw__opened_new(task->engine, sizeof *opened) : NULL;
  if (!opened)
    return rc < 0 ? rc : AW_ENOMEM;
  aw_frame *frames = &task->frames[at + 1];
  const aw_frame *of = &task->frames[at];
  size_t above = task->depth - at - 1;
  memmove(frames + ADDED, frames, above * sizeof *frames);
  aw_wire *part = of->wire->u.list.items[of->u.n];
  frames[0] = (aw_frame){.kind = AW_FRAME_SCOPE};
  frames[1] = (aw_frame){.kind = AW_FRAME_CHAIN, .wire = aw_wire_keep(part)};
  task->depth = (uint16_t)(at + ADDED); /* the scope is at the top … */
  aw__frame_enter(task, opened, AW_DEFAULT, AW_NO_SHIELD);
  task->depth = (uint16_t)(at + 1 + ADDED + above); /* … for a moment */
  return 0;
}

/* ---- leaving ---- */

/* Is a scope at the top that a step of `task`, which is under way, has opened?
 * A scope that a wire has opened has a chain above it while a step runs. */
static bool has_scope_of_step(const aw_task *task) {
  return aw__task_may_wait(task) && task->depth > 0 &&
         aw__task_top(task)->kind == AW_FRAME_SCOPE;
}

/* The scope of the topmost frame. */
static aw_scope *top_scope(const aw_task *task) {
  assert(task->depth > 0);
  const aw_frame *frame = &task->frames[task->depth - 1];
  assert(frame->kind == AW_FRAME_SCOPE || frame->kind == AW_FRAME_GROUP);
  assert(frame->u.scope == task->inner);
  return frame->u.scope;
}

int aw_scope_leave(aw_task *task, aw_error *error, bool cancelled) {
  if (!has_scope_of_step(task)) {
    aw_error_release(error);
    return AW_EINVAL;
  }
  aw_scope *scope = top_scope(task);
  if (error)
    aw__scope_fail(scope, error);
  else if (cancelled)
    aw__scope_cancel(scope, AW_BY_PARENT, 0, AW_DEFAULT);
  if (cancelled)
    scope->cut = true;
  if (!aw__wait_for_children(task, scope)) {
    scope->closed = true;
    return 0;
  }
  task->go = AW_GO_JOINED;
  return 1;
}

int aw_await_join(aw_task *task) {
  if (!has_scope_of_step(task))
    return AW_EINVAL;
  top_scope(task)->closed = false;
  task->hopped = false;
  task->go = AW_GO_JOINED;
  aw__task_turn(task);
  return 0;
}

void aw__frame_exit(aw_task *task, aw_scope_end *end) {
  aw_scope *scope = top_scope(task);
  aw__scope_end(scope, end);
  aw__cut_leave(task, scope, end);
  task->inner = scope->parent;
  if (task->inner->eff == AW_LEVEL_NONE)
    task->cancels = 0; /* the task has left the cancelled scope [C9] */
  aw__task_forget_cancelled(task);
  aw__scope_unlink(scope);
  aw__task_pop(task);
}

static void close_scope(aw_task *task, aw_scope_end *end) {
  aw_scope *scope = top_scope(task);
  aw__frame_exit(task, end);
  aw__opened_free(task->engine, aw__opened_of(scope), sizeof(aw_opened));
}

int aw_scope_close(aw_task *task, aw_scope_end *end) {
  if (!end || !has_scope_of_step(task) || top_scope(task)->children > 0)
    return AW_EINVAL;
  close_scope(task, end);
  return 0;
}

/* Is the scope as it was when it was opened, but for its limit? */
static bool is_quiet(const aw_scope *scope) {
  return scope->children == 0 && scope->own == AW_LEVEL_NONE &&
         scope->eff == AW_LEVEL_NONE && !scope->error && !scope->cut &&
         !scope->shield && !aw__opened_of(scope)->cut;
}

bool aw__frame_quit(aw_task *task) {
  aw_scope *scope = top_scope(task);
  if (!is_quiet(scope))
    return false;
  if (scope->alarm.place != 0)
    aw__alarm_clear(task->engine, &scope->alarm);
  task->inner = scope->parent;
  task->cancels = 0;
  aw__task_forget_cancelled(task);
  aw__scope_unlink(scope);
  return true;
}

bool aw__frame_pass(aw_task *task) {
  const aw_scope *scope = task->inner;
  if (task->outcome == AW_OUT_CANCEL || !aw__frame_quit(task))
    return false;
  aw_engine *engine = task->engine;
  aw__opened_free(engine, aw__opened_of(scope), sizeof(aw_opened));
  aw__cut_forget(engine);
  return true;
}

void aw__frame_leave(aw_task *task) {
  aw_scope *scope = top_scope(task);
  if (task->outcome == AW_OUT_ERROR) {
    aw__scope_fail(scope, task->out.error);
    task->outcome = AW_OUT_VALUE;
    task->out.value = 0;
  } else if (task->outcome == AW_OUT_CANCEL) {
    scope->cut = true;
    aw__scope_cancel(scope, AW_BY_PARENT, 0, AW_DEFAULT);
  }
  task->go = AW_GO_LEFT;
}

/* The innermost wire of aw_hold() around the running wire, within `task`; or
 * NULL. */
static aw_wire *holder_here(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    const aw_frame *frame = &task->frames[i];
    bool chain = frame->kind == AW_FRAME_CHAIN || frame->kind == AW_FRAME_STEP;
    if (chain && frame->wire->kind == AW_KIND_HOLD)
      return frame->wire;
  }
  if (task->root && task->root->kind == AW_KIND_HOLD)
    return task->root;
  return NULL;
}

/* Like holder_here(), but looks also in the tasks of the groups around `task`.
 * Those groups cache the result: otherwise each of many failing operands would
 * walk all the way up. */
static aw_wire *holder_of(const aw_task *task) {
  aw_wire *holder = NULL;
  const aw_task *at = task;
  while (!(holder = holder_here(at)) && at->operand) {
    const aw_group *group = aw__group_of(at->scope.parent);
    at = group->opened.scope.task;
    if (group->held) {
      holder = group->holder;
      break;
    }
  }
  while (task != at) {
    aw_group *group = aw__group_of(task->scope.parent);
    group->holder = holder;
    group->held = true;
    task = group->opened.scope.task;
  }
  return holder;
}

void aw__frame_set_wire(aw_task *task, aw_wire *wire, uint64_t ns) {
  aw__error_set_wire(task->out.error, wire, holder_of(task), ns);
}

/* The time limit that `wire` has set was exceeded: end with AW_ETIMEOUT. */
static void fail_late(aw_task *task, const aw_wire *wire,
                      const aw_scope_end *end) {
  aw__task_end_error(task, aw_error_new(task->engine, AW_ETIMEOUT, 0));
  aw__frame_set_wire(task, wire->u.first, end->moved);
  aw__error_set_cut(task->out.error, aw_cut_keep(end->waited));
}

void aw__frame_close(aw_task *task) {
  const aw_wire *wire = task->frames[task->depth - 1].wire;
  aw_scope_end end;
  close_scope(task, &end);
  aw__drop(task->engine, end.reason);
  bool own = end.cancelled && !end.outer && !task->killed;
  if (end.error)
    aw__task_end_error(task, end.error);
  else if (end.cut && !own)
    aw__task_end_code(task, AW_ECANCELED);
  else if (end.cut && end.timed_out && wire)
    fail_late(task, wire, &end);
  else if (end.cut)
    aw__task_end_value(task, 0);
  aw__cut_forget(task->engine);
  task->go = AW_GO_ASCEND;
}
