/* scope.c - ownership and cancellation: the tree of scopes
 *
 * Every task has a scope of its own; others are opened in it by wires and by
 * host code. The scopes of an engine form a tree under the roots of its
 * loops, in order of creation [C3].
 *
 * Cancel is level-triggered [C2]. A scope has a cancel of its own (`own`:
 * none, soft, hard) and sees one (`eff`): the higher of its own and what
 * comes from above through its shield, which hides soft cancels until its
 * grace runs out [C7]. refresh() is the only place that computes `eff`; it
 * walks down as far as something changes and aborts the waits it finds.
 *
 * One alarm for each scope: a time-out at first, the grace of its cancel once
 * it is cancelled, at whose end the cancel is hard [C8]. A shield has two
 * times, its end and that grace: the alarm is that of the earlier.
 */
#include "run/scope.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "run/cut.h"
#include "run/task.h"

#include <assert.h>

aw_engine *aw__scope_engine(const aw_scope *scope) {
  if (scope->task)
    return scope->task->engine;
  return AW_CONTAINER(aw_loop, root, (uintptr_t)scope)->engine;
}

aw_loop *aw__scope_loop(const aw_scope *scope) {
  if (scope->task)
    return scope->task->loop;
  return AW_CONTAINER(aw_loop, root, (uintptr_t)scope);
}

/* ---- the tree ---- */

static void link_last(aw_scope *parent, aw_scope *scope) {
  scope->parent = parent;
  scope->next = NULL;
  if (!parent->first) {
    parent->first = scope->prev = scope;
    return;
  }
  scope->prev = parent->first->prev;
  scope->prev->next = scope;
  parent->first->prev = scope;
}

void aw__scope_unlink(aw_scope *scope) {
  aw_scope *parent = scope->parent;
  assert(scope->first == NULL && scope->children == 0); /* [I9] */
  if (parent->first == scope)
    parent->first = scope->next;
  else
    scope->prev->next = scope->next;
  if (scope->next)
    scope->next->prev = scope->prev;
  else if (parent->first)
    parent->first->prev = scope->prev;
  scope->parent = scope->next = scope->prev = NULL;
}

/* What `scope` would see if it had no cancel of its own. */
static unsigned level_outside(const aw_scope *scope) {
  unsigned level = scope->parent ? scope->parent->eff : AW_LEVEL_NONE;
  if (scope->shield && scope->hides && level < AW_LEVEL_HARD)
    return AW_LEVEL_NONE;
  return level;
}

int aw__scope_level_outside(const aw_scope *scope) {
  return (int)level_outside(scope);
}

/* A cancel from above is seen from now on, for as long as the scope lives. */
static void look_up(aw_scope *scope) {
  if (scope->above)
    return;
  aw__drop(aw__scope_engine(scope), scope->reason);
  const aw_scope *parent = scope->parent;
  scope->above = true;
  scope->origin = parent->above ? parent->origin : scope->parent;
}

/* What it sees now. */
static unsigned level_of(aw_scope *scope) {
  unsigned outside = level_outside(scope);
  if (outside != AW_LEVEL_NONE)
    look_up(scope);
  return scope->own > outside ? scope->own : outside;
}

/* refresh() does not visit the scopes below one whose level stays the same, so
 * their `origin` may name a scope that has an origin itself by now. The walk
 * goes on from there, and shortens the path for the next one (path halving). */
aw_scope *aw__scope_origin(aw_scope *scope) {
  while (scope->above) {
    aw_scope *next = scope->origin;
    if (!next->above)
      return next;
    scope->origin = next->origin;
    scope = next->origin;
  }
  return scope;
}

void aw__scope_init(aw_scope *scope, aw_scope *parent, aw_task *task) {
  bool inside = parent && parent->task == task;
  scope->task = task;
  scope->depth = inside ? (uint16_t)(parent->depth + 1) : 1;
  scope->alarm.of_scope = true;
  if (!parent)
    return;
  link_last(parent, scope);
  if (parent->eff != AW_LEVEL_NONE)
    scope->eff = level_of(scope) & 3u;
}

aw_scope *aw_scope_walk(const aw_scope *scope, const aw_scope *at,
                        size_t *depth) {
  if (at->first) {
    ++*depth;
    return at->first;
  }
  while (at != scope && !at->next) {
    at = at->parent;
    --*depth;
  }
  return at == scope ? NULL : at->next;
}

/* The next one in the order of the tree that is not below `at`. */
static aw_scope *walk_past(const aw_scope *top, const aw_scope *at) {
  while (at != top && !at->next)
    at = at->parent;
  return at == top ? NULL : at->next;
}

/* ---- cancelling ---- */

/* A scope whose task waits in it: abort that wait. */
static void abort_in(aw_scope *scope) {
  if (scope->task && scope->task->inner == scope)
    aw__task_abort(scope->task);
}

static void refresh(aw_scope *top) {
  size_t depth = 0;
  aw_scope *scope = top;
  while (scope) {
    unsigned level = level_of(scope);
    if (level == scope->eff) {
      scope = walk_past(top, scope);
      continue;
    }
    scope->eff = level & 3u;
    if (level)
      abort_in(scope);
    scope = aw_scope_walk(top, scope, &depth);
  }
}

static uint64_t default_grace(const aw_scope *scope) {
  const aw_task *task = scope->task;
  if (task && scope != &task->scope) {
    uint64_t grace = aw__opened_of(scope)->grace;
    if (grace != AW_DEFAULT)
      return grace;
  }
  if (task && task->more && task->more->grace != AW_DEFAULT)
    return task->more->grace;
  const aw_loop *loop = aw__scope_loop(scope);
  return loop ? loop->grace : 0;
}

void aw__scope_harden(aw_scope *scope) {
  aw_engine *engine = aw__scope_engine(scope);
  if (scope->own == AW_LEVEL_HARD)
    return;
  scope->own = AW_LEVEL_HARD;
  engine->hardened++;
  aw__alarm_clear(engine, &scope->alarm);
  refresh(scope);
}

/* Let the alarm go off at `at`. False: there is no memory for it. */
static bool set_alarm(aw_scope *scope, uint64_t at) {
  aw_engine *engine = aw__scope_engine(scope);
  aw__alarm_clear(engine, &scope->alarm);
  return at == AW_NEVER || aw__alarm_set(engine, &scope->alarm, at) == 0;
}

/* A shield has two times, and one alarm for the earlier. */
static uint64_t next_of_shield(const aw_scope *scope) {
  const aw_opened *opened = aw__opened_of(scope);
  uint64_t hard = scope->own == AW_LEVEL_SOFT ? opened->hard : AW_NEVER;
  uint64_t until = scope->hides ? opened->until : AW_NEVER;
  return hard < until ? hard : until;
}

/* Let the scope harden after `grace`. Without memory for that, there is none.
 */
static void arm_grace(aw_scope *scope, uint64_t now, uint64_t grace) {
  uint64_t at = aw__later(now, grace);
  if (scope->shield) {
    aw__opened_of(scope)->hard = at;
    at = next_of_shield(scope);
  }
  if (!set_alarm(scope, at))
    aw__scope_harden(scope);
}

void aw__scope_cancel(aw_scope *scope, aw_cancel_kind by, aw_value reason,
                      uint64_t grace) {
  if (scope->closed) {
    aw__drop(aw__scope_engine(scope), reason);
    return;
  }
  if (grace == AW_DEFAULT)
    grace = default_grace(scope);
  if (scope->own != AW_LEVEL_NONE) {
    aw__drop(aw__scope_engine(scope), reason);
    if (grace == 0)
      aw__scope_harden(scope);
    return;
  }
  scope->own = AW_LEVEL_SOFT;
  scope->by = (unsigned)by & 7u;
  if (scope->above)
    aw__drop(aw__scope_engine(scope), reason);
  else
    scope->reason = reason;
  uint64_t now = aw_engine_now(aw__scope_engine(scope));
  scope->since = (uint32_t)(now / AW_MS);
  if (grace == 0) {
    aw__scope_harden(scope);
    return;
  }
  arm_grace(scope, now, grace);
  refresh(scope);
}

void aw__scope_expose(aw_scope *scope) {
  scope->hides = 0;
  refresh(scope);
}

/* One of the times of a shield has come. */
static void shield_alarm(aw_scope *scope) {
  const aw_opened *opened = aw__opened_of(scope);
  uint64_t now = aw__scope_engine(scope)->now;
  if (scope->hides && now >= opened->until)
    aw__scope_expose(scope);
  bool hardens = scope->own == AW_LEVEL_SOFT && now >= opened->hard;
  if (hardens || !set_alarm(scope, next_of_shield(scope)))
    aw__scope_harden(scope);
}

static void time_out(aw_scope *scope) {
  aw_engine *engine = aw__scope_engine(scope);
  engine->cutting = aw__cut_place(scope);
  aw__scope_cancel(scope, scope->task ? AW_BY_DEADLINE : AW_BY_LOOP, 0,
                   AW_DEFAULT);
  engine->cutting = NULL;
}

void aw__scope_alarm(aw_scope *scope) {
  if (scope->shield)
    shield_alarm(scope);
  else if (scope->own == AW_LEVEL_SOFT)
    aw__scope_harden(scope);
  else if (scope->own == AW_LEVEL_NONE)
    time_out(scope);
}

void aw__scope_remind(aw_scope *scope, uint64_t at) {
  if (scope->own == AW_LEVEL_NONE && !scope->closed && scope->alarm.place == 0)
    (void)set_alarm(scope, at); /* without memory there is no warning */
}

void aw_task_hold_back(aw_task *task) {
  enum { LONG = 1000 }; /* ms */
  uint64_t now = aw_engine_now(task->engine);
  aw__scope_remind(&task->scope, aw__later(now, LONG * AW_MS));
}

void aw_task_let_out(aw_task *task) {
  if (task->scope.own == AW_LEVEL_NONE)
    aw__alarm_clear(task->engine, &task->scope.alarm);
}

void aw__scope_fail(aw_scope *scope, aw_error *error) {
  if (scope->error)
    aw_error_suppress(scope->error, error);
  else
    scope->error = error;
  aw__scope_cancel(scope, AW_BY_FAILURE, 0, AW_DEFAULT);
}

void aw_scope_cancel(aw_scope *scope, aw_value reason, uint64_t grace) {
  aw__scope_cancel(scope, AW_BY_SCOPE, reason, grace);
}

void aw_task_cancel(aw_task *task, aw_value reason, uint64_t grace) {
  if (task->state >= AW_TASK_DONE) {
    aw__drop(task->engine, reason);
    return;
  }
  aw__scope_cancel(&task->scope, AW_BY_TASK, reason, grace);
}

/* ---- limits ----
 *
 * The limit of a scope is its alarm before it is cancelled, unless it is a
 * shield, whose times limit nothing. The limits that apply to a task are those
 * of the scopes from its innermost one upwards, as far as cancels come from:
 * to a shield that hides, and from the root of a loop that a task runs on to
 * that task, since its cancel stops the loop [S7]. */

static uint64_t limit_of(const aw_scope *scope) {
  if (scope->shield || scope->own != AW_LEVEL_NONE)
    return AW_NEVER;
  return aw__alarm_at(aw__scope_engine(scope), &scope->alarm);
}

/* The next one whose cancel is seen in `scope`, or NULL. */
static aw_scope *next_above(aw_scope *scope) {
  if (aw_scope_shields(scope))
    return NULL;
  if (scope->parent)
    return scope->parent;
  const aw_task *runner = aw__scope_loop(scope)->runner;
  return runner ? runner->inner : NULL;
}

uint64_t aw_task_deadline(const aw_task *task) {
  if (aw_task_cancelled(task))
    return aw_engine_now(task->engine);
  uint64_t nearest = AW_NEVER;
  for (aw_scope *scope = task->inner; scope; scope = next_above(scope)) {
    uint64_t limit = limit_of(scope);
    nearest = limit < nearest ? limit : nearest;
  }
  return nearest;
}

/* The limit goes from `before` to `after`. */
static void note_moved(aw_scope *scope, uint64_t before, uint64_t after) {
  if (!scope->parent)
    AW_CONTAINER(aw_loop, root, (uintptr_t)scope)->timeout += after - before;
  else
    aw__opened_of(scope)->moved += after - before;
}

/* What keeps the limit of a scope that is cancelled from being moved. */
static int too_late(const aw_scope *scope) {
  const aw_scope *origin = aw__scope_origin((aw_scope *)(uintptr_t)scope);
  return origin->by == AW_BY_DEADLINE ? AW_ETIMEOUT : AW_ECANCELED;
}

int aw_scope_extend(aw_scope *scope, uint64_t ns) {
  if (scope->closed)
    return AW_EENDED;
  if (scope->eff != AW_LEVEL_NONE)
    return too_late(scope);
  if (ns == AW_NEVER || limit_of(scope) == AW_NEVER)
    return AW_EINVAL;
  aw_engine *engine = aw__scope_engine(scope);
  uint64_t before = aw__alarm_at(engine, &scope->alarm);
  uint64_t after = aw__later(aw_engine_now(engine), ns);
  after =
      after < AW_DEFAULT ? after : AW_DEFAULT - 1; /* it has a limit still */
  aw__alarm_clear(engine, &scope->alarm);
  int rc = aw__alarm_set(engine, &scope->alarm, after);
  assert(rc == 0); /* there was room for it */
  note_moved(scope, before, after);
  return rc;
}

int aw_task_extend(aw_task *task, uint64_t ns) {
  if (!task->inner)
    return AW_EENDED;
  if (task->inner->eff != AW_LEVEL_NONE)
    return too_late(task->inner);
  aw_scope *scope = task->inner;
  while (scope && limit_of(scope) == AW_NEVER)
    scope = next_above(scope);
  return scope ? aw_scope_extend(scope, ns) : AW_EINVAL;
}

/* ---- ending ---- */

void aw__scope_note_late(aw_scope *scope, aw_error *error) {
  enum { LATE = 1000 }; /* ms */
  aw_engine *engine = aw__scope_engine(scope);
  uint32_t took = (uint32_t)(engine->now / AW_MS) - scope->since;
  if (took <= LATE || took > INT32_MAX) /* `now` may be from before */
    return;
  if (engine->late.error)
    aw_error_release(engine->late.error);
  engine->late = (aw_notice){.ns = took * AW_MS,
                             .id = scope->task ? scope->task->id : 0,
                             .error = error ? aw_error_keep(error) : NULL,
                             .due = true};
}

void aw__scope_end(aw_scope *scope, aw_scope_end *end) {
  aw_engine *engine = aw__scope_engine(scope);
  end->error = scope->error;
  end->cancelled = scope->own != AW_LEVEL_NONE && scope->by != AW_BY_PARENT;
  end->cut = scope->cut;
  end->timed_out = end->cancelled && scope->by == AW_BY_DEADLINE;
  end->outer = level_outside(scope) != AW_LEVEL_NONE;
  end->reason = scope->above ? 0 : scope->reason;
  bool opened = scope->task && scope != &scope->task->scope;
  end->moved = opened ? aw__opened_of(scope)->moved : 0;
  end->waited = NULL;
  if (scope->own != AW_LEVEL_NONE && scope->by != AW_BY_PARENT)
    aw__scope_note_late(scope, end->error);
  scope->error = NULL;
  if (!scope->above)
    scope->reason = 0;
  scope->closed = true; /* a failed task's, until its handler was called */
  aw__alarm_clear(engine, &scope->alarm);
  if (scope->own == AW_LEVEL_HARD)
    engine->hardened--;
}

/* ---- what others may know ---- */

aw_cancel_kind aw_task_cancelled_by(const aw_task *task, aw_value *reason) {
  *reason = 0;
  if (!aw_task_cancelled(task))
    return AW_BY_NOTHING;
  const aw_scope *origin = aw__scope_origin(task->inner);
  *reason = origin->reason;
  return (aw_cancel_kind)origin->by;
}

aw_task *aw_scope_task(const aw_scope *scope) {
  return scope->task && scope == &scope->task->scope ? scope->task : NULL;
}

bool aw_scope_cancelled(const aw_scope *scope) {
  return scope->eff != AW_LEVEL_NONE;
}

bool aw_scope_overdue(const aw_scope *scope) {
  return scope->eff == AW_LEVEL_HARD;
}

bool aw_scope_shields(const aw_scope *scope) {
  return scope->shield && scope->hides;
}
