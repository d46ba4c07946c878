/* finally.c - aw_finally(): run a wire, then clean up, however it ended [O9]
 *
 *     frames:  COLD  SCOPE  CHAIN               the first part
 *              COLD  SCOPE (a shield)  CHAIN    the clean-up
 *
 * The clean-up must run whatever happens, also when memory has run out.
 * Therefore the shield is allocated before the first part begins; room for the
 * frames is there, since the first part had as many.
 */
#include "base/deadline.h"
#include "base/memory.h"
#include "run/cancel.h"
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "run/task.h"
#include "wire/build.h"

#include <assert.h>

/* The state of the frame. */
typedef struct cleanup {
  aw_opened *shield; /* NULL: in use, or no memory was left */
  bool under_way;
  uint8_t outcome; /* an aw_outcome: that of the first part */
  union {
    aw_value value;
    aw_error *error;
  } out; /* the value or error of the first part (owned) */
} cleanup;

aw_wire *aw_finally(aw_wire *first, aw_wire *then, uint64_t grace) {
  aw_wire *wire = aw__build_pair(AW_KIND_FINALLY, first, then);
  if (wire)
    wire->u.pair.number = grace;
  return wire;
}

static int enter(aw_task *task, aw_wire *wire) {
  int rc = aw__cold_push(task, wire, sizeof(cleanup));
  if (rc < 0)
    return rc;
  rc = aw__task_reserve(task, 2); /* SCOPE and CHAIN, for each part */
  if (rc < 0)
    return rc;
  cleanup *own = aw__task_top(task)->u.state;
  own->shield = aw__opened_new(task->engine, sizeof *own->shield);
  if (!own->shield)
    return AW_ENOMEM;
  return aw__cold_scoped(task, wire->u.first);
}

/* ---- the outcome of the first part ---- */

static void save_outcome(aw_task *task, cleanup *own) {
  own->outcome = task->outcome;
  if (task->outcome == AW_OUT_ERROR)
    own->out.error = task->out.error;
  else
    own->out.value = task->out.value;
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
}

static void forget_saved(cleanup *own) {
  own->outcome = AW_OUT_VALUE;
  own->out.value = 0;
}

static void drop_saved(aw_engine *engine, cleanup *own) {
  if (own->outcome == AW_OUT_VALUE)
    aw__drop(engine, own->out.value);
  else if (own->outcome == AW_OUT_ERROR)
    aw_error_release(own->out.error);
  forget_saved(own);
}

static void restore_outcome(aw_task *task, cleanup *own) {
  aw_outcome outcome = (aw_outcome)own->outcome;
  aw__task_drop_outcome(task);
  if (outcome == AW_OUT_ERROR)
    task->out.error = own->out.error;
  else
    task->out.value = own->out.value;
  forget_saved(own);
  aw__task_outcome(task, outcome);
}

static void clear(aw_engine *engine, void *state) {
  cleanup *own = state;
  drop_saved(engine, own);
  aw__opened_free(engine, own->shield, sizeof *own->shield);
}

/* ---- the clean-up ---- */

static void enter_shield(aw_task *task, aw_opened *shield, uint64_t grace) {
  uint64_t until = aw__frame_shield_end(task, grace);
  int rc = aw__task_push(task, AW_FRAME_SCOPE, NULL);
  assert(rc == 0); /* enter() has reserved the frame */
  (void)rc;
  aw__frame_enter(task, shield, AW_DEFAULT, until);
  if (until != AW_NEVER &&
      aw__alarm_set(task->engine, &shield->scope.alarm, until) < 0)
    aw__scope_expose(&shield->scope); /* no memory for a limit: hide nothing */
}

static aw_after begin_clean_up(aw_task *task, const aw_frame *frame) {
  const aw_wire *wire = frame->wire;
  cleanup *own = frame->u.state;
  aw_opened *shield = own->shield;
  if (!shield) /* out of memory or too deep: no part has begun */
    return AW_AFTER_PASS;
  if (task->outcome == AW_OUT_ERROR)
    aw_task_hold_back(task);
  save_outcome(task, own);
  own->under_way = true;
  own->shield = NULL;
  enter_shield(task, shield, wire->u.pair.number);
  int rc = aw__frame_chain(task, wire->u.pair.then);
  assert(rc == 0); /* enter() has reserved the frame */
  (void)rc;
  return AW_AFTER_ON;
}

/* The outcome of the first part stands, with two exceptions. An error of the
 * clean-up replaces it. If the clean-up was cancelled, Cancelled replaces an
 * outcome that is not an error: an error comes before Cancelled [E3]. */
static aw_after end_clean_up(aw_task *task, cleanup *own) {
  bool failed = own->outcome == AW_OUT_ERROR;
  if (failed)
    aw_task_let_out(task);
  if (task->outcome == AW_OUT_ERROR && failed) {
    aw_error_suppress(task->out.error, own->out.error);
    forget_saved(own);
  } else if (task->outcome != AW_OUT_ERROR &&
             (task->outcome != AW_OUT_CANCEL || failed)) {
    restore_outcome(task, own);
  }
  return AW_AFTER_PASS;
}

static aw_after after(aw_task *task, aw_frame *frame) {
  cleanup *own = frame->u.state;
  return own->under_way ? end_clean_up(task, own) : begin_clean_up(task, frame);
}

static aw_fate value(const aw_frame *frame) {
  const cleanup *own = frame->u.state;
  return own->under_way ? AW_FATE_DROPPED : AW_FATE_PASSED;
}

/* The host is told of the error that a long clean-up holds back [D4]. */
static aw_fate error(const aw_frame *frame) {
  const cleanup *own = frame->u.state;
  return own->under_way ? AW_FATE_PASSED : AW_FATE_TAKEN;
}

const aw_cold_kind aw__run_finally = {.enter = enter,
                                      .after = after,
                                      .clear = clear,
                                      .size = sizeof(cleanup),
                                      .value = value,
                                      .error = error};

aw_error *aw_task_held_error(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    const aw_frame *frame = &task->frames[i];
    if (frame->kind != AW_FRAME_COLD || frame->wire->kind != AW_KIND_FINALLY)
      continue;
    const cleanup *own = frame->u.state;
    if (own->under_way && own->outcome == AW_OUT_ERROR)
      return own->out.error;
  }
  return NULL;
}
