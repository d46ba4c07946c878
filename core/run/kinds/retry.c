/* retry.c - aw_retry(): run a wire again when it fails [O10]
 *
 *     frames:  [SCOPE]  COLD  SCOPE  CHAIN     a try
 *              [SCOPE]  COLD  CHAIN            `when`, after a failure
 *
 * The outer scope has the limit `within` of the rule. Between tries the COLD
 * frame waits.
 */
#include "base/clock.h"
#include "base/config.h"
#include "base/error.h"
#include "base/ready.h"
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "run/task.h"
#include "run/tree.h"
#include "wire/build.h"

#include <math.h>

/* The state of the frame. */
typedef struct tries {
  uint64_t count;  /* tries that were begun */
  uint64_t delay;  /* before the next try */
  uint64_t begun;  /* when the try under way began */
  aw_error *error; /* of the last try (owned), or NULL */
  bool asking;     /* `when` is under way */
} tries;

/* Give what `given` means: a member that is 0 stands for its default. NULL if
 * it means nothing, or if there is no memory. */
static aw_retry_rule *make_rule(const aw_retry_rule *given) {
  aw_retry_rule room;
  const void *own = given;
  if (!own || aw__config_fit(&own, AW_CONFIG_LAYOUT(aw_retry_rule), &room) < 0)
    return NULL;
  room = *(const aw_retry_rule *)own;
  bool grows = room.factor > 0; /* not so for NaN either */
  bool plain = !(room.factor < 0) && !(room.factor > 0);
  if (room.times == 0 || (!grows && (!plain || isnan(room.factor))))
    return NULL;
  if (!grows)
    room.factor = 1;
  if (room.most == 0)
    room.most = AW_NEVER;
  if (room.within == 0)
    room.within = AW_NEVER;
  room.size = sizeof room;
  aw_retry_rule *rule = aw_allocate(sizeof *rule);
  if (rule)
    *rule = room;
  return rule;
}

aw_wire *aw_retry(aw_wire *first, const aw_retry_rule *given, aw_wire *when) {
  aw_retry_rule *rule = first ? make_rule(given) : NULL;
  aw_wire *wire = NULL;
  if (rule)
    wire = aw__build_one(AW_KIND_RETRY, first, 0);
  else
    aw_wire_release(first);
  if (!wire) {
    aw_free(rule);
    aw_wire_release(when);
    return NULL;
  }
  wire->u.pair.then = when;
  wire->count = when ? 2 : 1;
  wire->u.pair.rule = rule;
  return wire;
}

static const aw_retry_rule *rule_of(const aw_frame *frame) {
  return frame->wire->u.pair.rule;
}

/* ---- tries ---- */

static uint64_t first_delay(const aw_retry_rule *rule) {
  return rule->delay < rule->most ? rule->delay : rule->most;
}

static int begin_try(aw_task *task, aw_frame *frame) {
  tries *own = frame->u.state;
  own->count++;
  own->begun = aw_engine_now(task->engine);
  own->asking = false;
  return aw__cold_scoped(task, frame->wire->u.first);
}

static int enter(aw_task *task, aw_wire *wire) {
  const aw_retry_rule *rule = wire->u.pair.rule;
  int rc = 0;
  if (rule->within != AW_NEVER)
    rc = aw__frame_limit(task, wire, rule->within, AW_DEFAULT);
  if (rc == 0)
    rc = aw__cold_push(task, wire, sizeof(tries));
  if (rc < 0)
    return rc;
  aw_frame *frame = aw__task_top(task);
  ((tries *)frame->u.state)->delay = first_delay(rule);
  return begin_try(task, frame);
}

/* A try that ran for long enough before it failed counts as the first one. */
static void reset_if_long(const aw_task *task, tries *own,
                          const aw_retry_rule *rule) {
  if (rule->reset_after == 0 ||
      aw_engine_now(task->engine) - own->begun < rule->reset_after)
    return;
  own->count = 1;
  own->delay = first_delay(rule);
}

/* The delay before the next try. The delay after that one grows by `factor`. */
static uint64_t next_delay(aw_engine *engine, tries *own,
                           const aw_retry_rule *rule) {
  uint64_t delay = own->delay;
  double longer = (double)delay * rule->factor;
  own->delay = longer < (double)rule->most ? (uint64_t)longer : rule->most;
  if (!rule->jitter || delay == AW_NEVER)
    return delay;
  double part = (double)(aw__random(engine) >> 11) * 0x1p-53;
  return (uint64_t)((double)delay * part);
}

static aw_after wait_for_try(aw_task *task, const aw_frame *frame) {
  aw_engine *engine = task->engine;
  uint64_t delay = next_delay(engine, frame->u.state, rule_of(frame));
  return aw__cold_wait(task, aw__later(aw_engine_now(engine), delay));
}

/* ---- what a try, or `when`, ended with ---- */

/* Gives the error of the last try, or NULL. */
static aw_error *take_last(tries *own) {
  aw_error *error = own->error;
  own->error = NULL;
  return error;
}

/* If only the limit `within` has cancelled the wire, the wire ends with the
 * error of the last try, if there is one. */
static aw_after after_cancel(aw_task *task, const aw_frame *frame) {
  const aw_scope *scope = task->inner;
  bool over = rule_of(frame)->within != AW_NEVER &&
              scope->own != AW_LEVEL_NONE && scope->by == AW_BY_DEADLINE &&
              aw__scope_level_outside(scope) == AW_LEVEL_NONE;
  aw_error *error = over ? take_last(frame->u.state) : NULL;
  if (error)
    aw__task_end_error(task, error);
  return AW_AFTER_PASS;
}

static aw_after after_failure(aw_task *task, const aw_frame *frame) {
  tries *own = frame->u.state;
  const aw_retry_rule *rule = rule_of(frame);
  reset_if_long(task, own, rule);
  aw__error_set_attempts(task->out.error, (uint32_t)own->count);
  /* An error of clean-up comes before the Cancelled that began the clean-up
   * [E3]. */
  bool of_clean_up =
      task->out.error->unclean && task->inner->eff != AW_LEVEL_NONE;
  if (of_clean_up || own->count >= rule->times)
    return AW_AFTER_PASS;
  aw_error_release(own->error);
  own->error = aw_error_keep(task->out.error);
  aw_wire *when = frame->wire->u.pair.then;
  if (!when)
    return wait_for_try(task, frame);
  own->asking = true;
  task->input = true;
  return aw__cold_begun(task, aw__frame_chain(task, when));
}

static aw_after after_when(aw_task *task, const aw_frame *frame) {
  if (task->outcome == AW_OUT_VALUE && task->out.value)
    return wait_for_try(task, frame);
  aw_error *error = take_last(frame->u.state);
  if (task->outcome == AW_OUT_ERROR)
    aw_error_suppress(task->out.error, error);
  else
    aw__task_end_error(task, error);
  return AW_AFTER_PASS;
}

static aw_after after(aw_task *task, aw_frame *frame) {
  const tries *own = frame->u.state;
  if (task->outcome == AW_OUT_CANCEL)
    return after_cancel(task, frame);
  if (own->asking)
    return after_when(task, frame);
  if (task->outcome == AW_OUT_ERROR)
    return after_failure(task, frame);
  return AW_AFTER_PASS;
}

static void clear(aw_engine *engine, void *state) {
  (void)engine;
  aw_error_release(((tries *)state)->error);
}

static aw_fate value(const aw_frame *frame) {
  const tries *own = frame->u.state;
  return own->asking ? AW_FATE_TAKEN : AW_FATE_PASSED;
}

static aw_fate error(const aw_frame *frame) {
  (void)frame;
  return AW_FATE_TAKEN;
}

const aw_cold_kind aw__run_retry = {.enter = enter,
                                    .after = after,
                                    .resume = begin_try,
                                    .clear = clear,
                                    .size = sizeof(tries),
                                    .value = value,
                                    .error = error};
