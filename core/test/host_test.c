/* host_test.c - a host driven by hand: steps, parking, scopes, kills, values
 *
 * The test plays the host: it takes each step of aw_next() and reports how the
 * step ended. `bodies` stand for host code, and for its parked coroutines.
 */
#include "check.h"

/* ---- values are counted ---- */

static int claims;

static void drop(void *host, aw_value value) {
  CHECK(host == &claims && value != 0);
  claims--;
}

static aw_value keep(void *host, aw_value value) {
  CHECK(host == &claims && value != 0);
  claims++;
  return value;
}

static aw_value claim(aw_value value) {
  claims++;
  return value;
}

static aw_engine *host_engine(void) {
  aw_engine *engine;
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL,
                             .host = &claims,
                             .drop = drop,
                             .keep = keep,
                             .deadlocks = true};
  CHECK(aw_engine_new(&config, &engine) == 0);
  claims = 0;
  log_clear();
  return engine;
}

static void finish(aw_engine *engine, aw_loop *loop) {
  CHECK(aw_loop_free(loop) == 0);
  check_stats(engine);
  CHECK(claims == 0);
  CHECK(aw_engine_free(engine) == 0);
}

static int bodies[4]; /* only the addresses are used */

static aw_wire *host(int which) {
  static const char *const names[4] = {"zero", "one", "two", "three"};
  return aw_host_call(&bodies[which], NULL, names[which]);
}

/* Returns the next step, which must be of `kind`. */
static aw_step next(aw_engine *engine, aw_loop *loop, aw_step_kind kind) {
  aw_step step;
  memset(&step, 0, sizeof step);
  CHECK(aw_next(engine, loop, &step) == 1);
  CHECK(step.what == kind);
  return step;
}

static void over(aw_engine *engine, aw_loop *loop) {
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 0);
}

/* ---- calls ---- */

static void a_call_is_reported_in_four_ways(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task_config handled = {.handler = claim(9)};
  aw_task *tasks[2];
  for (int i = 0; i < 2; i++)
    tasks[i] = start_task(loop, host(i));
  CHECK(aw_loop_start(loop, host(2), &handled, NULL) == 0);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[0] && step.task == tasks[0]);
  CHECK(aw_current(engine) == step.task);
  aw_step_done(step.task, claim(4));
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_next(step.task, host(3));
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[2]);
  aw_step_fail(step.task, aw_error_new(engine, AW_EHOST, claim(5)));
  step = next(engine, loop, AW_STEP_FAILED);
  CHECK(aw_task_handler(step.task) == 9);
  CHECK(aw_error_value(aw_task_error(step.task)) == 5);
  aw_step_handled(step.task);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[3] && step.task == tasks[1]);
  aw_task_cancel(step.task, claim(6), AW_DEFAULT);
  aw_step_cancelled(step.task);
  over(engine, loop);
  CHECK(aw_task_value(tasks[0]) == 4);
  CHECK(aw_task_state_of(tasks[1]) == AW_TASK_CANCELLED);
  for (int i = 0; i < 2; i++)
    aw_task_release(tasks[i]);
  finish(engine, loop);
}

static void values_that_go_nowhere_are_not_wanted(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_then(host(0), aw_repeat(host(1), 2)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  for (int i = 0; i < 3; i++) {
    aw_step step = next(engine, loop, AW_STEP_CALL);
    CHECK(aw_step_wants_value(step.task) == (i == 2));
    aw_step_done(step.task, claim(4)); /* an unwanted value is dropped */
  }
  over(engine, loop);
  finish(engine, loop);
}

/* Take steps of host(0) until nothing keeps the task from going on at once: the
 * first look at the clock gives a credit of steps. */
static aw_step settled_step(aw_engine *engine, aw_loop *loop) {
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_step_done(step.task, claim(4));
  return next(engine, loop, AW_STEP_CALL);
}

static void a_turn_of_a_repeat_needs_no_report(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_repeat(host(0), 5));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = settled_step(engine, loop);
  CHECK(!aw_step_itself(step.task));
  CHECK(aw_step_again(step.task) == 3);
  start(loop, host(1));
  CHECK(aw_step_again(step.task) == 0); /* others are ready [F3] */
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[1]);
  CHECK(aw_step_again(step.task) == 0); /* no repeat */
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(aw_step_again(step.task) == 1);
  CHECK(aw_step_again(step.task) == 0); /* that was the last turn */
  aw_step_done(step.task, claim(5));
  over(engine, loop);
  CHECK(aw_task_value(task) == 5 && aw_task_steps(task) == 5);
  aw_task_release(task);
  finish(engine, loop);
}

static void a_yield_alone_needs_no_wait(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_then(host(0), host(1)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  aw_task_park(step.task, &bodies[1]);
  int turns = 0;
  while (aw_begin_yield(step.task) == 1) /* until a look at the clock is due */
    turns++;
  CHECK(turns > 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.data == &bodies[1] && step.result == 0);
  start(loop, host(2));
  CHECK(aw_begin_yield(step.task) == 0); /* others are ready */
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_RESUME);
  aw_task_cancel(task, 0, AW_DEFAULT);
  CHECK(aw_begin_yield(step.task) == 0); /* delivers the cancel */
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED);
  aw_step_cancelled(step.task);
  over(engine, loop);
  aw_task_release(task);
  finish(engine, loop);
}

static void a_failed_part_of_else_needs_no_report(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(
      loop, aw_or_else(aw_or_else(host(0), host(1)),
                       aw_or_else(aw_sleep(0), aw_or_else(host(2), host(3)))));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK(aw_step_else(step.task) == &bodies[1]);
  CHECK(!aw_step_else(step.task)); /* a sleep follows */
  aw_step_done(step.task, claim(1));
  over(engine, loop);
  CHECK(aw_task_steps(task) == 2);
  aw_task_release(task);

  task = start_task(loop, aw_then(host(0), aw_or_else(host(1), host(2))));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(!aw_step_else(step.task)); /* no part of a `//` */
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[1] && !aw_step_wants_error(step.task));
  CHECK(aw_step_else(step.task) == &bodies[2]);
  CHECK(!aw_step_else(step.task)); /* that is the last part */
  CHECK(aw_step_wants_error(step.task));
  aw_step_fail(step.task, aw_error_new(engine, AW_EHOST, claim(2)));
  step = next(engine, loop, AW_STEP_FAILED);
  aw_step_handled(step.task);
  over(engine, loop);
  aw_task_release(task);
  finish(engine, loop);
}

static void release_nothing(void *data) {
  (void)data;
}

static void check_chain(const aw_task *task, size_t index, const char *name,
                        uint32_t times) {
  uint32_t counted;
  const char *found = aw_task_chain(task, index, &counted);
  CHECK(found && strcmp(found, name) == 0 && counted == times);
}

static void a_machine_needs_no_report(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *held = aw_hold(host(0), &claims, release_nothing);
  aw_task *task = start_task(loop, aw_then(host(1), aw_whole(held)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK(!aw_step_itself(step.task)); /* its chain is the sequence */
  aw_step_done(step.task, claim(4));
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[0]);
  CHECK(aw_step_again(step.task) == 0);
  CHECK(aw_step_itself(step.task) && aw_step_itself(step.task));
  check_chain(task, 0, "zero", 2);
  start(loop, host(2));
  CHECK(!aw_step_itself(step.task)); /* others are ready [F3] */
  aw_step_next(step.task, aw_wire_keep(held));
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[2]);
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  check_chain(task, 0, "zero", 3);
  aw_task_cancel(task, 0, AW_DEFAULT);
  CHECK(!aw_step_itself(step.task)); /* one more transition is free [N3] */
  aw_step_next(step.task, aw_wire_keep(held));
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_next(step.task, aw_wire_keep(held));
  over(engine, loop);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  CHECK(aw_task_steps(task) == 6);
  aw_task_release(task);
  finish(engine, loop);
}

static void a_machine_needs_no_new_wires(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *own = aw_hold(host(0), &bodies[3], release_nothing);
  aw_task *task = start_task(loop, own);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[0] && aw_step_can_become(task));
  CHECK(!aw_step_become(task, host(1), NULL, false));
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[1] && aw_task_wire(task) == own);
  CHECK(aw_step_become(task, host(2), NULL, true) == &bodies[2]);
  CHECK(aw_step_become(task, NULL, "three", true) == &bodies[3]);
  CHECK(strcmp(aw_wire_name(own), "three") == 0);
  check_chain(task, 0, "two", 1);
  check_chain(task, 2, "zero", 1);
  start(loop, host(0));
  CHECK(!aw_step_become(task, host(1), NULL, true)); /* others are ready [F3] */
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[0] && step.task != task);
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[1]);
  aw_wire_keep(own);
  CHECK(!aw_step_can_become(task)); /* the wire is not the task's alone */
  aw_wire_release(own);
  CHECK(!aw_step_become(task, aw_then(aw_sleep(1), host(2)), NULL, true));
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[2]);
  CHECK(!aw_step_can_become(task)); /* the wire is more than the step */
  aw_step_next(task, host(0));
  next(engine, loop, AW_STEP_CALL);
  aw_task_cancel(task, 0, AW_DEFAULT);
  CHECK(!aw_step_can_become(task));
  aw_step_cancelled(task);
  over(engine, loop);
  CHECK(aw_task_steps(task) == 7);
  aw_task_release(task);
  finish(engine, loop);
}

/* ---- parking and going on ---- */

static void parked_code_goes_on_when_its_wait_ends(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, host(0));
  start(loop, host(1));
  CHECK(aw_loop_begin(loop, 2 * AW_SECOND) == 0);
  static const uint64_t spans[2] = {AW_SECOND, AW_NEVER};
  for (int i = 0; i < 2; i++) {
    aw_step step = next(engine, loop, AW_STEP_CALL);
    aw_task_park(step.task, &bodies[i]);
    CHECK(aw_await_sleep(step.task, spans[i]) == 0);
    CHECK(aw_task_host_at(step.task, 0) == &bodies[i]);
    CHECK(aw_task_host_at(step.task, 1) == NULL);
  }
  aw_step step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.data == &bodies[0] && step.result == 0);
  CHECK(aw_await_yield(step.task) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.data == &bodies[1] && step.result == AW_ECANCELED);
  aw_value reason;
  CHECK(aw_task_cancelled_by(step.task, &reason) == AW_BY_LOOP);
  CHECK(!aw_task_swallowed(step.task));
  CHECK(aw_await_sleep(step.task, 1) == 0); /* refused in its next turn */
  next(engine, loop, AW_STEP_SWALLOWED);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED && aw_task_swallowed(step.task));
  aw_step_cancelled(step.task);
  over(engine, loop);
  finish(engine, loop);
}

static aw_step call_and_await(aw_engine *engine, aw_loop *loop, aw_wire *wire,
                              bool whole) {
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_task_park(step.task, &bodies[0]);
  CHECK(aw_await_wire(step.task, wire, whole) == 0);
  return step;
}

static void wires_are_awaited_inline(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_wire *wire = aw_then(aw_sleep(AW_SECOND), host(1));
  call_and_await(engine, loop, wire, true);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK(step.data == &bodies[1]);
  CHECK(aw_task_host_at(step.task, 0) == &bodies[0]);
  CHECK(aw_step_wants_value(step.task));
  aw_step_next(step.task, host(2)); /* `whole`: the await includes the chain */
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_done(step.task, claim(8));
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.data == &bodies[0] && step.result == 0);
  CHECK(aw_task_take_value(step.task) == 8);
  CHECK(aw_task_take_value(step.task) == 0);
  claims--;
  CHECK(aw_await_wire(step.task, host(1), false) == 0); /* one step only */
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_next(step.task, host(2));
  step = next(engine, loop, AW_STEP_RESUME);
  aw_wire *became = aw_task_take_next(step.task);
  CHECK(became && step.result == 0);
  CHECK(aw_await_wire(step.task, became, true) == 0);
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_fail(step.task, aw_error_new(engine, AW_EHOST, claim(3)));
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_EHOST);
  aw_error *error = aw_task_take_error(step.task);
  CHECK(aw_error_value(error) == 3);
  aw_error_release(error);
  CHECK(aw_await_wire(step.task, NULL, true) == AW_ENOMEM);
  aw_step_done(step.task, 0);
  over(engine, loop);
  finish(engine, loop);
}

/* Clean-up that delays an error is reported by AW_STEP_HOLDING [D4]. */
static void clean_up_that_holds_back_an_error_is_told_of(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  for (int i = 0; i < 2; i++) {
    aw_step step = next(engine, loop, i == 0 ? AW_STEP_CALL : AW_STEP_RESUME);
    aw_task_hold_back(step.task);
    aw_task_hold_back(step.task); /* the second call has no effect */
    aw_task_park(step.task, &bodies[0]);
    CHECK(aw_await_sleep(step.task, 3 * AW_SECOND) == 0);
    step = next(engine, loop, AW_STEP_HOLDING);
    CHECK(step.task == task && step.ns == AW_SECOND && !step.error);
    CHECK(aw_engine_now(engine) == (uint64_t)(3 * i + 1) * AW_SECOND);
  }
  aw_step step = next(engine, loop, AW_STEP_RESUME);
  aw_task_hold_back(step.task);
  aw_task_let_out(step.task);
  CHECK(aw_await_sleep(step.task, 3 * AW_SECOND) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  aw_task_hold_back(step.task); /* the end of the body ends it */
  aw_step_done(step.task, 0);
  over(engine, loop);
  CHECK(!aw_task_waited(task));
  aw_task_mark_waited(task);
  CHECK(aw_task_waited(task));
  aw_task_release(task);
  finish(engine, loop);
}

static void a_cancel_goes_through_awaits(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_SECOND) == 0);
  call_and_await(engine, loop, aw_sleep(AW_NEVER), true);
  aw_step step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED);
  CHECK(aw_await_wire(step.task, aw_sleep(1), true) == 0);
  next(engine, loop, AW_STEP_SWALLOWED);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED);
  aw_step_cancelled(step.task);
  over(engine, loop);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  aw_task_release(task);
  finish(engine, loop);
}

/* ---- scopes in host code ---- */

static void a_scope_takes_the_first_error_of_all(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_task *parent = step.task;
  aw_scope_config open = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
  aw_scope *scope;
  CHECK(aw_scope_open(parent, &open, &scope) == 0);
  CHECK(aw_scope_start(scope, host(1), NULL, NULL) == 0);
  aw_task_park(parent, &bodies[0]);
  aw_error *error = aw_error_new(engine, AW_EHOST, claim(1));
  CHECK(aw_scope_leave(parent, error, false) == 1);
  step = next(engine, loop, AW_STEP_CALL); /* a started wire runs [T3] */
  CHECK(aw_task_cancelled(step.task));
  aw_step_fail(step.task, aw_error_new(engine, AW_EHOST, claim(2)));
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.task == parent && step.result == 0);
  aw_scope_end end;
  aw_scope_close(parent, &end);
  CHECK(aw_error_value(end.error) == 1 && end.cancelled && !end.outer);
  CHECK(aw_error_value(aw_error_suppressed(end.error, 0)) == 2);
  aw_error_release(end.error);
  aw_step_done(parent, 0);
  over(engine, loop);
  finish(engine, loop);
}

static void a_scope_absorbs_its_own_cancel(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_scope_config open = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
  aw_scope *scope;
  CHECK(aw_scope_open(step.task, &open, &scope) == 0);
  aw_scope_cancel(scope, claim(7), AW_DEFAULT);
  aw_scope_cancel(scope, claim(8), AW_DEFAULT); /* a second reason is dropped */
  aw_value reason;
  CHECK(aw_task_cancelled_by(step.task, &reason) == AW_BY_SCOPE && reason == 7);
  aw_task_park(step.task, &bodies[0]);
  CHECK(aw_await_sleep(step.task, 1) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED);
  CHECK(aw_scope_leave(step.task, NULL, true) == 0);
  aw_scope_end end;
  aw_scope_close(step.task, &end);
  CHECK(end.cancelled && !end.outer && !end.error && end.reason == 7);
  claims--;
  CHECK(!aw_task_cancelled(step.task));
  aw_step_done(step.task, 0);
  over(engine, loop);
  finish(engine, loop);
}

/* ---- what a time-out cuts short ---- */

/* Run `wire` until it fails with AW_ETIMEOUT. Returns its task. */
static aw_task *time_out(aw_engine *engine, aw_loop *loop, aw_wire *wire) {
  aw_task *task = start_task(loop, wire);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_FAILED);
  CHECK(step.task == task);
  CHECK(aw_error_code(aw_task_error(task)) == AW_ETIMEOUT);
  return task;
}

static void check_cut(const aw_task *task, const char *text, bool own) {
  const aw_cut *cut = aw_error_cut(aw_task_error(task));
  const char *where;
  CHECK(cut && strcmp(aw_cut_text(cut), text) == 0);
  CHECK(aw_cut_task(cut, &where) == aw_task_id(task) + !own && where == NULL);
  CHECK(aw_cut_own(cut) == own);
  CHECK(aw_cut_value(cut) == 0);
}

static void a_timeout_tells_the_wait_that_it_cut_short(void) {
  static const struct {
    uint64_t ns;
    const char *text;
  } sleeps[] = {{5 * AW_SECOND, "sleep 5 s"},
                {AW_SECOND * 5 / 2, "sleep 2.5 s"},
                {86400 * AW_SECOND, "sleep 86400 s"},
                {AW_NEVER, "sleep for ever"}};
  for (size_t i = 0; i < sizeof sleeps / sizeof *sleeps; i++) {
    aw_engine *engine = host_engine();
    aw_loop *loop = new_loop(engine);
    aw_wire *wire = aw_sleep(sleeps[i].ns);
    aw_task *task =
        time_out(engine, loop, aw_timeout(wire, AW_SECOND, AW_DEFAULT));
    check_cut(task, sleeps[i].text, true);
    aw_step_handled(task);
    aw_task_release(task);
    over(engine, loop);
    finish(engine, loop);
  }
}

static void of_several_waits_it_tells_the_first(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *both[] = {aw_sleep(5 * AW_SECOND), aw_sleep(6 * AW_SECOND)};
  aw_wire *wire = aw_all(both, 2, 0);
  aw_task *task =
      time_out(engine, loop, aw_timeout(wire, AW_SECOND, AW_DEFAULT));
  check_cut(task, "sleep 5 s", false);
  aw_step_handled(task);
  aw_task_release(task);
  over(engine, loop);
  finish(engine, loop);
}

/* Open a scope with a limit of 1 s in the task, and let the task sleep for 5 s.
 */
static void sleep_in_scope(aw_task *task) {
  aw_scope_config open = {.deadline = AW_SECOND, .grace = AW_DEFAULT};
  aw_scope *scope;
  CHECK(aw_scope_open(task, &open, &scope) == 0);
  aw_task_park(task, &bodies[0]);
  CHECK(aw_await_sleep(task, 5 * AW_SECOND) == 0);
}

static void the_host_adds_the_place_to_it(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK(aw_task_take_cut(step.task) == NULL);
  sleep_in_scope(step.task);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED);
  aw_cut *cut = aw_task_take_cut(step.task);
  CHECK(cut && aw_task_take_cut(step.task) == NULL);
  aw_cut_set_value(cut, claim(3));
  CHECK(aw_scope_leave(step.task, NULL, true) == 0);
  aw_scope_end end;
  aw_scope_close(step.task, &end);
  CHECK(end.timed_out && end.waited == cut && aw_cut_value(cut) == 3);
  aw_step_done(step.task, 0);
  over(engine, loop);
  finish(engine, loop);
}

/* The deadlines of both scopes expire; the outer scope reports the time-out. */
static void the_outermost_that_expired_tells_it(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_scope_config open = {.deadline = AW_SECOND, .grace = AW_DEFAULT};
  aw_scope *outer;
  CHECK(aw_scope_open(step.task, &open, &outer) == 0);
  sleep_in_scope(step.task);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(step.result == AW_ECANCELED);
  aw_scope_end end;
  CHECK(aw_scope_leave(step.task, NULL, true) == 0);
  aw_scope_close(step.task, &end);
  CHECK(end.outer && end.waited == NULL);
  CHECK(aw_scope_leave(step.task, NULL, true) == 0);
  aw_scope_close(step.task, &end);
  CHECK(end.timed_out && end.waited != NULL);
  CHECK(strcmp(aw_cut_text(end.waited), "sleep 5 s") == 0);
  aw_step_done(step.task, 0);
  over(engine, loop);
  finish(engine, loop);
}

static void a_loop_tells_it_too(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_sleep(5 * AW_SECOND));
  CHECK(aw_loop_cut(loop) == NULL);
  CHECK(aw_loop_begin(loop, AW_SECOND) == 0);
  over(engine, loop);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_TIMEOUT);
  CHECK(strcmp(aw_cut_text(aw_loop_cut(loop)), "sleep 5 s") == 0);
  finish(engine, loop);
}

/* ---- kills ---- */

/* All parked host code is closed, the innermost first [C9]. */
static void a_kill_closes_host_code_from_the_inside(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_SECOND) == 0);
  call_and_await(engine, loop, host(1), true);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_scope_config open = {
      .deadline = AW_NEVER, .grace = AW_DEFAULT, .shield = true};
  aw_scope *scope;
  CHECK(aw_scope_open(step.task, &open, &scope) == 0);
  aw_task_park(step.task, &bodies[1]);
  CHECK(aw_await_sleep(step.task, AW_NEVER) == 0);
  step = next(engine, loop, AW_STEP_RESUME); /* hard, after 5 s of grace */
  CHECK(aw_engine_now(engine) == 6 * AW_SECOND);
  while (step.what == AW_STEP_RESUME) {
    CHECK(step.result == AW_ECANCELED && step.data == &bodies[1]);
    CHECK(aw_await_sleep(step.task, AW_NEVER) == 0);
    CHECK(aw_next(engine, loop, &step) == 1);
    if (step.what == AW_STEP_SWALLOWED)
      CHECK(aw_next(engine, loop, &step) == 1);
  }
  CHECK(step.what == AW_STEP_KILL && step.data == &bodies[1]);
  aw_step_killed(step.task);
  step = next(engine, loop, AW_STEP_KILL);
  CHECK(step.data == &bodies[0]);
  aw_step_killed(step.task);
  step = next(engine, loop, AW_STEP_LATE);
  CHECK(step.ns == 5 * AW_SECOND && step.id == 0 && step.error == NULL);
  over(engine, loop);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  aw_task_release(task);
  finish(engine, loop);
}

/* ---- failures without a handler ---- */

static void a_failure_at_the_root_wants_the_host(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_loop_config config = {.grace = AW_SECOND, .host = claim(77)};
  aw_loop *other;
  CHECK(aw_loop_new(engine, &config, &other) == 0);
  CHECK(aw_loop_host(other) == 77);
  aw_task_config handled = {.handler = claim(9)};
  CHECK(aw_loop_start(other, NULL, &handled, NULL) == AW_ENOMEM);
  CHECK(aw_loop_free(other) == 0 && claims == 0);
  start(loop, host(0));
  start(loop, aw_sleep(AW_NEVER));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_step_next(step.task, NULL);
  step = next(engine, loop, AW_STEP_FAILED);
  CHECK(!aw_task_handler(step.task) && step.loop == loop);
  aw_error *error = aw_task_error(step.task);
  CHECK(aw_error_code(error) == AW_ENOMEM);
  aw_error_set_value(error, claim(11));
  aw_error_set_value(error, claim(12)); /* dropped: the error has a value */
  CHECK(aw_error_value(error) == 11);
  aw_loop_fail(loop, aw_error_keep(error));
  aw_step_handled(step.task);
  over(engine, loop);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_FAILED);
  finish(engine, loop);
}

static void a_deadlock_wants_the_host(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_sleep(AW_NEVER));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_DEADLOCK);
  CHECK(step.loop == loop && step.task == NULL);
  aw_loop_fail(loop, aw_error_new(engine, AW_EDEADLOCK, 0));
  over(engine, loop);
  finish(engine, loop);
}

/* ---- notifications [D4] ---- */

static void a_cancel_that_is_swallowed_is_told_once(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_task_park(step.task, &bodies[0]);
  CHECK(aw_await_yield(step.task) == 0);
  aw_task_cancel(task, 0, AW_DEFAULT);
  step = next(engine, loop, AW_STEP_RESUME); /* its wait had ended [C6] */
  for (int i = 0; i < 3; i++) {
    CHECK(aw_await_sleep(step.task, 1) == 0);
    if (i == 1) {
      step = next(engine, loop, AW_STEP_SWALLOWED);
      CHECK(step.id == aw_task_id(task));
    }
    step = next(engine, loop, AW_STEP_RESUME);
    CHECK(step.result == AW_ECANCELED);
  }
  aw_step_cancelled(step.task);
  over(engine, loop);
  aw_task_release(task);
  finish(engine, loop);
}

/* Run a task that fails while its child takes `ns` to clean up. Returns the
 * step after the failure, which must be of kind `then`. */
static aw_step fail_slowly(aw_engine *engine, aw_loop *loop, uint64_t ns,
                           aw_step_kind then) {
  aw_task_config handled = {.handler = claim(5)};
  CHECK(aw_loop_start(loop, host(0), &handled, NULL) == 0);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_scope_config open = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
  aw_scope *scope;
  CHECK(aw_scope_open(step.task, &open, &scope) == 0);
  CHECK(aw_scope_start(scope, aw_shielded(aw_sleep(ns), AW_NEVER), NULL,
                       NULL) == 0);
  aw_task_park(step.task, &bodies[0]);
  CHECK(aw_await_yield(step.task) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  aw_error *error = aw_error_new(engine, AW_EHOST, claim(7));
  CHECK(aw_scope_leave(step.task, error, false) == 1);
  step = next(engine, loop, AW_STEP_RESUME);
  aw_scope_end end;
  aw_scope_close(step.task, &end);
  aw_step_fail(step.task, end.error);
  return next(engine, loop, then);
}

/* A scope takes no more children once its task is resumed to close it. The
 * scope of a task takes none once the task has failed, even before its handler
 * is called. */
static void what_is_closed_takes_nothing(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task_config handled = {.handler = claim(5)};
  CHECK(aw_loop_start(loop, host(0), &handled, NULL) == 0);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_scope_config open = {.deadline = AW_NEVER, .grace = AW_DEFAULT};
  aw_scope *scope;
  CHECK(aw_scope_open(step.task, &open, &scope) == 0);
  CHECK(aw_scope_start(scope, aw_sleep(1), NULL, NULL) == 0);
  aw_task_park(step.task, &bodies[0]);
  CHECK(aw_scope_leave(step.task, NULL, false) == 1);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(aw_scope_start(scope, aw_sleep(1), NULL, NULL) == AW_EENDED);
  aw_scope_cancel(scope, claim(3), AW_SECOND);
  aw_scope_end end;
  aw_scope_close(step.task, &end);
  CHECK(!end.cancelled && end.reason == 0);
  aw_step_fail(step.task, aw_error_new(engine, AW_EHOST, claim(7)));
  step = next(engine, loop, AW_STEP_FAILED);
  size_t depth = 0;
  scope = aw_loop_scope(loop);
  scope = aw_scope_walk(scope, scope, &depth);
  CHECK(aw_scope_task(scope) == step.task);
  CHECK(aw_scope_start(scope, aw_sleep(1), NULL, NULL) == AW_EENDED);
  aw_scope_cancel(scope, claim(3), AW_SECOND);
  aw_step_handled(step.task);
  over(engine, loop);
  finish(engine, loop);
}

static void a_slow_cleanup_is_told_with_what_it_hid(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_step step = fail_slowly(engine, loop, 3 * AW_SECOND / 2, AW_STEP_LATE);
  CHECK(step.ns == 3 * AW_SECOND / 2 && step.id == 1);
  CHECK(aw_error_value(step.error) == 7);
  step = next(engine, loop, AW_STEP_FAILED);
  aw_step_handled(step.task);
  over(engine, loop);
  finish(engine, loop);
}

static void a_quick_cleanup_is_not_told(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_step step = fail_slowly(engine, loop, AW_SECOND / 2, AW_STEP_FAILED);
  aw_step_handled(step.task);
  over(engine, loop);
  finish(engine, loop);
}

/* ---- misuse ---- */

static int never_arm(aw_task *task, void *data) {
  (void)task, (void)data;
  CHECK(false);
  return 0;
}

/* An operation without `disarm` and `abandon` is refused: not even a kill could
 * end its wait. */
static void an_operation_can_be_ended_by_somebody(void) {
  static const aw_operation stuck = {.label = "stuck", .arm = never_arm};
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_wait_for(&stuck, NULL));
  start(loop, host(0));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_FAILED);
  CHECK(step.task == task);
  CHECK(aw_error_code(aw_task_error(task)) == AW_EINVAL);
  aw_step_handled(step.task);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK(aw_await_operation(step.task, &stuck, NULL) == AW_EINVAL);
  aw_step_done(step.task, 0);
  over(engine, loop);
  aw_task_release(task);
  finish(engine, loop);
}

static void the_tree_can_be_walked(void) {
  aw_engine *engine = host_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *tasks[2] = {start_task(loop, host(0)), start_task(loop, host(1))};
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_scope_config open = {
      .deadline = AW_NEVER, .grace = AW_DEFAULT, .shield = true};
  aw_scope *scope;
  aw_task *child;
  CHECK(aw_scope_open(step.task, &open, &scope) == 0);
  CHECK(aw_scope_start(scope, aw_sleep(1), NULL, &child) == 0);
  size_t depth = 0;
  const aw_scope *root = aw_loop_scope(loop), *at = root;
  CHECK((at = aw_scope_walk(root, at, &depth)) && depth == 1);
  CHECK(aw_scope_task(at) == tasks[0]);
  CHECK((at = aw_scope_walk(root, at, &depth)) == scope && depth == 2);
  CHECK(!aw_scope_task(at) && aw_scope_shields(at));
  CHECK((at = aw_scope_walk(root, at, &depth)) && depth == 3);
  CHECK(aw_scope_task(at) == child && !aw_scope_cancelled(at));
  CHECK((at = aw_scope_walk(root, at, &depth)) && depth == 1);
  CHECK(aw_scope_task(at) == tasks[1]);
  CHECK(aw_scope_walk(root, at, &depth) == NULL);
  aw_step_done(step.task, 0); /* the end of a body leaves its open scopes */
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_done(step.task, 0);
  over(engine, loop);
  aw_task_release(child);
  for (int i = 0; i < 2; i++)
    aw_task_release(tasks[i]);
  finish(engine, loop);
}

int main(void) {
  a_call_is_reported_in_four_ways();
  values_that_go_nowhere_are_not_wanted();
  a_turn_of_a_repeat_needs_no_report();
  a_failed_part_of_else_needs_no_report();
  a_machine_needs_no_report();
  a_machine_needs_no_new_wires();
  a_yield_alone_needs_no_wait();
  parked_code_goes_on_when_its_wait_ends();
  wires_are_awaited_inline();
  clean_up_that_holds_back_an_error_is_told_of();
  a_cancel_goes_through_awaits();
  a_scope_takes_the_first_error_of_all();
  a_scope_absorbs_its_own_cancel();
  a_timeout_tells_the_wait_that_it_cut_short();
  of_several_waits_it_tells_the_first();
  the_host_adds_the_place_to_it();
  the_outermost_that_expired_tells_it();
  a_loop_tells_it_too();
  a_kill_closes_host_code_from_the_inside();
  a_failure_at_the_root_wants_the_host();
  a_deadlock_wants_the_host();
  a_cancel_that_is_swallowed_is_told_once();
  what_is_closed_takes_nothing();
  a_slow_cleanup_is_told_with_what_it_hid();
  a_quick_cleanup_is_not_told();
  an_operation_can_be_ended_by_somebody();
  the_tree_can_be_walked();
  return 0;
}
