/* loop_test.c - loops, operations of the host, deadlock, clocks, threads */
#include "check.h"

#include <uv.h>

#include <pthread.h>
#include <time.h>

/* ---- an operation that the test completes by hand ---- */

typedef struct manual {
  aw_task *task; /* the waiter, or NULL */
  int refuse;    /* code that `arm` returns, or 0 */
  int armed, disarmed, abandoned;
} manual;

static int manual_arm(aw_task *task, void *data) {
  manual *m = data;
  if (m->refuse)
    return m->refuse;
  m->task = task;
  m->armed++;
  return 0;
}

static void manual_disarm(aw_task *task, void *data) {
  manual *m = data;
  CHECK(m->task == task);
  m->task = NULL;
  m->disarmed++;
}

static void manual_abandon(aw_task *task, void *data) {
  manual *m = data;
  CHECK(m->task == task);
  m->task = NULL;
  m->abandoned++;
}

static const aw_operation abortable = {
    .label = "manual", .arm = manual_arm, .disarm = manual_disarm};
static const aw_operation bound = {
    .label = "bound", .arm = manual_arm, .abandon = manual_abandon};

static void complete(manual *m, int result) {
  aw_task *task = m->task;
  m->task = NULL;
  aw_wait_complete(task, result);
}

/* ---- an operation that ends at its second alarm ---- */

static int alarm_arm(aw_task *task, void *data) {
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  CHECK(manual_arm(task, data) == 0);
  return aw_alarm_arm(task, aw_engine_now(engine) + AW_SECOND);
}

static void alarm_due(aw_task *task, void *data) {
  manual *m = data;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  if (m->armed++ == 1)
    CHECK(aw_alarm_arm(task, aw_engine_now(engine) + AW_SECOND) == 0);
  else
    aw_wait_complete(task, 0);
}

static void alarm_disarm(aw_task *task, void *data) {
  manual_disarm(task, data);
  aw_alarm_disarm(task);
  aw_alarm_disarm(task);
}

static const aw_operation alarmed = {.label = "alarmed",
                                     .arm = alarm_arm,
                                     .disarm = alarm_disarm,
                                     .due = alarm_due};

/* The data of a step that completes an operation. */
typedef struct completion {
  manual *of;
  int result;
} completion;

static aw_turn complete_step(aw_task *task, void *data) {
  completion *c = data;
  (void)task;
  complete(c->of, c->result);
  return AW_DONE;
}

/* Complete the operation, and cancel its task at once. */
static aw_turn complete_and_cancel(aw_task *task, void *data) {
  aw_task *waiter = ((completion *)data)->of->task;
  complete_step(task, data);
  aw_task_cancel(waiter, 0, AW_DEFAULT);
  return AW_DONE;
}

static void an_operation_has_alarms(void) {
  manual ends = {0}, cut = {0};
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  CHECK(aw_engine_virtual(engine));
  start(loop, aw_wait_for(&alarmed, &ends));
  start(loop, aw_either(aw_wait_for(&alarmed, &cut), aw_sleep(AW_SECOND / 2)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_engine_now(engine) == 2 * AW_SECOND);
  CHECK(ends.armed == 3 && ends.disarmed == 0);
  CHECK(cut.armed == 1 && cut.disarmed == 1);
  empty(engine, loop);
}

static void operations_end_as_they_are_completed(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual good = {0}, bad = {0}, refused = {.refuse = AW_ECLOSED};
  completion ends[2] = {{&good, 0}, {&bad, AW_ETIMEOUT}};
  aw_task_config handled = {.handler = 1};
  aw_task *failed[2];
  start(loop, aw_then(aw_wait_for(&abortable, &good), says("good")));
  CHECK(aw_loop_start(loop, aw_wait_for(&abortable, &bad), &handled,
                      &failed[0]) == 0);
  CHECK(aw_loop_start(loop, aw_wait_for(&abortable, &refused), &handled,
                      &failed[1]) == 0);
  for (int i = 0; i < 2; i++)
    start(loop, aw_then(aw_sleep(1), aw_call(complete_step, &ends[i])));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("good ");
  CHECK(aw_error_code(aw_task_error(failed[0])) == AW_ETIMEOUT);
  CHECK(aw_error_code(aw_task_error(failed[1])) == AW_ECLOSED);
  CHECK(good.armed == 1 && good.disarmed == 0 && refused.armed == 0);
  aw_task_release(failed[0]);
  aw_task_release(failed[1]);
  empty(engine, loop);
}

static void a_cancel_disarms_at_once(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  aw_task *task = start_task(loop, aw_wait_for(&abortable, &m));
  CHECK(aw_loop_run(loop, AW_SECOND) == 0);
  CHECK(m.armed == 1 && m.disarmed == 1 && !m.task);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  CHECK(aw_engine_now(engine) == AW_SECOND);
  aw_task_release(task);
  empty(engine, loop);
}

static void what_cannot_be_aborted_is_abandoned_after_the_grace(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  aw_task *task = start_task(loop, aw_wait_for(&bound, &m));
  CHECK(aw_loop_run(loop, AW_SECOND) == 0);
  CHECK(m.abandoned == 1);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  CHECK(aw_engine_now(engine) == 6 * AW_SECOND);
  aw_task_release(task);
  empty(engine, loop);
}

static void what_has_been_committed_is_delivered(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  completion end = {&m, 0};
  aw_task *task = start_task(loop, aw_wait_for(&abortable, &m));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(complete_and_cancel, &end)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_DONE && m.disarmed == 0);
  aw_task_release(task);
  empty(engine, loop);
}

static void tasks_say_what_they_wait_for(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  aw_task *task = start_task(loop, aw_wait_for(&abortable, &m));
  aw_task *sleeper = start_task(loop, aw_sleep(3 * AW_SECOND));
  aw_waiting waiting;
  CHECK(!aw_task_waiting(task, &waiting));
  completion end = {&m, 0};
  start(loop, aw_then(aw_host_call(NULL, NULL, "stop"),
                      aw_call(complete_step, &end)));
  aw_step step;
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_next(engine, loop, &step) == 1);
  CHECK(aw_task_waiting(task, &waiting) &&
        strcmp(waiting.label, "manual") == 0 && waiting.data == &m);
  CHECK(aw_task_waiting(sleeper, &waiting) && waiting.until == 3 * AW_SECOND &&
        waiting.span == 3 * AW_SECOND);
  aw_step_done(step.task, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  aw_task_release(task);
  aw_task_release(sleeper);
  empty(engine, loop);
}

/* ---- how loops end ---- */

static void a_loop_ends_when_no_foreground_task_is_left(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task_config background = {.background = true};
  aw_task *task;
  CHECK(aw_loop_start(loop, aw_sleep(AW_NEVER), &background, &task) == 0);
  start(loop, aw_sleep(AW_SECOND));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_IDLE);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  aw_task_release(task);
  empty(engine, loop);
}

static aw_turn stop_loop(aw_task *task, void *hard) {
  aw_loop_stop(aw_task_loop(task), hard != NULL);
  return AW_DONE;
}

static void a_stop_cancels_and_cleans_up(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_shielded(aw_then(aw_sleep(2), says("clean")), 10));
  start(loop, aw_then(aw_sleep(1), aw_call(stop_loop, NULL)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_STOPPED);
  CHECK_LOG("clean ");
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EENDED);
  CHECK(aw_loop_free(loop) == 0);
  loop = new_loop(engine);
  start(loop, aw_shielded(aw_then(aw_sleep(2), says("never")), 10));
  start(loop, aw_then(aw_sleep(1), aw_call(stop_loop, loop)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("");
  empty(engine, loop);
}

static void a_loop_runs_again_after_done(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  for (int i = 0; i < 3; i++) {
    start(loop, aw_then(aw_sleep(AW_SECOND), says("again")));
    CHECK(aw_loop_run(loop, 2 * AW_SECOND) == 0);
    CHECK(aw_loop_state_of(loop) == AW_LOOP_IDLE);
  }
  CHECK_LOG("again again again ");
  empty(engine, loop);
}

static void a_closed_loop_ends_its_tasks_unstarted(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, says("never"));
  CHECK(aw_loop_close(loop) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_CLOSED);
  CHECK(aw_loop_start(loop, says("never"), NULL, NULL) == AW_EENDED);
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EENDED);
  CHECK_LOG("");
  aw_task_release(task);
  empty(engine, loop);
}

static void an_idle_loop_that_was_cancelled_leaves_nothing(void) {
  aw_engine *engine = virtual_engine();
  for (int grace = 0; grace < 2; grace++) {
    aw_loop *loop = new_loop(engine);
    start(loop, says("never"));
    aw_scope_cancel(aw_loop_scope(loop), 0, grace ? AW_SECOND : 0);
    CHECK(aw_loop_free(loop) == 0);
    check_stats(engine);
  }
  empty(engine, NULL);
}

static aw_turn misuse_loop(aw_task *task, void *data) {
  aw_loop *loop = aw_task_loop(task);
  aw_engine *engine = aw_loop_engine(loop);
  aw_step step;
  (void)data;
  CHECK(aw_current(engine) == task);
  CHECK(aw_loop_free(loop) == AW_EBUSY && aw_loop_close(loop) == AW_EBUSY);
  CHECK(aw_loop_begin(loop, AW_NEVER) == AW_EBUSY);
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EBUSY);
  CHECK(aw_next(engine, loop, &step) == AW_EBUSY); /* [I6] */
  CHECK(aw_engine_free(engine) == AW_EBUSY);
  return AW_DONE;
}

static void an_engine_is_not_driven_from_inside(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_call(misuse_loop, NULL));
  start(loop, aw_host_call(NULL, NULL, NULL));
  aw_step step;
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_next(engine, loop, &step) == 1);
  CHECK(aw_next(engine, loop, &step) == AW_EBUSY); /* not reported yet */
  aw_step_done(step.task, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  empty(engine, loop);
}

static aw_turn pause_loop(aw_task *task, void *data) {
  (void)data;
  aw_loop_pause(aw_task_loop(task));
  return AW_DONE;
}

/* A loop is cancelled, paused and begun again: the grace still limits its end.
 */
static void a_paused_loop_goes_on(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  start(loop, aw_then(aw_wait_for(&bound, &m), says("never")));
  start(loop, aw_then(aw_call(stop_loop, NULL), says("never")));
  start(loop, aw_then(aw_call(pause_loop, NULL), aw_host_call(0, 0, 0)));
  start(loop, aw_host_call(NULL, NULL, NULL));
  aw_step step;
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_next(engine, loop, &step) == 1);
  aw_step_done(step.task, 0);
  CHECK(aw_loop_free(loop) == AW_EBUSY);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_loop_begin(loop, AW_NEVER) == AW_EBUSY);
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_LATE);
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK(m.abandoned == 1 && aw_engine_now(engine) == 5 * AW_SECOND);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_STOPPED);
  CHECK_LOG("");
  empty(engine, loop);
}

/* ---- a loop in a task of another loop [S6] ---- */

typedef struct nested {
  int at;
  aw_loop *loop;
  uint64_t timeout;
} nested;

static aw_turn run_nested(aw_task *task, void *data) {
  nested *n = data;
  if (n->at++ == 0) {
    CHECK(aw_await_loop(task, n->loop, n->timeout) == 0);
    return AW_WAIT;
  }
  log_add("state:%d ", aw_loop_state_of(n->loop));
  return aw_task_cancelled(task) ? AW_FAIL : AW_DONE;
}

static void a_loop_runs_in_a_task(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *outer = new_loop(engine);
  nested n[3] = {{0, new_loop(engine), AW_NEVER},
                 {0, new_loop(engine), AW_SECOND},
                 {0, new_loop(engine), AW_NEVER}}; /* an empty loop */
  start(n[0].loop, aw_then(aw_sleep(2 * AW_SECOND), says("in")));
  start(n[1].loop, aw_sleep(AW_NEVER));
  for (int i = 0; i < 3; i++)
    start(outer, aw_call(run_nested, &n[i]));
  start(outer, aw_then(aw_sleep(AW_SECOND * 3 / 2), says("out")));
  CHECK(aw_loop_run(outer, AW_NEVER) == 0);
  CHECK_LOG("state:0 state:2 out in state:0 ");
  for (int i = 0; i < 3; i++)
    CHECK(aw_loop_free(n[i].loop) == 0);
  empty(engine, outer);
}

static void a_cancel_stops_the_loop_inside_first(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *outer = new_loop(engine);
  nested n = {0, new_loop(engine), AW_NEVER};
  aw_wire *clean = aw_then(aw_sleep(3 * AW_SECOND), says("clean"));
  start(n.loop, aw_shielded(clean, 9 * AW_SECOND));
  aw_task *task = start_task(outer, aw_call(run_nested, &n));
  CHECK(aw_loop_run(outer, AW_SECOND) == 0);
  CHECK_LOG("clean state:3 ");
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  aw_task_release(task);
  CHECK(aw_loop_free(n.loop) == 0);
  empty(engine, outer);
}

/* ---- deadlocks and clocks ---- */

static void a_deadlock_is_said(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  aw_task *task = start_task(loop, aw_wait_for(&abortable, &m));
  start(loop, aw_when_done(task));
  start(loop, aw_sleep(AW_SECOND)); /* no deadlock before it has ended */
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EDEADLOCK);
  CHECK(m.disarmed == 1 && aw_engine_now(engine) == AW_SECOND);
  aw_task_release(task);
  empty(engine, loop);
}

static void a_deadlock_is_of_the_innermost_loop(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *outer = new_loop(engine);
  nested n = {0, new_loop(engine), AW_NEVER};
  start(n.loop, aw_sleep(AW_NEVER));
  start(outer, aw_call(run_nested, &n));
  CHECK(aw_loop_run(outer, AW_NEVER) == 0);
  CHECK(aw_error_code(aw_loop_error(n.loop)) == AW_EDEADLOCK);
  CHECK_LOG("state:4 ");
  CHECK(aw_loop_free(n.loop) == 0);
  empty(engine, outer);
}

static aw_turn idle_until(aw_task *task, void *data) {
  int *at = data;
  if ((*at)++ > 0) {
    log_add("idle ");
    return AW_DONE;
  }
  CHECK(aw_await_idle(task, 2 * AW_SECOND) == 0);
  return AW_WAIT;
}

static void virtual_time_jumps_and_idle_comes_last(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  int at = 0;
  start(loop, aw_call(idle_until, &at));
  start(loop, aw_then(aw_sleep(AW_SECOND), says("one")));
  aw_wire *more = aw_then(says("two"), aw_then(says("and"), says("more")));
  start(loop, aw_then(aw_sleep_until(2 * AW_SECOND), more));
  start(loop, aw_then(aw_sleep(1000000 * AW_SECOND), says("late")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("one two and more idle late ");
  CHECK(aw_engine_now(engine) == 1000000 * AW_SECOND);
  empty(engine, loop);
}

static void real_sleeps_are_never_early(void) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  log_clear();
  aw_loop *loop = new_loop(engine);
  uint64_t begun = aw_engine_now(engine);
  start(loop, aw_then(aw_sleep(AW_SECOND / 50), says("late")));
  start(loop, aw_then(aw_sleep(AW_SECOND / 500), says("soon")));
  start(loop, aw_then(aw_sleep_until(0), says("past")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_engine_now(engine) - begun >= AW_SECOND / 50);
  CHECK_LOG("past soon late ");
  empty(engine, loop);
}

/* ---- other threads and libuv handles ---- */

static void *wake_soon(void *engine) {
  struct timespec while_it_blocks = {0, 20 * 1000 * 1000};
  nanosleep(&while_it_blocks, NULL);
  aw_engine_wake(engine);
  return NULL;
}

static void another_thread_wakes_it(void) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  manual m = {0};
  start(loop, aw_wait_for(&abortable, &m));
  CHECK(aw_engine_wakeable(engine) == 0);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, wake_soon, engine) == 0);
  aw_step step;
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_WOKEN);
  CHECK(pthread_join(thread, NULL) == 0);
  complete(&m, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  empty(engine, loop);
}

/* A libuv timer as an operation. */
typedef struct ticker {
  uv_timer_t timer;
  unsigned ms;
  aw_task *task;
} ticker;

static void ticked(uv_timer_t *timer) {
  ticker *t = timer->data;
  aw_task *task = t->task;
  t->task = NULL;
  aw_wait_complete(task, 0);
}

static int ticker_arm(aw_task *task, void *data) {
  ticker *t = data;
  t->task = task;
  return uv_timer_start(&t->timer, ticked, t->ms, 0);
}

static void ticker_disarm(aw_task *task, void *data) {
  (void)task;
  uv_timer_stop(&((ticker *)data)->timer);
}

static const aw_operation tick = {.label = "tick",
                                  .arm = ticker_arm,
                                  .disarm = ticker_disarm,
                                  .external = true};

/* libuv calls the timer before it polls. The engine must look at its tasks
 * again before that poll, which would last until the end of the sleep. */
static void what_a_timer_of_libuv_does_is_seen_before_the_poll(void) {
  enum { MINUTE = 60 };
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  void *uv;
  ticker t = {.ms = 0};
  CHECK(aw_engine_uv(engine, &uv) == 0);
  uv_timer_init(uv, &t.timer);
  t.timer.data = &t;
  uint64_t began = uv_hrtime();
  start(loop, aw_sleep(MINUTE * AW_SECOND));
  start(loop, aw_then(aw_wait_for(&tick, &t), aw_call(stop_loop, NULL)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(uv_hrtime() - began < MINUTE / 2 * AW_SECOND);
  uv_close((uv_handle_t *)&t.timer, NULL);
  uv_run(uv, UV_RUN_NOWAIT);
  empty(engine, loop);
}

/* Hold the engine for 0.2 s, then sleep. */
static aw_turn work_and_sleep(aw_task *task, void *data) {
  bool *sleeps = data;
  if (*sleeps)
    return AW_DONE;
  *sleeps = true;
  uint64_t began = uv_hrtime();
  while (uv_hrtime() - began < AW_SECOND / 5)
    ;
  return aw_await_sleep(task, 60 * AW_SECOND) < 0 ? AW_FAIL : AW_WAIT;
}

static void what_the_host_is_to_know_is_told_before_a_rest(void) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  bool sleeps = false;
  start(loop, aw_call(work_and_sleep, &sleeps));
  uint64_t began = uv_hrtime();
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 1);
  CHECK(step.what == AW_STEP_SLOW);
  CHECK(uv_hrtime() - began < 30 * AW_SECOND);
  aw_loop_stop(loop, false);
  CHECK(aw_next(engine, loop, &step) == 0);
  empty(engine, loop);
}

static void handles_of_an_operation_are_counted(void) {
  aw_engine *engine = virtual_engine(); /* real I/O under a virtual clock */
  aw_loop *loop = new_loop(engine);
  void *uv;
  ticker t = {.ms = 5};
  aw_stats stats;
  CHECK(aw_engine_uv(engine, &uv) == 0);
  uv_timer_init(uv, &t.timer);
  t.timer.data = &t;
  aw_engine_stats(engine, &stats);
  CHECK(stats.handles == 1);
  start(loop, aw_then(aw_repeat(aw_wait_for(&tick, &t), 3), says("ticked")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("ticked ");
  aw_task *task = start_task(loop, aw_wait_for(&tick, &t));
  start(loop, aw_call(stop_loop, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  aw_task_release(task);
  uv_close((uv_handle_t *)&t.timer, NULL);
  uv_run(uv, UV_RUN_NOWAIT);
  empty(engine, loop);
}

/* The handles of a host in the libuv loop, and the data of busy tasks. */
typedef struct host {
  uv_timer_t timer;
  uv_async_t async;
  bool rang, heard, overdue;
  unsigned steps; /* since both handles are due */
} host;

static void ring(uv_timer_t *timer) {
  ((host *)timer->data)->rang = true;
}

static void hear(uv_async_t *async) {
  ((host *)async->data)->heard = true;
}

/* A busy task: runs until both handles were called. Once they are due, that may
 * take no more rounds than the engine runs between two looks at I/O [F2]. */
static aw_turn keep_busy(aw_task *task, void *data) {
  enum { MOST = 64 };
  (void)task;
  host *h = data;
  if (h->rang && h->heard)
    return AW_BREAK;
  uint64_t began = uv_hrtime();
  while (uv_hrtime() - began <
         (h->overdue ? AW_SECOND / 50000 : AW_SECOND / 200))
    ;
  if (!h->overdue)
    uv_async_send(&h->async);
  h->overdue = true;
  CHECK(h->steps++ <= 2 * MOST);
  return AW_DONE;
}

static void close_host(host *h, uv_loop_t *uv) {
  uv_close((uv_handle_t *)&h->timer, NULL);
  uv_close((uv_handle_t *)&h->async, NULL);
  uv_run(uv, UV_RUN_NOWAIT);
}

static void a_host_is_served_while_tasks_are_busy(aw_clock clock, int tasks) {
  aw_engine *engine;
  aw_engine_config config = {.clock = clock};
  CHECK(aw_engine_new(&config, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  void *uv;
  host h = {.overdue = false};
  CHECK(aw_engine_uv(engine, &uv) == 0);
  uv_timer_init(uv, &h.timer);
  uv_async_init(uv, &h.async, hear);
  h.timer.data = h.async.data = &h;
  uv_timer_start(&h.timer, ring, 1, 0);
  uv_unref((uv_handle_t *)&h.timer);
  uv_unref((uv_handle_t *)&h.async);
  for (int i = 0; i < tasks; i++)
    start(loop, aw_repeat(aw_call(keep_busy, &h), AW_FOREVER));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(h.rang && h.heard);
  close_host(&h, uv);
  empty(engine, loop);
}

int main(void) {
  operations_end_as_they_are_completed();
  an_operation_has_alarms();
  a_cancel_disarms_at_once();
  what_cannot_be_aborted_is_abandoned_after_the_grace();
  what_has_been_committed_is_delivered();
  tasks_say_what_they_wait_for();
  a_loop_ends_when_no_foreground_task_is_left();
  a_stop_cancels_and_cleans_up();
  a_loop_runs_again_after_done();
  a_closed_loop_ends_its_tasks_unstarted();
  an_idle_loop_that_was_cancelled_leaves_nothing();
  an_engine_is_not_driven_from_inside();
  a_paused_loop_goes_on();
  a_loop_runs_in_a_task();
  a_cancel_stops_the_loop_inside_first();
  a_deadlock_is_said();
  a_deadlock_is_of_the_innermost_loop();
  virtual_time_jumps_and_idle_comes_last();
  real_sleeps_are_never_early();
  another_thread_wakes_it();
  what_a_timer_of_libuv_does_is_seen_before_the_poll();
  what_the_host_is_to_know_is_told_before_a_rest();
  handles_of_an_operation_are_counted();
  a_host_is_served_while_tasks_are_busy(AW_CLOCK_REAL, 2);
  a_host_is_served_while_tasks_are_busy(AW_CLOCK_VIRTUAL, 2);
  a_host_is_served_while_tasks_are_busy(AW_CLOCK_REAL, 10000);
  a_host_is_served_while_tasks_are_busy(AW_CLOCK_VIRTUAL, 10000);
  return 0;
}
