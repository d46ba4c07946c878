/* sweep_test.c - memory runs out in every constructor, object and source
 *
 * See sweep.h. memory_test.c has the scenarios of loops, tasks and scopes.
 */
#include "sweep.h"

#include <unistd.h>

/* What a scenario that fails in a known way ends with. */
static int expect(int rc, int code) {
  return rc == code ? 0 : rc;
}

static int run_wire(aw_loop *loop, aw_wire *wire) {
  int rc = aw_loop_start(loop, wire, NULL, NULL);
  return rc < 0 ? rc : aw_loop_run(loop, AW_NEVER);
}

static aw_turn done(aw_task *task, void *data) {
  (void)task, (void)data;
  return AW_DONE;
}

static aw_turn fails(aw_task *task, void *data) {
  (void)data;
  return aw_task_fail(task, AW_EBUSY);
}

static aw_wire *ok(void) {
  return aw_call(done, NULL);
}

static aw_wire *bad(void) {
  return aw_call(fails, NULL);
}

static void nothing(void *data) {
  (void)data;
}

/* ---- combinators ---- */

static int joins(aw_loop *loop) {
  aw_wire *three[] = {aw_sleep(3), ok(), aw_both(aw_sleep(1), aw_sleep(2))};
  return run_wire(loop, aw_all(three, 3, 2));
}

static int races(aw_loop *loop) {
  aw_wire *three[] = {aw_sleep(3), aw_either(aw_sleep(1), aw_sleep(2)),
                      aw_sleep(4)};
  return run_wire(loop, aw_race(three, 3));
}

static int selects(aw_loop *loop) {
  aw_wire *two[] = {aw_sleep(3), aw_named(aw_sleep(2), "named")};
  return run_wire(loop, aw_select(two, 2));
}

/* If memory runs out in one operand, the last error may be that of another. */
static int anys(aw_loop *loop) {
  aw_wire *three[] = {bad(), aw_then(aw_sleep(1), bad()), aw_sleep(2)};
  int rc = run_wire(loop, aw_any(three, 3));
  return rc == AW_EBUSY && memory.failures > 0 ? AW_ENOMEM : rc;
}

static int any_fails(aw_loop *loop) {
  aw_wire *three[] = {bad(), aw_then(aw_sleep(1), bad()), bad()};
  return expect(run_wire(loop, aw_any(three, 3)), AW_EBUSY);
}

static int alternatives(aw_loop *loop) {
  return run_wire(loop, aw_or_else(aw_or_else(bad(), bad()), aw_sleep(1)));
}

static int binds_and_catches(aw_loop *loop) {
  aw_wire *wire = aw_bind(aw_sleep(1), aw_then(ok(), aw_sleep(1)));
  return run_wire(loop, aw_catch(aw_then(wire, bad()), aw_sleep(1)));
}

static int cleans_up(aw_loop *loop) {
  aw_wire *wire = aw_finally(aw_sleep(1), aw_sleep(1), 100);
  wire = aw_finally(aw_then(wire, bad()), ok(), AW_DEFAULT);
  return expect(run_wire(loop, wire), AW_EBUSY);
}

static int retries(aw_loop *loop) {
  aw_retry_rule rule = {.times = 3, .delay = 1, .within = 100, .jitter = true};
  return expect(run_wire(loop, aw_retry(bad(), &rule, NULL)), AW_EBUSY);
}

static int retries_if(aw_loop *loop) {
  aw_retry_rule rule = {.times = 3};
  return expect(run_wire(loop, aw_retry(bad(), &rule, ok())), AW_EBUSY);
}

static int ticks(aw_loop *loop) {
  aw_wire *wire = aw_timeout(aw_every(2, ok(), AW_MISSED_SKIP), 9, 3);
  return expect(run_wire(loop, wire), AW_ETIMEOUT);
}

static int times_out(aw_loop *loop) {
  aw_wire *wire = aw_timeout(aw_shielded(aw_sleep(9), 3), 2, 2);
  return expect(run_wire(loop, aw_hold(wire, loop, nothing)), AW_ETIMEOUT);
}

static int extends(aw_loop *loop) {
  aw_wire *wire = aw_then(ok(), ok());
  for (int i = 0; i < 40; i++)
    wire = aw_then(wire, ok());
  aw_wire *same = wire ? aw_wire_keep(wire) : NULL;
  wire = aw_then(wire, aw_sleep(1));
  return run_wire(loop, aw_then(aw_then(same, ok()), wire));
}

/* ---- objects ---- */

static int sends_and_receives(aw_loop *loop) {
  aw_channel *channel;
  aw_channel_config config = {.capacity = 3, .name = "c", .end = 1};
  int rc = aw_channel_new(&config, &channel);
  if (rc < 0)
    return rc;
  rc = aw_loop_start(loop, aw_repeat(aw_recv(channel), 9), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_repeat(aw_send(channel, 7), 9));
  aw_channel_close(channel);
  aw_channel_release(channel);
  return rc;
}

static int meets(aw_loop *loop) {
  aw_channel *channel;
  int rc = aw_channel_new(NULL, &channel);
  if (rc < 0)
    return rc;
  rc =
      aw_loop_start(loop, aw_either(aw_recv(channel), aw_sleep(9)), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_both(aw_send(channel, 7), aw_sleep(1)));
  aw_channel_release(channel);
  return rc;
}

static int takes_all(aw_loop *loop) {
  aw_channel *channel;
  aw_channel_config config = {.capacity = SIZE_MAX};
  int rc = aw_channel_new(&config, &channel);
  if (rc < 0)
    return rc;
  for (aw_value v = 1; rc == 0 && v < 20; v++)
    rc = aw_channel_try_send(channel, v);
  if (rc == 0)
    rc = run_wire(loop, aw_recv(channel));
  aw_channel_release(channel);
  return rc;
}

static int sets_an_event(aw_loop *loop) {
  aw_event *event;
  int rc = aw_event_new("e", &event);
  if (rc < 0)
    return rc;
  rc = aw_loop_start(loop, aw_timeout(aw_when_set(event), 5, 1), NULL, NULL);
  aw_event_set(event);
  if (rc == 0)
    rc = run_wire(loop, aw_when_set(event));
  aw_event_release(event);
  return rc;
}

static int has_permits(aw_loop *loop) {
  aw_semaphore *semaphore;
  int rc = aw_semaphore_new(1, 2, "s", &semaphore);
  if (rc < 0)
    return rc;
  rc = aw_loop_start(loop, aw_acquire(semaphore), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_timeout(aw_acquire(semaphore), 5, 1));
  aw_semaphore_release(semaphore);
  return expect(rc, AW_ETIMEOUT);
}

static int has_a_rate(aw_loop *loop) {
  aw_rate *rate;
  int rc = aw_rate_new(2, 10, "r", &rate);
  if (rc < 0)
    return rc;
  rc = aw_loop_start(loop, aw_repeat(aw_acquire_rate(rate, 1), 9), NULL, NULL);
  if (rc == 0)
    rc = run_wire(loop, aw_repeat(aw_acquire_rate(rate, 2), 3));
  aw_rate_release(rate);
  return rc;
}

/* ---- sources ---- */

static aw_keeper keeper;

static int arm_kept(aw_task *task, void *data) {
  return aw_ready_arm_kept(task, *(int *)data, AW_READABLE, &keeper);
}

static void disarm_kept(aw_task *task, void *data) {
  aw_ready_disarm(task, *(int *)data);
}

static const aw_operation kept = {
    .label = "kept", .arm = arm_kept, .disarm = disarm_kept, .external = true};

static int waits_for_descriptors(aw_loop *loop) {
  int ends[2];
  CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
  aw_wire *wire = aw_both(aw_readable(ends[0]), aw_writable(ends[1]));
  int rc = run_wire(loop, aw_then(wire, aw_wait_for(&kept, &ends[0])));
  aw_ready_done(&keeper);
  aw_poller_forget(aw_loop_engine(loop), ends[0]);
  close(ends[0]);
  close(ends[1]);
  return rc;
}

static int arm_ticket(aw_task *task, void *data) {
  (void)data;
  aw_ticket *ticket = aw_ticket_new(task);
  if (!ticket)
    return AW_ENOMEM;
  return aw_ticket_complete(ticket, 0, 0);
}

static void disarm_nothing(aw_task *task, void *data) {
  (void)task, (void)data;
}

static const aw_operation ticketed = {.label = "ticket",
                                      .arm = arm_ticket,
                                      .disarm = disarm_nothing,
                                      .external = true};

static int completes_tickets(aw_loop *loop) {
  return run_wire(loop, aw_repeat(aw_wait_for(&ticketed, NULL), 3));
}

/* ---- slots, instruments, errors ---- */

static const aw_slot visits = {.size = 32};

static aw_turn visit(aw_task *task, void *data) {
  (void)data;
  CHECK(aw_task_slot(task, &visits) != NULL);
  return AW_DONE;
}

static int uses_slots(aw_loop *loop) {
  aw_wire *wire = aw_then(aw_call(visit, NULL), aw_sleep(1));
  return run_wire(loop, aw_repeat(aw_with_slot(wire, &visits, NULL), 3));
}

static int is_instrumented(aw_loop *loop) {
  aw_engine *engine = aw_loop_engine(loop);
  aw_instrument instrument = {.size = sizeof instrument};
  int rc = aw_engine_instrument(engine, &instrument);
  if (rc == 0)
    rc = run_wire(loop, aw_both(aw_sleep(1), aw_then(ok(), aw_sleep(2))));
  aw_engine_instrument(engine, NULL);
  return rc;
}

static aw_turn fails_at_length(aw_task *task, void *data) {
  (void)data;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  aw_error *error = aw_error_new(engine, AW_EBUSY, 0);
  aw_error_set_subject(error, "a subject");
  aw_error_suppress(error, aw_error_new(engine, AW_ECLOSED, 0));
  int rc = aw_task_set_locals(task, 5);
  aw_task_set_error(task, error);
  return rc < 0 ? aw_task_fail(task, rc) : AW_FAIL;
}

static int describes_an_error(aw_loop *loop) {
  aw_task_config config = {.name = "task", .where = "here:1", .locals = 3};
  int rc = aw_loop_start(loop, aw_call(fails_at_length, NULL), &config, NULL);
  if (rc == 0)
    rc = aw_loop_run(loop, AW_NEVER);
  return expect(rc, AW_EBUSY);
}

static int is_woken(aw_loop *loop) {
  int rc = aw_engine_wakeable(aw_loop_engine(loop));
  if (rc < 0)
    return rc;
  aw_engine_wake(aw_loop_engine(loop));
  return run_wire(loop, aw_sleep(1));
}

static const scenario all[] = {
    {"joins", joins},
    {"races", races},
    {"selects", selects},
    {"anys", anys},
    {"any fails", any_fails},
    {"alternatives", alternatives},
    {"binds and catches", binds_and_catches},
    {"cleans up", cleans_up},
    {"retries", retries},
    {"retries if", retries_if},
    {"ticks", ticks},
    {"times out", times_out},
    {"extends", extends},
    {"sends and receives", sends_and_receives},
    {"meets", meets},
    {"takes all", takes_all},
    {"sets an event", sets_an_event},
    {"has permits", has_permits},
    {"has a rate", has_a_rate},
    {"waits for descriptors", waits_for_descriptors},
    {"completes tickets", completes_tickets},
    {"uses slots", uses_slots},
    {"is instrumented", is_instrumented},
    {"describes an error", describes_an_error},
    {"is woken", is_woken},
};

int main(void) {
  sweep_all(all, sizeof all / sizeof *all);
  return 0;
}
