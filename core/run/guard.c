/* guard.c - wires that run another one and look at how it ended [O7-O11, K4]
 *
 *     frames:     ELSE     [SCOPE] CHAIN     item `n`; the last one without
 *                 BIND             CHAIN     then the second part, with a value
 *                 CATCH    SCOPE   CHAIN     …, with the error
 *                 FINALLY  SCOPE   CHAIN     then SCOPE (a shield) CHAIN
 *       [SCOPE]   RETRY    SCOPE   CHAIN     again and again; CHAIN for `when`
 *                 EVERY            CHAIN     again and again
 *                          SCOPE   CHAIN     a timeout: the scope has the time
 *
 * aw__guard_enter() pushes these frames; when what is under way has ended and
 * its outcome comes to the guard's frame, aw__guard_after() says what is next.
 * RETRY and EVERY may wait, by themselves, before they go on in
 * aw__guard_resume(). A second part finds the value or the error as `out` of
 * its task: `input` says that it is for the step that comes next, and the task
 * drops it if that takes no interest.
 *
 * FINALLY has all its memory before it begins, so that its second part runs
 * whatever happens: the shield, and room for the frames, which were there once.
 *
 * Neighbours: frame.c has scopes and chains; step.c calls this.
 */
#include "run/guard.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/frame.h"
#include "run/scope.h"
#include "run/task.h"
#include "run/tree.h"
#include "run/wait.h"
#include "wire/kinds.h"
#include "wire/view.h"

#include <assert.h>
#include <math.h>

enum { STAGE_RUN, STAGE_WHEN, STAGE_CLEAN };

static aw_frame *top(const aw_task *task) {
  return &task->frames[task->depth - 1];
}

/* ---- frames ---- */

static const aw_scope_config plain = {AW_NEVER, AW_DEFAULT, false};

/* The whole of `wire` in a scope of its own. */
static int push_scoped(aw_task *task, aw_wire *wire) {
  int rc = aw__frame_scope(task, &plain, NULL);
  return rc < 0 ? rc : aw__frame_chain(task, wire);
}

/* A scope that has `ns`, and whose frame says that it is of `timed`. */
static int push_timed(aw_task *task, aw_wire *timed, uint64_t ns,
                      uint64_t grace) {
  uint64_t now = aw_engine_now(task->engine);
  aw_scope_config config = {aw__later(now, ns), grace, false};
  return aw__frame_scope(task, &config, timed);
}

static void drop_saved(aw_engine *engine, const aw_guard *guard) {
  if (guard->outcome == AW_OUT_VALUE)
    aw__drop(engine, guard->out.value);
  else if (guard->outcome == AW_OUT_ERROR)
    aw_error_release(guard->out.error);
}

static void free_guard(aw_engine *engine, aw_guard *guard) {
  drop_saved(engine, guard);
  aw__opened_free(engine, guard->shield, sizeof *guard->shield);
  aw_error_release(guard->error);
  aw__free(engine, guard, sizeof *guard);
}

static int push_guard(aw_task *task, aw_frame_kind kind, aw_wire *wire) {
  aw_guard *guard = aw__alloc(task->engine, sizeof *guard);
  if (!guard)
    return AW_ENOMEM;
  int rc = aw__task_push(task, kind, wire);
  if (rc < 0) {
    aw__free(task->engine, guard, sizeof *guard);
    return rc;
  }
  guard->free = free_guard;
  top(task)->u.guard = guard;
  return 0;
}

/* ---- a second part, with what the first one left ---- */

/* Go on with `then` in the place of the top frame; `out` is for its first
 * step. */
static aw_after hand_on(aw_task *task, aw_wire *then) {
  aw_kind kind = (aw_kind)aw__wire_inside(then)->kind;
  aw__task_pop(task);
  if (kind == AW_KIND_HOST || kind == AW_KIND_CALL)
    task->input = true;
  else
    aw__task_drop_outcome(task);
  task->at = then;
  task->go = AW_GO_DESCEND;
  return AW_AFTER_ON;
}

/* ---- ELSE [O7] ---- */

static int begin_item(aw_task *task) {
  const aw_frame *frame = top(task);
  aw_wire *item = frame->wire->u.list.items[frame->u.n];
  if (frame->u.n + 1 < frame->wire->count)
    return push_scoped(task, item);
  task->at = item;
  task->go = AW_GO_DESCEND;
  return 0;
}

/* Out of memory is a failure as any: the frame sees it next. */
static aw_after on_or_fail(aw_task *task, int rc) {
  if (rc < 0)
    aw__task_end_code(task, rc);
  return AW_AFTER_ON;
}

static aw_after after_item(aw_task *task) {
  aw_frame *frame = top(task);
  if (task->outcome != AW_OUT_ERROR || frame->u.n + 1 >= frame->wire->count)
    return AW_AFTER_PASS;
  aw__task_drop_outcome(task);
  frame->u.n++;
  return on_or_fail(task, begin_item(task));
}

/* ---- SHIELD [O13] ---- */

static int push_shield(aw_task *task, const aw_wire *wire) {
  aw_scope_config config = {aw__frame_shield_end(task, wire->u.one.number),
                            AW_DEFAULT, true};
  int rc = aw__frame_scope(task, &config, NULL);
  return rc < 0 ? rc : aw__frame_chain(task, wire->u.first);
}

/* ---- FINALLY [O9] ---- */

static int begin_finally(aw_task *task, aw_wire *wire) {
  int rc = push_guard(task, AW_FRAME_FINALLY, wire);
  if (rc < 0)
    return rc;
  aw_guard *guard = top(task)->u.guard;
  guard->shield = aw__opened_new(task->engine, sizeof *guard->shield);
  if (!guard->shield)
    return AW_ENOMEM;
  return push_scoped(task, wire->u.first);
}

/* Keep how the first part ended. */
static void save_outcome(aw_task *task, aw_guard *guard) {
  guard->outcome = task->outcome;
  if (task->outcome == AW_OUT_ERROR)
    guard->out.error = task->out.error;
  else
    guard->out.value = task->out.value;
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
}

static void restore_outcome(aw_task *task, aw_guard *guard) {
  aw_outcome outcome = (aw_outcome)guard->outcome;
  aw__task_drop_outcome(task);
  if (outcome == AW_OUT_ERROR)
    task->out.error = guard->out.error;
  else
    task->out.value = guard->out.value;
  guard->outcome = AW_OUT_VALUE;
  guard->out.value = 0;
  aw__task_outcome(task, outcome);
}

/* Go into the shield, which was made before. */
static void enter_shield(aw_task *task, aw_opened *shield, uint64_t grace) {
  uint64_t until = aw__frame_shield_end(task, grace);
  int rc = aw__task_push(task, AW_FRAME_SCOPE, NULL);
  assert(rc == 0); /* there was room before */
  (void)rc;
  aw__frame_enter(task, shield, AW_DEFAULT, until);
  if (until != AW_NEVER &&
      aw__alarm_set(task->engine, &shield->scope.alarm, until) < 0)
    aw__scope_expose(&shield->scope); /* no memory for a grace: there is none */
}

static aw_after clean_up(aw_task *task) {
  const aw_frame *frame = top(task);
  const aw_wire *wire = frame->wire;
  aw_guard *guard = frame->u.guard;
  aw_opened *shield = guard->shield;
  if (!shield) /* it could not be made: the first part has not begun */
    return AW_AFTER_PASS;
  if (task->outcome == AW_OUT_ERROR)
    aw_task_hold_back(task);
  save_outcome(task, guard);
  guard->stage = STAGE_CLEAN;
  guard->shield = NULL;
  enter_shield(task, shield, wire->u.pair.number);
  int rc = aw__frame_chain(task, wire->u.pair.then);
  assert(rc == 0);
  (void)rc;
  return AW_AFTER_ON;
}

static aw_after after_clean_up(aw_task *task, aw_guard *guard) {
  bool failed = guard->outcome == AW_OUT_ERROR;
  if (failed)
    aw_task_let_out(task);
  if (task->outcome == AW_OUT_ERROR) {
    if (failed)
      aw_error_suppress(task->out.error, guard->out.error);
    else
      drop_saved(task->engine, guard);
    guard->outcome = AW_OUT_VALUE;
    guard->out.value = 0;
  } else if (task->outcome != AW_OUT_CANCEL || failed) {
    restore_outcome(task, guard); /* a real error before Cancelled [E3] */
  }
  return AW_AFTER_PASS;
}

/* ---- waiting between two runs ---- */

/* Wait until `at`, which may be past, then come back to aw__guard_resume(). */
static aw_after wait_until(aw_task *task, uint64_t at) {
  aw_engine *engine = task->engine;
  aw__task_drop_outcome(task);
  if (aw__wait_refused(task, AW_GO_GUARD))
    return AW_AFTER_OFF;
  if (at > aw_engine_now(engine)) {
    int rc = aw__wait_until(task, at);
    if (rc == 0)
      return AW_AFTER_OFF;
    return on_or_fail(task, rc);
  }
  task->result = 0;
  if (!aw__ready_must_queue(engine))
    return AW_AFTER_ON;
  aw__task_queue(task);
  return AW_AFTER_OFF;
}

/* ---- RETRY [O10] ---- */

static int begin_try(aw_task *task) {
  const aw_frame *frame = top(task);
  frame->u.guard->count++;
  frame->u.guard->begun = aw_engine_now(task->engine);
  frame->u.guard->stage = STAGE_RUN;
  return push_scoped(task, frame->wire->u.first);
}

static uint64_t first_delay(const aw_retry_rule *rule) {
  return rule->delay < rule->most ? rule->delay : rule->most;
}

/* A try that lasted long enough before it failed is the first of a new row. */
static void reset_if_long(const aw_task *task, aw_guard *guard,
                          const aw_retry_rule *rule) {
  if (rule->reset_after == 0 ||
      aw_engine_now(task->engine) - guard->begun < rule->reset_after)
    return;
  guard->count = 1;
  guard->delay = first_delay(rule);
}

static int begin_retry(aw_task *task, aw_wire *wire) {
  const aw_retry_rule *rule = wire->u.pair.rule;
  int rc = 0;
  if (rule->within != AW_NEVER)
    rc = push_timed(task, wire, rule->within, AW_DEFAULT);
  if (rc == 0)
    rc = push_guard(task, AW_FRAME_RETRY, wire);
  if (rc < 0)
    return rc;
  top(task)->u.guard->delay = first_delay(rule);
  return begin_try(task);
}

/* The delay before the next try; the one after it is longer. */
static uint64_t next_delay(aw_engine *engine, aw_guard *guard,
                           const aw_retry_rule *rule) {
  uint64_t delay = guard->delay;
  double longer = (double)delay * rule->factor;
  guard->delay = longer < (double)rule->most ? (uint64_t)longer : rule->most;
  if (!rule->jitter || delay == AW_NEVER)
    return delay;
  double part = (double)(aw__random(engine) >> 11) * 0x1p-53;
  return (uint64_t)((double)delay * part);
}

static aw_after wait_for_try(aw_task *task) {
  const aw_frame *frame = top(task);
  aw_engine *engine = task->engine;
  uint64_t delay = next_delay(engine, frame->u.guard, frame->wire->u.pair.rule);
  return wait_until(task, aw__later(aw_engine_now(engine), delay));
}

/* The error of the last try, which the guard has no longer: gives; or NULL. */
static aw_error *take_last(aw_guard *guard) {
  aw_error *error = guard->error;
  guard->error = NULL;
  return error;
}

/* Cancelled: by the time that all tries have, and by nothing else? Then it ends
 * with the last error, if there was one. */
static aw_after after_cancel(aw_task *task, const aw_frame *frame) {
  const aw_scope *scope = task->inner;
  bool over = frame->wire->u.pair.rule->within != AW_NEVER &&
              scope->own != AW_LEVEL_NONE && scope->by == AW_BY_DEADLINE &&
              aw__scope_level_outside(scope) == AW_LEVEL_NONE;
  aw_error *error = over ? take_last(frame->u.guard) : NULL;
  if (error)
    aw__task_end_error(task, error);
  return AW_AFTER_PASS;
}

static aw_after after_failure(aw_task *task, const aw_frame *frame) {
  aw_guard *guard = frame->u.guard;
  const aw_wire *wire = frame->wire;
  reset_if_long(task, guard, wire->u.pair.rule);
  aw__error_set_attempts(task->out.error, (uint32_t)guard->count);
  /* What a try fails with that was given Cancelled comes before it [E3]. */
  bool of_clean_up =
      task->out.error->unclean && task->inner->eff != AW_LEVEL_NONE;
  if (of_clean_up || guard->count >= wire->u.pair.rule->times)
    return AW_AFTER_PASS;
  aw_error_release(guard->error);
  guard->error = aw_error_keep(task->out.error);
  if (!wire->u.pair.then)
    return wait_for_try(task);
  guard->stage = STAGE_WHEN;
  task->input = true;
  return on_or_fail(task, aw__frame_chain(task, wire->u.pair.then));
}

/* `when` has said whether to try again, or failed. */
static aw_after after_when(aw_task *task, aw_guard *guard) {
  if (task->outcome == AW_OUT_VALUE && task->out.value)
    return wait_for_try(task);
  aw_error *error = take_last(guard);
  if (task->outcome == AW_OUT_ERROR)
    aw_error_suppress(task->out.error, error);
  else
    aw__task_end_error(task, error);
  return AW_AFTER_PASS;
}

static aw_after after_try(aw_task *task) {
  const aw_frame *frame = top(task);
  if (task->outcome == AW_OUT_CANCEL)
    return after_cancel(task, frame);
  if (frame->u.guard->stage == STAGE_WHEN)
    return after_when(task, frame->u.guard);
  if (task->outcome == AW_OUT_ERROR)
    return after_failure(task, frame);
  return AW_AFTER_PASS;
}

/* ---- EVERY [K4] ---- */

static int begin_every(aw_task *task, aw_wire *wire) {
  int rc = push_guard(task, AW_FRAME_EVERY, wire);
  if (rc < 0)
    return rc;
  top(task)->u.guard->from = aw_engine_now(task->engine);
  return aw__frame_chain(task, wire->u.first);
}

/* from + count * period, or AW_NEVER past the end of time. */
static uint64_t tick_at(const aw_guard *guard, uint64_t period) {
  if (guard->count > 0 && period >= (AW_NEVER - guard->from) / guard->count)
    return AW_NEVER;
  return guard->from + guard->count * period;
}

/* When the next tick is due, and which it is. */
static uint64_t next_tick(aw_guard *guard, const aw_wire *wire, uint64_t now) {
  uint64_t period = wire->u.every.period;
  guard->count++;
  uint64_t at = tick_at(guard, period);
  if (at >= now || wire->u.every.missed == AW_MISSED_BURST)
    return at;
  if (wire->u.every.missed == AW_MISSED_DELAY) {
    guard->from = now;
    guard->count = 0;
    return now;
  }
  guard->count = (now - guard->from + period - 1) / period;
  return tick_at(guard, period);
}

static aw_after after_tick(aw_task *task) {
  const aw_frame *frame = top(task);
  if (task->outcome != AW_OUT_VALUE)
    return AW_AFTER_PASS;
  uint64_t now = aw_engine_now(task->engine);
  return wait_until(task, next_tick(frame->u.guard, frame->wire, now));
}

/* ---- all of them ---- */

int aw__guard_enter(aw_task *task, aw_wire *wire) {
  int rc;
  switch ((aw_kind)wire->kind) {
  case AW_KIND_SHIELD: return push_shield(task, wire);
  case AW_KIND_ELSE:
    rc = aw__task_push(task, AW_FRAME_ELSE, wire);
    return rc < 0 ? rc : begin_item(task);
  case AW_KIND_TIMEOUT:
    rc = push_timed(task, wire, wire->u.one.number, wire->u.one.grace);
    return rc < 0 ? rc : aw__frame_chain(task, wire->u.first);
  case AW_KIND_BIND:
    rc = aw__task_push(task, AW_FRAME_BIND, wire);
    return rc < 0 ? rc : aw__frame_chain(task, wire->u.first);
  case AW_KIND_CATCH:
    rc = aw__task_push(task, AW_FRAME_CATCH, wire);
    return rc < 0 ? rc : push_scoped(task, wire->u.first);
  case AW_KIND_FINALLY: return begin_finally(task, wire);
  case AW_KIND_RETRY: return begin_retry(task, wire);
  case AW_KIND_EVERY:
    return begin_every(task, wire);
    AW_LEAF_KINDS(AW_KIND_CASE)
    AW_HOT_KINDS(AW_KIND_CASE)
    AW_GROUP_KINDS(AW_KIND_CASE)
    AW_PRIVATE_KINDS(AW_KIND_CASE) break;
  }
  assert(false && "the wire runs without a guard");
  return AW_EINVAL;
}

aw_after aw__guard_after(aw_task *task) {
  const aw_frame *frame = top(task);
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_ELSE: return after_item(task);
  case AW_FRAME_BIND:
    return task->outcome == AW_OUT_VALUE
               ? hand_on(task, frame->wire->u.pair.then)
               : AW_AFTER_PASS;
  case AW_FRAME_CATCH:
    return task->outcome == AW_OUT_ERROR
               ? hand_on(task, frame->wire->u.pair.then)
               : AW_AFTER_PASS;
  case AW_FRAME_FINALLY:
    return frame->u.guard->stage == STAGE_CLEAN
               ? after_clean_up(task, frame->u.guard)
               : clean_up(task);
  case AW_FRAME_RETRY: return after_try(task);
  case AW_FRAME_EVERY: return after_tick(task);
  case AW_FRAME_CHAIN:
  case AW_FRAME_STEP:
  case AW_FRAME_SEQUENCE:
  case AW_FRAME_REPEAT:
  case AW_FRAME_SCOPE:
  case AW_FRAME_AWAIT:
  case AW_FRAME_GROUP: break;
  }
  assert(false && "the frame is no guard's");
  return AW_AFTER_PASS;
}

void aw__guard_resume(aw_task *task) {
  bool cancelled =
      task->result == AW_ECANCELED || task->inner->eff != AW_LEVEL_NONE;
  const aw_frame *frame = top(task);
  int rc = AW_ECANCELED;
  if (!cancelled && frame->kind == AW_FRAME_RETRY)
    rc = begin_try(task);
  else if (!cancelled)
    rc = aw__frame_chain(task, frame->wire->u.first);
  if (rc < 0)
    aw__task_end_code(task, rc);
}

aw_error *aw_task_held_error(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    const aw_frame *frame = &task->frames[i];
    const aw_guard *guard = frame->u.guard;
    if (frame->kind == AW_FRAME_FINALLY && guard->stage == STAGE_CLEAN &&
        guard->outcome == AW_OUT_ERROR)
      return guard->out.error;
  }
  return NULL;
}

int aw__guard_wants(const aw_guard *guard) {
  if (guard->stage == STAGE_WHEN)
    return 1;
  return guard->stage == STAGE_CLEAN ? 0 : -1;
}
