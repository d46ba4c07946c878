/* engine.c - the engine: what runs next, and when it blocks
 *
 * One pass of the engine, in this order:
 *   1  a round: the tasks that were ready at its start         ready.c
 *   2  a look at the clock; expired deadlines, in order        deadline.c
 *   3  polled sources, and I/O that is ready; no blocking      polled.c, libuv
 *   4  nothing is ready: wake an idle wait, or kill a stuck task [C9]; else
 *      block in libuv until a deadline or I/O. Virtual time jumps to the next
 *      deadline instead [K6]. If nothing can ever wake a task, report a
 *      deadlock [L4].
 * While tasks stay ready, 2 and 3 come after at most 64 steps, or after about
 * 0.2 ms when steps are slow [F2]; see clock.c.
 *
 * The callbacks of libuv wake tasks; they run none. This file assembles the
 * core: no other file includes or calls it.
 */
#include "base/clock.h"
#include "base/config.h"
#include "base/deadline.h"
#include "base/error.h"
#include "base/libuv.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/cancel.h"
#include "run/cut_record.h"
#include "run/end.h"
#include "run/loop.h"
#include "run/report.h"
#include "run/step.h"
#include "run/task.h"
#include "run/wait.h"
#include "sources/polled.h"
#include "sources/poller.h"

#include <string.h>

/* ---- life ---- */

/* The errors that are made ahead of need; they are not counted. */
enum { MADE_AHEAD = 2 };

static int make_errors(aw_engine *engine) {
  engine->no_memory = aw__error_make(engine, AW_ENOMEM, 0);
  engine->unwanted = aw__error_make(engine, AW_EHOST, 0);
  if (!engine->no_memory || !engine->unwanted) {
    aw_free(engine->no_memory);
    aw_free(engine->unwanted);
    return AW_ENOMEM;
  }
  engine->no_memory->fixed = engine->unwanted->fixed = true;
  engine->errors = 0;
  return 0;
}

/* Returns 0 or AW_EINVAL. */
static int read_config(const void *config, aw_engine_config *out) {
  if (!config)
    return 0;
  const aw_config_layout layout = AW_CONFIG_LAYOUT(aw_engine_config);
  int rc = aw__config_copy(&config, layout, out);
  bool clock = out->clock == AW_CLOCK_REAL || out->clock == AW_CLOCK_VIRTUAL;
  return rc == 0 && !clock ? AW_EINVAL : rc;
}

int aw_engine_new(const aw_engine_config *config, aw_engine **out) {
  aw_engine_config own = {0};
  if (!out || read_config(config, &own) < 0)
    return AW_EINVAL;
  aw_engine *engine = aw_allocate(sizeof *engine);
  if (!engine)
    return AW_ENOMEM;
  engine->config = own;
  engine->refs = 1;
  engine->random = engine->config.seed;
  engine->choices = ~engine->config.seed; /* unlike those of a shuffle */
  engine->credit = engine->credit_size = 1;
  engine->wake_at = AW_NEVER;
  aw__list_init(&engine->ready.tasks);
  aw__list_init(&engine->closed);
  aw__list_init(&engine->reports);
  aw__list_init(&engine->running);
  aw__list_init(&engine->idle);
  aw__list_init(&engine->poller.changed);
  aw__list_init(&engine->poller.idle);
  if (make_errors(engine) < 0) {
    aw_free(engine);
    return AW_ENOMEM;
  }
  if (engine->config.clock == AW_CLOCK_REAL)
    engine->now = engine->looked = uv_hrtime();
  if (engine->config.seed == 0)
    engine->random = engine->now; /* jitter differs in each process [O10] */
  *out = engine;
  return 0;
}

static void close_all(aw_engine *engine) {
  aw__libuv_close_others(engine);
  if (!engine->has_uv)
    return;
  aw__poller_free(engine);
  aw__libuv_close(engine);
}

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

int aw_engine_free(aw_engine *engine) {
  if (!engine)
    return 0;
  if (engine->loops > 0)
    return AW_EBUSY;
  close_all(engine);
  aw_deadlines *d = &engine->deadlines;
  aw__free(engine, d->heap, d->capacity * sizeof *d->heap);
  aw__free(engine, engine->ready.scratch,
           engine->ready.scratch_size * sizeof *engine->ready.scratch);
  engine->late.due = engine->holding_due = false;
  forget_late(engine);
  forget_holding(engine);
  aw__cut_forget(engine);
  engine->freed = true;
  engine->config.drop = NULL;
  engine->config.keep = NULL;
  engine->config.gather = NULL;
  engine->errors += MADE_AHEAD;
  aw_error_release(engine->no_memory);
  aw_error_release(engine->unwanted);
  aw__engine_release(engine);
  return 0;
}

const char *aw_version(void) {
  return AW_VERSION_STRING;
}

aw_task *aw_current(const aw_engine *engine) {
  return engine->current;
}

void aw_engine_stats(const aw_engine *engine, aw_stats *out) {
  memset(out, 0, sizeof *out);
  out->loops = engine->loops;
  out->tasks = engine->tasks;
  out->scopes = engine->scopes;
  out->deadlines = engine->deadlines.count;
  out->errors = engine->errors;
  out->bytes = engine->bytes;
  out->steps = engine->steps;
  out->handles = aw__libuv_handles(engine) - aw__poller_idle(engine);
}

/* ---- libuv ---- */

int aw_engine_uv(aw_engine *engine, void **out) {
  int rc = aw__libuv_open(engine);
  aw__poller_close_idle(engine);
  if (rc == 0)
    engine->shared_uv = true;
  *out = rc < 0 ? NULL : &engine->uv;
  return rc;
}

/* ---- blocking ---- */

/* Make uv_run() return, so that the deadline takes effect. */
static void time_is_up(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

static bool has_dirty_polled(const aw_engine *engine) {
  return engine->polled && aw__polled_is_dirty(engine);
}

/* Is there work that must run before blocking for I/O? */
static bool has_news(const aw_engine *engine) {
  return engine->ready.count > 0 || engine->woken ||
         aw__task_has_closed(engine) || !aw__list_empty(&engine->reports) ||
         has_dirty_polled(engine);
}

/* libuv runs expired timers before it polls, ours and those of other users of
 * the loop. If their callbacks have made work, uv_run() must not block. */
static void before_poll(uv_prepare_t *prepare) {
  if (has_news(prepare->data))
    uv_stop(prepare->loop);
}

/* Block until I/O, aw_engine_wake(), or `until`. libuv's timer counts in ms, so
 * the time is rounded up. */
static int block(aw_engine *engine, uint64_t until) {
  if (engine->wake_at < until)
    until = engine->wake_at;
  int rc = aw__libuv_open(engine);
  if (rc < 0)
    return rc;
  aw__poller_close_idle(engine);
  aw__poller_settle(engine);
  uv_prepare_start(&engine->prepare, before_poll); /* again is fine */
  uv_run_mode mode = UV_RUN_ONCE;
  uint64_t now = uv_hrtime();
  if (engine->polled)
    aw__polled_settle(engine);
  /* Tasks may be ready by now, whose descriptors were closed. libuv still has
   * to poll the others. */
  if (engine->ready.count > 0 || has_dirty_polled(engine) || until <= now) {
    mode = UV_RUN_NOWAIT;
  } else if (until != AW_NEVER) {
    uv_update_time(&engine->uv);
    uv_timer_start(&engine->timer, time_is_up,
                   (until - now + AW_MS - 1) / AW_MS, 0);
  }
  uv_run(&engine->uv, mode);
  uv_timer_stop(&engine->timer);
  if (engine->config.clock == AW_CLOCK_REAL)
    engine->now = engine->looked = uv_hrtime();
  engine->polled_at = engine->now;
  return 0;
}

/* ---- deadlines ---- */

/* The host hears of one such task at a time. The alarm of another task is set
 * again, so that its turn comes later. */
static void note_holding(aw_task *task) {
  aw_engine *engine = task->engine;
  if (engine->holding) {
    aw__scope_remind(&task->scope, engine->now + 1);
    return;
  }
  engine->holding = aw_task_keep(task);
  engine->holding_due = true;
  engine->news = true;
}

static void fire(aw_alarm *alarm) {
  if (!alarm->of_scope) {
    aw_task *task = AW_CONTAINER(aw_task, alarm, alarm);
    aw__prefetch(task->at);
    aw__prefetch(task->host);
    if (task->wait == &aw__wait_sleep)
      aw__task_wake(task, 0);
    else if (task->wait->due)
      task->wait->due(task, task->on);
    return; /* an idle wait is left to wake_idle() */
  }
  aw_scope *scope = AW_CONTAINER(aw_scope, alarm, alarm);
  bool cancelled = scope->own != AW_LEVEL_NONE;
  aw_task *task = aw_scope_task(scope);
  if (task && !cancelled) {
    note_holding(task);
    return;
  }
  if (!scope->task && !cancelled)
    aw__loop_timed_out(AW_CONTAINER(aw_loop, root, scope));
  aw__scope_alarm(scope);
}

static bool expire(aw_engine *engine) {
  bool fired = false;
  aw_alarm *alarm;
  while ((alarm = aw__alarm_due(engine, engine->now)) != NULL) {
    fire(alarm);
    fired = true;
  }
  return fired;
}

/* Nothing is ready and no other deadline is due: end the oldest idle wait whose
 * time has come [K6]. */
static bool wake_idle(aw_engine *engine) {
  for (aw_link *l = engine->idle.next; l != &engine->idle; l = l->next) {
    aw_task *task = AW_CONTAINER(aw_task, link, l);
    if (task->alarm.place == 0) {
      aw__link_remove(l);
      aw__task_wake(task, 0);
      return true;
    }
  }
  return false;
}

/* ---- a pass ---- */

enum { AGAIN = 2 };

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
  if (next == AW_NEVER && !external && engine->config.deadlocks)
    return deadlock(engine, out);
  if (engine->config.clock == AW_CLOCK_VIRTUAL && !external &&
      next != AW_NEVER) {
    engine->now = next;
    return AGAIN;
  }
  bool real = engine->config.clock == AW_CLOCK_REAL;
  int rc = block(engine, real ? next : AW_NEVER);
  return rc < 0 ? rc : AGAIN;
}

uint64_t aw_engine_tick(aw_engine *engine) {
  if (engine->config.clock == AW_CLOCK_VIRTUAL)
    return AW_NEVER;
  aw__clock_look(engine);
  expire(engine);
  return aw__alarm_next(engine);
}

/* Serve I/O that is ready, without blocking.
 *
 * A source may make tasks ready in pass after pass, so that the engine never
 * blocks; libuv is polled nevertheless, at least every AW_SLICE. The same holds
 * for handles of others in libuv's loop while no task of ours waits for I/O. */
static void poll_now(aw_engine *engine) {
  bool busy = engine->ready.count > 0;
  if (engine->polled)
    aw__polled_look(engine);
  bool external = engine->external > 0;
  if (!(external || engine->shared_uv) || !engine->has_uv ||
      engine->ready.count == 0)
    return;
  if (!(busy && external) && engine->config.clock == AW_CLOCK_REAL &&
      engine->now - engine->polled_at < AW_SLICE)
    return;
  engine->polled_at = engine->now;
  aw__poller_settle(engine);
  uv_run(&engine->uv, UV_RUN_NOWAIT);
}

static void begin_round(aw_engine *engine) {
  aw__clock_begin_round(engine);
  aw__ready_round(engine);
}

static int pass(aw_engine *engine, aw_loop *loop, aw_step *out) {
  aw__clock_wake_host(engine);
  aw__clock_look(engine);
  bool fired = expire(engine);
  poll_now(engine);
  if (aw__task_has_closed(engine))
    aw__task_queue_closed(engine);
  if (engine->ready.count > 0) {
    begin_round(engine);
    return AGAIN;
  }
  if (fired || loop->state != AW_LOOP_RUNNING ||
      !aw__list_empty(&engine->reports) || engine->slow.due || engine->woken)
    return AGAIN;
  if (wake_idle(engine) || aw__task_kill_one(engine))
    return AGAIN;
  return wait_or_jump(engine, out);
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

/* Has the host been told of something that forget_told() has not released? */
static bool has_told(const aw_engine *engine) {
  return engine->late.error || engine->holding || engine->reported;
}

/* What the last step told the host is released. */
static void forget_told(aw_engine *engine) {
  forget_late(engine);
  forget_holding(engine);
  if (engine->reported)
    aw__cut_forget(engine);
}

/* Is there a notification for the host? It comes before any task runs. */
static bool tell_host(aw_engine *engine, aw_step *out) {
  if (engine->woken)
    return tell_woken(engine, out);
  if (!engine->news)
    return false;
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

/* If the outermost loop has ended, let libuv run the callbacks of closed
 * handles. */
static void tidy(aw_engine *engine) {
  if (!engine->has_uv || !aw__list_empty(&engine->running))
    return;
  aw__poller_close_idle(engine);
  if (uv_backend_timeout(&engine->uv) == 0)
    uv_run(&engine->uv, UV_RUN_NOWAIT);
}

/* Choose the next task. Returns AGAIN, 1 with a step for the host, 0 if `loop`
 * has ended, or a negative code. */
static int choose(aw_engine *engine, aw_loop *loop, aw_step *out) {
  if (tell_host(engine, out))
    return 1;
  if (loop->state != AW_LOOP_RUNNING) {
    tidy(engine);
    return 0;
  }
  if (engine->ready.round == 0 && engine->ready.count > 0 && engine->credit > 0)
    begin_round(engine);
  if (engine->ready.round > 0 && engine->credit <= engine->look_at &&
      aw__clock_look_in_round(engine))
    expire(engine);
  aw_task *task = aw__ready_pop(engine);
  if (task) {
    task->state = AW_TASK_RUNNING;
    engine->current = task;
    engine->last_id = task->id;
    engine->credit--;
    return AGAIN;
  }
  return pass(engine, loop, out);
}

int aw_next(aw_engine *engine, aw_loop *loop, aw_step *out) {
  if (engine->inside || aw__step_with_host(engine->current))
    return AW_EBUSY;
  engine->inside = true;
  if (engine->news)
    forget_told(engine);
  int rc = AGAIN;
  while (rc == AGAIN) {
    aw_task *task = engine->current;
    if (task && task->state == AW_TASK_RUNNING && aw__step_run(task, out)) {
      rc = 1;
      break;
    }
    engine->current = NULL;
    rc = choose(engine, loop, out);
  }
  engine->inside = false;
  return rc;
}

/* ---- running without host steps ---- */

static void answer(aw_engine *engine, const aw_step *step) {
  switch (step->what) {
  case AW_STEP_CALL: /* there is no host to run it */
    aw_step_fail(step->task, aw_error_new(engine, AW_EINVAL, 0));
    break;
  case AW_STEP_FAILED:
    if (!aw_task_handler(step->task))
      aw_loop_fail(step->loop, aw_error_keep(aw_task_error(step->task)));
    aw_step_handled(step->task);
    break;
  case AW_STEP_DEADLOCK:
    aw_loop_fail(step->loop, aw_error_new(engine, AW_EDEADLOCK, 0));
    break;
  case AW_STEP_RESUME: /* only host code parks */
  case AW_STEP_KILL:
  case AW_STEP_SLOW:
  case AW_STEP_LATE:
  case AW_STEP_SWALLOWED:
  case AW_STEP_HOLDING:
  case AW_STEP_WOKEN: break;
  }
}

int aw_loop_run(aw_loop *loop, uint64_t timeout) {
  aw_engine *engine = loop->engine;
  if (engine->inside || engine->current)
    return AW_EBUSY;
  int rc = aw_loop_begin(loop, timeout);
  if (rc < 0)
    return rc;
  aw_step step;
  while ((rc = aw_next(engine, loop, &step)) == 1)
    answer(engine, &step);
  if (rc == 0 && loop->state == AW_LOOP_FAILED)
    rc = aw_error_code(loop->error);
  return rc;
}
