/* parts_test.c - parts of channels and their siblings, for operations of others
 *
 * An operation of this test uses `..._arm()`, `..._disarm()` and
 * `..._describe()` as a binding does.
 */
#include "check.h"

static aw_channel *channel;
static aw_semaphore *semaphore;
static aw_event *event;

static size_t dropped;

static void drop(void *host, aw_value value) {
  (void)host;
  dropped += (size_t)value;
}

static void make_objects(void) {
  aw_channel_config config = {.name = "c", .drop = drop, .end = 100};
  CHECK(aw_channel_new(&config, &channel) == 0);
  CHECK(aw_semaphore_new(0, 2, "s", &semaphore) == 0);
  CHECK(aw_event_new("e", &event) == 0);
  dropped = 0;
}

static void release_objects(void) {
  aw_channel_release(channel);
  aw_semaphore_release(semaphore);
  aw_event_release(event);
}

/* ---- operations made of parts ---- */

static int arm_recv(aw_task *task, void *data) {
  return aw_recv_arm(task, data);
}

static void disarm_recv(aw_task *task, void *data) {
  aw_recv_disarm(task, data);
}

static int arm_send(aw_task *task, void *data) {
  return aw_send_arm(task, data, 7);
}

static void disarm_send(aw_task *task, void *data) {
  aw_send_disarm(task, data);
}

static void describe_channel(const void *data, char *out, size_t size) {
  aw_channel_describe(data, out, size);
}

static int arm_acquire(aw_task *task, void *data) {
  return aw_acquire_arm(task, data);
}

static void disarm_acquire(aw_task *task, void *data) {
  aw_acquire_disarm(task, data);
}

static void describe_semaphore(const void *data, char *out, size_t size) {
  aw_semaphore_describe(data, out, size);
}

static const aw_operation recv_parts = {.label = "my recv",
                                        .arm = arm_recv,
                                        .disarm = disarm_recv,
                                        .describe = describe_channel};
static const aw_operation send_parts = {.label = "my send",
                                        .arm = arm_send,
                                        .disarm = disarm_send,
                                        .describe = describe_channel};
static const aw_operation acquire_parts = {.label = "my acquire",
                                           .arm = arm_acquire,
                                           .disarm = disarm_acquire,
                                           .describe = describe_semaphore};

static void parts_meet_one_another(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  make_objects();
  aw_task *receiver = start_task(loop, aw_wait_for(&recv_parts, channel));
  start(loop, aw_then(aw_sleep(1), aw_wait_for(&send_parts, channel)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_value(receiver) == 7);
  aw_task_release(receiver);
  release_objects();
  CHECK(dropped == 100);
  empty(engine, loop);
}

/* The value of a waiting sender belongs to its task. */
static aw_engine *dropping_engine(void) {
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .drop = drop, .deadlocks = true};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  return engine;
}

static void parts_leave_nothing_when_they_are_aborted(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  make_objects();
  start(loop, aw_timeout(aw_wait_for(&recv_parts, channel), 5, AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  CHECK(aw_loop_free(loop) == 0);
  loop = new_loop(engine);
  start(loop, aw_timeout(aw_wait_for(&send_parts, channel), 5, AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  CHECK(aw_loop_free(loop) == 0);
  CHECK(dropped == 7);
  loop = new_loop(engine);
  start(loop,
        aw_timeout(aw_wait_for(&acquire_parts, semaphore), 5, AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  CHECK(aw_semaphore_waiting(semaphore) == 0);
  aw_channel_view view;
  aw_channel_look(channel, &view);
  CHECK(view.senders == 0 && view.receivers == 0);
  release_objects();
  empty(engine, loop);
}

/* ---- steps that wait at objects ---- */

typedef struct waiter {
  int (*wait)(aw_task *task);
  int result;
} waiter;

static aw_turn wait_once(aw_task *task, void *data) {
  waiter *w = data;
  if (aw_task_came_back(task)) {
    w->result = aw_task_result(task);
    return AW_DONE;
  }
  int rc = w->wait(task);
  if (rc == 0)
    return AW_WAIT;
  w->result = rc;
  return AW_DONE;
}

/* What one wait ends with, after `then` was run. */
static int wait_for(int (*wait)(aw_task *task), aw_step_fn then) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  waiter w = {.wait = wait, .result = 77};
  start(loop, aw_call(wait_once, &w));
  if (then)
    start(loop, aw_then(aw_sleep(1), aw_call(then, NULL)));
  int rc = aw_loop_run(loop, AW_NEVER);
  CHECK(rc == 0 || rc == AW_EDEADLOCK);
  empty(engine, loop);
  return w.result;
}

static int await_recv(aw_task *task) {
  return aw_await_recv(task, channel);
}

static int await_send(aw_task *task) {
  return aw_await_send(task, channel, 3);
}

static int park_send(aw_task *task) {
  CHECK(aw_channel_send_waits(channel));
  return aw_park_send(task, channel, 4);
}

static int park_recv(aw_task *task) {
  CHECK(aw_channel_try_recv(channel, &(aw_value){0}) == AW_EAGAIN);
  return aw_park_recv(task, channel);
}

static int await_event(aw_task *task) {
  return aw_await_event(task, event);
}

static int await_permit(aw_task *task) {
  return aw_await_acquire(task, semaphore);
}

static int until_two(aw_task *task) {
  return aw_await_until(task, 2);
}

static int begin_recv(aw_task *task) {
  return aw_begin_operation(task, &recv_parts, channel);
}

static aw_turn give(aw_task *task, void *data) {
  (void)task, (void)data;
  CHECK(aw_channel_try_send(channel, 5) == 0);
  return AW_DONE;
}

static aw_turn take(aw_task *task, void *data) {
  (void)task, (void)data;
  aw_value value;
  CHECK(aw_channel_try_recv(channel, &value) == 0);
  dropped += (size_t)value;
  return AW_DONE;
}

static aw_turn let_go(aw_task *task, void *data) {
  (void)task, (void)data;
  aw_event_set(event);
  CHECK(aw_semaphore_waiting(semaphore) <= 1);
  CHECK(aw_semaphore_give_back(semaphore) == 0);
  return AW_DONE;
}

static aw_turn close_it(aw_task *task, void *data) {
  (void)task, (void)data;
  aw_channel_close(channel);
  return AW_DONE;
}

static aw_turn see_receiver(aw_task *task, void *data) {
  aw_task *receiver = aw_channel_receiver(channel);
  CHECK(receiver == NULL); /* a C step waits there, and no host code */
  return give(task, data);
}

static void steps_wait_at_objects(void) {
  make_objects();
  CHECK(wait_for(await_recv, see_receiver) == 0);
  release_objects();
  make_objects();
  CHECK(wait_for(await_send, take) == 0);
  CHECK(dropped == 3);
  release_objects();
  make_objects();
  CHECK(wait_for(park_recv, give) == 0);
  release_objects();
  make_objects();
  CHECK(wait_for(park_send, take) == 0);
  release_objects();
  make_objects();
  CHECK(wait_for(await_event, let_go) == 0);
  CHECK(wait_for(await_event, NULL) == 0); /* it is set */
  release_objects();
  make_objects();
  CHECK(wait_for(await_permit, let_go) == 0);
  release_objects();
  make_objects();
  CHECK(wait_for(begin_recv, give) == 0);
  CHECK(wait_for(until_two, NULL) == 0);
  CHECK(wait_for(park_send, close_it) == AW_ECLOSED);
  release_objects();
}

static int park_where_room_is(aw_task *task) {
  CHECK(!aw_channel_send_waits(channel));
  return aw_park_send(task, channel, 4);
}

static int park_where_a_value_is(aw_task *task) {
  return aw_park_recv(task, channel);
}

static void parking_without_a_reason_is_wrong(void) {
  aw_channel_config config = {.capacity = 1, .drop = drop};
  CHECK(aw_channel_new(&config, &channel) == 0);
  dropped = 0;
  CHECK(wait_for(park_where_room_is, NULL) == AW_EINVAL);
  CHECK(dropped == 4);
  CHECK(aw_channel_try_send(channel, 9) == 0);
  CHECK(wait_for(park_where_a_value_is, NULL) == AW_EINVAL);
  aw_channel_release(channel);
  CHECK(dropped == 13);
}

/* ---- rivals ---- */

static aw_task *contenders[2];

static int arm_contender(aw_task *task, void *data) {
  contenders[(uintptr_t)data] = task;
  return 0;
}

static void disarm_contender(aw_task *task, void *data) {
  (void)task, (void)data;
}

static const aw_operation contend = {.label = "contend",
                                     .arm = arm_contender,
                                     .disarm = disarm_contender,
                                     .external = true};

static aw_turn decide(aw_task *task, void *data) {
  (void)data;
  CHECK(aw_task_rivals(contenders[0], contenders[1]));
  CHECK(!aw_task_rivals(contenders[0], task));
  aw_wait_complete(contenders[1], 0);
  return AW_DONE;
}

static void operands_of_a_race_are_rivals(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_either(aw_wait_for(&contend, NULL),
                        aw_wait_for(&contend, (void *)(uintptr_t)1)));
  start(loop, aw_call(decide, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
}

/* ---- references, names, engines ---- */

static void objects_live_as_long_as_a_reference(void) {
  make_objects();
  aw_rate *rate;
  CHECK(aw_rate_new(1, 1, "r", &rate) == 0);
  CHECK(aw_channel_keep(channel) == channel);
  CHECK(aw_semaphore_keep(semaphore) == semaphore);
  CHECK(aw_event_keep(event) == event);
  CHECK(aw_rate_keep(rate) == rate);
  release_objects();
  aw_rate_release(rate);
  char text[32], tiny[4];
  aw_channel_describe(channel, text, sizeof text);
  CHECK(strcmp(text, "channel c") == 0);
  aw_channel_describe(channel, tiny, sizeof tiny);
  CHECK(strcmp(tiny, "cha") == 0);
  aw_semaphore_describe(semaphore, text, sizeof text);
  CHECK(strcmp(text, "semaphore s") == 0);
  CHECK(strcmp(aw_semaphore_name(semaphore), "s") == 0);
  CHECK(strcmp(aw_event_name(event), "e") == 0);
  release_objects();
  aw_rate_release(rate);
}

static void objects_belong_to_who_waits_first(void) {
  aw_engine *engine = virtual_engine(), *other = virtual_engine();
  aw_loop *loop = new_loop(engine);
  make_objects();
  CHECK(aw_event_open_to(event, other));
  CHECK(aw_semaphore_open_to(semaphore, other));
  start(loop, aw_timeout(aw_when_set(event), 1, AW_DEFAULT));
  start(loop, aw_timeout(aw_acquire(semaphore), 1, AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  CHECK(!aw_event_open_to(event, other) && aw_event_open_to(event, engine));
  CHECK(!aw_semaphore_open_to(semaphore, other));
  empty(engine, loop);
  CHECK(aw_event_open_to(event, other));
  release_objects();
  empty(other, NULL);
}

int main(void) {
  parts_meet_one_another();
  parts_leave_nothing_when_they_are_aborted();
  steps_wait_at_objects();
  parking_without_a_reason_is_wrong();
  operands_of_a_race_are_rivals();
  objects_live_as_long_as_a_reference();
  objects_belong_to_who_waits_first();
  return 0;
}
