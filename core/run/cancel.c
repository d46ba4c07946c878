/* cancel.c - cancellation: the cancels of scopes, their alarms, and limits
 *
 * Cancel is level-triggered [C2]: a cancel is state of a scope, and every wait
 * that begins in the scope is refused. A cancel changes `own` of one scope;
 * refresh() then walks down the tree as far as `eff` changes, and aborts the
 * waits that it finds.
 *
 * A scope has one alarm. Until the scope is cancelled, the alarm is its
 * time-out. After that the alarm is the end of the grace, when the cancel turns
 * hard [C8]. A shield has two times, its own end and the end of the grace; its
 * alarm is set to the earlier one.
 *
 * Neighbours: tree.c says what a scope sees; cancelled.c gives Cancelled to a
 * task; cut_record.c records the first wait that a time-out aborts.
 */
#include "run/cancel.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/cancelled.h"
#include "run/cut_record.h"
#include "run/instrument.h"
#include "run/tree.h"

#include <assert.h>

/* Returns the next scope in the order of the tree that is not below `at`. */
static aw_scope *walk_past(const aw_scope *top, const aw_scope *at) {
  while (at != top && !at->next)
    at = at->parent;
  return at == top ? NULL : at->next;
}

/* ---- cancelling ---- */

/* The wait of a task for the end of a loop; the data is the loop. A cancel does
 * not end the wait: the cancel stops the loop [S7]. */
const aw_operation aw__wait_loop = {.label = "loop"};

/* If `scope` is the innermost scope of a task, end the wait of that task. */
static void abort_in(aw_scope *scope) {
  aw_task *task = scope->task;
  if (!task || task->inner != scope)
    return;
  if (task->told)
    aw__tell_cancelled(task);
  if (task->wait == &aw__wait_loop)
    aw_loop_follow(task->on, task);
  else
    aw__task_abort(task);
}

static void refresh(aw_scope *top) {
  size_t depth = 0;
  aw_scope *scope = top;
  while (scope) {
    unsigned level = aw__scope_level(scope);
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

/* Let the alarm go off at `at`. Returns false if no memory is left for it. */
static bool set_alarm(aw_scope *scope, uint64_t at) {
  aw_engine *engine = aw__scope_engine(scope);
  aw__alarm_clear(engine, &scope->alarm);
  return at == AW_NEVER || aw__alarm_set(engine, &scope->alarm, at) == 0;
}

/* Returns the earlier of the two times of a shield. */
static uint64_t next_of_shield(const aw_scope *scope) {
  const aw_opened *opened = aw__opened_of(scope);
  uint64_t hard = scope->own == AW_LEVEL_SOFT ? opened->hard : AW_NEVER;
  uint64_t until = scope->hides ? opened->until : AW_NEVER;
  return hard < until ? hard : until;
}

/* Harden the scope after `grace`; at once if no memory is left for the
 * alarm. */
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

/* The alarm of a shield went off: for its end, or for the end of the grace. */
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

void aw__scope_look_failed(aw_scope *scope) {
  scope->own = scope->eff = AW_LEVEL_SOFT;
  scope->by = AW_BY_FAILURE;
}

void aw_scope_cancel(aw_scope *scope, aw_value reason, uint64_t grace) {
  aw__ready_rouse(aw__scope_engine(scope)); /* perhaps only a deadline is new */
  aw__scope_cancel(scope, AW_BY_SCOPE, reason, grace);
}

void aw_task_cancel(aw_task *task, aw_value reason, uint64_t grace) {
  if (task->state >= AW_TASK_DONE) {
    aw__drop(task->engine, reason);
    return;
  }
  aw__ready_rouse(task->engine);
  aw__scope_cancel(&task->scope, AW_BY_TASK, reason, grace);
}

/* ---- stopping a loop ---- */

void aw_loop_stop(aw_loop *loop, bool hard) {
  if (loop->state != AW_LOOP_RUNNING)
    return;
  if (loop->ending == AW_LOOP_IDLE)
    loop->ending = AW_LOOP_STOPPED;
  aw__ready_rouse(loop->engine);
  aw__scope_cancel(&loop->root, AW_BY_LOOP, 0, hard ? 0 : AW_DEFAULT);
}

void aw_loop_follow(aw_loop *loop, const aw_task *task) {
  if (task->inner->eff != AW_LEVEL_NONE)
    aw_loop_stop(loop, task->inner->eff == AW_LEVEL_HARD);
}

/* ---- limits ----
 *
 * The limit of a scope is the time of its alarm, until the scope is cancelled.
 * A shield has no limit, and neither has a task: its alarm is a reminder, see
 * aw_task_hold_back().
 *
 * The limits that apply to a task are found on the way up from its innermost
 * scope. The way ends at a shield that hides. From the root of a loop whose end
 * a task awaits, the way goes on to that task, since a cancel of that task
 * stops the loop [S7]. */

static uint64_t limit_of(const aw_scope *scope) {
  if (scope->shield || scope->own != AW_LEVEL_NONE || aw_scope_task(scope))
    return AW_NEVER;
  return aw__alarm_at(aw__scope_engine(scope), &scope->alarm);
}

/* Returns the next scope upwards whose cancel reaches `scope`, or NULL. */
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

/* Note that the limit of `scope` moves from `before` to `after`. */
static void note_moved(aw_scope *scope, uint64_t before, uint64_t after) {
  if (!scope->parent)
    AW_CONTAINER(aw_loop, root, (uintptr_t)scope)->timeout += after - before;
  else
    aw__opened_of(scope)->moved += after - before;
}

/* The code that says why the limit of a cancelled scope cannot be moved. */
static int too_late(const aw_scope *scope) {
  const aw_scope *origin = aw__scope_origin((aw_scope *)(uintptr_t)scope);
  return origin->by == AW_BY_DEADLINE ? AW_ETIMEOUT : AW_ECANCELED;
}

int aw_scope_extend(aw_scope *scope, uint64_t ns) {
  if (!scope)
    return AW_EINVAL;
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
      after < AW_DEFAULT ? after : AW_DEFAULT - 1; /* the scope keeps a limit */
  aw__alarm_clear(engine, &scope->alarm);
  int rc = aw__alarm_set(engine, &scope->alarm, after);
  assert(rc == 0); /* the old alarm left room */
  note_moved(scope, before, after);
  aw__ready_rouse(engine); /* the limit may come earlier now */
  return rc;
}

int aw_task_extend(aw_task *task, uint64_t ns) {
  if (!task)
    return AW_EINVAL;
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
  if (took <= LATE || took > INT32_MAX) /* or `now` is before `since` */
    return;
  if (engine->late.error)
    aw_error_release(engine->late.error);
  engine->late = (aw_notice){.ns = took * AW_MS,
                             .id = scope->task ? scope->task->id : 0,
                             .error = error ? aw_error_keep(error) : NULL,
                             .due = true};
  engine->news = true;
}

static uint64_t moved(const aw_scope *scope) {
  bool opened = scope->task && scope != &scope->task->scope;
  return opened ? aw__opened_of(scope)->moved : 0;
}

void aw__scope_end(aw_scope *scope, aw_scope_end *end) {
  if (aw__scope_end_plainly(scope)) {
    *end = (aw_scope_end){.moved = moved(scope)};
    return;
  }
  aw_engine *engine = aw__scope_engine(scope);
  end->error = scope->error;
  end->cancelled = scope->own != AW_LEVEL_NONE && scope->by != AW_BY_PARENT;
  end->cut = scope->cut;
  end->timed_out = end->cancelled && scope->by == AW_BY_DEADLINE;
  end->outer = aw__scope_level_outside(scope) != AW_LEVEL_NONE;
  end->reason = scope->above ? 0 : scope->reason;
  end->moved = moved(scope);
  end->waited = NULL;
  if (scope->own != AW_LEVEL_NONE && scope->by != AW_BY_PARENT)
    aw__scope_note_late(scope, end->error);
  scope->error = NULL;
  if (!scope->above)
    scope->reason = 0;
  scope->closed = true;
  aw__alarm_clear(engine, &scope->alarm);
  if (scope->own == AW_LEVEL_HARD)
    engine->hardened--;
}

/* ---- what others may know ---- */

aw_cancel_kind aw_task_cancelled_by(const aw_task *task, aw_value *reason) {
  bool cancelled = aw_task_cancelled(task);
  const aw_scope *origin = cancelled ? aw__scope_origin(task->inner) : NULL;
  if (reason)
    *reason = origin ? origin->reason : 0;
  if (!origin)
    return AW_BY_NOTHING;
  return (aw_cancel_kind)origin->by;
}
