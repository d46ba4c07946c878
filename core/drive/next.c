/* next.c - what runs next
 *
 * One pass of the engine, in this order:
 *   1  a round: the tasks that were ready at its start         ready.c
 *   2  a look at the clock; expired deadlines, in order        expire.c
 *   3  polled sources, and I/O that is ready; no blocking      polled.c, libuv
 *   4  nothing is ready: wake an idle wait, or kill a stuck task [C9]; else
 *      block in libuv until a deadline or I/O. Virtual time jumps to the next
 *      deadline instead [K6]. If nothing can ever wake a task, report a
 *      deadlock [L4].
 * While tasks stay ready, 2 and 3 come after at most 64 steps, or after about
 * 0.2 ms when steps are slow [F2]; see clock.c.
 *
 * A driven engine rests instead of blocking. It rests also when its turn is
 * over: between two passes, or in a long round where that looks at the clock.
 *
 * Neighbours: block.c blocks; answer.c and turn.c pull the steps.
 */
#include "drive/next.h"

#include "base/clock.h"
#include "base/ready.h"
#include "drive/block.h"
#include "drive/expire.h"
#include "run/cancel.h"
#include "run/cut_record.h"
#include "run/end.h"
#include "run/instrument.h"
#include "run/loop.h"
#include "run/report.h"
#include "run/step.h"
#include "run/task.h"

enum { AGAIN = 2, REST = 0 };

/* No task can ever be woken. Tell the host; but if the loop is being cancelled,
 * end its grace first, as its clean-up waits in vain. */
static int deadlock(aw_engine *engine, aw_step *out) {
  aw_loop *loop = aw__loop_innermost_blocked(engine);
  if (loop->root.own == AW_LEVEL_SOFT) {
    aw__scope_harden(&loop->root);
    return AGAIN;
  }
  out->what = AW_STEP_DEADLOCK;
  out->loop = loop;
  out->task = NULL;
  return 1;
}

/* No task is ready: block, or let virtual time jump to the next deadline. */
static int wait_or_jump(aw_engine *engine, aw_step *out) {
  uint64_t next = aw__alarm_next(engine);
  bool external = engine->external > 0;
  bool driven = engine->gate & AW_DRIVEN; /* its host may wake any task */
  if (next == AW_NEVER && !external && engine->config.deadlocks && !driven)
    return deadlock(engine, out);
  if (engine->config.clock == AW_CLOCK_VIRTUAL && !external &&
      next != AW_NEVER) {
    engine->now = next;
    return AGAIN;
  }
  if (driven) {
    engine->drive.hardened = engine->hardened; /* there is no task to kill */
    return REST;
  }
  bool real = engine->config.clock == AW_CLOCK_REAL;
  int rc = aw__block(engine, real ? next : AW_NEVER);
  return rc < 0 ? rc : AGAIN;
}

uint64_t aw_engine_tick(aw_engine *engine) {
  if (engine->config.clock == AW_CLOCK_VIRTUAL)
    return AW_NEVER;
  aw__clock_look(engine);
  aw__expire(engine);
  return aw__alarm_next(engine);
}

static void begin_round(aw_engine *engine) {
  aw__clock_begin_round(engine);
  aw__ready_round(engine);
}

/* Is the turn of a driven engine over? Then the next one is due at once, also
 * if nothing is ready: a pass may wake an idle wait, or kill a task. */
static bool is_over(aw_engine *engine) {
  aw_drive *drive = &engine->drive;
  if (drive->until == AW_NEVER || uv_hrtime() < drive->until)
    return false;
  drive->unfinished = true;
  return true;
}

/* `state` is that of the loop that is pulled. */
static int pass(aw_engine *engine, const uint8_t *state, aw_step *out) {
  if (is_over(engine))
    return REST;
  aw__clock_wake_host(engine);
  if (engine->woken)
    engine->news = true;
  aw__clock_look(engine);
  bool fired = aw__expire(engine);
  aw__poll_in_pass(engine);
  if (aw__task_has_closed(engine))
    aw__task_queue_closed(engine);
  if (engine->ready.count > 0) {
    begin_round(engine);
    return AGAIN;
  }
  if (fired || *state != AW_LOOP_RUNNING || !aw__list_empty(&engine->reports) ||
      engine->slow.due || engine->woken)
    return AGAIN;
  if (aw__expire_idle(engine) || aw__task_kill_one(engine))
    return AGAIN;
  return wait_or_jump(engine, out);
}

/* ---- telling the host ---- */

/* The notification of a late clean-up was delivered; release its error. */
static void forget_late(aw_engine *engine) {
  aw_error *error = engine->late.error;
  if (engine->late.due || !error)
    return;
  engine->late.error = NULL;
  aw_error_release(error);
}

/* The same for a clean-up that holds back an error. */
static void forget_holding(aw_engine *engine) {
  aw_task *task = engine->holding;
  if (!task || engine->holding_due)
    return;
  engine->holding = NULL;
  aw_task_release(task);
}

void aw__forget_notices(aw_engine *engine) {
  engine->late.due = engine->holding_due = false;
  forget_late(engine);
  forget_holding(engine);
  aw__cut_forget(engine);
}

static bool tell(aw_notice *notice, aw_step_kind what, aw_step *out) {
  notice->due = false;
  out->what = what;
  out->task = NULL;
  out->ns = notice->ns;
  out->id = notice->id;
  out->error = notice->error;
  return true;
}

static bool tell_holding(aw_engine *engine, aw_step *out) {
  aw_task *task = engine->holding;
  bool due = engine->holding_due;
  engine->holding_due = false;
  if (!due || task->state >= AW_TASK_DONE)
    return false; /* it was reported, or has ended in the meantime */
  out->what = AW_STEP_HOLDING;
  out->task = task;
  out->ns = AW_SECOND;
  out->id = task->id;
  out->error = aw_task_held_error(task);
  return true;
}

static bool tell_failure(aw_engine *engine, aw_step *out) {
  aw_link *link = aw__list_shift(&engine->reports);
  out->what = AW_STEP_FAILED;
  out->task = AW_CONTAINER(aw_task, link, link);
  out->loop = out->task->loop;
  return true;
}

static bool tell_woken(aw_engine *engine, aw_step *out) {
  engine->woken = 0;
  out->what = AW_STEP_WOKEN;
  out->task = NULL;
  return true;
}

/* Is there something for end_last_step() to do, or for the instrument to
 * hear? */
static bool has_told(const aw_engine *engine) {
  return engine->late.error || engine->holding || engine->reported ||
         engine->instrumented;
}

/* What the last step told the host is released. If that step was code of a
 * task, it is over. */
static void end_last_step(aw_engine *engine) {
  aw__tell_step_over(engine);
  forget_late(engine);
  forget_holding(engine);
  if (engine->reported)
    aw__cut_forget(engine);
}

/* Is there a notification for the host? It comes before any task runs. */
static bool tell_host(aw_engine *engine, aw_step *out) {
  if (!engine->news)
    return false;
  if (engine->woken)
    return tell_woken(engine, out);
  if (engine->late.due)
    return tell(&engine->late, AW_STEP_LATE, out);
  if (!aw__list_empty(&engine->reports))
    return tell_failure(engine, out);
  if (engine->slow.due)
    return tell(&engine->slow, AW_STEP_SLOW, out);
  if (engine->swallowed.due)
    return tell(&engine->swallowed, AW_STEP_SWALLOWED, out);
  if (engine->holding && tell_holding(engine, out))
    return true;
  engine->news = has_told(engine);
  return false;
}

/* ---- the next step ---- */

/* A long round looks at the clock. Returns true if the turn is over. */
static bool look_in_round(aw_engine *engine) {
  if (aw__clock_look_in_round(engine))
    aw__expire(engine);
  aw__poll_in_round(engine);
  return is_over(engine);
}

/* Choose the next task. Returns AGAIN, 1 with a step for the host, 0 if the
 * loop with this `state` has ended or the engine rests, or a negative code. */
static int choose(aw_engine *engine, const uint8_t *state, aw_step *out) {
  if (tell_host(engine, out))
    return 1;
  if (*state != AW_LOOP_RUNNING) {
    aw__tidy(engine);
    return 0;
  }
  if (engine->ready.round == 0) {
    if (engine->ready.count == 0 || engine->credit <= 0)
      return pass(engine, state, out);
    begin_round(engine);
  } else if (engine->credit <= engine->look_at && look_in_round(engine)) {
    return REST;
  }
  aw_task *task = aw__ready_pop(engine);
  task->state = AW_TASK_RUNNING;
  engine->current = task;
  engine->last_id = task->id;
  engine->credit--;
  return AGAIN;
}

bool aw__with_host(const aw_engine *engine) {
  return aw__step_with_host(engine->current);
}

/* The gate is not open, or a step is with the host: may aw_next() be entered
 * nevertheless, by `pull` or end_loops.c? Returns 1 or a negative code. */
static int enter_driven(const aw_engine *engine, const aw_loop *loop) {
  if (engine->gate & AW_INSIDE || !(engine->gate & AW_DRIVEN))
    return AW_EBUSY;
  if (loop ? loop != engine->drive.alone : !engine->drive.pulling)
    return AW_EINVAL;
  return aw__with_host(engine) ? AW_EBUSY : 1;
}

/* Tell the instrument of a step that the host is about to run. */
static void tell_step(const aw_step *step) {
  if (step->task->told)
    aw__tell_step(step->task);
}

int aw_next(aw_engine *engine, aw_loop *loop, aw_step *out) {
  static const uint8_t running = AW_LOOP_RUNNING;
  const uint8_t *state = loop ? &loop->state : &running;
  int rc = AGAIN;
  if (engine->gate || aw__with_host(engine)) {
    rc = enter_driven(engine, loop);
    if (rc < 0)
      return rc;
    rc = AGAIN;
  } else if (!loop) {
    return AW_EINVAL;
  }
  engine->gate |= AW_INSIDE;
  if (engine->news)
    end_last_step(engine);
  while (rc == AGAIN) {
    aw_task *task = engine->current;
    if (task && task->state == AW_TASK_RUNNING && aw__step_run(task, out)) {
      if (engine->instrumented)
        tell_step(out);
      rc = 1;
      break;
    }
    engine->current = NULL;
    rc = choose(engine, state, out);
  }
  engine->gate &= (uint8_t)~AW_INSIDE;
  return rc;
}

static bool has_notice(const aw_engine *engine) {
  return engine->late.due || engine->slow.due || engine->swallowed.due ||
         engine->holding_due;
}

/* Is a task current that has not ended its turn? Its step was reported when
 * nobody pulled. */
static bool has_reported(const aw_engine *engine) {
  return engine->current && engine->current->state == AW_TASK_RUNNING;
}

bool aw__has_work(const aw_engine *engine) {
  return aw__has_news(engine) || has_notice(engine) || has_reported(engine) ||
         engine->drive.unfinished || !aw__list_empty(&engine->drive.ended) ||
         engine->hardened != engine->drive.hardened;
}
