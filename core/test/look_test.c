/* look_test.c - what a program can learn of engines, wires, tasks and errors
 *
 * For each function that no other test calls: what it returns of an object in
 * two states at least.
 */
#include "dropping.h"

static int released;

static void count_release(void *data) {
  (void)data;
  released++;
}

static bool is(const char *text, const char *expected) {
  return text && strcmp(text, expected) == 0;
}

/* ---- wires ---- */

static void bytes_are_those_of_the_last_reference(void) {
  aw_wire *wire = aw_sleep(1);
  size_t bytes = aw_wire_bytes(wire);
  CHECK(bytes > 0);
  aw_wire *two = aw_wire_keep(wire);
  CHECK(aw_wire_bytes(wire) == 0);
  aw_wire_release(two);
  CHECK(aw_wire_bytes(wire) == bytes);
  wire = aw_named(wire, "name");
  CHECK(aw_wire_bytes(wire) > bytes);
  aw_wire_release(wire);
}

static void an_event_has_one_commit(void) {
  aw_wire *wire = aw_sleep(1);
  CHECK(aw_wire_is_event(wire));
  wire = aw_named(wire, "still");
  CHECK(aw_wire_is_event(wire));
  wire = aw_then(wire, aw_sleep(2));
  CHECK(!aw_wire_is_event(wire));
  aw_wire_release(wire);
}

/* ---- engines ---- */

static void an_engine_shows_its_configuration(void) {
  int here, there;
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .seed = 9, .host = &here, .deadlocks = true};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  CHECK(aw_engine_config_of(engine)->seed == 9);
  CHECK(aw_engine_config_of(engine)->host == &here);
  aw_engine_set_host(engine, &there);
  CHECK(aw_engine_config_of(engine)->host == &there);
  CHECK(!aw_engine_driven(engine));
  CHECK(aw_current(engine) == NULL);
  empty(engine, NULL);
}

static int closed, ended;

static void close_it(aw_closer *closer) {
  (void)closer;
  closed++;
}

static void close_other(aw_closer *closer) {
  close_it(closer);
}

static void note_end(aw_closer *closer, aw_loop *loop) {
  (void)closer;
  CHECK(aw_loop_state_of(loop) == AW_LOOP_IDLE);
  ended++;
}

static void a_closer_is_found_and_called_once(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_closer closer = {.close = close_it, .ended = note_end};
  CHECK(aw_engine_find_closer(engine, close_it) == NULL);
  aw_engine_add_closer(engine, &closer);
  aw_engine_add_closer(engine, &closer); /* again: nothing */
  CHECK(aw_engine_find_closer(engine, close_it) == &closer);
  CHECK(aw_engine_find_closer(engine, close_other) == NULL);
  start(loop, aw_sleep(1));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(ended == 1 && closed == 0);
  empty(engine, loop);
  CHECK(closed == 1);
}

static void a_tick_applies_deadlines_only(void) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  CHECK(aw_engine_tick(engine) == AW_NEVER);
  aw_task *task = start_task(loop, aw_host_call(NULL, NULL, "host"));
  start(loop, aw_sleep(AW_SECOND / 1000));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_CALL);
  CHECK(aw_step_is_of(task, NULL) || !aw_step_is_of(task, count_release));
  while (aw_engine_tick(engine) != AW_NEVER)
    ;
  aw_step_done(task, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  aw_task_release(task);
  empty(engine, loop);
  engine = virtual_engine();
  CHECK(aw_engine_tick(engine) == AW_NEVER);
  empty(engine, NULL);
}

static void the_host_is_woken_at_a_time(void) {
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_sleep(AW_SECOND / 50));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_engine_wake_at(engine, 1); /* long ago */
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_WOKEN);
  aw_engine_wake_at(engine, 1);
  aw_engine_wake_at(engine, AW_NEVER); /* not at all */
  CHECK(aw_next(engine, loop, &step) == 0);
  empty(engine, loop);
}

static bool ends_this(void *data, const aw_loop *loop) {
  return loop == data;
}

static void answer_end(void *data, const aw_step *step) {
  (void)data;
  CHECK(step->what == AW_STEP_CALL);
  aw_step_cancelled(step->task);
}

static void a_host_ends_its_loops_at_once(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine), *other = new_loop(engine);
  start(loop, aw_then(aw_sleep(1), aw_host_call(NULL, NULL, "never")));
  start(other, aw_sleep(9));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_loop_begin(other, AW_NEVER) == 0);
  aw_loop_end how = {.data = loop, .ends = ends_this, .run = answer_end};
  CHECK(aw_engine_end_loops(engine, &how) == 0);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_STOPPED);
  CHECK(aw_loop_state_of(other) == AW_LOOP_RUNNING);
  CHECK(aw_engine_now(engine) == 0);
  CHECK(aw_loop_free(loop) == 0);
  aw_step step;
  CHECK(aw_next(engine, other, &step) == 0);
  empty(engine, other);
}

/* ---- tasks ---- */

static aw_turn look_around(aw_task *task, void *data) {
  (void)data;
  CHECK(!aw_task_background(task));
  CHECK(!aw_task_overdue(task) && !aw_task_cancelled(task));
  CHECK(aw_task_parent(task) == NULL);
  CHECK(aw_task_whole(task) == task);
  CHECK(aw_task_started(task) == 0);
  CHECK(aw_current(aw_loop_engine(aw_task_loop(task))) == task);
  CHECK(is(aw_wire_name(aw_task_innermost(task)), "look"));
  return AW_DONE;
}

static aw_turn look_in_operand(aw_task *task, void *whole) {
  CHECK(aw_task_whole(task) == *(aw_task **)whole);
  CHECK(aw_task_parent(task) == *(aw_task **)whole);
  CHECK(is(aw_task_where(task), "here:1"));
  CHECK(aw_task_background(task));
  return AW_DONE;
}

static void a_task_knows_its_place(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task =
      start_task(loop, aw_named(aw_call(look_around, NULL), "look"));
  aw_task_config config = {.where = "here:1", .background = true};
  aw_task *whole;
  aw_wire *wire = aw_both(aw_call(look_in_operand, &whole), aw_sleep(1));
  CHECK(aw_loop_start(loop, wire, &config, &whole) == 0);
  start(loop, aw_sleep(2));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task *again = aw_task_keep(task);
  CHECK(again == task && aw_task_loop(task) == NULL);
  aw_task_release(again);
  CHECK(aw_task_state_of(task) == AW_TASK_DONE);
  CHECK(aw_task_parent(task) == NULL && aw_task_innermost(task) == NULL);
  CHECK(aw_task_deadline(task) == AW_NEVER);
  aw_task_release(task);
  CHECK(is(aw_task_where(whole), "here:1"));
  aw_task_release(whole);
  empty(engine, loop);
}

static void the_end_of_a_watched_task_wakes_the_host(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_sleep(1));
  start(loop, aw_sleep(2));
  aw_task_watch(task);
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_WOKEN);
  CHECK(aw_task_state_of(task) == AW_TASK_DONE);
  CHECK(aw_next(engine, loop, &step) == 0);
  aw_task_release(task);
  empty(engine, loop);
}

static void a_handler_is_replaced_if_there_is_one(void) {
  aw_engine *engine = dropping_engine();
  aw_loop *loop = new_loop(engine);
  aw_task_config config = {.handler = 1};
  aw_task *with, *without = start_task(loop, aw_sleep(1));
  CHECK(aw_loop_start(loop, aw_sleep(1), &config, &with) == 0);
  aw_task_set_handler(without, 20);
  CHECK(dropped == 20 && aw_task_handler(without) == 0);
  aw_task_set_handler(with, 300);
  CHECK(dropped == 21 && aw_task_handler(with) == 300);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(dropped == 321);
  aw_task_set_handler(with, 4000); /* it has ended */
  CHECK(dropped == 4321);
  aw_task_release(with);
  aw_task_release(without);
  empty(engine, loop);
}

static aw_turn follow(aw_task *task, void *inner) {
  aw_loop_follow(inner, task); /* it is not cancelled: nothing */
  CHECK(aw_loop_state_of(inner) == AW_LOOP_RUNNING);
  aw_task_cancel(task, 0, AW_DEFAULT);
  aw_loop_follow(inner, task);
  return AW_FAIL;
}

static void a_loop_follows_a_cancelled_task(void) {
  aw_engine *engine = virtual_engine(), *other = virtual_engine();
  aw_loop *loop = new_loop(engine), *inner = new_loop(other);
  start(inner, aw_sleep(AW_SECOND));
  CHECK(aw_loop_begin(inner, AW_NEVER) == 0);
  start(loop, aw_call(follow, inner));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_step step;
  CHECK(aw_next(other, inner, &step) == 0);
  CHECK(aw_loop_state_of(inner) == AW_LOOP_STOPPED);
  CHECK(aw_engine_now(other) == 0);
  empty(other, inner);
  empty(engine, loop);
}

static aw_turn fail_in_clean_up(aw_task *task, void *data) {
  (void)data;
  aw_task_set_error(
      task, aw_error_new(aw_loop_engine(aw_task_loop(task)), AW_EBUSY, 0));
  return AW_FAIL;
}

static aw_turn look_at_held(aw_task *task, void *data) {
  int *code = data;
  const aw_error *held = aw_task_held_error(task);
  *code = held ? aw_error_code(held) : 0;
  return AW_DONE;
}

static void clean_up_holds_an_error_back(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  int code = 1;
  start(loop, aw_finally(says("a"), aw_call(look_at_held, &code), AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(code == 0);
  start(loop, aw_finally(aw_call(fail_in_clean_up, NULL),
                         aw_call(look_at_held, &code), AW_DEFAULT));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EBUSY);
  CHECK(code == AW_EBUSY);
  log_clear();
  empty(engine, loop);
}

static void an_error_without_a_cancel_is_not_late(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_call(fail_in_clean_up, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EBUSY);
  CHECK(!aw_task_failed_late(task, aw_task_error(task)));
  aw_task_release(task);
  empty(engine, loop);
}

/* ---- scopes and cuts ---- */

static aw_turn open_labelled(aw_task *task, void *data) {
  (void)data;
  aw_scope_config config = {
      .deadline = AW_NEVER, .grace = AW_DEFAULT, .shield = true};
  aw_scope *scope;
  aw_scope_end end;
  CHECK(aw_scope_open(task, &config, &scope) == 0);
  CHECK(is(aw_scope_label(scope), "shield"));
  CHECK(aw_scope_shields(scope) && !aw_scope_overdue(scope));
  aw_scope_cancel(scope, 0, 0);
  CHECK(aw_scope_overdue(scope) && aw_scope_cancelled(scope));
  CHECK(aw_task_cut_outside(task, "text") == NULL); /* no time-out */
  CHECK(aw_scope_leave(task, NULL, false) == 0);
  CHECK(aw_scope_close(task, &end) == 0);
  CHECK(end.cancelled && !end.timed_out);
  return AW_DONE;
}

static void a_scope_has_a_label_and_a_level(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  CHECK(is(aw_scope_label(aw_loop_scope(loop)), "scope"));
  CHECK(!aw_scope_overdue(aw_loop_scope(loop)));
  start(loop, aw_call(open_labelled, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  empty(engine, loop);
}

/* ---- errors ---- */

static void an_error_says_what_it_is_about(void) {
  aw_engine *engine = dropping_engine();
  aw_error *error = aw_error_new(engine, AW_EHOST, 0);
  CHECK(aw_error_call(error) == NULL && aw_error_fd(error) == -1);
  aw_error_set_about(error, "read", 5);
  CHECK(is(aw_error_call(error), "read") && aw_error_fd(error) == 5);
  char subject[] = "file";
  aw_error_set_subject(error, subject);
  subject[0] = 'x';
  CHECK(is(aw_error_subject(error), "file"));
  aw_error_set_value(error, 7);
  aw_error_set_value(error, 8); /* it has one */
  CHECK(aw_error_value(error) == 7 && dropped == 8);
  CHECK(aw_error_cut(error) == NULL && aw_error_attempts(error) == 0);
  aw_error_release(error);
  CHECK(dropped == 15);
  empty(engine, NULL);
}

static void suppressed_errors_come_in_their_order(void) {
  aw_engine *engine = dropping_engine();
  aw_error *error = aw_error_new(engine, AW_EHOST, 0);
  const int codes[] = {AW_EBUSY, AW_EAGAIN, AW_ECLOSED};
  for (size_t i = 0; i < 3; i++)
    aw_error_suppress(error, aw_error_new(engine, codes[i], 0));
  const void *at = NULL;
  for (size_t i = 0; i < 3; i++) {
    CHECK(aw_error_code(aw_error_next_suppressed(error, &at)) == codes[i]);
    CHECK(aw_error_code(aw_error_suppressed(error, i)) == codes[i]);
  }
  CHECK(aw_error_next_suppressed(error, &at) == NULL);
  CHECK(aw_error_suppressed(error, 3) == NULL);
  aw_error_release(error);
  empty(engine, NULL);
}

/* ---- memory ---- */

static void memory_is_zeroed_and_aligned(void) {
  unsigned char *memory = aw_allocate(100);
  CHECK(memory != NULL && (uintptr_t)memory % _Alignof(max_align_t) == 0);
  for (int i = 0; i < 100; i++)
    CHECK(memory[i] == 0);
  memory[99] = 7;
  memory = aw_reallocate(memory, 1000);
  CHECK(memory != NULL && memory[99] == 7);
  aw_free(memory);
  memory = aw_reallocate(NULL, 10);
  CHECK(memory != NULL && aw_reallocate(memory, 0) == NULL);
}

int main(void) {
  bytes_are_those_of_the_last_reference();
  an_event_has_one_commit();
  an_engine_shows_its_configuration();
  a_closer_is_found_and_called_once();
  a_tick_applies_deadlines_only();
  the_host_is_woken_at_a_time();
  a_host_ends_its_loops_at_once();
  a_task_knows_its_place();
  the_end_of_a_watched_task_wakes_the_host();
  a_handler_is_replaced_if_there_is_one();
  a_loop_follows_a_cancelled_task();
  clean_up_holds_an_error_back();
  an_error_without_a_cancel_is_not_late();
  a_scope_has_a_label_and_a_level();
  an_error_says_what_it_is_about();
  suppressed_errors_come_in_their_order();
  memory_is_zeroed_and_aligned();
  return 0;
}
