/* prepare_test.c - operations whose `arm` starts a task
 *
 * A background task prepares what others wait for, as the handshake of a
 * connection. It begins with the first wait, and then each task that waits
 * either goes on or waits for a descriptor.
 */
#include "check.h"

#include <unistd.h>

static struct {
  aw_task *waiting;
  bool begun;  /* the preparation has begun */
  bool moves;  /* then the task waits for `fds[0]` */
  bool polled; /* it does so */
  int fds[2];
} place;

static aw_turn prepare(aw_task *task, void *data) {
  (void)task;
  (void)data;
  log_add("prepared ");
  aw_task *waiting = place.waiting;
  place.waiting = NULL;
  if (!waiting)
    return AW_DONE;
  if (!place.moves) {
    aw_wait_complete(waiting, 0);
    return AW_DONE;
  }
  CHECK(aw_ready_arm(waiting, place.fds[0], AW_READABLE) == 0);
  place.polled = true;
  return AW_DONE;
}

static int prepare_arm(aw_task *task, void *data) {
  static const aw_task_config config = {.name = "prepare", .background = true};
  (void)data;
  place.waiting = task;
  if (place.begun)
    return 0;
  place.begun = true;
  return aw_loop_start(aw_task_loop(task), aw_call(prepare, NULL), &config,
                       NULL);
}

static void prepare_disarm(aw_task *task, void *data) {
  (void)data;
  log_add("disarmed ");
  place.waiting = NULL;
  if (place.polled)
    aw_ready_disarm(task, place.fds[0]);
  place.polled = false;
}

static const aw_operation prepared = {.label = "prepared",
                                      .arm = prepare_arm,
                                      .disarm = prepare_disarm,
                                      .external = true};

static aw_wire *wait_prepared(void) {
  return aw_wait_for(&prepared, NULL);
}

static void an_arm_starts_the_task_that_ends_the_wait(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  memset(&place, 0, sizeof place);
  start(loop, aw_then(wait_prepared(), says("went on")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("prepared went on ");
  empty(engine, loop);
}

static void a_body_may_wait_so(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  memset(&place, 0, sizeof place);
  start(loop,
        aw_timeout(aw_then(wait_prepared(), says("went on")), 5, AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("prepared went on ");
  empty(engine, loop);
}

static void the_wait_may_lose_a_select_before_the_task_runs(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_event *event;
  CHECK(aw_event_new("e", &event) == 0);
  aw_event_set(event);
  memset(&place, 0, sizeof place);
  aw_wire *events[] = {wait_prepared(), aw_when_set(event)};
  start(loop, aw_then(aw_select(events, 2), says("went on")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(!place.waiting);
  empty(engine, loop);
  aw_event_release(event);
}

static void the_wait_moves_to_a_descriptor(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  memset(&place, 0, sizeof place);
  place.moves = true;
  CHECK(pipe(place.fds) == 0);
  CHECK(write(place.fds[1], "x", 1) == 1);
  start(loop, aw_then(wait_prepared(), says("went on")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("prepared went on ");
  empty(engine, loop);
  close(place.fds[0]);
  close(place.fds[1]);
}

static void a_cancel_aborts_the_wait_at_the_descriptor(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  memset(&place, 0, sizeof place);
  place.moves = true;
  CHECK(pipe(place.fds) == 0);
  aw_wire *wires[] = {wait_prepared(), aw_repeat(says("-"), 3)};
  start(loop, aw_race(wires, 2));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("prepared - - - disarmed ");
  empty(engine, loop);
  close(place.fds[0]);
  close(place.fds[1]);
}

int main(void) {
  an_arm_starts_the_task_that_ends_the_wait();
  a_body_may_wait_so();
  the_wait_may_lose_a_select_before_the_task_runs();
  the_wait_moves_to_a_descriptor();
  a_cancel_aborts_the_wait_at_the_descriptor();
  return 0;
}
