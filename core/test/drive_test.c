/* drive_test.c - an engine that a host drives, in both ways
 *
 * Each case runs with both kinds of host; see host.h. hosted_test.c has what
 * concerns the libuv loop of a host alone, foreign_test.c the descriptor.
 */
#include "failing.h"
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { MS = 1000000 }; /* ns */

/* ---- running ---- */

static void a_loop_runs_to_its_end(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  host_start(&h, aw_sequence((aw_wire *[]){says("a"), aw_sleep(2 * MS),
                                           says("b"), aw_sleep(0), says("c")},
                             5));
  CHECK_LOG(""); /* nothing runs outside of a turn */
  host_run(&h);
  CHECK_LOG("a b c ");
  host_close(&h);
}

static void an_empty_loop_ends(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  host_begin(&h, new_loop(h.engine));
  CHECK(h.running == 1); /* told in a turn */
  host_run(&h);
  host_close(&h);
}

static aw_turn fill(aw_task *task, void *fd) {
  (void)task;
  CHECK(write(*(int *)fd, "x", 1) == 1);
  return AW_DONE;
}

static aw_turn drain(aw_task *task, void *fd) {
  char text[8];
  (void)task;
  CHECK(read(*(int *)fd, text, sizeof text) == 1);
  return AW_DONE;
}

static void descriptors_are_polled(host_kind kind) {
  host h;
  int ends[2];
  host_open(&h, kind, NULL);
  CHECK(pipe(ends) == 0);
  host_start(
      &h,
      aw_repeat(aw_then(aw_readable(ends[0]), aw_call(drain, &ends[0])), 20));
  host_start(&h, aw_repeat(aw_then(aw_sleep(MS), aw_call(fill, &ends[1])), 20));
  host_run(&h);
  host_close(&h);
  close(ends[0]);
  close(ends[1]);
}

static void virtual_time_jumps(host_kind kind) {
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL};
  host h;
  host_open(&h, kind, &config);
  host_start(&h, aw_then(aw_sleep(3600 * AW_SECOND), says("late")));
  host_start(&h, aw_then(aw_sleep(60 * AW_SECOND), says("early")));
  host_run(&h);
  CHECK_LOG("early late ");
  CHECK(aw_engine_now(h.engine) == 3600 * AW_SECOND);
  host_close(&h);
}

static void a_timeout_ends_a_loop(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  aw_loop *loop = new_loop(h.engine);
  start(loop, aw_sleep(AW_NEVER));
  CHECK(aw_loop_begin(loop, 2 * MS) == 0);
  h.running++;
  host_run(&h);
  host_close(&h);
}

/* ---- steps of the host ---- */

typedef struct code {
  int calls;
  bool parked;
} code;

static void keep_nothing(void *data) {
  (void)data;
}

/* Runs the steps of a host: each parks once, and is done then. */
static void pull_steps(void *data, aw_engine *engine) {
  aw_step step;
  int rc;
  (void)data;
  while ((rc = aw_next(engine, NULL, &step)) == 1) {
    code *c = step.data;
    switch (step.what) {
    case AW_STEP_CALL:
      c->calls++;
      aw_task_park(step.task, c);
      CHECK(aw_await_sleep(step.task, MS) == 0);
      c->parked = true;
      break;
    case AW_STEP_RESUME:
      CHECK(c->parked && step.result == 0);
      c->parked = false;
      aw_step_done(step.task, 0);
      break;
    default: aw_step_answer(engine, &step);
    }
  }
  CHECK(rc == 0);
}

static void host_steps_are_pulled(host_kind kind) {
  aw_engine_config config = {.pull = pull_steps};
  host h;
  code a = {0}, b = {0};
  host_open(&h, kind, &config);
  host_start(&h, aw_repeat(aw_host_call(&a, keep_nothing, "a"), 3));
  host_start(&h, aw_repeat(aw_host_call(&b, keep_nothing, "b"), 5));
  host_run(&h);
  CHECK(a.calls == 3 && b.calls == 5);
  host_close(&h);
}

static void note_failure(host *h, aw_loop *loop) {
  CHECK(aw_loop_state_of(loop) == AW_LOOP_FAILED);
  const aw_error *error = aw_loop_error(loop);
  log_add("%s: %s ", aw_error_call(error), aw_error_name(aw_error_code(error)));
  CHECK(aw_loop_free(loop) == 0);
  (void)h;
}

static void without_pull_a_host_step_fails(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  h.ended = note_failure;
  host_start(&h, aw_host_call(NULL, NULL, "nobody"));
  host_run(&h);
  CHECK_LOG("host step: EINVAL ");
  host_close(&h);
}

/* ---- the ends of loops ---- */

static void begin_another(host *h, aw_loop *loop) {
  int *left = h->data;
  CHECK(aw_loop_state_of(loop) == AW_LOOP_IDLE);
  CHECK(aw_loop_free(loop) == 0);
  if ((*left)-- > 0)
    host_start(h, aw_sleep(1));
}

static void an_end_begins_the_next_loop(host_kind kind) {
  host h;
  int left = 5;
  host_open(&h, kind, NULL);
  h.data = &left;
  h.ended = begin_another;
  host_start(&h, says("first"));
  host_run(&h);
  CHECK(left == -1);
  host_close(&h);
}

static void run_again(host *h, aw_loop *loop) {
  int *left = h->data;
  if ((*left)-- == 0) {
    CHECK(aw_loop_free(loop) == 0);
    return;
  }
  start(loop, says("again"));
  host_begin(h, loop);
  CHECK(aw_loop_begin(loop, AW_NEVER) == AW_EBUSY);
}

static void an_end_runs_the_loop_again(host_kind kind) {
  host h;
  int left = 2;
  host_open(&h, kind, NULL);
  h.data = &left;
  h.ended = run_again;
  host_start(&h, says("first"));
  host_run(&h);
  CHECK_LOG("first again again ");
  host_close(&h);
}

static void a_loop_that_is_freed_first_is_not_told_of(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  aw_loop *loop = new_loop(h.engine);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_loop_untold(loop));
  CHECK(aw_loop_begin(loop, AW_NEVER) == AW_EBUSY);
  CHECK(aw_loop_free(loop) == 0);
  host_start(&h, says("other"));
  host_run(&h);
  host_close(&h);
}

static void close_engine(host *h, aw_loop *loop) {
  CHECK(aw_loop_free(loop) == 0);
  CHECK(aw_engine_close(h->engine, host_engine_closed, h) == 0);
}

static void an_end_closes_the_engine(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  h.ended = close_engine;
  host_start(&h, aw_sleep(MS));
  host_run(&h);
  CHECK(h.closed == 1);
  if (kind == HOSTED)
    host_close_uv(&h);
}

static void give_up(aw_task *task, void *data) {
  (void)task;
  (void)data;
  log_add("given up ");
}

static int arm_external(aw_task *task, void *data) {
  (void)task;
  (void)data;
  return 0;
}

/* No cancel ends its wait, but its task can be killed. */
static const aw_operation stubborn = {.label = "stubborn",
                                      .arm = arm_external,
                                      .abandon = give_up,
                                      .external = true};

static void stop_the_other(host *h, aw_loop *loop) {
  aw_loop *other = h->data;
  if (loop != other)
    aw_loop_stop(other, true);
  CHECK(aw_loop_free(loop) == 0);
}

/* What is to be done for that comes after the turn in which the end is told. */
static void an_end_stops_another_loop(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  h.ended = stop_the_other;
  h.data = host_start(&h, aw_wait_for(&stubborn, NULL));
  host_start(&h, aw_sleep(MS));
  host_run(&h);
  CHECK_LOG("given up ");
  host_close(&h);
}

/* ---- between turns ---- */

typedef struct parts {
  aw_channel *channel;
  aw_event *event;
  aw_semaphore *semaphore;
  aw_task *task;
  aw_loop *loop;
  int acts;
} parts;

static bool feed(host *h) {
  parts *p = h->data;
  CHECK(aw_channel_try_send(p->channel, 0) == 0);
  return ++p->acts < 5;
}

static bool set(host *h) {
  aw_event_set(((parts *)h->data)->event);
  return false;
}

static bool give(host *h) {
  CHECK(aw_semaphore_give_back(((parts *)h->data)->semaphore) == 0);
  return false;
}

static bool cancel(host *h) {
  aw_task_cancel(((parts *)h->data)->task, 0, AW_DEFAULT);
  return false;
}

static bool stop(host *h) {
  aw_loop_stop(((parts *)h->data)->loop, true);
  return false;
}

static bool fail(host *h) {
  aw_loop_fail(((parts *)h->data)->loop, aw_error_new(h->engine, AW_EHOST, 0));
  return false;
}

static bool start_two(host *h) { /* the second one ends the first */
  parts *p = h->data;
  start(p->loop, says("started"));
  aw_event_set(p->event);
  return false;
}

static bool start_and_cancel(host *h) {
  parts *p = h->data;
  start(p->loop, aw_then(aw_sleep(1), says("started")));
  return h->act = cancel, true;
}

/* The task cannot be woken; its loop gets a deadline. */
static bool stop_softly(host *h) {
  aw_loop_stop(((parts *)h->data)->loop, false);
  return false;
}

static int arm_nothing(aw_task *task, void *data) {
  (void)task;
  (void)data;
  return 0;
}

/* Nothing ends its wait but the end of the grace. */
static const aw_operation deaf = {.label = "deaf", .arm = arm_nothing};

static void a_deadline_is_seen(host *h) {
  parts *p = h->data;
  aw_loop_config config = {.grace = MS};
  CHECK(aw_loop_new(h->engine, &config, &p->loop) == 0);
  start(p->loop, aw_wait_for(&deaf, NULL));
  host_begin(h, p->loop);
  h->act = stop_softly;
  host_run(h);
}

static bool extend(host *h) {
  CHECK(aw_task_extend(((parts *)h->data)->task, MS) == 0);
  return false;
}

static bool begin(host *h) {
  host_start(h, says("begun"));
  return h->act = stop, true;
}

static bool begin_empty(host *h) {
  host_begin(h, new_loop(h->engine));
  return h->act = stop, true;
}

static bool close_channel(host *h) {
  aw_channel_close(((parts *)h->data)->channel);
  return false;
}

static bool close_in_background(host *h) {
  parts *p = h->data;
  aw_channel_close(p->channel);
  return h->act = stop, true;
}

/* A task runs `wire`, and the host does `act` when the engine rests. */
static void acts(host *h, aw_wire *wire, bool (*act)(host *h)) {
  parts *p = h->data;
  p->loop = new_loop(h->engine);
  p->acts = 0;
  CHECK(aw_loop_start(p->loop, wire, NULL, &p->task) == 0);
  host_begin(h, p->loop);
  h->act = act;
  host_run(h);
  CHECK(h->act == NULL);
  aw_task_release(p->task);
}

static void waits_in_background(host *h) {
  parts *p = h->data;
  aw_task_config background = {.background = true};
  p->loop = new_loop(h->engine);
  start(p->loop, aw_sleep(AW_NEVER));
  CHECK(aw_loop_start(p->loop, aw_then(aw_recv(p->channel), says("closed")),
                      &background, NULL) == 0);
  host_begin(h, p->loop);
  h->act = close_in_background;
  host_run(h);
  CHECK_LOG("closed ");
}

static void what_the_host_does_is_seen(host_kind kind) {
  aw_channel_config config = {.capacity = 0};
  host h;
  parts p = {0};
  host_open(&h, kind, NULL);
  h.data = &p;
  CHECK(aw_channel_new(&config, &p.channel) == 0);
  CHECK(aw_event_new(NULL, &p.event) == 0);
  CHECK(aw_semaphore_new(0, 1, NULL, &p.semaphore) == 0);
  acts(&h, aw_repeat(aw_recv(p.channel), 5), feed);
  acts(&h, aw_when_set(p.event), set);
  acts(&h, aw_acquire(p.semaphore), give);
  acts(&h, aw_sleep(AW_NEVER), cancel);
  acts(&h, aw_sleep(AW_NEVER), stop);
  acts(&h, aw_sleep(AW_NEVER), fail);
  aw_event_clear(p.event);
  acts(&h, aw_when_set(p.event), start_two);
  CHECK_LOG("started ");
  acts(&h, aw_sleep(AW_NEVER), start_and_cancel);
  CHECK_LOG("started ");
  acts(&h, aw_timeout(aw_sleep(AW_NEVER), 3600 * AW_SECOND, 0), extend);
  a_deadline_is_seen(&h);
  acts(&h, aw_sleep(AW_NEVER), begin);
  CHECK_LOG("begun ");
  acts(&h, aw_sleep(AW_NEVER), begin_empty);
  acts(&h, aw_recv(p.channel), close_channel);
  aw_channel_release(p.channel);
  CHECK(aw_channel_new(&config, &p.channel) == 0);
  waits_in_background(&h);
  aw_channel_release(p.channel);
  aw_event_release(p.event);
  aw_semaphore_release(p.semaphore);
  host_close(&h);
}

static bool set_last(host *h) {
  aw_event_set(((parts *)h->data)->event);
  return false;
}

static bool wake_in_an_hour(host *h) {
  aw_engine_wake_at(h->engine, uv_hrtime() + 3600 * AW_SECOND);
  return h->act = set_last, true;
}

/* What changes no more than a deadline does not hide what comes after it. */
static void a_second_act_is_seen(host_kind kind) {
  host h;
  parts p = {0};
  host_open(&h, kind, NULL);
  h.data = &p;
  CHECK(aw_event_new(NULL, &p.event) == 0);
  acts(&h, aw_when_set(p.event), wake_in_an_hour);
  aw_event_release(p.event);
  host_close(&h);
}

/* ---- ending loops at once ---- */

static bool ends_all(void *data, const aw_loop *loop) {
  (void)data;
  return aw_loop_state_of(loop) == AW_LOOP_RUNNING;
}

static bool ends_any(void *data, const aw_loop *loop) {
  (void)data;
  (void)loop;
  return true;
}

static void answer_end(void *engine, const aw_step *step) {
  aw_step_answer(engine, step);
}

static void note_end(host *h, aw_loop *loop) {
  (void)h;
  CHECK(aw_loop_state_of(loop) == AW_LOOP_STOPPED);
  CHECK(aw_loop_free(loop) == 0);
  log_add("told ");
}

static bool end_loops(host *h) {
  aw_loop_end how = {h->engine, ends_any, answer_end, {NULL}};
  CHECK(aw_engine_end_loops(h->engine, &how) == 0);
  CHECK(aw_engine_driven(h->engine));
  how.ends = ends_all;
  CHECK(aw_engine_end_loops(h->engine, &how) == 0);
  CHECK_LOG("cleans "); /* the ends are told in a turn */
  return false;
}

static void ends_of_loops_are_told(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  h.ended = note_end;
  h.act = end_loops;
  host_start(&h, aw_sleep(AW_NEVER));
  host_start(&h, aw_finally(aw_sleep(AW_NEVER), says("cleans"), AW_DEFAULT));
  host_run(&h);
  CHECK_LOG("told told ");
  host_close(&h);
}

/* ---- waking ---- */

static void *wake_soon(void *engine) {
  struct timespec time = {0, 2000000};
  nanosleep(&time, NULL);
  aw_engine_wake(engine);
  return NULL;
}

static void pull_until_woken(void *data, aw_engine *engine) {
  host *h = data;
  aw_step step;
  while (aw_next(engine, NULL, &step) == 1) {
    if (step.what == AW_STEP_WOKEN)
      aw_loop_stop(h->data, false);
    aw_step_answer(engine, &step);
  }
}

static void another_thread_wakes_it(host_kind kind) {
  aw_engine_config config = {.pull = pull_until_woken};
  host h;
  pthread_t thread;
  host_open(&h, kind, &config);
  h.data = host_start(&h, aw_sleep(AW_NEVER));
  CHECK(aw_engine_wakeable(h.engine) == 0);
  CHECK(pthread_create(&thread, NULL, wake_soon, h.engine) == 0);
  host_run(&h);
  pthread_join(thread, NULL);
  host_close(&h);
}

static bool wake_later(host *h) {
  aw_engine_wake_at(h->engine, uv_hrtime() + MS);
  return false;
}

static void it_is_woken_at_a_time(host_kind kind, aw_clock clock) {
  aw_engine_config config = {.clock = clock, .pull = pull_until_woken};
  host h;
  host_open(&h, kind, &config);
  wake_later(&h);
  h.data = host_start(&h, aw_sleep(AW_NEVER));
  host_run(&h);
  h.data = host_start(&h, aw_sleep(AW_NEVER));
  h.act = wake_later;
  host_run(&h);
  host_close(&h);
}

/* ---- tickets of other threads ---- */

enum { TICKETS = 20 };

typedef struct request {
  aw_ticket *ticket;
  pthread_t thread;
} request;

static void *answer_soon(void *data) {
  struct timespec time = {0, 500000};
  nanosleep(&time, NULL);
  CHECK(aw_ticket_complete(((request *)data)->ticket, 0, 0) == 0);
  return NULL;
}

static int ask(aw_task *task, void *data) {
  request *r = data;
  r->ticket = aw_ticket_new(task);
  CHECK(r->ticket);
  CHECK(pthread_create(&r->thread, NULL, answer_soon, r) == 0);
  return 0;
}

static void forget(aw_task *task, void *data) {
  (void)task; /* its thread completes the ticket nevertheless */
  (void)data;
}

static const aw_operation asked = {
    .label = "asked", .arm = ask, .disarm = forget, .external = true};

static void other_threads_complete_waits(host_kind kind) {
  host h;
  request requests[TICKETS];
  host_open(&h, kind, NULL);
  for (int i = 0; i < TICKETS; i++)
    host_start(&h, aw_wait_for(&asked, &requests[i]));
  host_run(&h);
  for (int i = 0; i < TICKETS; i++)
    pthread_join(requests[i].thread, NULL);
  host_close(&h);
}

/* ---- fairness ---- */

enum { CROWD = 10000 };

typedef struct crowd {
  bool stop;
  size_t steps, in_turn, most;
  uv_check_t check; /* HOSTED: of the host, once in each iteration */
} crowd;

/* A step that takes 20 us of the clock. */
static aw_turn work(aw_task *task, void *data) {
  crowd *c = data;
  uint64_t began = uv_hrtime();
  (void)task;
  if (c->steps >= 1000)
    return AW_BREAK;
  while (uv_hrtime() - began < 20000)
    ;
  c->steps++;
  c->in_turn++;
  return AW_DONE;
}

static void note_turn(crowd *c) {
  if (c->in_turn > c->most)
    c->most = c->in_turn;
  c->in_turn = 0;
}

static void after_turn(uv_check_t *check) {
  note_turn(check->data);
}

/* 1 ms has 50 such steps. The clock is looked at after 64 steps at most. */
static void a_turn_is_short(host_kind kind, aw_clock clock) {
  enum { MOST = 1000000 / 20000 + 64 };
  aw_engine_config config = {.clock = clock};
  crowd c = {0};
  host h;
  host_open(&h, kind, &config);
  aw_loop *loop = new_loop(h.engine);
  for (int i = 0; i < CROWD; i++)
    start(loop, aw_repeat(aw_call(work, &c), AW_FOREVER));
  host_begin(&h, loop);
  if (kind == HOSTED) {
    uv_check_init(&h.uv, &c.check);
    c.check.data = &c;
    uv_check_start(&c.check, after_turn);
    while (c.steps < 1000)
      uv_run(&h.uv, UV_RUN_NOWAIT);
    uv_close((uv_handle_t *)&c.check, NULL);
  }
  while (c.steps < 1000) {
    CHECK(aw_engine_timeout(h.engine) == 0);
    CHECK(aw_engine_turn(h.engine) >= 0);
    note_turn(&c);
  }
  CHECK(c.most <= MOST);
  aw_loop_stop(loop, true);
  host_run(&h);
  host_close(&h);
}

/* Takes longer than a turn. */
static aw_turn spin(aw_task *task, void *data) {
  uint64_t began = uv_hrtime();
  (void)task;
  (void)data;
  while (uv_hrtime() - began < 2 * MS)
    ;
  return AW_DONE;
}

static aw_turn spin_and_park(aw_task *task, void *data) {
  spin(task, data);
  CHECK(aw_await_sleep(task, AW_NEVER) == 0);
  return AW_WAIT;
}

/* Takes longer than a turn, again and again. */
static aw_turn spin_on(aw_task *task, void *data) {
  crowd *c = data;
  if (c->steps == 50)
    return AW_BREAK;
  c->steps++;
  c->in_turn++;
  return spin(task, NULL);
}

/* A turn has one such step, also if there were idle turns. */
static void slow_steps_make_no_long_turn(host_kind kind) {
  crowd c = {0};
  host h;
  host_open(&h, kind, NULL);
  aw_loop *loop = new_loop(h.engine);
  for (int i = 0; i < 10 && kind != HOSTED; i++)
    CHECK(aw_engine_turn(h.engine) == 0);
  start(loop, aw_repeat(aw_call(spin_on, &c), AW_FOREVER));
  host_begin(&h, loop);
  while (c.steps < 50) {
    if (kind == HOSTED)
      uv_run(&h.uv, UV_RUN_NOWAIT);
    else
      CHECK(aw_engine_turn(h.engine) >= 0);
    note_turn(&c);
  }
  CHECK(c.most == 1);
  host_run(&h);
  host_close(&h);
}

/* Waits until nothing is ready, and ends the loop. */
static aw_turn end_when_idle(aw_task *task, void *waited) {
  if (*(bool *)waited) {
    aw_loop_stop(aw_task_loop(task), true);
    return AW_DONE;
  }
  *(bool *)waited = true;
  CHECK(aw_await_idle(task, 0) == 0);
  return AW_WAIT;
}

/* The last step of a task ends the turn, too: the engine could not look yet
 * what is to be done when nothing is ready. */
static void what_a_turn_leaves_is_done_in_the_next(host_kind kind) {
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL};
  host h;
  bool waited = false;
  host_open(&h, kind, &config);
  aw_loop *loop = new_loop(h.engine);
  start(loop, aw_call(end_when_idle, &waited));
  start(loop, aw_then(aw_call(spin, NULL), aw_call(spin_and_park, NULL)));
  host_begin(&h, loop);
  host_run(&h);
  host_close(&h);
}

/* ---- many lives ---- */

static size_t count_descriptors(void) {
  size_t count = 0;
  for (int fd = 0; fd < 256; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

static void nothing_grows(host_kind kind) {
  size_t descriptors = count_descriptors();
  int ends[2];
  CHECK(pipe(ends) == 0);
  CHECK(write(ends[1], "x", 1) == 1);
  for (int i = 0; i < 1000; i++) {
    host h;
    host_open(&h, kind, NULL);
    host_start(&h, aw_then(aw_readable(ends[0]), aw_sleep(i % 20 == 0)));
    host_run(&h);
    host_close(&h);
  }
  close(ends[0]);
  close(ends[1]);
  CHECK(count_descriptors() == descriptors);
}

/* ---- without memory ---- */

/* Returns false if memory was missing for a part of it. */
static bool lives(host *h, const int *ends) {
  aw_engine_config config = {.host = h, .ended = host_loop_ended};
  aw_loop *loop = NULL;
  if (h->kind == HOSTED)
    config.uv = &h->uv;
  if (aw_engine_new(&config, &h->engine) < 0)
    return false;
  bool all = (h->kind == HOSTED || aw_engine_fd(h->engine) >= 0) &&
             aw_loop_new(h->engine, NULL, &loop) == 0 &&
             aw_loop_start(loop, aw_then(aw_readable(ends[0]), aw_sleep(1)),
                           NULL, NULL) == 0 &&
             aw_loop_begin(loop, AW_SECOND) == 0;
  h->running += all;
  if (all)
    host_run(h);
  else
    CHECK(aw_loop_free(loop) == 0);
  check_stats(h->engine);
  CHECK(aw_engine_close(h->engine, host_engine_closed, h) == 0);
  return all;
}

static void memory_may_be_missing(host_kind kind) {
  int ends[2];
  bool all = false;
  CHECK(pipe(ends) == 0);
  CHECK(write(ends[1], "x", 1) == 1);
  aw_set_allocator(allocate, NULL);
  for (int k = 0; !all || until_failure == 0; k++) {
    host h = {.kind = kind};
    if (kind == HOSTED)
      host_open_uv(&h);
    until_failure = k;
    all = lives(&h, ends);
    if (kind == HOSTED)
      host_close_uv(&h);
  }
  until_failure = -1;
  aw_set_allocator(NULL, NULL);
  close(ends[0]);
  close(ends[1]);
}

/* ---- calls at the wrong time ---- */

static aw_turn misuse(aw_task *task, void *data) {
  host *h = data;
  aw_step step;
  aw_loop *loop = aw_task_loop(task);
  CHECK(aw_next(h->engine, NULL, &step) == AW_EBUSY);
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EINVAL);
  CHECK(aw_engine_close(h->engine, NULL, NULL) == AW_EBUSY);
  CHECK(aw_engine_turn(h->engine) == AW_EBUSY);
  CHECK(aw_engine_timeout(h->engine) == 0);
  return AW_DONE;
}

static void misuse_has_codes(host_kind kind) {
  host h;
  aw_step step;
  host_open(&h, kind, NULL);
  aw_loop *loop = host_start(&h, aw_call(misuse, &h));
  CHECK(aw_next(h.engine, NULL, &step) == AW_EINVAL);
  CHECK(aw_next(h.engine, loop, &step) == AW_EINVAL);
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EINVAL);
  CHECK(aw_engine_free(h.engine) == AW_EBUSY);
  if (kind == HOSTED) {
    CHECK(aw_engine_fd(h.engine) == AW_EINVAL);
    CHECK(aw_engine_turn(h.engine) == AW_EINVAL);
  }
  host_run(&h);
  host_close(&h);
}

static void pull_wrongly(void *data, aw_engine *engine) {
  host *h = data;
  aw_step step;
  int *pulls = h->data;
  CHECK(aw_engine_turn(engine) == AW_EBUSY);
  switch ((*pulls)++) {
  case 0: return; /* nothing was run: the next turn is due at once */
  case 1:
    CHECK(aw_next(engine, NULL, &step) == 1);
    CHECK(aw_loop_run(aw_task_loop(step.task), AW_NEVER) == AW_EINVAL);
    CHECK(aw_next(engine, NULL, &step) == AW_EBUSY); /* not reported */
    aw_step_done(step.task, 0);
    return; /* without a rest */
  default: pull_steps(data, engine);
  }
}

static void a_pull_may_return_early(host_kind kind) {
  aw_engine_config config = {.pull = pull_wrongly};
  host h;
  int pulls = 0;
  host_open(&h, kind, &config);
  h.data = &pulls;
  host_start(&h, aw_then(aw_host_call(NULL, NULL, "x"), says("after")));
  host_run(&h);
  CHECK_LOG("after ");
  CHECK(pulls >= 3);
  host_close(&h);
}

int main(void) {
  for (host_kind kind = HOSTED; kind < HOST_KINDS; kind++) {
    a_loop_runs_to_its_end(kind);
    what_a_turn_leaves_is_done_in_the_next(kind);
    an_empty_loop_ends(kind);
    descriptors_are_polled(kind);
    virtual_time_jumps(kind);
    a_timeout_ends_a_loop(kind);
    host_steps_are_pulled(kind);
    without_pull_a_host_step_fails(kind);
    an_end_begins_the_next_loop(kind);
    an_end_runs_the_loop_again(kind);
    a_loop_that_is_freed_first_is_not_told_of(kind);
    an_end_stops_another_loop(kind);
    an_end_closes_the_engine(kind);
    what_the_host_does_is_seen(kind);
    a_second_act_is_seen(kind);
    ends_of_loops_are_told(kind);
    another_thread_wakes_it(kind);
    other_threads_complete_waits(kind);
    it_is_woken_at_a_time(kind, AW_CLOCK_REAL);
    it_is_woken_at_a_time(kind, AW_CLOCK_VIRTUAL);
    a_turn_is_short(kind, AW_CLOCK_REAL);
    a_turn_is_short(kind, AW_CLOCK_VIRTUAL);
    slow_steps_make_no_long_turn(kind);
    nothing_grows(kind);
    memory_may_be_missing(kind);
    misuse_has_codes(kind);
    a_pull_may_return_early(kind);
  }
  return 0;
}
