/* slot_test.c - state of a run, for the C steps in it
 *
 * A slot logs "+" and the name of its wire when it is entered, "-" when it is
 * left; a step in it logs the number of its calls in this run.
 */
#include "check.h"
#include "failing.h"

typedef struct visit {
  int calls;
  const char *name; /* set by enter() */
} visit;

static int enter(aw_task *task, void *slot, void *data) {
  visit *own = slot;
  (void)task;
  CHECK(own->calls == 0 && own->name == NULL); /* it is zeroed */
  own->name = data;
  log_add("+%s ", own->name);
  return 0;
}

static void leave(void *slot, void *data) {
  const visit *own = slot;
  CHECK(own->name == data);
  log_add("-%s ", own->name);
}

static const aw_slot visits = {
    .size = sizeof(visit), .enter = enter, .leave = leave};

static aw_wire *visiting(const char *name, aw_wire *wire) {
  return aw_with_slot(wire, &visits, (void *)(uintptr_t)name);
}

static aw_turn count(aw_task *task, void *data) {
  visit *own = aw_task_slot(task, &visits);
  (void)data;
  if (own)
    log_add("%s%d ", own->name, ++own->calls);
  else
    log_add("none ");
  return AW_DONE;
}

static aw_wire *counts(void) {
  return aw_call(count, NULL);
}

static aw_wire *counts_twice(void) {
  return aw_then(counts(), counts());
}

static aw_turn fail(aw_task *task, void *data) {
  (void)data;
  aw_engine *engine = aw_loop_engine(aw_task_loop(task));
  aw_task_set_error(task, aw_error_new(engine, AW_EHOST, 0));
  return AW_FAIL;
}

static aw_wire *fails(void) {
  return aw_call(fail, NULL);
}

/* Run `wire` alone, on a virtual clock. */
static int run(aw_wire *wire) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, wire);
  int rc = aw_loop_run(loop, AW_NEVER);
  empty(engine, loop);
  return rc;
}

/* ---- each run has its slot ---- */

static void steps_of_a_run_share_a_slot(void) {
  CHECK(run(aw_then(visiting("a", counts_twice()), counts())) == 0);
  CHECK_LOG("+a a1 a2 -a none ");
}

static void turns_and_tries_are_runs(void) {
  CHECK(run(aw_repeat(visiting("a", counts()), 2)) == 0);
  CHECK_LOG("+a a1 -a +a a1 -a ");
  CHECK(run(visiting("a", aw_repeat(counts(), 3))) == 0);
  CHECK_LOG("+a a1 a2 a3 -a ");
  aw_retry_rule twice = {.times = 2, .most = AW_NEVER, .within = AW_NEVER};
  aw_wire *wire = visiting("a", aw_then(counts(), fails()));
  CHECK(run(aw_retry(wire, &twice, NULL)) == AW_EHOST);
  CHECK_LOG("+a a1 -a +a a1 -a ");
}

static void tasks_of_one_wire_have_slots_of_their_own(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *wire =
      visiting("a", aw_then(counts(), aw_then(aw_sleep(1), counts())));
  start(loop, aw_wire_keep(wire));
  start(loop, wire);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("+a a1 +a a1 a2 -a a2 -a ");
  empty(engine, loop);
}

static const aw_slot others = {.size = 0};

static aw_turn count_other(aw_task *task, void *data) {
  CHECK(aw_task_slot(task, &others) != NULL);
  return count(task, data);
}

static void the_innermost_slot_of_a_kind_is_found(void) {
  aw_wire *in = visiting("b", aw_then(counts(), fails()));
  aw_wire *wire = visiting("a", aw_then(counts(), aw_or_else(in, counts())));
  CHECK(run(wire) == 0);
  CHECK_LOG("+a a1 +b b1 -b a2 -a ");
  aw_wire *other = aw_with_slot(aw_call(count_other, NULL), &others, NULL);
  CHECK(run(visiting("a", other)) == 0);
  CHECK_LOG("+a a1 -a ");
}

static void operands_see_the_slot_of_their_whole(void) {
  CHECK(run(visiting("a", aw_both(counts(), aw_both(counts(), fails())))) ==
        AW_EHOST);
  CHECK_LOG("+a a1 a2 -a ");
  aw_wire *race = aw_either(counts(), aw_sleep(1));
  CHECK(run(visiting("a", aw_both(race, visiting("b", counts())))) == 0);
  CHECK_LOG("+a +b b1 -b a1 -a ");
}

static aw_turn start_child(aw_task *task, void *data) {
  (void)data;
  aw_scope *scope = aw_loop_scope(aw_task_loop(task));
  CHECK(aw_scope_start(scope, counts(), NULL, NULL) == 0);
  return AW_DONE;
}

static void children_do_not_see_it(void) {
  aw_wire *wire = aw_then(aw_call(start_child, NULL), aw_sleep(1));
  CHECK(run(visiting("a", wire)) == 0);
  CHECK_LOG("+a none -a ");
}

static aw_turn go_on(aw_task *task, void *data) {
  count(task, data);
  aw_task_set_next(task, counts());
  return AW_NEXT;
}

static void a_chain_is_one_run(void) {
  CHECK(run(visiting("a", aw_call(go_on, NULL))) == 0);
  CHECK_LOG("+a a1 a2 -a ");
}

static void clean_up_sees_it(void) {
  aw_wire *wire = aw_finally(fails(), counts(), AW_DEFAULT);
  CHECK(run(visiting("a", wire)) == AW_EHOST);
  CHECK_LOG("+a a1 -a ");
}

static aw_turn give(aw_task *task, void *data) {
  aw_task_set_value(task, (uintptr_t)data);
  return AW_DONE;
}

static aw_turn take(aw_task *task, void *data) {
  CHECK(aw_task_take_value(task) == (uintptr_t)data);
  log_add("taken ");
  return AW_DONE;
}

static void the_value_goes_through(void) {
  static int mark;
  aw_wire *wire = visiting("a", aw_call(give, &mark));
  CHECK(run(aw_bind(wire, aw_call(take, &mark))) == 0);
  CHECK_LOG("+a -a taken ");
}

/* ---- each end leaves ---- */

static void an_error_leaves(void) {
  CHECK(run(visiting("a", aw_then(counts(), fails()))) == AW_EHOST);
  CHECK_LOG("+a a1 -a ");
}

static void a_time_out_leaves(void) {
  aw_wire *wire = visiting("a", aw_sleep(AW_NEVER));
  CHECK(run(aw_timeout(wire, 1, AW_DEFAULT)) == AW_ETIMEOUT);
  CHECK_LOG("+a -a ");
  aw_wire *lost = visiting("b", aw_sleep(AW_NEVER));
  CHECK(run(aw_either(visiting("a", aw_sleep(1)), lost)) == 0);
  CHECK_LOG("+a +b -a -b ");
}

static aw_turn never_ends(aw_task *task, void *data) {
  (void)data;
  return aw_await_sleep(task, AW_SECOND) == 0 ? AW_WAIT : AW_FAIL;
}

/* A step that ignores Cancelled is killed in the end [C9]. */
static void a_kill_leaves(void) {
  aw_wire *wire = visiting("a", visiting("b", aw_call(never_ends, NULL)));
  CHECK(run(aw_timeout(wire, AW_SECOND, 0)) == 0);
  CHECK_LOG("+a +b -b -a ");
}

static aw_turn stop(aw_task *task, void *hard) {
  aw_loop_stop(aw_task_loop(task), hard != NULL);
  return AW_DONE;
}

static void the_end_of_a_loop_leaves(void) {
  static char hard;
  void *ways[] = {NULL, &hard};
  for (int i = 0; i < 2; i++) {
    aw_wire *wire = visiting("a", aw_sleep(AW_NEVER));
    CHECK(run(aw_both(wire, aw_then(aw_sleep(1), aw_call(stop, ways[i])))) ==
          0);
    CHECK_LOG("+a -a ");
  }
}

static void what_never_ran_is_not_entered(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, visiting("a", counts()));
  empty(engine, loop);
  CHECK_LOG("");
}

/* The task has its turn: the run begins, and its first wait is refused. */
static void a_cancel_before_the_first_turn_leaves(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, visiting("a", aw_sleep(1)));
  aw_task_cancel(task, 0, AW_DEFAULT);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("+a -a ");
  CHECK(aw_task_slot(task, &visits) == NULL);
  aw_task_release(task);
  empty(engine, loop);
}

static aw_turn come_and_break(aw_task *task, void *data) {
  count(task, data);
  return AW_BREAK;
}

static void a_break_leaves(void) {
  aw_wire *wire = aw_repeat(aw_call(come_and_break, NULL), 3);
  CHECK(run(aw_then(visiting("a", wire), counts())) == 0);
  CHECK_LOG("+a a1 -a none ");
}

/* ---- steps of a host ---- */

/* Answer the steps of a host whose code waits for `inside`, and then for ever,
 * even after it was given Cancelled. */
static void answer(const aw_step *step, aw_wire *inside) {
  static char code;
  switch (step->what) {
  case AW_STEP_CALL:
    aw_task_park(step->task, &code);
    CHECK(aw_await_wire(step->task, inside, true) == 0);
    break;
  case AW_STEP_RESUME:
    log_add("resumed ");
    if (!aw_task_cancelled(step->task))
      aw_task_cancel(step->task, 0, 0);
    aw_task_park(step->task, &code);
    CHECK(aw_await_sleep(step->task, AW_NEVER) == 0);
    break;
  case AW_STEP_KILL:
    log_add("killed ");
    aw_step_killed(step->task);
    break;
  default: break; /* notifications */
  }
}

static void host_code_is_in_the_run(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_wire *inside = counts_twice();
  start(loop, visiting("a", aw_host_call(NULL, NULL, NULL)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step;
  while (aw_next(engine, loop, &step) == 1)
    answer(&step, inside);
  CHECK(strncmp(logged, "+a a1 a2 resumed resumed ", 25) == 0);
  CHECK(strcmp(logged + strlen(logged) - 10, "killed -a ") == 0);
  log_clear();
  empty(engine, loop);
}

/* ---- entering fails ---- */

static int refuse(aw_task *task, void *slot, void *data) {
  CHECK(slot);
  const visit *outer = aw_task_slot(task, &visits);
  log_add("refuse %s ", outer ? outer->name : "");
  return *(int *)data;
}

static void do_not_leave(void *slot, void *data) {
  (void)slot;
  (void)data;
  CHECK(false); /* it was not entered */
}

static const aw_slot refused = {
    .size = 1, .enter = refuse, .leave = do_not_leave};

static void the_wire_fails_if_entering_fails(void) {
  int code = AW_EAGAIN;
  aw_wire *wire = aw_with_slot(counts(), &refused, &code);
  CHECK(run(visiting("a", aw_or_else(wire, says("else")))) == 0);
  CHECK_LOG("+a refuse a else -a ");
  wire = aw_with_slot(counts(), &refused, &code);
  CHECK(run(wire) == AW_EAGAIN);
  log_clear();
}

static int entered;

static int note_entered(aw_task *task, void *slot, void *data) {
  (void)task;
  (void)slot;
  (void)data;
  entered++;
  return 0;
}

static void note_left(void *slot, void *data) {
  (void)slot;
  (void)data;
  entered--;
}

enum { LARGE = 10000 };
static const aw_slot large = {
    .size = LARGE, .enter = note_entered, .leave = note_left};

static aw_wire *nested(int depth) {
  aw_wire *wire = aw_call(note, (void *)(uintptr_t) "");
  while (depth-- > 0)
    wire = aw_with_slot(wire, &large, NULL);
  return wire;
}

/* Whatever allocation fails, each slot that was entered is left. */
static void slots_are_left_without_memory(void) {
  enum { DEPTH = 6, MOST = 100 };
  int k = -1, rc;
  aw_set_allocator(allocate, NULL);
  do {
    aw_engine *engine = virtual_engine();
    aw_loop *loop = new_loop(engine);
    start(loop, nested(DEPTH));
    until_failure = ++k;
    rc = aw_loop_run(loop, AW_NEVER);
    until_failure = -1;
    CHECK(entered == 0);
    empty(engine, loop);
  } while (rc == AW_ENOMEM && k < MOST);
  aw_set_allocator(NULL, NULL);
  CHECK(rc == 0 && k >= DEPTH);
  CHECK(aw_with_slot(aw_sleep(1), NULL, NULL) == NULL);
  CHECK(aw_with_slot(NULL, &large, NULL) == NULL);
}

static void a_wire_with_a_slot_is_no_event(void) {
  aw_wire *wire = visiting("a", aw_sleep(1));
  CHECK(!aw_wire_is_event(wire));
  aw_wire_view view;
  aw_wire_look(wire, &view);
  CHECK(view.kind == AW_WIRE_SLOT && view.count == 1);
  CHECK(view.slot == &visits && strcmp(view.data, "a") == 0);
  aw_wire_release(wire);
}

/* ---- a step that waited comes back ---- */

typedef struct trip {
  int waits; /* to make in each run */
  int left;
} trip;

static aw_turn nap(aw_task *task, void *data) {
  trip *own = data;
  bool back = aw_task_came_back(task);
  log_add(back ? "back " : "first ");
  if (!back)
    own->left = own->waits;
  if (own->left-- == 0)
    return AW_DONE;
  return aw_await_sleep(task, 1) == 0 ? AW_WAIT : AW_FAIL;
}

static void a_step_tells_its_first_call_from_a_later_one(void) {
  trip own = {.waits = 2};
  CHECK(run(aw_call(nap, &own)) == 0);
  CHECK_LOG("first back back ");
  own.waits = 1;
  CHECK(run(aw_repeat(aw_call(nap, &own), 2)) == 0);
  CHECK_LOG("first back first back ");
  own.waits = 0;
  CHECK(run(aw_repeat(aw_call(nap, &own), 2)) == 0);
  CHECK_LOG("first first ");
}

static aw_turn stay(aw_task *task, void *data) {
  (void)data;
  log_add(aw_task_came_back(task) ? "back " : "first ");
  if (!aw_task_came_back(task))
    return aw_await_yield(task) == 0 ? AW_WAIT : AW_FAIL;
  CHECK(aw_await_sleep(task, AW_NEVER) == 0); /* refused */
  log_add(aw_task_came_back(task) ? "still " : "lost ");
  return aw_task_result(task) == AW_ECANCELED ? AW_WAIT : AW_FAIL;
}

static void it_comes_back_from_a_refused_wait(void) {
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_call(stay, NULL));
  aw_task_cancel(task, 0, 0);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(strncmp(logged, "first back still ", 17) == 0);
  log_clear();
  CHECK(!aw_task_came_back(task));
  aw_task_release(task);
  empty(engine, loop);
}

int main(void) {
  steps_of_a_run_share_a_slot();
  turns_and_tries_are_runs();
  tasks_of_one_wire_have_slots_of_their_own();
  the_innermost_slot_of_a_kind_is_found();
  operands_see_the_slot_of_their_whole();
  children_do_not_see_it();
  a_chain_is_one_run();
  clean_up_sees_it();
  the_value_goes_through();
  an_error_leaves();
  a_time_out_leaves();
  a_kill_leaves();
  the_end_of_a_loop_leaves();
  what_never_ran_is_not_entered();
  a_cancel_before_the_first_turn_leaves();
  a_break_leaves();
  host_code_is_in_the_run();
  the_wire_fails_if_entering_fails();
  slots_are_left_without_memory();
  a_wire_with_a_slot_is_no_event();
  a_step_tells_its_first_call_from_a_later_one();
  it_comes_back_from_a_refused_wait();
  return 0;
}
