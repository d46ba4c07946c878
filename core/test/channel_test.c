/* channel_test.c - channels, event objects and semaphores, in C */
#include "check.h"

static int dropped, kept;

static void count_drop(void *host, aw_value value) {
  (void)host;
  dropped++;
  CHECK(value != 0);
}

static aw_value count_keep(void *host, aw_value value) {
  (void)host;
  kept++;
  return value;
}

/* An engine that counts how often values are kept and dropped. */
static aw_engine *counting_engine(void) {
  aw_engine *engine;
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL,
                             .drop = count_drop,
                             .keep = count_keep,
                             .deadlocks = true};
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  dropped = kept = 0;
  return engine;
}

static aw_channel *counting_channel(size_t capacity) {
  aw_channel *channel;
  aw_channel_config config = {.capacity = capacity,
                              .name = "jobs",
                              .drop = count_drop,
                              .keep = count_keep};
  CHECK(aw_channel_new(&config, &channel) == 0);
  return channel;
}

static size_t count_of(const aw_channel *channel) {
  aw_channel_view view;
  aw_channel_look(channel, &view);
  return view.count;
}

static size_t waiting_on(const aw_channel *channel) {
  aw_channel_view view;
  aw_channel_look(channel, &view);
  return view.senders + view.receivers;
}

/* Receives `left` values, and logs them. */
typedef struct reader {
  aw_channel *channel;
  const char *name;
  int left;
  bool asked;
} reader;

static aw_turn read_on(aw_task *task, void *data) {
  reader *r = data;
  if (r->asked) {
    if (aw_task_result(task) == AW_ECANCELED) {
      log_add("%s:cancelled ", r->name);
      return AW_FAIL;
    }
    CHECK(aw_task_result(task) == 0);
    log_add("%s:%u ", r->name, (unsigned)aw_task_take_value(task));
    r->left--;
  }
  if (r->left == 0)
    return AW_DONE;
  r->asked = true;
  CHECK(aw_await_recv(task, r->channel) == 0);
  return AW_WAIT;
}

/* ---- handing over ---- */

static void a_rendezvous_hands_over_in_order(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(0);
  reader a = {channel, "a", 2, false}, b = {channel, "b", 1, false};
  start(loop, aw_call(read_on, &a));
  start(loop, aw_call(read_on, &b));
  start(loop, aw_then(aw_send(channel, 1),
                      aw_then(aw_send(channel, 2), aw_send(channel, 3))));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:1 b:2 a:3 ");
  CHECK(dropped == 3 && kept == 3); /* kept for each send, dropped by wires */
  CHECK(waiting_on(channel) == 0);
  aw_channel_release(channel);
  empty(engine, loop);
}

static void a_buffer_takes_what_fits(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(6);
  aw_value value;
  for (aw_value v = 1; v <= 6; v++)
    CHECK(aw_channel_try_send(channel, v) == 0);
  CHECK(aw_channel_try_send(channel, 7) == AW_EAGAIN);
  CHECK(aw_channel_try_recv(channel, &value) == 0 && value == 1);
  CHECK(aw_channel_try_send(channel, 7) == 0); /* the buffer wraps around */
  start(loop, aw_send(channel, 8));
  reader a = {channel, "a", 7, false};
  start(loop, aw_call(read_on, &a));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:2 a:3 a:4 a:5 a:6 a:7 a:8 ");
  CHECK(aw_channel_try_recv(channel, &value) == AW_EAGAIN);
  aw_channel_release(channel);
  empty(engine, loop);
}

static void a_received_value_is_the_tasks(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(1);
  aw_task *task = start_task(loop, aw_recv(channel));
  CHECK(aw_channel_try_send(channel, 7) == 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_value(task) == 7 && dropped == 0);
  aw_task_release(task);
  CHECK(dropped == 1);
  aw_channel_release(channel);
  empty(engine, loop);
}

static void what_is_left_in_it_is_dropped_with_it(void) {
  aw_channel *channel = counting_channel(3);
  dropped = 0;
  aw_wire *wire = aw_send(channel, 3);
  CHECK(aw_channel_try_send(channel, 1) == 0);
  CHECK(aw_channel_try_send(channel, 2) == 0);
  aw_channel_release(channel); /* the wire keeps it */
  CHECK(dropped == 0);
  aw_wire_release(wire);
  CHECK(dropped == 3);
}

/* ---- closing ---- */

static void close_ends_all_waits(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(0);
  aw_task *sender = start_task(loop, aw_send(channel, 1));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_DEADLOCK);
  CHECK(waiting_on(channel) == 1);
  aw_channel_close(channel);
  aw_channel_close(channel);
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_FAILED);
  CHECK(aw_error_code(aw_task_error(sender)) == AW_ECLOSED);
  aw_step_handled(step.task);
  aw_task_release(sender);
  CHECK(aw_channel_try_send(channel, 1) == AW_ECLOSED);
  reader a = {channel, "a", 2, false};
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK(dropped == 2 && kept == 1); /* the message, and the wire's value */
  CHECK_LOG("");
  CHECK(aw_loop_free(loop) == 0);
  loop = new_loop(engine);
  start(loop, aw_call(read_on, &a));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:0 a:0 ");
  aw_channel_release(channel);
  empty(engine, loop);
}

static void a_closed_channel_gives_its_end(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel;
  aw_channel_config config = {
      .capacity = 1, .drop = count_drop, .keep = count_keep, .end = 99};
  CHECK(aw_channel_new(&config, &channel) == 0);
  CHECK(aw_channel_try_send(channel, 1) == 0);
  reader a = {channel, "a", 3, false};
  start(loop, aw_call(read_on, &a));
  start(loop, aw_then(aw_sleep(AW_SECOND), says("closes")));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_channel_close(channel);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK_LOG("a:1 a:99 a:99 closes ");
  aw_channel_release(channel);
  CHECK(kept == 2 && dropped == 1);
  empty(engine, loop);
}

static void a_channel_without_a_bound_takes_all(void) {
  enum { MANY = 1000 };
  aw_channel *channel = counting_channel(SIZE_MAX);
  for (unsigned i = 1; i <= MANY; i++)
    CHECK(aw_channel_try_send(channel, i) == 0);
  aw_value value = 0;
  for (unsigned i = 1; i <= MANY / 2; i++)
    CHECK(aw_channel_try_recv(channel, &value) == 0 && value == i);
  dropped = 0;
  aw_channel_release(channel);
  CHECK(dropped == MANY / 2);
}

/* ---- cancel ---- */

static aw_turn cancel(aw_task *task, void *other) {
  (void)task;
  aw_task_cancel(*(aw_task **)other, 0, AW_DEFAULT);
  return AW_DONE;
}

static void a_cancelled_wait_has_done_nothing(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(0);
  reader a = {channel, "a", 1, false}, b = {channel, "b", 1, false};
  aw_task *receiver = start_task(loop, aw_call(read_on, &a));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(cancel, &receiver)));
  start(loop, aw_then(aw_sleep(2 * AW_SECOND), aw_call(read_on, &b)));
  start(loop, aw_then(aw_sleep(3 * AW_SECOND), aw_send(channel, 5)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:cancelled b:5 ");
  CHECK(aw_task_state_of(receiver) == AW_TASK_CANCELLED);
  aw_task_release(receiver);
  aw_task *sender = start_task(loop, aw_send(channel, 6));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(cancel, &sender)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_state_of(sender) == AW_TASK_CANCELLED);
  CHECK(waiting_on(channel) == 0 && count_of(channel) == 0);
  aw_task_release(sender);
  aw_channel_release(channel);
  empty(engine, loop);
}

static void what_was_handed_over_is_delivered(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(0);
  reader a = {channel, "a", 2, false};
  aw_task *receiver = start_task(loop, aw_call(read_on, &a));
  start(loop, aw_then(aw_send(channel, 5), aw_call(cancel, &receiver)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:5 a:cancelled "); /* [C6] */
  aw_task_release(receiver);
  aw_channel_release(channel);
  empty(engine, loop);
}

/* ---- engines ---- */

static void a_channel_belongs_to_one_engine(void) {
  aw_engine *engine = counting_engine(), *other = counting_engine();
  aw_loop *loop = new_loop(engine), *foreign = new_loop(other);
  aw_channel *channel = counting_channel(0);
  start(loop, aw_recv(channel));
  start(loop, aw_send(channel, 1));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(!aw_channel_open_to(channel, other));
  start(foreign, aw_recv(channel));
  CHECK(aw_loop_run(foreign, AW_NEVER) == AW_EINVAL);
  CHECK(aw_loop_free(foreign) == 0);
  empty(engine, loop);
  CHECK(aw_channel_open_to(channel, other)); /* the first engine is freed */
  foreign = new_loop(other);
  start(foreign, aw_recv(channel));
  start(foreign, aw_send(channel, 2));
  CHECK(aw_loop_run(foreign, AW_NEVER) == 0);
  aw_channel_release(channel);
  empty(other, foreign);
}

/* ---- room ---- */

typedef struct watcher {
  aw_channel *channel;
  bool asked;
} watcher;

static aw_turn watch(aw_task *task, void *data) {
  watcher *w = data;
  if (w->asked) {
    log_add(aw_task_result(task) == 0 ? "room " : "cancelled ");
    return aw_task_result(task) == 0 ? AW_DONE : AW_FAIL;
  }
  w->asked = true;
  CHECK(aw_await_room(task, w->channel) == 0);
  return AW_WAIT;
}

static aw_turn take_one(aw_task *task, void *channel) {
  (void)task;
  aw_value value;
  CHECK(aw_channel_try_recv(channel, &value) == 0);
  return AW_DONE;
}

static aw_turn close_it(aw_task *task, void *channel) {
  (void)task;
  aw_channel_close(channel);
  return AW_DONE;
}

static void who_watches_is_told_of_room(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_channel *channel = counting_channel(1);
  watcher a = {channel, false}, b = a, c = a, d = a;
  CHECK(aw_channel_has_room(channel));
  start(loop, aw_call(watch, &a));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("room ");
  CHECK(aw_channel_try_send(channel, 1) == 0);
  CHECK(!aw_channel_has_room(channel));
  start(loop, aw_call(watch, &b));
  aw_task *lost = start_task(loop, aw_call(watch, &c));
  start(loop, aw_call(cancel, &lost));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(take_one, channel)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("cancelled room ");
  aw_task_release(lost);
  CHECK(aw_channel_try_send(channel, 2) == 0);
  start(loop, aw_call(watch, &d));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(close_it, channel)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("room ");
  CHECK(aw_channel_has_room(channel));
  aw_channel_release(channel);
  empty(engine, loop);
}

/* ---- event objects and semaphores ---- */

static aw_turn set_event(aw_task *task, void *event) {
  (void)task;
  aw_event_set(event);
  aw_event_clear(event); /* its waiters have been woken already */
  return AW_DONE;
}

static void an_event_wakes_all_in_order(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_event *event;
  CHECK(aw_event_new("go", &event) == 0);
  CHECK(strcmp(aw_event_name(event), "go") == 0);
  start(loop, aw_then(aw_when_set(event), says("one")));
  start(loop, aw_then(aw_when_set(event), says("two")));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(set_event, event)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("one two ");
  CHECK(!aw_event_is_set(event) && aw_event_waiting(event) == 0);
  aw_event_set(event);
  start(loop, aw_then(aw_when_set(event), says("at once")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("at once ");
  aw_event_release(event);
  empty(engine, loop);
}

static aw_turn give_back(aw_task *task, void *semaphore) {
  (void)task;
  CHECK(aw_semaphore_give_back(semaphore) == 0);
  return AW_DONE;
}

static void a_semaphore_serves_the_first(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  aw_semaphore *semaphore;
  CHECK(aw_semaphore_new(2, 1, NULL, &semaphore) == AW_EINVAL);
  CHECK(aw_semaphore_new(1, 1, NULL, &semaphore) == 0);
  const char *names[] = {"one", "two", "three"};
  for (int i = 0; i < 3; i++)
    start(loop, aw_then(aw_acquire(semaphore),
                        aw_then(says(names[i]),
                                aw_then(aw_sleep(AW_SECOND),
                                        aw_call(give_back, semaphore)))));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("one two three ");
  CHECK(aw_engine_now(engine) == 3 * AW_SECOND);
  CHECK(aw_semaphore_count(semaphore) == 1);
  CHECK(aw_semaphore_give_back(semaphore) == AW_EINVAL);
  CHECK(aw_semaphore_try_acquire(semaphore) == 0);
  CHECK(aw_semaphore_try_acquire(semaphore) == AW_EAGAIN);
  aw_semaphore_release(semaphore);
  empty(engine, loop);
}

/* ---- waits that have the last reference ---- */

typedef struct last_waits {
  aw_channel *channel;
  aw_event *event;
  aw_semaphore *semaphore;
  aw_rate *rate;
} last_waits;

/* Waits for one of them after the other, and passes Cancelled on. */
#define WAITS(name, await) \
  static aw_turn name(aw_task *task, void *data) { \
    const last_waits *w = data; \
    if (aw_task_result(task) == AW_ECANCELED) \
      return AW_FAIL; \
    CHECK((await) == 0); \
    return AW_WAIT; \
  }
WAITS(waits_to_send, aw_await_send(task, w->channel, 7))
WAITS(waits_for_event, aw_await_event(task, w->event))
WAITS(waits_for_permit, aw_await_acquire(task, w->semaphore))
WAITS(waits_for_rate, aw_await_rate(task, w->rate, 1))

static aw_turn release_all_and_stop(aw_task *task, void *data) {
  last_waits *w = data;
  aw_channel_release(w->channel);
  aw_event_release(w->event);
  aw_semaphore_release(w->semaphore);
  aw_rate_release(w->rate);
  aw_loop_stop(aw_task_loop(task), true);
  return AW_DONE;
}

static void a_waiting_task_keeps_the_object(void) {
  aw_engine *engine = counting_engine();
  aw_loop *loop = new_loop(engine);
  last_waits w;
  aw_channel_config config = {.capacity = 0};
  CHECK(aw_channel_new(&config, &w.channel) == 0);
  CHECK(aw_event_new(NULL, &w.event) == 0);
  CHECK(aw_semaphore_new(0, 1, NULL, &w.semaphore) == 0);
  CHECK(aw_rate_new(1, AW_SECOND, NULL, &w.rate) == 0);
  CHECK(aw_rate_try_acquire(w.rate, engine, 1) == 0);
  start(loop, aw_call(waits_to_send, &w));
  start(loop, aw_call(waits_for_event, &w));
  start(loop, aw_call(waits_for_permit, &w));
  start(loop, aw_call(waits_for_rate, &w));
  start(loop, aw_call(release_all_and_stop, &w));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
}

int main(void) {
  a_waiting_task_keeps_the_object();
  a_rendezvous_hands_over_in_order();
  a_buffer_takes_what_fits();
  a_received_value_is_the_tasks();
  what_is_left_in_it_is_dropped_with_it();
  close_ends_all_waits();
  a_closed_channel_gives_its_end();
  a_channel_without_a_bound_takes_all();
  a_cancelled_wait_has_done_nothing();
  what_was_handed_over_is_delivered();
  a_channel_belongs_to_one_engine();
  an_event_wakes_all_in_order();
  who_watches_is_told_of_room();
  a_semaphore_serves_the_first();
  return 0;
}
