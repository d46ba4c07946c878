/* misuse_test.c - wrong calls change nothing, and say so where they can */
#include "dropping.h"

#define WRONG(call) CHECK((call) == AW_EINVAL)

/* Run `wire` as the only task of a loop; returns its code. */
static int run_alone(aw_engine *engine, aw_wire *wire) {
  aw_loop *loop = new_loop(engine);
  start(loop, wire);
  int rc = aw_loop_run(loop, AW_NEVER);
  CHECK(aw_loop_free(loop) == 0);
  return rc;
}

/* ---- NULL ---- */

static int released;

static void count_release(void *data) {
  (void)data;
  released++;
}

static aw_wire *seen(void) {
  return aw_host_call(&released, count_release, "seen");
}

static void nothing_is_made_of_nothing(void) {
  released = 0;
  CHECK(aw_call(NULL, NULL) == NULL);
  CHECK(aw_wait_for(NULL, NULL) == NULL);
  CHECK(aw_hold(seen(), &released, NULL) == NULL && released == 1);
  CHECK(aw_when_done(NULL) == NULL);
  CHECK(aw_with_slot(seen(), NULL, NULL) == NULL && released == 2);
  CHECK(aw_send(NULL, 0) == NULL);
  CHECK(aw_recv(NULL) == NULL);
  CHECK(aw_when_set(NULL) == NULL);
  CHECK(aw_acquire(NULL) == NULL);
  CHECK(aw_acquire_rate(NULL, 1) == NULL);
  CHECK(aw_sequence(NULL, 2) == NULL);
  CHECK(aw_all(NULL, 2, 0) == NULL);
  CHECK(aw_race(NULL, 2) == NULL);
  CHECK(aw_any(NULL, 2) == NULL);
  CHECK(aw_select(NULL, 2) == NULL);
  CHECK(aw_every(1, seen(), (aw_missed)9) == NULL && released == 3);
  CHECK(aw_when_ready(0, 0) == NULL && aw_when_ready(0, 4) == NULL);
  CHECK(aw_ready_operation(0) == NULL);
}

static void functions_with_a_code_refuse_null(void) {
  aw_loop *loop = NULL;
  aw_event *event = NULL;
  WRONG(aw_engine_new(NULL, NULL));
  WRONG(aw_engine_uv(NULL, NULL));
  WRONG(aw_engine_wakeable(NULL));
  WRONG(aw_loop_new(NULL, NULL, &loop));
  WRONG(aw_loop_begin(NULL, 1));
  WRONG(aw_loop_run(NULL, 1));
  WRONG(aw_loop_close(NULL));
  WRONG(aw_loop_start(NULL, NULL, NULL, NULL));
  WRONG(aw_scope_start(NULL, NULL, NULL, NULL));
  WRONG(aw_scope_open(NULL, NULL, NULL));
  WRONG(aw_scope_leave(NULL, NULL, false));
  WRONG(aw_scope_close(NULL, NULL));
  WRONG(aw_scope_extend(NULL, 1));
  WRONG(aw_task_extend(NULL, 1));
  WRONG(aw_task_set_locals(NULL, 0));
  WRONG(aw_event_new(NULL, NULL));
  WRONG(aw_semaphore_new(1, 1, NULL, NULL));
  WRONG(aw_semaphore_try_acquire(NULL));
  WRONG(aw_semaphore_give_back(NULL));
  WRONG(aw_rate_new(1, 1, NULL, NULL));
  WRONG(aw_rate_try_acquire(NULL, NULL, 1));
  WRONG(aw_channel_try_send(NULL, 0));
  WRONG(aw_channel_try_recv(NULL, NULL));
  WRONG(aw_engine_fd(NULL));
  WRONG(aw_engine_turn(NULL));
  WRONG(aw_engine_close(NULL, NULL, NULL));
  WRONG(aw_engine_end_loops(NULL, NULL));
  WRONG(aw_engine_instrument(NULL, NULL));
  WRONG(aw_ticket_complete(NULL, 0, 0));
  CHECK(aw_ticket_new(NULL) == NULL);
  CHECK(event == NULL && loop == NULL);
}

static void every_wait_needs_a_task(void) {
  WRONG(aw_await_sleep(NULL, 1));
  WRONG(aw_await_until(NULL, 1));
  WRONG(aw_await_yield(NULL));
  WRONG(aw_await_idle(NULL, 1));
  WRONG(aw_await_task(NULL, NULL));
  WRONG(aw_await_operation(NULL, aw_ready_operation(AW_READABLE), NULL));
  WRONG(aw_begin_operation(NULL, aw_ready_operation(AW_READABLE), NULL));
  WRONG(aw_await_ready(NULL, 0, AW_READABLE));
  WRONG(aw_await_readable(NULL, 0));
  WRONG(aw_await_writable(NULL, 0));
  WRONG(aw_await_loop(NULL, NULL, 1));
  WRONG(aw_await_wire(NULL, aw_sleep(1), true));
  WRONG(aw_await_join(NULL));
  WRONG(aw_await_send(NULL, NULL, 0));
  WRONG(aw_await_recv(NULL, NULL));
  WRONG(aw_park_send(NULL, NULL, 0));
  WRONG(aw_park_recv(NULL, NULL));
  WRONG(aw_await_room(NULL, NULL));
  WRONG(aw_await_event(NULL, NULL));
  WRONG(aw_await_acquire(NULL, NULL));
  WRONG(aw_await_rate(NULL, NULL, 1));
  WRONG(aw_alarm_arm(NULL, 1));
}

static void release_and_free_take_null(void) {
  aw_wire_release(NULL);
  aw_task_release(NULL);
  aw_channel_release(NULL);
  aw_event_release(NULL);
  aw_semaphore_release(NULL);
  aw_rate_release(NULL);
  aw_error_release(NULL);
  aw_cut_release(NULL);
  aw_ready_done(NULL);
  aw_free(NULL);
  aw_ticket_release(NULL);
  CHECK(aw_cut_keep(NULL) == NULL);
  CHECK(aw_loop_free(NULL) == 0);
  CHECK(aw_engine_free(NULL) == 0);
  CHECK(aw_reallocate(NULL, 0) == NULL);
}

static void a_part_that_is_not_there_is_null(void) {
  aw_wire *wire = aw_then(aw_sleep(1), aw_sleep(2));
  aw_wire_view view;
  aw_wire_look(wire, &view);
  CHECK(view.count == 2 && aw_wire_part(&view, 1) != NULL);
  CHECK(aw_wire_part(&view, 2) == NULL);
  aw_wire_release(wire);
}

/* ---- the end of a C step ---- */

typedef struct ending {
  aw_turn turn;
  bool next, error;
} ending;

static aw_turn end_badly(aw_task *task, void *data) {
  const ending *end = data;
  if (end->next)
    aw_task_set_next(task, aw_sleep(1));
  if (end->error)
    aw_task_set_error(
        task, aw_error_new(aw_loop_engine(aw_task_loop(task)), AW_EBUSY, 0));
  return end->turn;
}

static void a_step_ends_as_it_says_or_fails(void) {
  static const ending bad[] = {
      {.turn = AW_NEXT},
      {.turn = AW_INTO},
      {.turn = AW_WAIT},
      {.turn = AW_DONE, .next = true},
      {.turn = AW_DONE, .error = true},
      {.turn = AW_BREAK, .next = true},
      {.turn = (aw_turn)77},
  };
  aw_engine *engine = dropping_engine();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    void *data = (void *)(uintptr_t)&bad[i];
    CHECK(run_alone(engine, aw_call(end_badly, data)) == AW_EINVAL);
    CHECK(run_alone(engine, aw_repeat(aw_call(end_badly, data), 2)) ==
          AW_EINVAL);
  }
  static const ending failed = {.turn = AW_NEXT, .error = true};
  void *data = (void *)(uintptr_t)&failed; /* as aw_task_set_next(NULL) */
  CHECK(run_alone(engine, aw_call(end_badly, data)) == AW_EBUSY);
  empty(engine, NULL);
}

static aw_turn no_next(aw_task *task, void *data) {
  (void)data;
  aw_task_set_next(task, NULL);
  return AW_NEXT;
}

static void no_memory_for_a_next_wire_is_no_memory(void) {
  aw_engine *engine = dropping_engine();
  CHECK(run_alone(engine, aw_call(no_next, NULL)) == AW_ENOMEM);
  empty(engine, NULL);
}

/* ---- waits at a wrong time ---- */

/* Try all waits for `task`, which may not wait now. */
static void wait_in_vain(aw_task *task, aw_loop *inner) {
  aw_channel *channel;
  aw_event *event;
  aw_semaphore *semaphore;
  aw_rate *rate;
  aw_channel_config config = {.drop = drop};
  CHECK(aw_channel_new(&config, &channel) == 0);
  CHECK(aw_event_new(NULL, &event) == 0);
  CHECK(aw_semaphore_new(1, 1, NULL, &semaphore) == 0);
  CHECK(aw_rate_new(1, 1, NULL, &rate) == 0);
  size_t before = dropped;
  WRONG(aw_await_sleep(task, 1));
  WRONG(aw_await_until(task, 1));
  WRONG(aw_await_yield(task));
  WRONG(aw_await_idle(task, 1));
  WRONG(aw_await_task(task, task));
  WRONG(aw_await_operation(task, aw_ready_operation(AW_READABLE), NULL));
  WRONG(aw_begin_operation(task, aw_ready_operation(AW_READABLE), NULL));
  WRONG(aw_await_readable(task, 0));
  WRONG(aw_await_writable(task, 1));
  WRONG(aw_await_loop(task, inner, 1));
  WRONG(aw_await_wire(task, aw_sleep(1), false));
  WRONG(aw_await_join(task));
  WRONG(aw_scope_leave(task, NULL, false));
  WRONG(aw_await_send(task, channel, 3));
  WRONG(aw_await_recv(task, channel));
  WRONG(aw_park_send(task, channel, 4));
  WRONG(aw_park_recv(task, channel));
  WRONG(aw_await_room(task, channel));
  WRONG(aw_await_event(task, event));
  WRONG(aw_await_acquire(task, semaphore));
  WRONG(aw_await_rate(task, rate, 1));
  CHECK(dropped == before + 7);
  aw_scope *scope;
  aw_scope_config plain = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
  WRONG(aw_scope_open(task, &plain, &scope));
  CHECK(aw_semaphore_count(semaphore) == 1);
  aw_channel_release(channel);
  aw_event_release(event);
  aw_semaphore_release(semaphore);
  aw_rate_release(rate);
}

/* Report `task`, which is in no host step. */
static void report_in_vain(aw_engine *engine, aw_task *task) {
  size_t before = dropped;
  released = 0;
  aw_step_done(task, 5);
  aw_step_next(task, seen());
  aw_step_fail(task, aw_error_new(engine, AW_EBUSY, 6));
  aw_step_cancelled(task);
  aw_step_killed(task);
  aw_step_handled(task);
  CHECK(dropped == before + 11 && released == 1);
}

static aw_turn wait_twice(aw_task *task, void *data) {
  if (aw_task_steps(task) > 1) {
    CHECK(aw_task_result(task) == 0);
    char name[] = "woken";
    return note(task, name);
  }
  CHECK(aw_await_sleep(task, 7) == 0);
  wait_in_vain(task, data);
  report_in_vain(aw_loop_engine(aw_task_loop(task)), task);
  return AW_WAIT;
}

static void a_step_arms_one_wait(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *inner = new_loop(engine);
  CHECK(run_alone(engine, aw_call(wait_twice, inner)) == 0);
  CHECK(run_alone(engine, aw_repeat(aw_call(wait_twice, inner), 1)) == 0);
  CHECK_LOG("woken woken ");
  CHECK(aw_engine_now(engine) == 14);
  empty(engine, inner);
}

static aw_turn arm_and_go_on(aw_task *task, void *data) {
  const ending *end = data;
  CHECK(aw_task_steps(task) == 1);
  CHECK(aw_await_sleep(task, 7) == 0);
  return end_badly(task, (void *)(uintptr_t)end);
}

static aw_turn queue_and_go_on(aw_task *task, void *data) {
  CHECK(aw_task_steps(task) == 1);
  CHECK(aw_await_yield(task) == 0);
  return end_badly(task, data);
}

static void a_step_that_goes_on_with_a_wait_armed_fails(void) {
  static const ending done = {.turn = AW_DONE};
  static const ending fails = {.turn = AW_FAIL, .error = true};
  static const ending cancels = {.turn = AW_FAIL};
  static const ending next = {.turn = AW_NEXT, .next = true};
  const struct {
    const ending *end;
    int code;
  } all[] = {{&done, AW_EINVAL},
             {&fails, AW_EBUSY},
             {&cancels, AW_EINVAL},
             {&next, AW_EINVAL}};
  aw_engine *engine = dropping_engine();
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    void *data = (void *)(uintptr_t)all[i].end;
    CHECK(run_alone(engine, aw_call(arm_and_go_on, data)) == all[i].code);
    CHECK(run_alone(engine, aw_repeat(aw_call(queue_and_go_on, data), 2)) ==
          all[i].code);
  }
  CHECK(aw_engine_now(engine) == 0);
  empty(engine, NULL);
}

static aw_step pull(aw_engine *engine, aw_loop *loop, aw_step_kind what) {
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 1);
  CHECK(step.what == what);
  return step;
}

static void a_task_without_a_step_neither_waits_nor_reports(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine), *inner = new_loop(engine);
  aw_task *task = start_task(loop, aw_host_call(NULL, NULL, "host"));
  wait_in_vain(task, inner); /* it is ready */
  report_in_vain(engine, task);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = pull(engine, loop, AW_STEP_CALL);
  CHECK(step.task == task);
  aw_step_done(task, 0);
  wait_in_vain(task, inner); /* it was reported */
  report_in_vain(engine, task);
  CHECK(aw_next(engine, loop, &step) == 0);
  wait_in_vain(task, inner); /* it has ended */
  report_in_vain(engine, task);
  CHECK(aw_task_state_of(task) == AW_TASK_DONE);
  CHECK(aw_task_extend(task, 1) == AW_EENDED);
  CHECK(aw_task_set_locals(task, 9) == AW_EENDED);
  aw_task_release(task);
  CHECK(aw_loop_free(inner) == 0);
  empty(engine, loop);
}

static const aw_operation outside = {.label = "outside", .external = true};

static void a_parked_task_neither_waits_nor_reports(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine), *inner = new_loop(engine);
  start(loop, aw_host_call(NULL, NULL, "host"));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = pull(engine, loop, AW_STEP_CALL);
  aw_task_park(step.task, &released);
  CHECK(aw_await_operation(step.task, &outside, NULL) == 0);
  wait_in_vain(step.task, inner);
  report_in_vain(engine, step.task);
  aw_wait_complete(step.task, 0);
  aw_wait_complete(step.task, 0); /* it has ended: nothing happens */
  step = pull(engine, loop, AW_STEP_RESUME);
  aw_step_done(step.task, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK(aw_loop_free(inner) == 0);
  empty(engine, loop);
}

/* ---- scopes in steps ---- */

static aw_turn leave_too_much(aw_task *task, void *data) {
  aw_scope_config plain = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
  aw_scope_end end = {.moved = 1};
  aw_scope *scope;
  if (aw_task_steps(task) > 1) {
    CHECK(aw_scope_close(task, &end) == 0);
    WRONG(aw_scope_close(task, &end));
    return note(task, data);
  }
  WRONG(aw_scope_leave(task, NULL, true)); /* none is open */
  WRONG(aw_scope_close(task, &end));
  WRONG(aw_await_join(task));
  CHECK(aw_scope_open(task, &plain, &scope) == 0);
  CHECK(aw_scope_start(scope, says("child"), NULL, NULL) == 0);
  WRONG(aw_scope_close(task, &end)); /* it was not left */
  WRONG(aw_scope_close(task, NULL));
  CHECK(end.moved == 1);
  CHECK(aw_scope_leave(task, NULL, false) == 1);
  return AW_WAIT;
}

static void a_step_closes_the_scopes_that_it_opened(void) {
  aw_engine *engine = dropping_engine();
  void *name = (void *)(uintptr_t) "closed";
  CHECK(run_alone(engine, aw_call(leave_too_much, name)) == 0);
  aw_wire *wire = aw_timeout(aw_call(leave_too_much, name), 9, AW_DEFAULT);
  CHECK(run_alone(engine, wire) == 0); /* the scope of the wire stays */
  CHECK_LOG("child closed child closed ");
  empty(engine, NULL);
}

/* ---- failures, and objects of others ---- */

static void a_failure_is_handled_once_it_was_handed_out(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  static const ending fails = {.turn = AW_FAIL, .error = true};
  aw_task_config config = {.handler = 2};
  aw_task *task;
  CHECK(aw_loop_start(loop, aw_call(end_badly, (void *)(uintptr_t)&fails),
                      &config, &task) == 0);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step_handled(task);
  aw_step step = pull(engine, loop, AW_STEP_FAILED);
  CHECK(step.task == task);
  aw_step_handled(task);
  aw_step_handled(task);
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK(dropped == 2);
  aw_task_release(task);
  empty(engine, loop);
}

static void a_loop_does_not_fail_with_nothing(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  aw_loop_fail(loop, NULL);
  CHECK(aw_error_code(aw_loop_error(loop)) == AW_EINVAL);
  empty(engine, loop);
}

static aw_turn wait_elsewhere(aw_task *task, void *loop) {
  WRONG(aw_await_loop(task, loop, 1));
  return AW_DONE;
}

static void an_engine_runs_its_own_loops(void) {
  aw_engine *engine = dropping_engine();
  aw_engine *other = virtual_engine();
  aw_loop *loop = new_loop(engine), *theirs = new_loop(other);
  start(theirs, aw_sleep(1));
  CHECK(aw_loop_begin(theirs, AW_NEVER) == 0);
  CHECK(aw_loop_run(theirs, 1) == AW_EBUSY);
  aw_loop_pause(theirs);
  CHECK(aw_loop_run(theirs, AW_NEVER) == 0);
  start(loop, aw_call(wait_elsewhere, theirs));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(other, theirs);
  empty(engine, loop);
}

static void a_loop_that_runs_is_neither_closed_nor_freed(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_sleep(1));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_loop_close(loop) == AW_EBUSY);
  CHECK(aw_loop_free(loop) == AW_EBUSY);
  CHECK(aw_engine_free(engine) == AW_EBUSY);
  CHECK(aw_loop_begin(loop, AW_NEVER) == AW_EBUSY);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK(aw_loop_close(loop) == 0);
  CHECK(aw_loop_start(loop, says("never"), NULL, NULL) == AW_EENDED);
  CHECK(aw_loop_begin(loop, AW_NEVER) == AW_EENDED);
  empty(engine, loop);
}

/* ---- errors ---- */

static void an_error_is_negative_and_survives_nothing(void) {
  aw_engine *engine = dropping_engine();
  aw_error *error = aw_error_new(engine, 0, 0);
  CHECK(aw_error_code(error) == AW_EINVAL);
  aw_error_suppress(error, NULL);
  CHECK(aw_error_suppressed(error, 0) == NULL);
  aw_error_set_subject(error, "here");
  aw_error_set_subject(error, NULL);
  CHECK(aw_error_subject(error) == NULL);
  CHECK(aw_error_wire(error, NULL, NULL) == NULL);
  aw_error_suppress(error, aw_error_keep(error)); /* itself */
  CHECK(aw_error_suppressed(error, 0) == NULL);
  aw_error_release(error);
  empty(engine, NULL);
}

int main(void) {
  nothing_is_made_of_nothing();
  functions_with_a_code_refuse_null();
  every_wait_needs_a_task();
  release_and_free_take_null();
  a_part_that_is_not_there_is_null();
  a_step_ends_as_it_says_or_fails();
  no_memory_for_a_next_wire_is_no_memory();
  a_step_arms_one_wait();
  a_step_that_goes_on_with_a_wait_armed_fails();
  a_task_without_a_step_neither_waits_nor_reports();
  a_parked_task_neither_waits_nor_reports();
  a_step_closes_the_scopes_that_it_opened();
  a_failure_is_handled_once_it_was_handed_out();
  a_loop_does_not_fail_with_nothing();
  an_engine_runs_its_own_loops();
  a_loop_that_runs_is_neither_closed_nor_freed();
  an_error_is_negative_and_survives_nothing();
  return 0;
}
