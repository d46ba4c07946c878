/* task_test.c - tasks, scopes, cancel, shields, graces and kills, in C steps
 *
 * A step with several waits is a state machine; its data holds the state
 * (`at`).
 */
#include "check.h"

static unsigned now_in(aw_task *task) {
  aw_engine *engine = aw_task_engine(task);
  return (unsigned)(aw_engine_now(engine) / AW_SECOND);
}

/* ---- values, errors, chains ---- */

static aw_turn give_seven(aw_task *task, void *data) {
  (void)data;
  aw_task_set_value(task, 1);
  aw_task_set_value(task, 7); /* replaces the first */
  return AW_DONE;
}

static aw_turn fail_with(aw_task *task, void *code) {
  aw_task_set_value(task, 1); /* dropped */
  return aw_task_fail(task, *(int *)code);
}

static int some_code = AW_ECLOSED;

static aw_wire *fails(void) {
  return aw_call(fail_with, &some_code);
}

static void a_task_ends_with_the_value_of_its_last_wire(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task =
      start_task(loop, aw_then(aw_sleep(AW_SECOND), aw_call(give_seven, NULL)));
  CHECK(aw_task_state_of(task) == AW_TASK_READY);
  CHECK(aw_task_value(task) == 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_DONE && aw_task_value(task) == 7);
  CHECK(aw_engine_now(engine) == AW_SECOND);
  aw_task_release(task);
  empty(engine, loop);
}

static void a_step_fails_with_a_code(void) {
  const struct {
    int code, seen;
  } cases[] = {{AW_ECLOSED, AW_ECLOSED},
               {-2, -2},
               {0, AW_EINVAL},
               {5, AW_EINVAL},
               {AW_ECANCELED, AW_ESTRAY}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    aw_engine *engine = virtual_engine();
    aw_loop *loop = new_loop(engine);
    int code = cases[i].code;
    start(loop, aw_call(fail_with, &code));
    CHECK(aw_loop_run(loop, AW_NEVER) == cases[i].seen);
    empty(engine, loop);
  }
}

static void an_error_without_a_handler_fails_the_loop(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *other = start_task(loop, aw_sleep(AW_NEVER));
  aw_task *task = start_task(loop, aw_then(fails(), says("never")));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ECLOSED);
  CHECK_LOG("");
  CHECK(aw_task_state_of(task) == AW_TASK_FAILED);
  CHECK(aw_error_code(aw_task_error(task)) == AW_ECLOSED);
  CHECK(aw_task_state_of(other) == AW_TASK_CANCELLED);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_FAILED);
  CHECK(aw_loop_error(loop) == aw_task_error(task));
  CHECK(aw_loop_start(loop, aw_sleep(1), NULL, NULL) == AW_EENDED);
  aw_task_release(other);
  aw_task_release(task);
  empty(engine, loop);
}

/* Return the same wire again until `*left` steps have run. */
static aw_turn hop(aw_task *task, void *left) {
  if (--*(int *)left == 0)
    return AW_DONE;
  aw_task_set_next(task, aw_named(aw_call(hop, left), "hop"));
  return AW_NEXT;
}

static void a_chain_takes_no_memory(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  int left = 100000;
  aw_task *task = start_task(loop, aw_named(aw_call(hop, &left), "hop"));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(left == 0 && aw_task_steps(task) == 100000);
  uint32_t times;
  CHECK(strcmp(aw_task_chain(task, 0, &times), "hop") == 0);
  CHECK(times == 99999 && aw_task_chain(task, 1, &times) == NULL);
  aw_task_release(task);
  empty(engine, loop);
}

static aw_turn become_nothing(aw_task *task, void *data) {
  (void)data;
  aw_task_set_next(task, NULL); /* the constructor was out of memory */
  return AW_NEXT;
}

static aw_turn wait_for_nothing(aw_task *task, void *data) {
  (void)task, (void)data;
  return AW_WAIT;
}

static void misuse_of_a_step_is_an_error_of_its_task(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_call(become_nothing, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ENOMEM);
  aw_loop_free(loop);
  loop = new_loop(engine);
  start(loop, aw_call(wait_for_nothing, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EINVAL);
  empty(engine, loop);
}

/* Return a wire. It is spun off, unless this is the last element [O1, O2]. */
static aw_turn spin(aw_task *task, void *name) {
  aw_task_set_next(task, aw_then(aw_sleep(AW_SECOND), says(name)));
  return AW_NEXT;
}

static void returned_wires_are_spun_off_but_for_the_last(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *wire = aw_call(spin, (void *)(uintptr_t) "spun");
  start(loop, aw_then(aw_repeat(wire, 2), says("after")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("after spun spun ");
  wire = aw_call(spin, (void *)(uintptr_t) "whole");
  start(loop, aw_then(aw_whole(wire), says("after")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("whole after ");
  empty(engine, loop);
}

static void repetitions_multiply(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *twice = aw_repeat(aw_then(says("a"), aw_sleep(1)), 2);
  start(loop, aw_then(aw_repeat(twice, 3), says("end")));
  start(loop, aw_repeat(says("not"), 0));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a a a a a a end ");
  CHECK(aw_engine_now(engine) == 6);
  empty(engine, loop);
}

/* ---- cancel ---- */

/* The data of a step that sleeps for ever; when cancelled, it logs that, and
 * cleans up for 1 s in a shield. */
typedef struct sleeper {
  int at;
  const char *name;
  bool stubborn; /* waits again after each cancel */
  aw_scope *shield;
} sleeper;

static aw_turn sleep_step(aw_task *task, void *data) {
  sleeper *s = data;
  aw_scope_config shield = {
      .deadline = AW_NEVER, .grace = AW_DEFAULT, .shield = true};
  aw_scope_end end;
  switch (s->at++) {
  case 0: CHECK(aw_await_sleep(task, AW_NEVER) == 0); return AW_WAIT;
  case 1:
    CHECK(aw_task_result(task) == AW_ECANCELED && aw_task_cancelled(task));
    log_add("%s:%u ", s->name, now_in(task));
    if (s->stubborn) {
      s->at = 1;
      CHECK(aw_await_sleep(task, AW_NEVER) == 0);
      return AW_WAIT;
    }
    CHECK(aw_scope_open(task, &shield, &s->shield) == 0);
    CHECK(!aw_task_cancelled(task));
    CHECK(aw_await_sleep(task, AW_SECOND) == 0);
    return AW_WAIT;
  default:
    log_add("%s:%s%u ", s->name, aw_task_result(task) ? "cut" : "clean",
            now_in(task));
    CHECK(aw_scope_leave(task, NULL, false) == 0);
    aw_scope_close(task, &end);
    return AW_FAIL;
  }
}

static void a_cancel_is_given_once_and_a_shield_hides_it(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "a"}, b = {.name = "b"};
  aw_task *first = start_task(loop, aw_call(sleep_step, &a));
  start(loop, aw_call(sleep_step, &b));
  CHECK(aw_loop_run(loop, 3 * AW_SECOND) == 0);
  CHECK(aw_loop_state_of(loop) == AW_LOOP_TIMEOUT);
  CHECK_LOG("a:3 b:3 a:clean4 b:clean4 "); /* in order of creation [C3] */
  CHECK(aw_task_state_of(first) == AW_TASK_CANCELLED);
  aw_task_cancel(first, 0, 0); /* nothing happens to a terminal task */
  aw_task_release(first);
  empty(engine, loop);
}

static void a_grace_ends_shields(void) {
  aw_engine *engine = virtual_engine();
  aw_loop_config config = {.grace = AW_SECOND / 2};
  aw_loop *loop;
  CHECK(aw_loop_new(engine, &config, &loop) == 0);
  sleeper a = {.name = "a"};
  start(loop, aw_call(sleep_step, &a));
  CHECK(aw_loop_run(loop, 3 * AW_SECOND) == 0);
  CHECK_LOG("a:3 a:cut3 ");
  CHECK(aw_engine_now(engine) == 3 * AW_SECOND + AW_SECOND / 2);
  empty(engine, loop);
}

static void the_stubborn_are_killed(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "", .stubborn = true};
  aw_task *task = start_task(loop, aw_call(sleep_step, &a));
  CHECK(aw_loop_run(loop, AW_SECOND) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  CHECK(aw_engine_now(engine) == AW_SECOND); /* after 1,000 cancels [C9] */
  aw_task_release(task);
  empty(engine, loop);
}

static void a_started_wire_runs_to_its_first_wait(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "a"};
  aw_task *task = start_task(loop, aw_call(sleep_step, &a));
  aw_task *plain = start_task(loop, aw_then(says("said"), says("never")));
  aw_task_cancel(task, 0, AW_DEFAULT);
  aw_task_cancel(task, 0, AW_DEFAULT);
  aw_task_cancel(plain, 0, AW_DEFAULT);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("said a:0 a:clean1 ");
  CHECK(aw_loop_state_of(loop) == AW_LOOP_IDLE);
  aw_task_release(task);
  aw_task_release(plain);
  empty(engine, loop);
}

static void a_shielded_wire_outlives_a_cancel(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *inside = aw_then(aw_sleep(2 * AW_SECOND), says("inside"));
  aw_task *task = start_task(
      loop, aw_then(aw_shielded(inside, 9 * AW_SECOND), says("after")));
  inside = aw_then(aw_sleep(2 * AW_SECOND), says("too late"));
  start(loop, aw_shielded(inside, 3 * AW_SECOND / 2));
  CHECK(aw_loop_run(loop, AW_SECOND) == 0);
  CHECK_LOG("inside ");
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  CHECK(aw_engine_now(engine) == 2 * AW_SECOND);
  aw_task_release(task);
  empty(engine, loop);
}

/* ---- scopes and children ---- */

typedef struct parent {
  int at;
  aw_scope *scope;
  aw_scope_config config;
  aw_wire *children[3];
  aw_scope_end end;
} parent;

/* Open a scope, start children in it, leave it. */
static aw_turn parent_step(aw_task *task, void *data) {
  parent *p = data;
  if (p->at++ == 0) {
    CHECK(aw_scope_open(task, &p->config, &p->scope) == 0);
    for (int i = 0; i < 3 && p->children[i]; i++)
      CHECK(aw_scope_start(p->scope, p->children[i], NULL, NULL) == 0);
    if (aw_scope_leave(task, NULL, false) == 1)
      return AW_WAIT;
  }
  aw_scope_close(task, &p->end);
  aw_error_release(p->end.error);
  log_add("left:%u ", now_in(task));
  return p->end.outer ? AW_FAIL : AW_DONE;
}

#define OPEN \
  { .deadline = AW_NEVER, .grace = AW_DEFAULT }

static void a_scope_is_left_when_its_children_have_ended(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  parent p = {.config = OPEN};
  p.children[0] = aw_then(aw_sleep(2 * AW_SECOND), says("a"));
  p.children[1] = aw_then(aw_sleep(1 * AW_SECOND), says("b"));
  start(loop, aw_call(parent_step, &p));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("b a left:2 ");
  CHECK(!p.end.error && !p.end.cancelled && !p.end.outer);
  empty(engine, loop);
}

static void a_failing_child_cancels_its_siblings(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "a"};
  parent p = {.config = OPEN};
  p.children[0] = aw_call(sleep_step, &a);
  p.children[1] = aw_then(aw_sleep(AW_SECOND), fails());
  start(loop, aw_call(parent_step, &p));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0); /* the owner took the error */
  CHECK_LOG("a:1 a:clean2 left:2 ");
  CHECK(p.end.error && p.end.cancelled && !p.end.timed_out);
  empty(engine, loop);
}

/* Returns the innermost open scope of `owner`, whose children have none. */
static aw_scope *innermost(aw_task *owner) {
  aw_scope *root = aw_loop_scope(aw_task_loop(owner)), *found = NULL;
  size_t depth = 0;
  for (aw_scope *at = root; at; at = aw_scope_walk(root, at, &depth))
    if (aw_scope_task(at) == owner || (found && !aw_scope_task(at)))
      found = at;
  return found;
}

/* Wait until `owner` is ready to close its innermost scope, and start a task in
 * that scope. */
static aw_turn start_late(aw_task *task, void *data) {
  aw_task *owner = *(aw_task **)data;
  if (aw_task_state_of(owner) != AW_TASK_READY) {
    CHECK(aw_await_yield(task) == 0);
    return AW_WAIT;
  }
  aw_wire *late = aw_then(aw_sleep(AW_SECOND), says("late"));
  CHECK(aw_scope_start(innermost(owner), late, NULL, NULL) == 0);
  return AW_DONE;
}

/* Return `child`, which is spun off into the innermost scope. */
static aw_turn become(aw_task *task, void *child) {
  aw_task_set_next(task, aw_wire_keep(child));
  return AW_NEXT;
}

/* A wire that ends at once and leaves a child behind, which takes 1 s. */
static aw_wire *leaves_a_child(aw_wire *child) {
  return aw_then(aw_call(become, child), says("body"));
}

/* A child that is started after the join of a scope, and before the scope is
 * closed, is joined, too. */
static void join_late(aw_wire *(*make)(aw_wire *inside)) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *child = aw_then(aw_sleep(AW_SECOND), says("child"));
  aw_task *owner = start_task(loop, make(leaves_a_child(child)));
  start(loop, aw_then(aw_when_done(owner), says("over")));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(start_late, &owner)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("body child late over ");
  aw_task_release(owner);
  aw_wire_release(child);
  empty(engine, loop);
}

static aw_wire *by_itself(aw_wire *inside) {
  return inside;
}

static aw_wire *in_a_join(aw_wire *inside) {
  return aw_both(inside, aw_sleep(0));
}

static aw_wire *in_time(aw_wire *inside) {
  return aw_timeout(inside, 9 * AW_SECOND, AW_DEFAULT);
}

static aw_wire *in_a_shield(aw_wire *inside) {
  return aw_shielded(inside, 9 * AW_SECOND);
}

static aw_wire *in_a_finally(aw_wire *inside) {
  return aw_finally(aw_sleep(0), inside, 9 * AW_SECOND);
}

static aw_wire *in_a_catch(aw_wire *inside) {
  return aw_catch(inside, says("caught"));
}

static aw_wire *in_an_else(aw_wire *inside) {
  return aw_or_else(inside, says("else"));
}

static void what_is_started_late_is_joined(void) {
  join_late(by_itself);
  join_late(in_a_join);
  join_late(in_time);
  join_late(in_a_shield);
  join_late(in_a_finally);
  join_late(in_a_catch);
  join_late(in_an_else);
}

static void a_deadline_is_of_the_scope(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "a"};
  parent p = {.config = {.deadline = 2 * AW_SECOND, .grace = AW_DEFAULT}};
  p.children[0] = aw_call(sleep_step, &a);
  start(loop, aw_call(parent_step, &p));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:2 a:clean3 left:3 ");
  CHECK(!p.end.error && p.end.cancelled && p.end.timed_out && !p.end.outer);
  empty(engine, loop);
}

static void a_scope_has_a_grace_of_its_own(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "a"};
  parent p = {.config = {.deadline = 2 * AW_SECOND, .grace = AW_SECOND / 4}};
  p.children[0] = aw_call(sleep_step, &a);
  start(loop, aw_call(parent_step, &p));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("a:2 a:cut2 left:2 ");
  CHECK(aw_engine_now(engine) == 2 * AW_SECOND + AW_SECOND / 4);
  empty(engine, loop);
}

static void an_outer_cancel_goes_through_inner_scopes(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  sleeper a = {.name = "a"};
  parent inner = {.config = OPEN}, outer = {.config = OPEN};
  inner.children[0] = aw_call(sleep_step, &a);
  outer.children[0] = aw_call(parent_step, &inner);
  aw_task *task = start_task(loop, aw_call(parent_step, &outer));
  CHECK(aw_loop_run(loop, AW_SECOND) == 0);
  CHECK_LOG("a:1 a:clean2 left:2 left:2 ");
  CHECK(inner.end.outer && outer.end.outer);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED);
  aw_task_release(task);
  empty(engine, loop);
}

static void the_first_error_wins_and_has_the_others(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  int codes[3] = {AW_ECLOSED, AW_EINVAL, AW_ETIMEOUT};
  for (int i = 0; i < 3; i++)
    start(loop, aw_call(fail_with, &codes[i]));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ECLOSED);
  aw_error *error = aw_loop_error(loop);
  CHECK(aw_error_code(aw_error_suppressed(error, 0)) == AW_EINVAL);
  CHECK(aw_error_code(aw_error_suppressed(error, 1)) == AW_ETIMEOUT);
  CHECK(aw_error_suppressed(error, 2) == NULL);
  empty(engine, loop);
}

static aw_turn stray(aw_task *task, void *data) {
  (void)task, (void)data;
  return AW_FAIL; /* Cancelled, but nothing was cancelled */
}

static void a_stray_cancelled_is_a_failure(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_call(stray, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ESTRAY);
  empty(engine, loop);
}

/* ---- waiting for tasks ---- */

static aw_turn wait_for_itself(aw_task *task, void *data) {
  (void)data;
  CHECK(aw_await_task(task, task) == AW_ESELF);
  return AW_DONE;
}

static void a_wait_for_a_task_ends_as_the_task(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *seven =
      start_task(loop, aw_then(aw_sleep(AW_SECOND), aw_call(give_seven, NULL)));
  aw_task *two[2];
  for (int i = 0; i < 2; i++)
    two[i] = start_task(loop, aw_when_done(seven));
  aw_task *cancelled = start_task(loop, aw_sleep(AW_NEVER));
  aw_task_config handled = {.handler = 1};
  aw_task *third;
  CHECK(aw_loop_start(loop, aw_when_done(cancelled), &handled, &third) == 0);
  start(loop, aw_call(wait_for_itself, NULL));
  aw_task_cancel(cancelled, 0, AW_DEFAULT);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  for (int i = 0; i < 2; i++) {
    CHECK(aw_task_value(two[i]) == 7);
    aw_task_release(two[i]);
  }
  CHECK(aw_error_code(aw_task_error(third)) == AW_ETASKCANCELLED);
  aw_task_release(third);
  aw_task_release(seven);
  aw_task_release(cancelled);
  empty(engine, loop);
}

static void cancelling_a_waiter_leaves_the_task_alone(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task =
      start_task(loop, aw_then(aw_sleep(2 * AW_SECOND), says("done")));
  parent p = {.config = {.deadline = AW_SECOND, .grace = AW_DEFAULT}};
  p.children[0] = aw_when_done(task);
  start(loop, aw_call(parent_step, &p));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("left:1 done ");
  aw_task_release(task);
  empty(engine, loop);
}

static void a_deep_wire_is_no_depth_of_the_c_stack(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *wire = says("deep");
  for (int i = 0; i < 10000; i++)
    wire = aw_then(aw_repeat(wire, 1), aw_sleep(1));
  start(loop, wire);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("deep ");
  wire = says("deeper");
  for (int i = 0; i < 100000; i++)
    wire = aw_whole(wire);
  start(loop, wire); /* deeper than a task may be: an error, no crash */
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_EDEPTH);
  empty(engine, loop);
}

/* ---- operations that end with a value ---- */

/* A mailbox: its value or its waiter. */
typedef struct box {
  aw_value value;
  aw_task *waiter;
} box;

static int box_arm(aw_task *task, void *data) {
  box *b = data;
  if (!b->value) {
    b->waiter = task;
    return 0;
  }
  aw_task_set_value(task, b->value);
  b->value = 0;
  return 1;
}

static void box_disarm(aw_task *task, void *data) {
  (void)task;
  ((box *)data)->waiter = NULL;
}

static const aw_operation take = {
    .label = "take", .arm = box_arm, .disarm = box_disarm};

static aw_turn put(aw_task *task, void *data) {
  (void)task;
  box *b = data;
  aw_task_set_value(b->waiter, 9);
  aw_wait_complete(b->waiter, 0);
  b->waiter = NULL;
  return AW_DONE;
}

static void an_operation_ends_with_its_value(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  box full = {8, NULL}, empty_one = {0, NULL};
  aw_task *now = start_task(loop, aw_wait_for(&take, &full));
  aw_task *later = start_task(loop, aw_wait_for(&take, &empty_one));
  aw_task *late = start_task(loop, aw_call(put, &empty_one));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_value(now) == 8 && full.value == 0);
  CHECK(aw_task_value(later) == 9);
  aw_task_release(now);
  aw_task_release(later);
  aw_task_release(late);
  empty(engine, loop);
}

/* ---- limits ---- */

/* The data of a child that extends the limit of its scope by `by`, after 1 s.
 */
typedef struct extender {
  int at;
  uint64_t by;
  int rc;
} extender;

static aw_turn extend_step(aw_task *task, void *data) {
  extender *e = data;
  if (e->at++ == 0) {
    log_add("%u ", (unsigned)(aw_task_deadline(task) / AW_SECOND));
    CHECK(aw_await_sleep(task, AW_SECOND) == 0);
    return AW_WAIT;
  }
  CHECK(aw_task_extend(task, AW_NEVER) == AW_EINVAL);
  e->rc = aw_task_extend(task, e->by);
  log_add("%u ", (unsigned)(aw_task_deadline(task) / AW_SECOND));
  return AW_DONE;
}

static void a_child_extends_the_limit_of_its_scope(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  extender e = {.by = 5 * AW_SECOND};
  parent p = {.config = OPEN};
  p.config.deadline = 3 * AW_SECOND;
  p.children[0] = aw_call(extend_step, &e);
  p.children[1] = aw_sleep(AW_NEVER);
  start(loop, aw_call(parent_step, &p));
  CHECK(aw_loop_run(loop, 60 * AW_SECOND) == 0);
  CHECK_LOG("3 6 left:6 ");
  CHECK(e.rc == 0 && p.end.timed_out && p.end.moved == 3 * AW_SECOND);
  empty(engine, loop);
}

static void a_timeout_that_was_shortened_tells_its_time(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  extender e = {.by = AW_SECOND};
  aw_wire *work = aw_then(aw_call(extend_step, &e), aw_sleep(9 * AW_SECOND));
  aw_task *task = start_task(loop, aw_timeout(work, 5 * AW_SECOND, AW_DEFAULT));
  CHECK(aw_loop_run(loop, 60 * AW_SECOND) == AW_ETIMEOUT);
  CHECK_LOG("5 2 ");
  const aw_wire *holder;
  uint64_t ns = 0;
  aw_error_wire(aw_task_error(task), &holder, &ns);
  CHECK(ns == 2 * AW_SECOND);
  CHECK(aw_task_deadline(task) == AW_NEVER);
  CHECK(aw_task_extend(task, 1) == AW_EENDED);
  aw_task_release(task);
  empty(engine, loop);
}

static void the_time_out_of_a_loop_is_a_limit(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  extender e = {.by = 5 * AW_SECOND};
  start(loop, aw_then(aw_call(extend_step, &e), aw_sleep(AW_NEVER)));
  CHECK(aw_loop_run(loop, 2 * AW_SECOND) == 0);
  CHECK_LOG("2 6 ");
  CHECK(e.rc == 0 && aw_engine_now(engine) == 6 * AW_SECOND);
  CHECK(aw_loop_timeout(loop) == 6 * AW_SECOND);
  empty(engine, loop);
}

static aw_turn look_step(aw_task *task, void *data) {
  extender *e = data;
  aw_scope_config shield = {
      .deadline = AW_NEVER, .grace = AW_DEFAULT, .shield = true};
  aw_scope_end end;
  aw_scope *scope;
  if (e->at++ == 0) {
    CHECK(aw_scope_open(task, &shield, &scope) == 0);
    CHECK(aw_task_deadline(task) == AW_NEVER);
    CHECK(aw_task_extend(task, 1) == AW_EINVAL);
    CHECK(aw_scope_extend(scope, 1) == AW_EINVAL);
    CHECK(aw_scope_leave(task, NULL, false) == 0);
    CHECK(aw_scope_extend(scope, 1) == AW_EENDED);
    aw_scope_close(task, &end);
    CHECK(aw_task_deadline(task) == 2 * AW_SECOND);
    CHECK(aw_await_sleep(task, AW_NEVER) == 0);
    return AW_WAIT;
  }
  CHECK(aw_task_deadline(task) == 2 * AW_SECOND); /* cancelled: the time now */
  e->rc = aw_task_extend(task, 1);
  return AW_FAIL;
}

static void a_shield_hides_limits_and_none_is_moved_too_late(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  extender e = {.rc = 0};
  start(loop, aw_or_else(
                  aw_timeout(aw_call(look_step, &e), 2 * AW_SECOND, AW_DEFAULT),
                  says("late")));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("late ");
  CHECK(e.rc == AW_ETIMEOUT);
  empty(engine, loop);
}

/* ---- locals ---- */

static int claims; /* references to values of locals */

static void drop_locals(void *host, aw_value value) {
  (void)host;
  claims -= value != 0;
}

static aw_value keep_locals(void *host, aw_value value) {
  (void)host;
  claims += value != 0;
  return value;
}

static aw_turn tell_locals(aw_task *task, void *data) {
  (void)data;
  log_add("%u ", (unsigned)aw_task_locals(task));
  return AW_DONE;
}

static aw_turn set_locals(aw_task *task, void *data) {
  (void)data;
  claims += 2;
  CHECK(aw_task_set_locals(task, 1) == 0);
  CHECK(aw_task_set_locals(task, 5) == 0);
  aw_task_config own = {.locals = 6};
  claims++;
  aw_loop *loop = aw_task_loop(task);
  CHECK(aw_loop_start(loop, aw_call(tell_locals, NULL), NULL, NULL) == 0);
  CHECK(aw_loop_start(loop, aw_call(tell_locals, NULL), &own, NULL) == 0);
  aw_task_set_next(task,
                   aw_both(aw_call(tell_locals, NULL), aw_sleep(AW_SECOND)));
  return AW_NEXT;
}

static void what_a_task_starts_inherits_its_locals(void) {
  aw_engine_config config = {
      .clock = AW_CLOCK_VIRTUAL, .drop = drop_locals, .keep = keep_locals};
  aw_engine *engine;
  CHECK(aw_engine_new(&config, &engine) == 0);
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_call(set_locals, NULL));
  start(loop, aw_then(aw_sleep(AW_SECOND), aw_call(tell_locals, NULL)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("5 6 5 0 ");
  CHECK(aw_task_locals(task) == 0 && aw_task_set_locals(task, 0) == AW_EENDED);
  aw_task_release(task);
  empty(engine, loop);
  CHECK(claims == 0);
}

static aw_turn note_time(aw_task *task, void *data) {
  (void)data;
  log_add("%d ", (int)aw_engine_now(aw_task_engine(task)));
  return AW_DONE;
}

/* At the time 0 of a virtual clock, the end of such a shield is 0, too. */
static void a_shield_without_a_grace_is_no_limit(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_shielded(aw_then(aw_sleep(5), aw_call(note_time, NULL)), 0));
  start(loop, aw_finally(aw_sleep(0),
                         aw_then(aw_sleep(6), aw_call(note_time, NULL)), 0));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("5 6 ");
  empty(engine, loop);
}

int main(void) {
  what_a_task_starts_inherits_its_locals();
  a_child_extends_the_limit_of_its_scope();
  a_timeout_that_was_shortened_tells_its_time();
  the_time_out_of_a_loop_is_a_limit();
  a_shield_hides_limits_and_none_is_moved_too_late();
  an_operation_ends_with_its_value();
  a_task_ends_with_the_value_of_its_last_wire();
  a_step_fails_with_a_code();
  an_error_without_a_handler_fails_the_loop();
  a_chain_takes_no_memory();
  misuse_of_a_step_is_an_error_of_its_task();
  returned_wires_are_spun_off_but_for_the_last();
  repetitions_multiply();
  a_cancel_is_given_once_and_a_shield_hides_it();
  a_grace_ends_shields();
  the_stubborn_are_killed();
  a_started_wire_runs_to_its_first_wait();
  a_shielded_wire_outlives_a_cancel();
  a_scope_is_left_when_its_children_have_ended();
  a_failing_child_cancels_its_siblings();
  what_is_started_late_is_joined();
  a_deadline_is_of_the_scope();
  a_scope_has_a_grace_of_its_own();
  an_outer_cancel_goes_through_inner_scopes();
  the_first_error_wins_and_has_the_others();
  a_stray_cancelled_is_a_failure();
  a_wait_for_a_task_ends_as_the_task();
  cancelling_a_waiter_leaves_the_task_alone();
  a_deep_wire_is_no_depth_of_the_c_stack();
  a_shield_without_a_grace_is_no_limit();
  return 0;
}
