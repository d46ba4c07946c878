/* ticket_test.c - waits that other threads complete
 *
 * Semaphores force the order of events. A value is the address of an int that
 * counts how often it was dropped; it must be dropped on the engine's thread.
 */
#include "check.h"
#include "failing.h"
#include "host.h"

#include "sources/ticket.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/resource.h>

enum { THREADS = 8, EACH = 500, CROWD = 100000 };

static pthread_t home; /* the thread of the engine */
static int dropped;

static void drop(void *data, aw_value value) {
  (void)data;
  CHECK(pthread_equal(home, pthread_self()));
  ++*(int *)(uintptr_t)value;
  dropped++;
}

static aw_engine *new_engine(void) {
  aw_engine *engine;
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .deadlocks = true, .drop = drop};
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  home = pthread_self();
  dropped = 0;
  return engine;
}

static aw_value value_of(int *count) {
  *count = 0;
  return (uintptr_t)count;
}

/* ---- an operation whose tickets the tests take out of a job ---- */

typedef struct job {
  aw_ticket *ticket;
  bool completed; /* by complete_job() */
  int disarmed;
  int due; /* 0: never, else in so many seconds */
} job;

static int job_arm(aw_task *task, void *data) {
  job *own = data;
  own->ticket = aw_ticket_new(task);
  if (own->due)
    aw_alarm_arm(task, (uint64_t)own->due * AW_SECOND);
  return own->ticket ? 0 : AW_ENOMEM;
}

static void job_disarm(aw_task *task, void *data) {
  aw_alarm_disarm(task);
  ((job *)data)->disarmed++;
}

static void job_due(aw_task *task, void *data) {
  (void)data;
  aw_wait_complete(task, 0);
}

static const aw_operation job_wait = {.label = "job",
                                      .arm = job_arm,
                                      .disarm = job_disarm,
                                      .due = job_due,
                                      .external = true};
static const aw_operation not_external = {
    .label = "job", .arm = job_arm, .disarm = job_disarm};
static const aw_operation forgotten = {
    .label = "job", .arm = job_arm, .abandon = job_disarm, .external = true};
static const aw_operation stubborn = {
    .label = "job", .arm = job_arm, .external = true};

static aw_wire *wait_for(job *own) {
  return aw_wait_for(&job_wait, own);
}

static void complete(aw_ticket *ticket, int result, aw_value value) {
  CHECK(aw_ticket_complete(ticket, result, value) == 0);
}

/* A step that completes the ticket of a job, if it has one. */
static aw_turn complete_job(aw_task *task, void *data) {
  job *own = data;
  (void)task;
  own->completed = own->ticket;
  if (own->completed)
    complete(own->ticket, 0, 0);
  return AW_DONE;
}

/* ---- another thread ---- */

typedef struct worker {
  pthread_t thread;
  job *of;
  sem_t begin;
  int result;
  aw_value value;
} worker;

static void *work(void *data) {
  worker *own = data;
  sem_wait(&own->begin);
  complete(own->of->ticket, own->result, own->value);
  return NULL;
}

static void hire(worker *own) {
  sem_init(&own->begin, 0, 0);
  CHECK(pthread_create(&own->thread, NULL, work, own) == 0);
}

static void dismiss(worker *own) {
  pthread_join(own->thread, NULL);
  sem_destroy(&own->begin);
}

static aw_turn let_begin(aw_task *task, void *data) {
  (void)task;
  sem_post(&((worker *)data)->begin);
  return AW_DONE;
}

/* ---- completing ---- */

static aw_turn take_result(aw_task *task, void *data) {
  *(aw_value *)data = aw_task_take_value(task);
  return AW_DONE;
}

static void another_thread_ends_the_wait_with_a_value(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  int drops;
  job of = {0};
  worker by = {.of = &of, .value = value_of(&drops)};
  aw_value got = 0;
  hire(&by);
  start(loop, aw_bind(wait_for(&of), aw_call(take_result, &got)));
  start(loop, aw_call(let_begin, &by));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  dismiss(&by);
  CHECK(got == by.value && drops == 0 && of.disarmed == 0);
  empty(engine, loop);
}

static aw_turn await_job(aw_task *task, void *data) {
  job *own = data;
  if (own->ticket == NULL)
    return aw_await_operation(task, &job_wait, own) == 0 ? AW_WAIT : AW_FAIL;
  log_add("%d ", aw_task_result(task));
  return AW_DONE;
}

static void a_code_is_the_result_of_the_wait(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  int drops;
  job of = {0};
  worker by = {.of = &of, .result = AW_EAGAIN, .value = value_of(&drops)};
  hire(&by);
  start(loop, aw_call(await_job, &of));
  start(loop, aw_call(let_begin, &by));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  dismiss(&by);
  CHECK_LOG("-11 ");
  CHECK(drops == 1); /* the step did not take it */
  empty(engine, loop);
}

static aw_turn complete_with_one(aw_task *task, void *data) {
  (void)task;
  complete(((job *)data)->ticket, 1, 0);
  return AW_DONE;
}

static void a_positive_result_is_an_error(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0};
  start(loop, aw_call(await_job, &of));
  start(loop, aw_call(complete_with_one, &of));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("-22 ");
  empty(engine, loop);
}

static aw_turn note_time(aw_task *task, void *data) {
  (void)data;
  aw_loop *loop = aw_task_loop(task);
  bool still = aw_engine_now(aw_loop_engine(loop)) == 0;
  log_add(still ? "still " : "later ");
  return AW_DONE;
}

static void virtual_time_waits_for_a_ticket(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0};
  worker by = {.of = &of};
  hire(&by);
  start(loop, aw_then(wait_for(&of), aw_call(note_time, NULL)));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(note_time, NULL)));
  start(loop, aw_call(let_begin, &by));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  dismiss(&by);
  CHECK_LOG("still later ");
  empty(engine, loop);
}

/* ---- one wake for many ---- */

typedef struct crew {
  worker workers[THREADS];
  job jobs[THREADS][EACH];
} crew;

static void *complete_each(void *data) {
  job *jobs = data;
  for (int i = 0; i < EACH; i++)
    complete(jobs[i].ticket, 0, 0);
  return NULL;
}

/* The engine's thread is in a step until all threads are done. */
static aw_turn run_crew(aw_task *task, void *data) {
  crew *own = data;
  (void)task;
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&own->workers[i].thread, NULL, complete_each,
                         own->jobs[i]) == 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(own->workers[i].thread, NULL);
  return AW_DONE;
}

static void many_completions_wake_the_engine_once(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  static crew all;
  memset(&all, 0, sizeof all);
  for (int i = 0; i < THREADS; i++)
    for (int j = 0; j < EACH; j++)
      start(loop, wait_for(&all.jobs[i][j]));
  start(loop, aw_call(run_crew, &all));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw__ticket_wakes(engine) == 1);
  empty(engine, loop);
}

/* The first completion after a look wakes the engine again. */
static void each_look_lets_one_more_wake(void) {
  enum { TIMES = 3 };
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0};
  aw_wire *both = aw_both(wait_for(&of), aw_call(complete_job, &of));
  start(loop, aw_repeat(both, TIMES));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw__ticket_wakes(engine) == TIMES);
  empty(engine, loop);
}

/* ---- waits that end otherwise ---- */

static aw_turn cancel(aw_task *task, void *data) {
  (void)task;
  aw_task_cancel(data, 0, AW_DEFAULT);
  return AW_DONE;
}

static aw_turn interrupt(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_wait_interrupt(data, 0));
  return AW_DONE;
}

static aw_turn kill_it(aw_task *task, void *data) {
  (void)task;
  aw_task_cancel(data, 0, 0);
  return AW_DONE;
}

/* The task of `of` waits; `end` ends that wait. Then another thread completes
 * the ticket: its value is dropped. */
static void drops_a_late_value(aw_wire *waiting, job *of, aw_step_fn end) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  int drops;
  worker by = {.of = of, .value = value_of(&drops)};
  hire(&by);
  aw_task *task = start_task(loop, waiting);
  if (end)
    start(loop, aw_call(end, task));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task_release(task);
  CHECK(dropped == 0);
  sem_post(&by.begin);
  dismiss(&by);
  CHECK(dropped == 0);
  start(loop, aw_sleep(1));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(drops == 1 && dropped == 1);
  empty(engine, loop);
}

static void a_cancel_makes_a_ticket_invalid(void) {
  job of = {0};
  drops_a_late_value(wait_for(&of), &of, cancel);
  CHECK(of.disarmed == 1);
}

static void an_interrupt_makes_a_ticket_invalid(void) {
  job of = {0};
  drops_a_late_value(wait_for(&of), &of, interrupt);
  CHECK(of.disarmed == 1);
}

static void a_kill_makes_a_ticket_invalid(void) {
  job of = {0};
  drops_a_late_value(aw_wait_for(&forgotten, &of), &of, kill_it);
  CHECK(of.disarmed == 1);
}

static void a_lost_race_makes_a_ticket_invalid(void) {
  job of = {0}, other = {0};
  aw_wire *race = aw_either(wait_for(&of), wait_for(&other));
  drops_a_late_value(aw_both(race, aw_call(complete_job, &other)), &of, NULL);
  CHECK(of.disarmed == 1 && other.disarmed == 0);
}

static void an_alarm_makes_a_ticket_invalid(void) {
  /* The engine of the test blocks while a ticket is out: use a real alarm. */
  job of = {.due = 1};
  aw_engine *engine;
  aw_engine_config config = {.drop = drop};
  CHECK(aw_engine_new(&config, &engine) == 0);
  home = pthread_self();
  dropped = 0;
  aw_loop *loop = new_loop(engine);
  int drops;
  start(loop, wait_for(&of)); /* due at 1 s of the clock: long ago */
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  complete(of.ticket, 0, value_of(&drops));
  start(loop, aw_sleep(1));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(drops == 1 && dropped == 1);
  empty(engine, loop);
}

/* ---- a ticket is for one wait ---- */

typedef struct renewal {
  job of;
  aw_task *task; /* waits twice */
  aw_ticket *first;
} renewal;

static aw_turn end_first_wait(aw_task *task, void *data) {
  renewal *own = data;
  (void)task;
  own->first = own->of.ticket;
  CHECK(aw_wait_interrupt(own->task, 0));
  return AW_DONE;
}

static aw_turn complete_first(aw_task *task, void *data) {
  renewal *own = data;
  (void)task;
  CHECK(own->of.ticket != own->first);
  complete(own->first, 0, 0);
  return AW_DONE;
}

static aw_turn complete_second(aw_task *task, void *data) {
  renewal *own = data;
  (void)task;
  CHECK(aw_task_state_of(own->task) == AW_TASK_WAITING);
  complete(own->of.ticket, 0, 0);
  return AW_DONE;
}

/* The second wait has the same task, operation and data. */
static void a_later_wait_needs_a_new_ticket(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  renewal own = {.first = NULL};
  own.task = start_task(loop, aw_repeat(wait_for(&own.of), 2));
  aw_wire *steps[] = {aw_call(end_first_wait, &own), aw_sleep(0),
                      aw_call(complete_first, &own), aw_sleep(0),
                      aw_call(complete_second, &own)};
  start(loop, aw_sequence(steps, 5));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task_release(own.task);
  empty(engine, loop);
}

static int arm_twice(aw_task *task, void *data) {
  job *jobs = data;
  jobs[0].ticket = aw_ticket_new(task);
  jobs[1].ticket = aw_ticket_new(task);
  return jobs[0].ticket && jobs[1].ticket ? 0 : AW_ENOMEM;
}

static const aw_operation two_sources = {
    .label = "two", .arm = arm_twice, .disarm = job_disarm, .external = true};

static aw_turn complete_both(aw_task *task, void *data) {
  static int drops[2];
  job *jobs = data;
  (void)task;
  complete(jobs[1].ticket, 0, value_of(&drops[1]));
  complete(jobs[0].ticket, 0, value_of(&drops[0]));
  return AW_DONE;
}

/* The owner of an operation has given a count for a code. The count looks like
 * the number of a ticket, also in a later wait. */
static aw_turn wait_then_sleep(aw_task *task, void *data) {
  job *own = data;
  if (!own->completed) {
    own->completed = true;
    CHECK(aw_await_operation(task, &job_wait, own) == 0);
    aw_wait_complete(task, 1);
    return AW_WAIT;
  }
  if (own->ticket) {
    CHECK(aw_ticket_complete(own->ticket, 0, 0) == 0);
    own->ticket = NULL;
    CHECK(aw_await_sleep(task, AW_SECOND) == 0);
    return AW_WAIT;
  }
  CHECK(aw_engine_now(aw_task_engine(task)) == AW_SECOND);
  return AW_DONE;
}

static void a_sleep_needs_no_ticket(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job own = {0};
  start(loop, aw_call(wait_then_sleep, &own));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(own.ticket == NULL);
  empty(engine, loop);
}

static void the_first_of_two_tickets_ends_the_wait(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job jobs[2] = {{0}, {0}};
  aw_value got = 0;
  start(loop,
        aw_bind(aw_wait_for(&two_sources, jobs), aw_call(take_result, &got)));
  start(loop, aw_call(complete_both, jobs));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(got != 0 && *(int *)(uintptr_t)got == 0 && dropped == 1);
  empty(engine, loop);
}

/* Both are complete when the engine looks; the first one decides. */
static void one_ticket_of_a_race_is_used(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job jobs[2] = {{0}, {0}};
  aw_value got = 0;
  aw_wire *a = aw_bind(wait_for(&jobs[0]), aw_call(take_result, &got));
  aw_wire *b = aw_bind(wait_for(&jobs[1]), aw_call(take_result, &got));
  start(loop, aw_either(a, b));
  start(loop, aw_call(complete_both, jobs));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(got != 0 && *(int *)(uintptr_t)got == 0 && dropped == 1);
  CHECK(jobs[0].disarmed == 1 && jobs[1].disarmed == 0);
  empty(engine, loop);
}

/* ---- many ---- */

static void a_crowd_is_cancelled_at_once(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job *jobs = calloc(CROWD, sizeof *jobs);
  int drops;
  aw_value value = value_of(&drops);
  aw_task *task;
  aw_wire **wires = calloc(CROWD, sizeof *wires);
  for (int i = 0; i < CROWD; i++)
    wires[i] = wait_for(&jobs[i]);
  task = start_task(loop, aw_all(wires, CROWD, 0));
  free(wires);
  start(loop, aw_then(aw_sleep(0), aw_call(cancel, task)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task_release(task);
  for (int i = 0; i < CROWD; i++) {
    CHECK(jobs[i].disarmed == 1);
    complete(jobs[i].ticket, 0, value);
  }
  CHECK(aw__ticket_wakes(engine) == 1);
  start(loop, aw_sleep(1));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(drops == CROWD);
  free(jobs);
  empty(engine, loop);
}

/* ---- the end of the engine ---- */

static void the_value_is_kept_after_the_engine(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0}, queued = {0};
  int drops, mine;
  aw_task *task = start_task(loop, aw_both(wait_for(&of), wait_for(&queued)));
  start(loop, aw_then(aw_sleep(0), aw_call(cancel, task)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task_release(task);
  complete(queued.ticket, 0, value_of(&drops));
  empty(engine, loop);
  CHECK(drops == 1 && dropped == 1);
  CHECK(aw_ticket_complete(of.ticket, 0, value_of(&mine)) == AW_EENDED);
  CHECK(mine == 0 && dropped == 1);
}

static void a_wait_that_cannot_be_aborted_ends_by_its_ticket(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0};
  aw_task *task = start_task(loop, aw_wait_for(&stubborn, &of));
  start(loop, aw_then(aw_call(cancel, task), aw_call(complete_job, &of)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_DONE);
  aw_task_release(task);
  empty(engine, loop);
}

/* ---- engines that a host drives ---- */

static void completions_make_a_turn_due(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  job of = {0};
  worker by = {.of = &of};
  hire(&by);
  /* The thread completes the wait when the host may sleep already. */
  aw_wire *waits = aw_then(wait_for(&of), says("done"));
  host_start(&h, aw_both(waits, aw_call(let_begin, &by)));
  host_run(&h);
  dismiss(&by);
  CHECK_LOG("done ");
  host_close(&h);
}

static aw_turn give_up(aw_task *task, void *data) {
  (void)data;
  return aw_task_fail(task, AW_EAGAIN);
}

/* The engine is being closed, on a libuv loop that has yet to run for it. */
static void nobody_wakes_an_engine_that_closes(host_kind kind) {
  host h;
  host_open(&h, kind, NULL);
  job of = {0}, queued = {0};
  aw_wire *both = aw_both(wait_for(&of), wait_for(&queued));
  aw_wire *ends = aw_then(aw_sleep(1), aw_call(give_up, NULL));
  host_start(&h, aw_or_else(aw_both(both, ends), says("over")));
  host_run(&h);
  complete(queued.ticket, 0, 0);
  CHECK(aw_engine_close(h.engine, host_engine_closed, &h) == 0);
  CHECK(aw_ticket_complete(of.ticket, 0, 0) == AW_EENDED);
  if (kind == HOSTED)
    host_close_uv(&h);
  CHECK(h.closed == 1);
}

/* ---- mistakes ---- */

static void other_operations_are_refused(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0};
  start(loop, aw_or_else(aw_wait_for(&not_external, &of), says("refused")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("refused ");
  CHECK(of.disarmed == 1);
  complete(of.ticket, 0, 0);
  start(loop, aw_sleep(1));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
}

static aw_turn make_outside(aw_task *task, void *data) {
  (void)data;
  CHECK(aw_ticket_new(task) == NULL);
  return AW_DONE;
}

static aw_turn make_for(aw_task *task, void *data) {
  (void)task;
  CHECK(aw_ticket_new(data) == NULL);
  return AW_DONE;
}

static int arm_at_once(aw_task *task, void *data) {
  aw_ticket_release(aw_ticket_new(task));
  return data ? AW_EAGAIN : 1;
}

static const aw_operation at_once = {
    .label = "job", .arm = arm_at_once, .external = true};

static aw_turn begin_at_once(aw_task *task, void *data) {
  CHECK(aw_begin_operation(task, &at_once, NULL) == 1);
  CHECK(aw_ticket_new(task) == NULL);
  CHECK(aw_await_operation(task, &at_once, task) == AW_EAGAIN);
  CHECK(aw_ticket_new(task) == NULL);
  CHECK(aw_task_result(task) <= 0);
  return make_outside(task, data);
}

static void a_task_that_arms_nothing_has_no_ticket(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *sleeps = start_task(loop, aw_sleep(1));
  aw_task *ends = start_task(loop, aw_call(begin_at_once, NULL));
  CHECK(aw_ticket_new(ends) == NULL);
  start(loop, aw_call(make_outside, NULL));
  start(loop, aw_call(make_for, sleeps));
  start(loop, aw_call(make_for, ends));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_ticket_new(ends) == NULL);
  aw_task_release(sleeps);
  aw_task_release(ends);
  aw_ticket_release(NULL);
  empty(engine, loop);
}

/* The ticket of an arm that failed was released; the next wait is its own. */
static aw_turn fail_then_wait(aw_task *task, void *data) {
  job *own = data;
  if (own->ticket)
    return AW_DONE;
  CHECK(aw_await_operation(task, &at_once, own) == AW_EAGAIN);
  CHECK(aw_await_operation(task, &job_wait, own) == 0);
  return AW_WAIT;
}

static void a_released_ticket_ends_nothing(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  job of = {0}, jobs[2] = {{0}, {0}};
  start(loop, aw_call(fail_then_wait, &of));
  start(loop, aw_call(complete_job, &of));
  start(loop, aw_wait_for(&at_once, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  start(loop, aw_wait_for(&two_sources, jobs));
  start(loop, aw_then(aw_sleep(0), aw_call(complete_job, &jobs[0])));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 0);
  aw_ticket_release(jobs[1].ticket);
  empty(engine, loop);
}

static void without_descriptors_there_is_no_ticket(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  struct rlimit old, few;
  getrlimit(RLIMIT_NOFILE, &old);
  few = old;
  few.rlim_cur = 5;
  setrlimit(RLIMIT_NOFILE, &few);
  job of = {0};
  start(loop, wait_for(&of));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ENOMEM);
  CHECK(of.ticket == NULL);
  setrlimit(RLIMIT_NOFILE, &old);
  empty(engine, loop);
}

/* ---- without memory ---- */

static int run_without(int allocation) {
  job of = {0};
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, wait_for(&of));
  start(loop, aw_then(aw_sleep(0), aw_call(complete_job, &of)));
  until_failure = allocation;
  int rc = aw_loop_run(loop, AW_NEVER);
  until_failure = -1;
  if (!of.completed)
    aw_ticket_release(of.ticket);
  empty(engine, loop);
  return rc;
}

static void a_ticket_fails_without_memory(void) {
  enum { MOST = 100 };
  int k = 0;
  until_failure = -1;
  aw_set_allocator(allocate, NULL);
  while (run_without(k) == AW_ENOMEM && k < MOST)
    k++;
  aw_set_allocator(NULL, NULL);
  CHECK(k >= 2 && k < MOST); /* at least the mailbox, and the ticket */
}

/* ---- several engines, each with workers; for ThreadSanitizer ---- */

enum { CYCLES = 200, WORKERS = 2 };

typedef struct errand {
  aw_ticket *ticket;
  sem_t given;
} errand;

static int errand_arm(aw_task *task, void *data) {
  errand *own = data;
  own->ticket = aw_ticket_new(task);
  if (!own->ticket)
    return AW_ENOMEM;
  sem_post(&own->given);
  return 0;
}

static void errand_disarm(aw_task *task, void *data) {
  (void)task;
  (void)data;
}

static const aw_operation errand_wait = {.label = "errand",
                                         .arm = errand_arm,
                                         .disarm = errand_disarm,
                                         .external = true};

/* The engine may be gone already. */
static void *run_errand(void *data) {
  errand *own = data;
  sem_wait(&own->given);
  int rc = aw_ticket_complete(own->ticket, 0, 0);
  CHECK(rc == 0 || rc == AW_EENDED);
  return NULL;
}

/* In every other cycle, cancels race with the completions. */
static void live_once(int cycle) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  errand errands[WORKERS];
  pthread_t threads[WORKERS];
  for (int i = 0; i < WORKERS; i++) {
    sem_init(&errands[i].given, 0, 0);
    CHECK(pthread_create(&threads[i], NULL, run_errand, &errands[i]) == 0);
    aw_wire *wire = aw_wait_for(&errand_wait, &errands[i]);
    aw_task *task = start_task(loop, wire);
    if (cycle % 2)
      start(loop, aw_hold(aw_call(cancel, task), task,
                          (void (*)(void *))aw_task_release));
    else
      aw_task_release(task);
  }
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
  for (int i = 0; i < WORKERS; i++) {
    pthread_join(threads[i], NULL);
    sem_destroy(&errands[i].given);
  }
}

static void *live_often(void *data) {
  (void)data;
  for (int i = 0; i < CYCLES; i++)
    live_once(i);
  return NULL;
}

static void many_engines_have_many_workers(void) {
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; i++)
    CHECK(pthread_create(&threads[i], NULL, live_often, NULL) == 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

int main(void) {
  another_thread_ends_the_wait_with_a_value();
  a_code_is_the_result_of_the_wait();
  a_positive_result_is_an_error();
  virtual_time_waits_for_a_ticket();
  many_completions_wake_the_engine_once();
  each_look_lets_one_more_wake();
  a_cancel_makes_a_ticket_invalid();
  an_interrupt_makes_a_ticket_invalid();
  a_kill_makes_a_ticket_invalid();
  a_lost_race_makes_a_ticket_invalid();
  an_alarm_makes_a_ticket_invalid();
  a_later_wait_needs_a_new_ticket();
  a_sleep_needs_no_ticket();
  the_first_of_two_tickets_ends_the_wait();
  one_ticket_of_a_race_is_used();
  a_crowd_is_cancelled_at_once();
  the_value_is_kept_after_the_engine();
  a_wait_that_cannot_be_aborted_ends_by_its_ticket();
  for (host_kind kind = 0; kind < HOST_KINDS; kind++) {
    completions_make_a_turn_due(kind);
    nobody_wakes_an_engine_that_closes(kind);
  }
  other_operations_are_refused();
  a_task_that_arms_nothing_has_no_ticket();
  a_released_ticket_ends_nothing();
  without_descriptors_there_is_no_ticket();
  a_ticket_fails_without_memory();
  many_engines_have_many_workers();
  return 0;
}
