/* ticket_ready_test.c - tickets that only tell an operation to try
 *
 * A box is what tasks of several threads may share: numbers under a mutex, and
 * the tickets of those that wait. A number is taken on the thread of the engine
 * that wants it, so none is ever in the hands of a wait that has ended.
 */
#include "check.h"
#include "failing.h"

#include <pthread.h>

typedef struct waiter {
  struct waiter *next;
  aw_ticket *ticket; /* NULL: used, or none */
} waiter;

typedef struct box {
  pthread_mutex_t lock;
  size_t numbers; /* that are in the box */
  waiter *first;  /* the oldest one */
} box;

static box new_box(void) {
  return (box){.lock = PTHREAD_MUTEX_INITIALIZER};
}

/* Tell the oldest waiter to try. The caller has the lock. */
static void tell_one(box *in) {
  waiter *told = in->first;
  if (!told)
    return;
  in->first = told->next;
  aw_ticket *ticket = told->ticket;
  told->ticket = NULL;
  int rc = aw_ticket_complete(ticket, AW_READY, 0);
  CHECK(rc == 0 || rc == AW_EENDED);
}

static void put(box *in) {
  pthread_mutex_lock(&in->lock);
  in->numbers++;
  tell_one(in);
  pthread_mutex_unlock(&in->lock);
}

/* ---- the operation ---- */

typedef struct taking {
  waiter waits;
  box *from;
  aw_task *task;
  int taken, tried, disarmed;
  bool waiting; /* between `arm` and the end of the wait */
} taking;

static int wait_in(box *in, waiter *own, aw_task *task) {
  own->ticket = aw_ticket_new(task);
  if (!own->ticket)
    return AW_ENOMEM;
  own->next = NULL;
  waiter **end = &in->first;
  while (*end)
    end = &(*end)->next;
  *end = own;
  return 0;
}

static int try_to_take(aw_task *task, taking *own) {
  box *from = own->from;
  int rc = 1;
  pthread_mutex_lock(&from->lock);
  if (from->numbers > 0)
    from->numbers--;
  else
    rc = wait_in(from, &own->waits, task);
  pthread_mutex_unlock(&from->lock);
  own->taken += rc == 1;
  own->waiting = rc == 0;
  return rc;
}

static int take_arm(aw_task *task, void *data) {
  taking *own = data;
  own->task = task;
  return try_to_take(task, own);
}

static int take_ready(aw_task *task, void *data) {
  taking *own = data;
  CHECK(task == own->task && own->waiting);
  own->tried++;
  return try_to_take(task, own);
}

static void take_disarm(aw_task *task, void *data) {
  taking *own = data;
  box *from = own->from;
  (void)task;
  own->disarmed++;
  own->waiting = false;
  pthread_mutex_lock(&from->lock);
  if (own->waits.ticket) {
    waiter **at = &from->first;
    while (*at != &own->waits)
      at = &(*at)->next;
    *at = own->waits.next;
    aw_ticket_release(own->waits.ticket);
    own->waits.ticket = NULL;
  } else if (from->numbers > 0) {
    tell_one(from); /* nobody else was told */
  }
  pthread_mutex_unlock(&from->lock);
}

static const aw_operation take = {.label = "take",
                                  .arm = take_arm,
                                  .disarm = take_disarm,
                                  .ready = take_ready,
                                  .external = true};

static aw_wire *takes(taking *own) {
  return aw_wait_for(&take, own);
}

/* ---- steps ---- */

static aw_turn put_one(aw_task *task, void *data) {
  (void)task;
  put(data);
  return AW_DONE;
}

static aw_turn cancel(aw_task *task, void *data) {
  (void)task;
  aw_task_cancel(((taking *)data)->task, 0, AW_NEVER);
  return AW_DONE;
}

static aw_turn interrupt(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_wait_interrupt(((taking *)data)->task, 0));
  return AW_DONE;
}

/* A number, and the end of a wait for it, without a look at what was told in
 * between. */
typedef struct ending {
  box *in;
  taking *of;
  aw_step_fn end;
} ending;

static aw_turn put_and_end(aw_task *task, void *data) {
  const ending *own = data;
  put(own->in);
  return own->end(task, own->of);
}

static aw_turn stop(aw_task *task, void *data) {
  (void)data;
  aw_loop_stop(aw_task_loop(task), false);
  return AW_DONE;
}

/* Run a loop with these wires. */
static void run_both(aw_wire *a, aw_wire *b) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  log_clear();
  start(loop, a);
  if (b)
    start(loop, aw_then(aw_sleep(1), b));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
}

/* ---- trying ---- */

static void the_operation_takes_what_is_there(void) {
  box shared = new_box();
  taking own = {.from = &shared};
  run_both(takes(&own), aw_call(put_one, &shared));
  CHECK(own.taken == 1 && own.tried == 1 && shared.numbers == 0);
}

/* The number is gone when the operation tries. */
static aw_turn put_and_snatch(aw_task *task, void *data) {
  box *in = data;
  (void)task;
  put(in);
  in->numbers--;
  return AW_DONE;
}

static void a_wait_that_finds_nothing_goes_on(void) {
  box shared = new_box();
  taking own = {.from = &shared};
  aw_wire *steps[] = {aw_call(put_and_snatch, &shared), aw_sleep(0),
                      aw_call(put_and_snatch, &shared), aw_sleep(0),
                      aw_call(put_one, &shared)};
  run_both(takes(&own), aw_sequence(steps, 5));
  CHECK(own.taken == 1 && own.tried == 3 && shared.numbers == 0);
}

static void a_turn_of_each_in_order(void) {
  box shared = new_box();
  taking first = {.from = &shared}, second = {.from = &shared};
  aw_wire *both = aw_both(aw_then(takes(&first), says("first")),
                          aw_then(takes(&second), says("second")));
  run_both(both, aw_repeat(aw_call(put_one, &shared), 2));
  CHECK_LOG("first second ");
}

/* ---- waits that end otherwise ---- */

/* `end` ends the wait of `first` after that was told. */
static void passes_the_notice_on(aw_step_fn end) {
  box shared = new_box();
  taking first = {.from = &shared}, second = {.from = &shared};
  ending both = {&shared, &first, end};
  run_both(
      aw_both(aw_or_else(takes(&first), says("cancelled")), takes(&second)),
      aw_call(put_and_end, &both));
  CHECK(first.tried == 0 && first.disarmed == 1 && first.taken == 0);
  CHECK(second.taken == 1);
}

static aw_turn fail(aw_task *task, void *data) {
  (void)data;
  return aw_task_fail(task, AW_EAGAIN);
}

static void a_lost_race_takes_nothing(void) {
  box shared = new_box(), other = new_box();
  taking first = {.from = &shared}, second = {.from = &other};
  aw_wire *race = aw_either(takes(&first), takes(&second));
  run_both(race, aw_then(aw_call(put_one, &shared), aw_call(put_one, &other)));
  CHECK(first.taken == 1 && second.taken == 0 && second.disarmed == 1);
  CHECK(shared.numbers == 0 && other.numbers == 1);
}

/* A step that is stopped by the failure of another task. */
static void a_failure_takes_nothing(void) {
  box shared = new_box();
  taking own = {.from = &shared};
  aw_wire *both =
      aw_both(takes(&own), aw_then(aw_sleep(1), aw_call(fail, NULL)));
  run_both(aw_or_else(both, says("failed")), NULL);
  CHECK_LOG("failed ");
  CHECK(own.disarmed == 1 && shared.first == NULL);
}

/* ---- what `ready` may return ---- */

typedef struct answer {
  aw_ticket *ticket;
  int rc; /* of `ready` */
  bool completes;
  bool due;
} answer;

static int answer_arm(aw_task *task, void *data) {
  answer *own = data;
  own->ticket = aw_ticket_new(task);
  return own->ticket ? 0 : AW_ENOMEM;
}

static void answer_disarm(aw_task *task, void *data) {
  (void)data;
  aw_alarm_disarm(task);
}

static int answer_ready(aw_task *task, void *data) {
  const answer *own = data;
  if (own->rc == AW_MOVED)
    CHECK(aw_alarm_arm(task, aw_engine_now(aw_task_engine(task))) == 0);
  if (own->completes)
    aw_wait_complete(task, AW_EAGAIN);
  return own->rc;
}

static void answer_due(aw_task *task, void *data) {
  ((answer *)data)->due = true;
  aw_wait_complete(task, 0);
}

static const aw_operation answering = {.label = "answer",
                                       .arm = answer_arm,
                                       .disarm = answer_disarm,
                                       .ready = answer_ready,
                                       .due = answer_due,
                                       .external = true};

static aw_turn tell(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_ticket_complete(((answer *)data)->ticket, AW_READY, 0) == 0);
  return AW_DONE;
}

static aw_turn log_result(aw_task *task, void *data) {
  if (!aw_task_came_back(task))
    return aw_await_operation(task, &answering, data) == 0 ? AW_WAIT : AW_FAIL;
  log_add("%d ", aw_task_result(task));
  return AW_DONE;
}

static void answers(answer own, const char *result) {
  run_both(aw_call(log_result, &own), aw_call(tell, &own));
  CHECK_LOG(result);
  CHECK(own.due == (own.rc == AW_MOVED));
}

static void the_answer_ends_the_wait(void) {
  answers((answer){.rc = 1}, "0 ");
  answers((answer){.rc = -32}, "-32 ");
  answers((answer){.rc = AW_MOVED}, "0 ");
  answers((answer){.rc = 0, .completes = true}, "-11 ");
  answers((answer){.rc = 1, .completes = true}, "-11 ");
}

/* The loop is ended with its task; then the engine is freed. */
static void a_ticket_may_come_after_the_engine(void) {
  answer own = {.rc = 1};
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_wait_for(&answering, &own));
  start(loop, aw_then(aw_sleep(1), aw_call(stop, NULL)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
  CHECK(aw_ticket_complete(own.ticket, AW_READY, 0) == AW_EENDED);
}

/* ---- mistakes ---- */

static int dropped;

static void drop(void *data, aw_value value) {
  (void)data;
  CHECK(value == 7);
  dropped++;
}

static aw_turn tell_with_value(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_ticket_complete(((answer *)data)->ticket, AW_READY, 7) == 0);
  return AW_DONE;
}

static void a_value_is_dropped(void) {
  aw_engine *engine;
  aw_engine_config config = {.drop = drop};
  CHECK(aw_engine_new(&config, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  answer own = {.rc = 1};
  start(loop, aw_wait_for(&answering, &own));
  start(loop, aw_then(aw_sleep(1), aw_call(tell_with_value, &own)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(dropped == 1);
  empty(engine, loop);
}

static const aw_operation deaf = {.label = "deaf",
                                  .arm = answer_arm,
                                  .disarm = answer_disarm,
                                  .external = true};

static void an_operation_must_be_able_to_try(void) {
  answer own = {.rc = 1};
  run_both(aw_or_else(aw_wait_for(&deaf, &own), says("refused")),
           aw_call(tell, &own));
  CHECK_LOG("refused ");
}

static aw_turn have_no_ticket(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_ticket_new(data) == NULL);
  return AW_DONE;
}

/* Its wait is none of those that tickets are for. */
static void a_sleeper_has_no_ticket(void) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_sleep(AW_SECOND / 100));
  start(loop, aw_call(have_no_ticket, task));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task_release(task);
  empty(engine, loop);
}

/* ---- without memory ---- */

static aw_turn put_without_memory(aw_task *task, void *data) {
  put_and_snatch(task, data);
  until_failure = 0;
  return AW_DONE;
}

static void a_wait_may_end_for_want_of_memory(void) {
  until_failure = -1;
  aw_set_allocator(allocate, NULL);
  box shared = new_box();
  taking own[8];
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  for (int i = 0; i < 8; i++) { /* more than the engine has in spare */
    own[i] = (taking){.from = &shared};
    start(loop, takes(&own[i]));
  }
  start(loop, aw_then(aw_sleep(1), aw_call(put_without_memory, &shared)));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ENOMEM);
  until_failure = -1;
  CHECK(own[0].tried == 1 && own[0].taken == 0 && shared.first == NULL);
  empty(engine, loop);
  aw_set_allocator(NULL, NULL);
}

/* ---- several engines and threads share a box; for ThreadSanitizer ---- */

enum { ENGINES = 4, TASKS = 4, ROUNDS = 100 };

typedef struct user {
  pthread_t thread;
  box *shared;
  taking takings[TASKS];
  int cycle;
} user;

/* Tasks take numbers, and are stopped at any time. */
static void *take_some(void *data) {
  user *own = data;
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  for (own->cycle = 0; own->cycle < ROUNDS; own->cycle++) {
    aw_loop *loop = new_loop(engine);
    for (int i = 0; i < TASKS; i++)
      start(loop, aw_repeat(takes(&own->takings[i]), AW_FOREVER));
    start(loop,
          aw_then(aw_sleep((uint64_t)own->cycle * 1000), aw_call(stop, NULL)));
    aw_loop_run(loop, AW_NEVER);
    CHECK(aw_loop_free(loop) == 0);
  }
  empty(engine, NULL);
  return NULL;
}

static void *put_some(void *data) {
  for (int i = 0; i < ENGINES * ROUNDS; i++)
    put(data);
  return NULL;
}

static void nothing_is_lost_between_threads(void) {
  box shared = new_box();
  static user users[ENGINES];
  pthread_t source;
  size_t taken = 0;
  for (int i = 0; i < ENGINES; i++) {
    users[i].shared = &shared;
    for (int j = 0; j < TASKS; j++)
      users[i].takings[j].from = &shared;
    CHECK(pthread_create(&users[i].thread, NULL, take_some, &users[i]) == 0);
  }
  CHECK(pthread_create(&source, NULL, put_some, &shared) == 0);
  pthread_join(source, NULL);
  for (int i = 0; i < ENGINES; i++) {
    pthread_join(users[i].thread, NULL);
    for (int j = 0; j < TASKS; j++)
      taken += (size_t)users[i].takings[j].taken;
  }
  CHECK(shared.first == NULL);
  CHECK(taken + shared.numbers == (size_t)ENGINES * ROUNDS);
}

int main(void) {
  the_operation_takes_what_is_there();
  a_wait_that_finds_nothing_goes_on();
  a_turn_of_each_in_order();
  passes_the_notice_on(cancel);
  passes_the_notice_on(interrupt);
  a_lost_race_takes_nothing();
  a_failure_takes_nothing();
  a_ticket_may_come_after_the_engine();
  the_answer_ends_the_wait();
  a_value_is_dropped();
  an_operation_must_be_able_to_try();
  a_sleeper_has_no_ticket();
  a_wait_may_end_for_want_of_memory();
  nothing_is_lost_between_threads();
  return 0;
}
