/* zmq_test.c - the readiness of libzmq sockets, for a C program
 *
 * Each case makes its own engine and sockets. leave() checks that no handle is
 * left. Without libzmq the test is skipped (exit status 77).
 */
#include <aiowire_zmq.h>

#include "host.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAIR = 0, LINGER = 17, DONTWAIT = 1 };

typedef struct world {
  const aw_zmq_calls *zmq;
  void *context, *here, *there; /* two ends of a pair */
  aw_zmq *ready;                /* of `here` */
  aw_engine *engine;
  aw_loop *loop;
  int received, woken;
  int held, asked; /* messages read ahead; calls of read_ahead() */
} world;

static void open_pair(world *w) {
  int none = 0;
  w->context = w->zmq->ctx_new();
  w->here = w->zmq->socket(w->context, PAIR);
  w->there = w->zmq->socket(w->context, PAIR);
  w->zmq->setsockopt(w->here, LINGER, &none, sizeof none);
  w->zmq->setsockopt(w->there, LINGER, &none, sizeof none);
  CHECK(w->zmq->bind(w->here, "inproc://test") == 0);
  CHECK(w->zmq->connect(w->there, "inproc://test") == 0);
}

static void enter(world *w, const aw_zmq_config *config) {
  memset(w, 0, sizeof *w);
  CHECK(aw_zmq_open(&w->zmq) == 0);
  open_pair(w);
  CHECK(aw_zmq_new(w->here, config, &w->ready) == 0);
  CHECK(aw_engine_new(NULL, &w->engine) == 0);
  CHECK(aw_loop_new(w->engine, NULL, &w->loop) == 0);
}

static void leave(world *w) {
  aw_zmq_close(w->ready);
  aw_stats stats;
  aw_engine_stats(w->engine, &stats);
  CHECK(stats.handles == 0);
  CHECK(stats.tasks == 0);
  CHECK(aw_loop_free(w->loop) == 0);
  CHECK(aw_engine_free(w->engine) == 0);
  w->zmq->close(w->here);
  w->zmq->close(w->there);
  w->zmq->ctx_term(w->context);
}

static void go(world *w, aw_wire *wire) {
  CHECK(aw_loop_start(w->loop, wire, NULL, NULL) == 0);
}

/* ---- steps ---- */

static int receive_one(world *w) {
  aw_zmq_message m;
  w->zmq->msg_init(&m);
  int rc = w->zmq->msg_recv(&m, w->here, DONTWAIT);
  w->zmq->msg_close(&m);
  aw_zmq_touch(w->ready);
  return rc;
}

static void send_one(const world *w) {
  aw_zmq_message m;
  w->zmq->msg_init_size(&m, 1);
  CHECK(w->zmq->msg_send(&m, w->there, DONTWAIT) == 1);
}

static aw_turn send_two(aw_task *task, void *data) {
  (void)task;
  send_one(data);
  send_one(data);
  return AW_DONE;
}

static aw_turn wake(aw_task *task, void *data) {
  (void)task;
  ((world *)data)->woken++;
  return AW_DONE;
}

/* Receive one message each time that the socket is readable. */
static aw_turn take(aw_task *task, void *data) {
  world *w = data;
  (void)task;
  CHECK(receive_one(w) == 1);
  w->received++;
  return AW_DONE;
}

/* Send a message, and look at the events, which consumes the edge of the
 * descriptor [ZQ1]. */
static aw_turn use_up(aw_task *task, void *data) {
  world *w = data;
  (void)task;
  send_one(w);
  CHECK(aw_zmq_events(w->ready) & AW_READABLE); /* the edge is consumed */
  aw_zmq_touch(w->ready);
  return AW_DONE;
}

static aw_turn close_it(aw_task *task, void *data) {
  world *w = data;
  (void)task;
  aw_zmq_close(w->ready);
  w->ready = NULL;
  return AW_DONE;
}

/* ---- cases ---- */

static void each_message_is_one_readiness_if_taken_singly(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_repeat(aw_then(aw_zmq_when_ready(w.ready, AW_READABLE),
                           aw_call(take, &w)),
                   4));
  go(&w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(send_two, &w)));
  go(&w, aw_call(send_two, &w));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  CHECK(w.received == 4);
  leave(&w);
}

static void all_who_wait_are_woken(void) {
  world w;
  enter(&w, NULL);
  for (int i = 0; i < 3; i++)
    go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_READABLE), aw_call(wake, &w)));
  go(&w, aw_call(send_two, &w));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  CHECK(w.woken == 3);
  leave(&w);
}

static void news_that_a_call_has_used_up_still_wake(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_READABLE), aw_call(wake, &w)));
  go(&w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(use_up, &w)));
  CHECK(aw_loop_run(w.loop, AW_SECOND) == 0);
  CHECK(w.woken == 1);
  leave(&w);
}

static void it_is_writable_and_either(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_WRITABLE), aw_call(wake, &w)));
  go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_READABLE | AW_WRITABLE),
                 aw_call(wake, &w)));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  CHECK(w.woken == 2);
  CHECK(aw_zmq_when_ready(w.ready, 0) == NULL);
  CHECK(aw_zmq_operation(4) == NULL);
  leave(&w);
}

static bool holds_some(const void *owner) {
  return ((const world *)owner)->held > 0;
}

static aw_turn give_back(aw_task *task, void *data) {
  world *w = data;
  (void)task;
  w->held++;
  aw_zmq_touch(w->ready);
  return AW_DONE;
}

static void what_a_binding_holds_is_readable(void) {
  world w;
  const aw_zmq_config config = {.holds = holds_some, .owner = &w};
  enter(&w, &config);
  go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_READABLE), aw_call(wake, &w)));
  go(&w, aw_then(aw_sleep(1), aw_call(give_back, &w)));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  CHECK(w.woken == 1);
  CHECK(aw_zmq_events(w.ready) & AW_READABLE);
  w.held = 0;
  CHECK(!(aw_zmq_events(w.ready) & AW_READABLE));
  leave(&w);
}

/* ---- reading ahead ---- */

static int hold_next(void *owner) {
  world *w = owner;
  w->asked++;
  if (w->held == 0 && receive_one(w) >= 0)
    w->held = 1;
  if (w->held == 0)
    aw_zmq_found_empty(w->ready);
  return w->held;
}

static aw_turn take_held(aw_task *task, void *data) {
  world *w = data;
  (void)task;
  CHECK(w->held == 1);
  w->held = 0;
  w->received++;
  return AW_DONE;
}

static void who_waits_for_input_is_served_by_reading_ahead(void) {
  world w;
  const aw_zmq_config config = {
      .holds = holds_some, .read_ahead = hold_next, .owner = &w};
  enter(&w, &config);
  go(&w, aw_repeat(aw_then(aw_zmq_when_ready(w.ready, AW_READABLE),
                           aw_call(take_held, &w)),
                   4));
  go(&w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(send_two, &w)));
  go(&w, aw_call(send_two, &w));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  CHECK(w.received == 4);
  CHECK(w.asked >= 4);
  leave(&w);
}

static int hold_nothing(void *owner) {
  ((world *)owner)->asked++;
  return AW_EINVAL;
}

static void who_cannot_read_ahead_is_served_by_the_events(void) {
  world w;
  const aw_zmq_config config = {.read_ahead = hold_nothing, .owner = &w};
  enter(&w, &config);
  go(&w, aw_repeat(aw_then(aw_zmq_when_ready(w.ready, AW_READABLE),
                           aw_call(take, &w)),
                   2));
  go(&w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(send_two, &w)));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  CHECK(w.received == 2);
  CHECK(w.asked >= 2);
  leave(&w);
}

static void closing_ends_the_waits(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_zmq_when_ready(w.ready, AW_READABLE));
  go(&w, aw_then(aw_sleep(1), aw_call(close_it, &w)));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == AW_ECLOSED);
  leave(&w);
}

static void a_cancel_leaves_no_wait_behind(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_zmq_when_ready(w.ready, AW_READABLE));
  CHECK(aw_loop_run(w.loop, AW_SECOND / 100) == 0);
  CHECK(aw_loop_state_of(w.loop) == AW_LOOP_TIMEOUT);
  leave(&w);
}

/* ---- taking ---- */

typedef struct taker {
  world *w;
  int got;
} taker;

static int take_for(aw_task *task, void *data) {
  taker *t = data;
  (void)task;
  int rc = receive_one(t->w);
  if (rc >= 0)
    t->got = ++t->w->received;
  else
    aw_zmq_found_empty(t->w->ready);
  return rc >= 0;
}

static int arm_take(aw_task *task, void *data) {
  const taker *t = data;
  return aw_zmq_arm_receive(task, t->w->ready);
}

static void disarm_take(aw_task *task, void *data) {
  const taker *t = data;
  aw_zmq_disarm(task, t->w->ready);
}

static const aw_operation taking = {
    .label = "take", .arm = arm_take, .disarm = disarm_take, .external = true};

static void messages_go_to_who_waits_longest_one_each(void) {
  static const aw_zmq_config config = {.receive = take_for};
  world w;
  enter(&w, &config);
  taker takers[3];
  for (int i = 0; i < 3; i++) {
    takers[i] = (taker){&w, 0};
    go(&w, aw_wait_for(&taking, &takers[i]));
  }
  go(&w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(send_two, &w)));
  go(&w, aw_then(aw_sleep(AW_SECOND / 50), aw_call(send_two, &w)));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  for (int i = 0; i < 3; i++)
    CHECK(takers[i].got == i + 1);
  CHECK(receive_one(&w) == 1); /* the fourth message is still there */
  CHECK(!aw_zmq_receiving(w.ready));
  leave(&w);
}

static int arm_send(aw_task *task, void *data) {
  return aw_zmq_arm_send(task, ((world *)data)->ready);
}

static const aw_operation sending = {.label = "send", .arm = arm_send};

static void what_it_cannot_take_is_not_waited_for(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_wait_for(&sending, &w));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == AW_EINVAL);
  leave(&w);
}

/* ---- a peer that is full ---- */

static int full_at_first(aw_task *task, void *data) {
  world *w = data;
  (void)task;
  return w->woken++ > 0;
}

/* Take longer than the first pause before a send to a full peer is tried again.
 */
static int find_nothing_slowly(aw_task *task, void *data) {
  (void)task;
  (void)data;
  uv_sleep(5);
  return 0;
}

static void disarm_send(aw_task *task, void *data) {
  aw_zmq_disarm(task, ((world *)data)->ready);
}

static aw_turn stop_loop(aw_task *task, void *data) {
  (void)data;
  aw_loop_stop(aw_task_loop(task), false);
  return AW_DONE;
}

/* The pause ends while libuv runs its timers, just before it polls. */
static void it_is_tried_again_after_a_slow_turn(void) {
  static const aw_zmq_config full = {.send = full_at_first, .many = true};
  static const aw_zmq_config slow = {.receive = find_nothing_slowly};
  static const aw_operation send = {.label = "send",
                                    .arm = arm_send,
                                    .disarm = disarm_send,
                                    .external = true};
  world w;
  aw_zmq *there;
  enter(&w, &full);
  CHECK(aw_zmq_new(w.there, &slow, &there) == 0);
  world other = {.ready = there};
  taker t = {.w = &other};
  go(&w, aw_then(aw_wait_for(&send, &w), aw_call(stop_loop, NULL)));
  go(&w, aw_wait_for(&taking, &t));
  CHECK(aw_loop_run(w.loop, 60 * AW_SECOND) == 0);
  CHECK(w.woken == 2); /* sent at the second try, before the time-out */
  aw_zmq_close(there);
  leave(&w);
}

/* ---- processes ---- */

static void be_child(world *w) {
  alarm(10); /* do not hang */
  bool refused = aw_forks() == 1 && aw_zmq_forks() == 1 &&
                 aw_zmq_events(w->ready) == AW_EFORKED;
  go(w, aw_zmq_when_ready(w->ready, AW_READABLE));
  refused = refused && aw_loop_run(w->loop, AW_SECOND) == AW_EFORKED;
  aw_zmq_close(w->ready);
  bool freed = aw_loop_free(w->loop) == 0 && aw_engine_free(w->engine) == 0;
  _exit(refused && freed ? 0 : 1);
}

static void a_child_leaves_sockets_alone(void) {
  world w;
  enter(&w, NULL);
  go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_READABLE), aw_call(take, &w)));
  go(&w, aw_then(aw_sleep(AW_SECOND / 100), aw_call(send_two, &w)));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0); /* now the socket is watched */
  pid_t child = fork();
  if (child == 0)
    be_child(&w);
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  go(&w, aw_then(aw_zmq_when_ready(w.ready, AW_READABLE), aw_call(take, &w)));
  go(&w, aw_call(send_two, &w));
  CHECK(aw_loop_run(w.loop, AW_NEVER) == 0);
  leave(&w);
}

/* ---- on an engine that a host drives ---- */

static bool host_sends(host *h) {
  world *w = h->data;
  send_one(w);
  return ++w->held < 5;
}

/* The edge of the descriptor is consumed between turns. */
static bool host_uses_up(host *h) {
  world *w = h->data;
  send_one(w);
  CHECK(aw_zmq_events(w->ready) & AW_READABLE);
  aw_zmq_touch(w->ready);
  return ++w->held < 5;
}

static void a_host_drives_it(host_kind kind, bool (*act)(host *h)) {
  world w = {0};
  host h;
  CHECK(aw_zmq_open(&w.zmq) == 0);
  open_pair(&w);
  CHECK(aw_zmq_new(w.here, NULL, &w.ready) == 0);
  host_open(&h, kind, NULL);
  h.data = &w;
  h.act = act;
  host_start(&h, aw_repeat(aw_then(aw_zmq_when_ready(w.ready, AW_READABLE),
                                   aw_call(take, &w)),
                           5));
  host_run(&h);
  CHECK(w.received == 5);
  aw_zmq_close(w.ready);
  host_close(&h);
  w.zmq->close(w.here);
  w.zmq->close(w.there);
  w.zmq->ctx_term(w.context);
}

/* ---- looking, and wrong calls ---- */

static int arm_watch(aw_task *task, void *data) {
  return aw_zmq_arm_watch(task, data);
}

static int arm_nothing(aw_task *task, void *data) {
  return aw_zmq_arm(task, data, 0);
}

static void disarm_any(aw_task *task, void *data) {
  aw_zmq_disarm(task, data);
}

static const aw_operation watching = {
    .label = "watch", .arm = arm_watch, .disarm = disarm_any, .external = true};
static const aw_operation wrong_events = {.label = "nothing",
                                          .arm = arm_nothing,
                                          .disarm = disarm_any,
                                          .external = true};

static void fails_with(world *w, const aw_operation *operation, int code) {
  aw_loop *loop;
  CHECK(aw_loop_new(w->engine, NULL, &loop) == 0);
  CHECK(aw_loop_start(loop, aw_wait_for(operation, w->ready), NULL, NULL) == 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == code);
  CHECK(aw_loop_free(loop) == 0);
}

static void a_readiness_can_be_looked_at(void) {
  world w;
  enter(&w, NULL);
  CHECK(aw_zmq_fd(w.ready) >= 0 && aw_zmq_fd(NULL) == -1);
  CHECK(!aw_zmq_awaited(w.ready) && !aw_zmq_awaited(NULL));
  CHECK(!aw_zmq_receiving(w.ready) && !aw_zmq_receiving(NULL));
  CHECK(!aw_zmq_sending(w.ready, NULL, NULL));
  CHECK(!aw_zmq_sending(NULL, NULL, NULL));
  CHECK(aw_zmq_forks() == 0);
  CHECK(aw_forks() == 0);
  CHECK(aw_zmq_attend(w.ready, w.engine) == 0);
  leave(&w);
}

static void wrong_calls_are_refused(void) {
  world w;
  aw_zmq *ready = NULL;
  enter(&w, NULL);
  CHECK(aw_zmq_open(NULL) == AW_EINVAL);
  CHECK(aw_zmq_new(NULL, NULL, &ready) == AW_EINVAL);
  CHECK(aw_zmq_new(w.there, NULL, NULL) == AW_EINVAL);
  const aw_zmq_config config = {.size = 1};
  CHECK(aw_zmq_new(w.there, &config, &ready) == AW_EINVAL && ready == NULL);
  CHECK(aw_zmq_attend(w.ready, NULL) == AW_EINVAL);
  CHECK(aw_zmq_attend(NULL, w.engine) == AW_ECLOSED);
  CHECK(aw_zmq_events(NULL) == AW_ECLOSED);
  aw_zmq_touch(NULL);
  aw_zmq_found_empty(NULL);
  aw_zmq_close(NULL);
  fails_with(&w, &watching, AW_EINVAL); /* the config has no `watch` */
  fails_with(&w, &wrong_events, AW_EINVAL);
  leave(&w);
}

int main(void) {
  const aw_zmq_calls *calls;
  if (aw_zmq_open(&calls) < 0) {
    puts(aw_strerror(AW_ENOZMQ));
    return 77;
  }
  each_message_is_one_readiness_if_taken_singly();
  all_who_wait_are_woken();
  news_that_a_call_has_used_up_still_wake();
  it_is_writable_and_either();
  what_a_binding_holds_is_readable();
  who_waits_for_input_is_served_by_reading_ahead();
  who_cannot_read_ahead_is_served_by_the_events();
  closing_ends_the_waits();
  a_cancel_leaves_no_wait_behind();
  messages_go_to_who_waits_longest_one_each();
  what_it_cannot_take_is_not_waited_for();
  it_is_tried_again_after_a_slow_turn();
  a_readiness_can_be_looked_at();
  wrong_calls_are_refused();
  a_child_leaves_sockets_alone();
  for (host_kind kind = HOSTED; kind < HOST_KINDS; kind++) {
    a_host_drives_it(kind, host_sends);
    a_host_drives_it(kind, host_uses_up);
  }
  return 0;
}
