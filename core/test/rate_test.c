/* rate_test.c - rates, in C wires and steps */
#include "check.h"

static int dropped;

static void count_drop(void *host, aw_value value) {
  (void)host;
  (void)value;
  dropped++;
}

static aw_engine *counting_engine(void) {
  aw_engine *engine;
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .drop = count_drop, .deadlocks = true};
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  dropped = 0;
  return engine;
}

static aw_rate *new_rate(uint64_t most, uint64_t seconds) {
  aw_rate *rate;
  CHECK(aw_rate_new(most, seconds * AW_SECOND, "api", &rate) == 0);
  return rate;
}

static aw_rate_view view_of(const aw_rate *rate) {
  aw_rate_view view;
  aw_rate_look(rate, &view);
  return view;
}

/* A step that logs the time. */
static aw_turn note_time(aw_task *task, void *name) {
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  log_add("%s@%u ", (const char *)name,
          (unsigned)(aw_engine_now(engine) / AW_SECOND));
  return AW_DONE;
}

static aw_wire *asks(aw_rate *rate, uint64_t units, const char *name) {
  return aw_then(aw_acquire_rate(rate, units),
                 aw_call(note_time, (void *)(uintptr_t)name));
}

static void units_come_in_order_and_in_time(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_rate *rate = new_rate(3, 10);
  start(loop, asks(rate, 2, "a"));
  start(loop, asks(rate, 2, "b"));
  start(loop, asks(rate, 1, "c"));
  start(loop, asks(rate, 3, "d"));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a@0 b@10 c@10 d@20 ");
  CHECK(view_of(rate).used == 3 && view_of(rate).waiting == 0);
  aw_rate_release(rate);
  CHECK(dropped == 0);
  empty(engine, loop);
}

static aw_turn cancel(aw_task *task, void *other) {
  (void)task;
  aw_task_cancel(*(aw_task **)other, 0, AW_DEFAULT);
  return AW_DONE;
}

static void a_cancelled_wait_lets_the_next_go_on(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_rate *rate = new_rate(3, 10);
  start(loop, asks(rate, 2, "a"));
  aw_task *big = start_task(loop, asks(rate, 3, "big"));
  start(loop, asks(rate, 1, "b"));
  start(loop, asks(rate, 1, "c"));
  start(loop, aw_then(aw_sleep(4 * AW_SECOND), aw_call(cancel, &big)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a@0 b@4 c@10 ");
  aw_task_release(big);
  aw_rate_release(rate);
  CHECK(dropped == 0);
  empty(engine, loop);
}

/* The wire keeps the rate while a task waits for it. */
static void who_waits_keeps_it(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_rate *rate = new_rate(1, 10);
  start(loop, aw_repeat(aw_acquire_rate(rate, 1), 3));
  aw_rate_release(rate);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_engine_now(engine) == 20 * AW_SECOND);
  empty(engine, loop);
}

static aw_turn await_two(aw_task *task, void *data) {
  if (aw_task_steps(task) > 1)
    return note_time(task, "two");
  CHECK(aw_await_rate(task, data, 4) == AW_EINVAL);
  CHECK(aw_await_rate(task, data, 2) == 0);
  return AW_WAIT;
}

static void an_await_acquires_as_the_wire_does(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_rate *rate = new_rate(3, 10);
  start(loop, asks(rate, 2, "one"));
  start(loop, aw_call(await_two, rate));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("one@0 two@10 ");
  aw_rate_release(rate);
  empty(engine, loop);
}

static void what_cannot_be_is_refused(void) {
  aw_rate *rate = NULL;
  CHECK(aw_rate_new(0, 1, NULL, &rate) == AW_EINVAL);
  CHECK(aw_rate_new(1, 0, NULL, &rate) == AW_EINVAL);
  CHECK(aw_rate_new(1, AW_NEVER, NULL, &rate) == AW_EINVAL);
  aw_engine *engine = counting_engine();
  rate = new_rate(2, 10);
  CHECK(aw_rate_try_acquire(rate, engine, 3) == AW_EINVAL);
  CHECK(aw_rate_try_acquire(rate, engine, 2) == 0);
  CHECK(aw_rate_try_acquire(rate, engine, 1) == AW_EAGAIN);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_acquire_rate(rate, 3));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EINVAL);
  aw_rate_release(rate);
  aw_rate_release(NULL);
  empty(engine, loop);
}

int main(void) {
  units_come_in_order_and_in_time();
  a_cancelled_wait_lets_the_next_go_on();
  who_waits_keeps_it();
  an_await_acquires_as_the_wire_does();
  what_cannot_be_is_refused();
  return 0;
}
