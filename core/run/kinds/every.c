/* every.c - aw_every(): run a wire at t0, t0 + period, … without end [K4]
 *
 *     frames:  COLD  CHAIN     each tick; between ticks the COLD frame waits
 */
#include "base/clock.h"
#include "run/frame.h"
#include "run/kinds/cold.h"
#include "run/task.h"
#include "wire/build.h"

/* The state of the frame. */
typedef struct ticks {
  uint64_t from;  /* t0 */
  uint64_t count; /* the tick under way or waited for is at t0 + count * period
                   */
} ticks;

aw_wire *aw_every(uint64_t period, aw_wire *first, aw_missed missed) {
  if (period == 0 || missed > AW_MISSED_DELAY) {
    aw_wire_release(first);
    return NULL;
  }
  aw_wire *wire = aw__build_one(AW_KIND_EVERY, first, 0);
  if (wire) {
    wire->u.every.period = period;
    wire->u.every.missed = missed;
  }
  return wire;
}

static int begin_tick(aw_task *task, aw_frame *frame) {
  return aw__frame_chain(task, frame->wire->u.first);
}

static int enter(aw_task *task, aw_wire *wire) {
  int rc = aw__cold_push(task, wire, sizeof(ticks));
  if (rc < 0)
    return rc;
  aw_frame *frame = aw__task_top(task);
  ((ticks *)frame->u.state)->from = aw_engine_now(task->engine);
  return begin_tick(task, frame);
}

/* The time of the tick, or AW_NEVER past the end of time. */
static uint64_t tick_at(const ticks *own, uint64_t period) {
  if (own->count > 0 && period >= (AW_NEVER - own->from) / own->count)
    return AW_NEVER;
  return own->from + own->count * period;
}

/* Count on to the next tick, and return its time. */
static uint64_t next_tick(ticks *own, const aw_wire *wire, uint64_t now) {
  uint64_t period = wire->u.every.period;
  own->count++;
  uint64_t at = tick_at(own, period);
  if (at >= now)
    return at;
  switch (wire->u.every.missed) {
  case AW_MISSED_BURST: return at;
  case AW_MISSED_DELAY:
    own->from = now;
    own->count = 0;
    return now;
  case AW_MISSED_SKIP: break;
  }
  own->count = (now - own->from + period - 1) / period;
  return tick_at(own, period);
}

static aw_after after(aw_task *task, aw_frame *frame) {
  if (task->outcome != AW_OUT_VALUE)
    return AW_AFTER_PASS;
  uint64_t now = aw_engine_now(task->engine);
  return aw__cold_wait(task, next_tick(frame->u.state, frame->wire, now));
}

static aw_fate value(const aw_frame *frame) {
  (void)frame;
  return AW_FATE_DROPPED;
}

const aw_cold_kind aw__run_every = {.enter = enter,
                                    .after = after,
                                    .resume = begin_tick,
                                    .size = sizeof(ticks),
                                    .value = value};
