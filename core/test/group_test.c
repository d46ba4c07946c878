/* group_test.c - joins, races, timeout, retry, catch and finally, in C steps
 *
 * A mailbox is an operation that receives a value which another step puts in. A
 * look into the mailboxes after a race shows which operand has committed, and
 * that the losers took nothing.
 */
#include "check.h"

#include <math.h>

typedef struct mailbox {
  aw_value value;
  aw_task *waiter;
} mailbox;

static int box_arm(aw_task *task, void *data) {
  mailbox *box = data;
  if (!box->value) {
    CHECK(box->waiter == NULL);
    box->waiter = task;
    return 0;
  }
  aw_task_set_value(task, box->value);
  box->value = 0;
  return 1;
}

static void box_disarm(aw_task *task, void *data) {
  mailbox *box = data;
  CHECK(box->waiter == task);
  box->waiter = NULL;
}

static const aw_operation receive = {
    .label = "receive", .arm = box_arm, .disarm = box_disarm};

static aw_wire *from(mailbox *box) {
  return aw_wait_for(&receive, box);
}

/* Give 5 to the waiter of the mailbox, or put it in. */
static aw_turn put(aw_task *task, void *data) {
  (void)task;
  mailbox *box = data;
  aw_task *waiter = box->waiter;
  if (!waiter) {
    box->value = 5;
    return AW_DONE;
  }
  box->waiter = NULL;
  aw_task_set_value(waiter, 5);
  aw_wait_complete(waiter, 0);
  return AW_DONE;
}

/* Gathers values to their sum, plus 100 times the number of the winner. */
static int gather(void *host, aw_shape shape, const aw_value *values,
                  size_t count, size_t index, aw_value *out) {
  (void)host;
  *out = shape == AW_SHAPE_LIST ? 0 : index * 100;
  for (size_t i = 0; i < count; i++)
    *out += values[i];
  return 0;
}

static aw_engine *gathering_engine(void) {
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL, .gather = gather};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  return engine;
}

static aw_turn give(aw_task *task, void *value) {
  aw_task_set_value(task, (aw_value)(uintptr_t)value);
  return AW_DONE;
}

static aw_wire *gives(uintptr_t value) {
  return aw_call(give, (void *)value);
}

static aw_turn fail(aw_task *task, void *code) {
  return aw_task_fail(task, *(int *)code);
}

static int closed = AW_ECLOSED, busy = AW_EBUSY;

static aw_wire *after(unsigned seconds, aw_wire *wire) {
  return aw_then(aw_sleep(seconds * AW_SECOND), wire);
}

/* Run `wire` alone to its end. Returns its value.
 *
 *   code  receives 0 or the code of its error
 */
static aw_value value_of(aw_engine *engine, aw_wire *wire, int *code) {
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, wire);
  *code = aw_loop_run(loop, AW_NEVER);
  aw_value value = aw_task_value(task);
  aw_task_release(task);
  aw_loop_free(loop);
  return value;
}

static void gone(aw_engine *engine) {
  empty(engine, new_loop(engine));
}

static void a_join_waits_for_all(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *wire =
      aw_both(aw_both(after(2, gives(1)), gives(2)), after(1, gives(4)));
  CHECK(value_of(engine, wire, &code) == 7 && code == 0);
  CHECK(aw_engine_now(engine) == 2 * AW_SECOND);
  wire = aw_both(after(1, aw_call(fail, &closed)), after(9, says("never")));
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_ECLOSED);
  CHECK(aw_engine_now(engine) == 3 * AW_SECOND);
  CHECK_LOG("");
  gone(engine);
}

static aw_turn count_up(aw_task *task, void *data) {
  (void)task;
  int *now = data;
  if (++now[0] > now[1])
    now[1] = now[0];
  return AW_DONE;
}

static aw_turn count_down(aw_task *task, void *data) {
  (void)task;
  --*(int *)data;
  return AW_DONE;
}

static void a_join_has_a_limit(void) {
  aw_engine *engine = gathering_engine();
  int now[2] = {0, 0}, code;
  aw_wire *wires[5];
  for (size_t i = 0; i < 5; i++)
    wires[i] =
        aw_then(aw_call(count_up, now), after(1, aw_call(count_down, now)));
  (void)value_of(engine, aw_all(wires, 5, 2), &code);
  CHECK(code == 0 && now[0] == 0 && now[1] == 2);
  CHECK(aw_engine_now(engine) == 3 * AW_SECOND);
  CHECK(value_of(engine, aw_all(NULL, 0, 0), &code) == 0 && code == 0);
  gone(engine);
}

static void a_race_is_decided_by_the_first_end(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *wire = aw_either(after(2, says("late")), after(1, gives(3)));
  CHECK(value_of(engine, wire, &code) == 3 && code == 0);
  CHECK_LOG("");
  wire = aw_either(after(2, gives(1)), after(1, aw_call(fail, &busy)));
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_EBUSY);
  aw_wire *pair[2] = {after(2, gives(1)), after(1, gives(3))};
  CHECK(value_of(engine, aw_race(pair, 2), &code) == 203 && code == 0);
  gone(engine);
}

static void an_event_decides_when_it_commits(void) {
  aw_engine *engine = gathering_engine();
  aw_loop *loop = new_loop(engine);
  mailbox a = {0}, b = {0};
  aw_task *task = start_task(
      loop, aw_either(aw_either(from(&a), from(&b)), aw_sleep(9 * AW_SECOND)));
  start(loop, after(1, aw_then(aw_call(put, &b), aw_call(put, &a))));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_value(task) == 5);
  CHECK(a.value == 5); /* the loser, disarmed before the put, took nothing */
  CHECK(aw_engine_now(engine) == AW_SECOND);
  aw_task_release(task);
  empty(engine, loop);
}

static void an_event_that_is_ready_ends_the_choice_at_once(void) {
  aw_engine *engine = gathering_engine();
  mailbox ready = {5, NULL}, other = {5, NULL};
  int code;
  aw_wire *three[3] = {aw_sleep(AW_SECOND), from(&ready), from(&other)};
  CHECK(value_of(engine, aw_race(three, 3), &code) == 205 && code == 0);
  CHECK(ready.value == 0 && other.value == 5);
  CHECK(aw_engine_now(engine) == 0);
  gone(engine);
}

/* Two of three events are ready. Each of the two is taken about equally often,
 * whatever the position of the third. */
static void a_choice_is_fair_and_takes_events_only(void) {
  aw_engine *engine = gathering_engine();
  int code;
  for (int last = 0; last < 3; last++) {
    int taken[3] = {0, 0, 0};
    for (unsigned i = 0; i < 1000; i++) {
      mailbox boxes[3] = {{5, NULL}, {5, NULL}, {5, NULL}};
      boxes[last].value = 0;
      aw_wire *three[3] = {from(&boxes[0]), from(&boxes[1]), from(&boxes[2])};
      aw_value value = value_of(engine, aw_select(three, 3), &code);
      CHECK(code == 0 && value % 100 == 5);
      taken[value / 100 - 1]++;
    }
    CHECK(taken[last] == 0);
    for (int i = 0; i < 3; i++)
      CHECK(i == last || (taken[i] >= 400 && taken[i] <= 600));
  }
  aw_wire *pair[2] = {aw_sleep(0), gives(1)};
  CHECK(aw_select(pair, 2) == NULL);
  CHECK(aw_select(NULL, 0) == NULL && aw_race(NULL, 0) == NULL);
  gone(engine);
}

static void any_takes_the_first_value(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *three[3] = {aw_call(fail, &busy), after(2, gives(2)),
                       after(1, gives(1))};
  CHECK(value_of(engine, aw_any(three, 3), &code) == 1 && code == 0);
  aw_wire *pair[2] = {after(1, aw_call(fail, &busy)), aw_call(fail, &closed)};
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_any(pair, 2));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EBUSY);
  aw_error *error = aw_task_error(task);
  CHECK(aw_error_code(aw_error_suppressed(error, 0)) == AW_ECLOSED);
  CHECK(aw_error_suppressed(error, 1) == NULL);
  aw_task_release(task);
  empty(engine, loop);
}

static void what_fails_is_replaced(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *wire =
      aw_or_else(aw_or_else(aw_call(fail, &busy), gives(1)), says("x"));
  CHECK(value_of(engine, wire, &code) == 1 && code == 0);
  wire = aw_or_else(aw_call(fail, &busy), aw_call(fail, &closed));
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_ECLOSED);
  CHECK_LOG("");
  gone(engine);
}

static void a_timeout_fails_when_it_has_cut_short(void) {
  aw_engine *engine = gathering_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *limited = aw_timeout(aw_sleep(9 * AW_SECOND), AW_SECOND, AW_DEFAULT);
  aw_task *task = start_task(loop, limited);
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  const aw_wire *holder;
  uint64_t ns;
  const aw_wire *wire = aw_error_wire(aw_task_error(task), &holder, &ns);
  aw_wire_view view;
  aw_wire_look(wire, &view);
  CHECK(view.kind == AW_WIRE_SLEEP && ns == AW_SECOND && holder == NULL);
  aw_task_release(task);
  aw_loop_free(loop);
  int code;
  wire = aw_timeout(after(1, gives(4)), 2 * AW_SECOND, AW_DEFAULT);
  CHECK(value_of(engine, (aw_wire *)(uintptr_t)wire, &code) == 4);
  gone(engine);
}

static aw_turn add_one(aw_task *task, void *data) {
  (void)data;
  aw_task_set_value(task, aw_task_take_value(task) + 1);
  return AW_DONE;
}

static aw_turn code_of(aw_task *task, void *data) {
  (void)data;
  aw_error *error = aw_task_take_error(task);
  log_add("%s ", aw_error_name(aw_error_code(error)));
  aw_error_release(error);
  return AW_DONE;
}

static void a_second_part_finds_what_the_first_left(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *wire = aw_bind(gives(4), aw_call(add_one, NULL));
  CHECK(value_of(engine, wire, &code) == 5 && code == 0);
  wire = aw_bind(gives(4), says("drops it"));
  CHECK(value_of(engine, wire, &code) == 0 && code == 0);
  wire = aw_bind(gives(4), after(1, says("too")));
  CHECK(value_of(engine, wire, &code) == 0 && code == 0);
  CHECK_LOG("drops it too ");
  wire = aw_catch(aw_call(fail, &busy), aw_call(code_of, NULL));
  CHECK(value_of(engine, wire, &code) == 0 && code == 0);
  wire = aw_catch(gives(2), aw_call(code_of, NULL));
  CHECK(value_of(engine, wire, &code) == 2 && code == 0);
  CHECK_LOG("EBUSY ");
  gone(engine);
}

/* The first step of a larger wire gets it, too, and no other step. */
static void the_first_step_of_a_second_part_finds_it(void) {
  aw_engine *engine = gathering_engine();
  static const aw_retry_rule once = {.times = 1};
  static const aw_slot slot = {.size = 1};
  int code;
  for (int i = 0; i < 12; i++) {
    aw_wire *then = aw_call(add_one, NULL), *more = aw_call(add_one, NULL);
    switch (i) {
    case 0: then = aw_then(says("a"), then); break; /* dropped by "a" */
    case 1: then = aw_sequence(&then, 1); break;
    case 2: then = aw_repeat(then, 1); break;
    case 3: then = aw_timeout(then, AW_SECOND, AW_DEFAULT); break;
    case 4: then = aw_shielded(then, AW_SECOND); break;
    case 5: then = aw_bind(aw_named(aw_whole(then), "b"), more); break;
    case 6: then = aw_catch(then, says("never")); break;
    case 7: then = aw_finally(then, says("c"), AW_DEFAULT); break;
    case 8: then = aw_or_else(then, says("never")); break;
    case 9: then = aw_retry(then, &once, NULL); break;
    case 10: then = aw_with_slot(then, &slot, NULL); break;
    case 11: then = aw_both(aw_sleep(1), then); break; /* of another task */
    }
    if (i != 5)
      aw_wire_release(more);
    static const aw_value expected[] = {1, 5, 5, 5, 5, 6, 5, 5, 5, 5, 5, 1};
    aw_value value = value_of(engine, aw_bind(gives(4), then), &code);
    CHECK(i == 11 || (value == expected[i] && code == 0));
  }
  CHECK_LOG("a c ");
  aw_wire *both = aw_then(aw_call(code_of, NULL), says("d"));
  CHECK(value_of(engine, aw_catch(aw_call(fail, &busy), both), &code) == 0);
  CHECK_LOG("EBUSY d ");
  aw_wire *none[] = {aw_sequence(NULL, 0), aw_repeat(gives(3), 0)};
  for (int i = 0; i < 2; i++)
    CHECK(value_of(engine, aw_bind(gives(4), none[i]), &code) == 0);
  gone(engine);
}

static void finally_is_run_in_any_case(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *wire = aw_finally(gives(6), after(1, says("a")), AW_DEFAULT);
  CHECK(value_of(engine, wire, &code) == 6 && code == 0);
  wire = aw_finally(aw_call(fail, &busy), says("b"), AW_DEFAULT);
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_EBUSY);
  wire = aw_finally(aw_sleep(9 * AW_SECOND), after(1, says("c")), AW_DEFAULT);
  wire = aw_timeout(wire, AW_SECOND, AW_DEFAULT);
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_ETIMEOUT);
  wire = aw_finally(gives(1), aw_call(fail, &closed), AW_DEFAULT);
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_ECLOSED);
  CHECK_LOG("a b c ");
  gone(engine);
}

static aw_turn fail_some(aw_task *task, void *left) {
  log_add("try ");
  return --*(int *)left < 0 ? AW_DONE : fail(task, &busy);
}

static aw_retry_rule thrice = {.times = 3,
                               .delay = AW_SECOND,
                               .factor = 2,
                               .most = AW_NEVER,
                               .within = AW_NEVER};

static void what_fails_is_tried_again(void) {
  aw_engine *engine = gathering_engine();
  int left = 2, code;
  aw_wire *wire = aw_retry(aw_call(fail_some, &left), &thrice, NULL);
  CHECK(value_of(engine, wire, &code) == 0 && code == 0);
  CHECK_LOG("try try try ");
  CHECK(aw_engine_now(engine) == 3 * AW_SECOND); /* 1 + 2 */
  left = 9;
  aw_loop *loop = new_loop(engine);
  aw_task *task =
      start_task(loop, aw_retry(aw_call(fail_some, &left), &thrice, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EBUSY);
  CHECK(aw_error_attempts(aw_task_error(task)) == 3);
  aw_task_release(task);
  empty(engine, loop);
  log_clear();
}

static void a_rule_of_zeros_tries_at_once_and_for_ever(void) {
  aw_engine *engine = gathering_engine();
  int left = 3, code;
  aw_retry_rule rule = {.times = 4};
  aw_wire *wire = aw_retry(aw_call(fail_some, &left), &rule, NULL);
  CHECK(value_of(engine, wire, &code) == 0 && code == 0);
  CHECK_LOG("try try try try ");
  CHECK(aw_engine_now(engine) == 0);
  left = 3;
  rule.delay = AW_SECOND; /* the factor stays 1 */
  wire = aw_retry(aw_call(fail_some, &left), &rule, NULL);
  CHECK(value_of(engine, wire, &code) == 0 && code == 0);
  CHECK(aw_engine_now(engine) == 3 * AW_SECOND);
  log_clear();
  gone(engine);
}

static void a_rule_that_means_nothing_gives_nothing(void) {
  const aw_retry_rule none = {.delay = 1};
  const aw_retry_rule shrinking = {.times = 2, .factor = -1};
  const aw_retry_rule no_number = {.times = 2, .factor = (double)NAN};
  CHECK(aw_retry(aw_sleep(1), &none, aw_sleep(1)) == NULL);
  CHECK(aw_retry(aw_sleep(1), &shrinking, NULL) == NULL);
  CHECK(aw_retry(aw_sleep(1), &no_number, NULL) == NULL);
}

static void a_retry_may_be_refused_and_has_a_time(void) {
  aw_engine *engine = gathering_engine();
  int left = 9, code;
  aw_wire *wire = aw_retry(aw_call(fail_some, &left), &thrice, says("no"));
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_EBUSY);
  CHECK_LOG("try no ");
  aw_retry_rule rule = thrice;
  rule.within = AW_SECOND / 2;
  wire = aw_retry(aw_call(fail_some, &left), &rule, NULL);
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_EBUSY);
  CHECK_LOG("try ");
  wire = aw_retry(aw_sleep(AW_NEVER), &rule, NULL);
  CHECK(value_of(engine, wire, &code) == 0 && code == AW_ETIMEOUT);
  gone(engine);
}

static void a_long_try_is_the_first_again(void) {
  aw_engine *engine = gathering_engine();
  int left = 4, code;
  aw_retry_rule rule = thrice;
  rule.times = 2;
  rule.reset_after = 5 * AW_SECOND;
  aw_wire *slow = aw_then(aw_sleep(5 * AW_SECOND), aw_call(fail_some, &left));
  CHECK(value_of(engine, aw_retry(slow, &rule, NULL), &code) == 0);
  CHECK(code == 0);
  CHECK_LOG("try try try try try ");
  CHECK(aw_engine_now(engine) == (5 * 5 + 4 * 1) * AW_SECOND);
  gone(engine);
}

static aw_turn tick(aw_task *task, void *data) {
  (void)data;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  log_add("%u ", (unsigned)(aw_engine_now(engine) / AW_SECOND));
  return AW_DONE;
}

static const char *ticks(aw_engine *engine, aw_missed missed) {
  static const unsigned WORK = 5, PERIOD = 2;
  int code;
  log_clear();
  aw_wire *work = aw_then(aw_call(tick, NULL), aw_sleep(WORK * AW_SECOND));
  aw_wire *wire = aw_every(PERIOD * AW_SECOND, work, missed);
  (void)value_of(engine, aw_timeout(wire, 14 * AW_SECOND, AW_DEFAULT), &code);
  CHECK(code == AW_ETIMEOUT);
  return logged;
}

static void ticks_keep_their_grid(void) {
  aw_engine *engine = gathering_engine();
  int code;
  aw_wire *wire = aw_every(2 * AW_SECOND, aw_call(tick, NULL), AW_MISSED_SKIP);
  (void)value_of(engine, aw_timeout(wire, 5 * AW_SECOND, AW_DEFAULT), &code);
  CHECK_LOG("0 2 4 ");
  CHECK(strcmp(ticks(engine, AW_MISSED_SKIP), "5 11 17 ") == 0);
  CHECK(strcmp(ticks(engine, AW_MISSED_BURST), "19 24 29 ") == 0);
  CHECK(strcmp(ticks(engine, AW_MISSED_DELAY), "33 38 43 ") == 0);
  log_clear();
  CHECK(aw_every(0, says("x"), AW_MISSED_SKIP) == NULL);
  gone(engine);
}

static void what_lacks_an_operand_is_nothing(void) {
  CHECK(aw_both(NULL, aw_sleep(1)) == NULL);
  CHECK(aw_bind(aw_sleep(1), NULL) == NULL);
  CHECK(aw_catch(NULL, aw_sleep(1)) == NULL);
  CHECK(aw_retry(NULL, &thrice, aw_sleep(1)) == NULL);
  CHECK(aw_timeout(NULL, 1, 1) == NULL);
  aw_wire *pair[2] = {aw_sleep(1), NULL};
  CHECK(aw_all(pair, 2, 0) == NULL);
}

int main(void) {
  a_join_waits_for_all();
  a_join_has_a_limit();
  a_race_is_decided_by_the_first_end();
  an_event_decides_when_it_commits();
  an_event_that_is_ready_ends_the_choice_at_once();
  a_choice_is_fair_and_takes_events_only();
  any_takes_the_first_value();
  what_fails_is_replaced();
  a_timeout_fails_when_it_has_cut_short();
  a_second_part_finds_what_the_first_left();
  the_first_step_of_a_second_part_finds_it();
  finally_is_run_in_any_case();
  what_fails_is_tried_again();
  a_rule_of_zeros_tries_at_once_and_for_ever();
  a_rule_that_means_nothing_gives_nothing();
  a_retry_may_be_refused_and_has_a_time();
  a_long_try_is_the_first_again();
  ticks_keep_their_grid();
  what_lacks_an_operand_is_nothing();
  return 0;
}
