/* abortable_test.c - waits that a cancel may find under way
 *
 * The work of an operation is begun, and may be asked back: `gives_back` says
 * whether the work is still in its queue. The tests end the work by finish(),
 * in the place of a thread.
 */
#include "check.h"

typedef struct work {
  aw_task *task;
  bool gives_back;
  bool over_at_once; /* for a rival that is armed later */
  struct work *finishes;
  int asked, disarmed, abandoned, dropped;
} work;

static int dropped;

static void drop(void *data, aw_value value) {
  (void)data;
  dropped++;
  if (value)
    ((work *)(uintptr_t)value)->dropped++;
}

static aw_engine *new_engine(void) {
  aw_engine *engine;
  aw_engine_config config = {.deadlocks = true, .drop = drop};
  CHECK(aw_engine_new(&config, &engine) == 0);
  log_clear();
  dropped = 0;
  return engine;
}

static aw_value value_of(const work *own) {
  return (uintptr_t)own;
}

static void end_work(work *own, int result) {
  aw_task_set_value(own->task, value_of(own));
  aw_wait_complete(own->task, result);
}

static int arm(aw_task *task, void *data) {
  work *own = data;
  own->task = task;
  if (own->finishes)
    end_work(own->finishes, 0);
  return 0;
}

static void disarm(aw_task *task, void *data) {
  (void)task;
  ((work *)data)->disarmed++;
}

static void forget(aw_task *task, void *data) {
  (void)task;
  ((work *)data)->abandoned++;
}

static bool abortable(aw_task *task, void *data) {
  work *own = data;
  CHECK(task == own->task);
  own->asked++;
  return own->gives_back;
}

static const aw_operation working = {.label = "work",
                                     .arm = arm,
                                     .disarm = disarm,
                                     .abortable = abortable,
                                     .external = true};
static const aw_operation forgettable = {.label = "work",
                                         .arm = arm,
                                         .disarm = disarm,
                                         .abandon = forget,
                                         .abortable = abortable,
                                         .external = true};

static aw_wire *does(work *own) {
  return aw_wait_for(&working, own);
}

/* ---- steps of another task ---- */

static aw_turn finish(aw_task *task, void *data) {
  (void)task;
  end_work(data, 0);
  return AW_DONE;
}

static aw_turn undo(aw_task *task, void *data) {
  (void)task;
  end_work(data, AW_ECANCELED);
  return AW_DONE;
}

/* Wait for the cancel. */
static aw_turn undo_when_asked(aw_task *task, void *data) {
  work *own = data;
  if (!own->asked)
    return aw_await_yield(task) == 0 ? AW_WAIT : AW_FAIL;
  log_add("undo ");
  return undo(task, own);
}

static aw_turn cancel(aw_task *task, void *data) {
  (void)task;
  aw_task_cancel(data, 0, AW_NEVER);
  return AW_DONE;
}

static aw_turn cancel_hard(aw_task *task, void *data) {
  (void)task;
  aw_task_cancel(data, 0, 0);
  return AW_DONE;
}

/* Wait for the first attempt to kill the task; nothing is ready then. */
static aw_turn finish_when_killed(aw_task *task, void *data) {
  work *own = data;
  if (own->asked < 2)
    return aw_await_sleep(task, AW_SECOND / 1000) == 0 ? AW_WAIT : AW_FAIL;
  return finish(task, own);
}

static aw_turn interrupt(aw_task *task, void *data) {
  (void)task;
  CHECK(!aw_wait_interrupt(data, 0));
  return AW_DONE;
}

static aw_turn fail(aw_task *task, void *data) {
  (void)data;
  return aw_task_fail(task, AW_EAGAIN);
}

/* ---- cancels ---- */

/* Run `waiting`; then `end` is called with its task, and then `after` with
 * `own`, if it is there. Returns the state of the task. */
static aw_task_state ends_as(aw_wire *waiting, aw_step_fn end, aw_step_fn after,
                             work *own) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, waiting);
  aw_wire *ends = aw_call(end, task);
  start(loop, after ? aw_then(ends, aw_then(aw_sleep(1), aw_call(after, own)))
                    : ends);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  aw_task_state state = aw_task_state_of(task);
  aw_task_release(task);
  empty(engine, loop);
  return state;
}

static void work_that_is_given_back_ends_at_once(void) {
  work own = {.gives_back = true};
  CHECK(ends_as(does(&own), cancel, NULL, &own) == AW_TASK_CANCELLED);
  CHECK(own.asked == 1 && own.disarmed == 1 && own.dropped == 0);
}

/* The value is delivered [C6], and the next wait is refused [C2]. */
static aw_turn use(aw_task *task, void *data) {
  work *own = data;
  if (aw_task_came_back(task)) {
    log_add("%s ", aw_task_result(task) == AW_ECANCELED ? "told" : "not told");
    return aw_task_fail(task, AW_ECANCELED);
  }
  CHECK(aw_task_take_value(task) == value_of(own));
  log_add("done ");
  return aw_await_sleep(task, 1) == 0 ? AW_WAIT : AW_FAIL;
}

static void work_under_way_is_finished_and_told(void) {
  work own = {.gives_back = false};
  aw_wire *wire = aw_bind(does(&own), aw_call(use, &own));
  CHECK(ends_as(wire, cancel, finish, &own) == AW_TASK_CANCELLED);
  CHECK_LOG("done told ");
  CHECK(own.asked == 1 && own.disarmed == 0 && own.dropped == 0);
}

static void work_that_was_undone_is_cancelled(void) {
  work own = {.gives_back = false};
  aw_wire *wire = aw_bind(does(&own), aw_call(use, &own));
  CHECK(ends_as(wire, cancel, undo, &own) == AW_TASK_CANCELLED);
  CHECK_LOG("");
  CHECK(own.asked == 1 && own.disarmed == 0 && own.dropped == 1);
}

/* A step that is told of it. Its error comes from clean-up [O5]. */
static aw_turn work_then_fail(aw_task *task, void *data) {
  if (!aw_task_came_back(task))
    return aw_await_operation(task, &working, data) == 0 ? AW_WAIT : AW_FAIL;
  CHECK(aw_task_result(task) == AW_ECANCELED);
  CHECK(aw_task_take_value(task) == 0);
  return aw_task_fail(task, AW_EAGAIN);
}

static void an_error_after_undoing_comes_from_clean_up(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work own = {.gives_back = false};
  aw_wire *race = aw_either(aw_call(work_then_fail, &own), says("won"));
  start(loop, aw_or_else(race, says("late")));
  start(loop, aw_call(undo_when_asked, &own));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("won undo late ");
  CHECK(own.asked == 1);
  empty(engine, loop);
}

/* Another task has failed: what it cancels learns of the cancel alone. */
static void a_failure_cancels_work(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work own = {.gives_back = false};
  aw_wire *both = aw_both(does(&own), aw_then(aw_sleep(1), aw_call(fail, 0)));
  start(loop, aw_or_else(both, says("failed")));
  start(loop, aw_call(undo_when_asked, &own));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("undo failed ");
  CHECK(own.asked == 1 && own.disarmed == 0);
  empty(engine, loop);
}

/* A cancel that comes between the end of the wait and the turn of the task. */
static aw_turn undo_then_cancel(aw_task *task, void *data) {
  work *own = data;
  aw_task *of = own->task;
  undo(task, own);
  return cancel(task, of);
}

static void a_cancel_may_come_after_the_end(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work own = {.gives_back = false};
  aw_task *task = start_task(loop, aw_bind(does(&own), aw_call(use, &own)));
  start(loop, aw_then(aw_sleep(1), aw_call(undo_then_cancel, &own)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(aw_task_state_of(task) == AW_TASK_CANCELLED && own.asked == 0);
  aw_task_release(task);
  CHECK_LOG("");
  empty(engine, loop);
}

static void a_timeout_waits_for_work(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work own = {.gives_back = false};
  aw_wire *limited = aw_timeout(does(&own), 1, AW_NEVER);
  start(loop, aw_or_else(limited, says("out of time")));
  start(loop, aw_call(undo_when_asked, &own));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("undo out of time ");
  CHECK(own.asked == 1);
  empty(engine, loop);
}

static void an_interrupt_asks_nobody(void) {
  work own = {.gives_back = true};
  CHECK(ends_as(does(&own), interrupt, finish, &own) == AW_TASK_DONE);
  CHECK(own.asked == 0 && own.disarmed == 0);
}

/* ---- hard cancels ---- */

static void a_kill_forgets_work(void) {
  work own = {.gives_back = false};
  aw_wire *wire = aw_wait_for(&forgettable, &own);
  CHECK(ends_as(wire, cancel_hard, NULL, &own) == AW_TASK_CANCELLED);
  CHECK(own.asked == 1 && own.abandoned == 1 && own.disarmed == 0);
}

static void a_kill_may_have_to_wait(void) {
  work own = {.gives_back = false};
  CHECK(ends_as(does(&own), cancel_hard, finish_when_killed, &own) ==
        AW_TASK_DONE);
  CHECK(own.disarmed == 0 && own.dropped == 1);
}

/* By the time of the kill, the work has gone back to its queue. */
static aw_turn give_back(aw_task *task, void *data) {
  (void)task;
  ((work *)data)->gives_back = true;
  return AW_DONE;
}

static void a_kill_asks_again(void) {
  work own = {.gives_back = false};
  CHECK(ends_as(does(&own), cancel_hard, give_back, &own) == AW_TASK_CANCELLED);
  CHECK(own.disarmed == 1);
}

static void run_nothing(void *data, const aw_step *step) {
  (void)data;
  (void)step;
  CHECK(false);
}

static aw_turn wake(aw_task *task, void *data) {
  (void)data;
  aw_engine_wake(aw_task_engine(task));
  return AW_DONE;
}

/* Begin to run `loop`, until all of its tasks wait. */
static void run_until_all_wait(aw_engine *engine, aw_loop *loop) {
  aw_step step;
  CHECK(aw_engine_wakeable(engine) == 0);
  start(loop, aw_then(aw_sleep(1), aw_call(wake, NULL)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  CHECK(aw_next(engine, loop, &step) == 1 && step.what == AW_STEP_WOKEN);
}

static bool ends_all(void *data, const aw_loop *loop) {
  (void)data;
  (void)loop;
  return true;
}

static void loops_do_not_end_before_their_work(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work stays = {.gives_back = false}, goes = {.gives_back = false};
  aw_loop_end how = {.ends = ends_all, .run = run_nothing};
  start(loop, aw_both(aw_wait_for(&forgettable, &goes), does(&stays)));
  run_until_all_wait(engine, loop);
  CHECK(aw_engine_end_loops(engine, &how) == AW_EBUSY);
  CHECK(goes.abandoned == 1 && stays.disarmed == 0);
  end_work(&stays, 0);
  CHECK(aw_engine_end_loops(engine, &how) == 0);
  empty(engine, loop);
}

/* ---- races ---- */

static aw_turn keep(aw_task *task, void *data) {
  *(aw_value *)data = aw_task_take_value(task);
  log_add("won ");
  return AW_DONE;
}

/* Two pieces of work race; `second` is done. Then `first` ends by `after`. */
static void races(work *first, work *second, aw_step_fn after) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  aw_value got = 0;
  aw_wire *race = aw_either(does(first), does(second));
  start(loop, aw_bind(race, aw_call(keep, &got)));
  start(loop, aw_then(aw_sleep(1), aw_call(finish, second)));
  if (after)
    start(loop,
          aw_then(aw_sleep(2), aw_then(says("after"), aw_call(after, first))));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(got == value_of(second) && second->asked == 0);
  empty(engine, loop);
}

static void a_loser_that_is_given_back_ends_at_once(void) {
  work first = {.gives_back = true}, second = {.gives_back = false};
  races(&first, &second, NULL);
  CHECK_LOG("won ");
  CHECK(first.asked == 1 && first.disarmed == 1);
}

static void a_loser_under_way_is_joined(void) {
  work first = {.gives_back = false}, second = {.gives_back = false};
  races(&first, &second, finish);
  CHECK_LOG("after won ");
  CHECK(first.asked > 0 && first.disarmed == 0 && first.dropped == 1);
}

static void a_loser_may_be_undone(void) {
  work first = {.gives_back = false}, second = {.gives_back = false};
  races(&first, &second, undo);
  CHECK_LOG("after won ");
  CHECK(first.disarmed == 0 && first.dropped == 1);
}

/* The loser is being armed when its rival commits. */
static void a_loser_may_just_have_begun(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  aw_value got = 0;
  work first = {.gives_back = false};
  work second = {.gives_back = false, .finishes = &first};
  aw_wire *race = aw_either(does(&first), does(&second));
  start(loop, aw_bind(race, aw_call(keep, &got)));
  start(loop,
        aw_then(aw_sleep(1), aw_then(says("after"), aw_call(undo, &second))));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("after won ");
  CHECK(got == value_of(&first) && second.asked > 0 && second.disarmed == 0);
  empty(engine, loop);
}

static void a_select_joins_its_losers(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work first = {.gives_back = false}, second = {.gives_back = true};
  work third = {.gives_back = false};
  aw_wire *wires[] = {does(&first), does(&second), does(&third)};
  start(loop, aw_then(aw_select(wires, 3), says("won")));
  aw_wire *steps[] = {aw_sleep(1), aw_call(finish, &first), aw_sleep(1),
                      says("after"), aw_call(finish, &third)};
  start(loop, aw_sequence(steps, 5));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("after won ");
  CHECK(second.disarmed == 1 && third.dropped == 1);
  empty(engine, loop);
}

/* ---- instruments ---- */

static void wait_ended(void *data, const aw_task *task, int result) {
  (void)data;
  (void)task;
  log_add("%d ", result);
}

static void an_instrument_hears_when_the_wait_ends(void) {
  aw_engine *engine = new_engine();
  aw_loop *loop = new_loop(engine);
  work own = {.gives_back = false}, winner = {.gives_back = false};
  aw_instrument hears = {.wait_ends = wait_ended, .size = sizeof hears};
  CHECK(aw_engine_instrument(engine, &hears) == 0);
  start(loop, aw_either(does(&own), does(&winner)));
  run_until_all_wait(engine, loop);
  log_clear();
  end_work(&winner, 0);
  CHECK_LOG("0 ");
  end_work(&own, AW_EAGAIN);
  CHECK_LOG("-11 ");
  aw_step step;
  CHECK(aw_next(engine, loop, &step) == 0);
  empty(engine, loop);
}

int main(void) {
  work_that_is_given_back_ends_at_once();
  work_under_way_is_finished_and_told();
  work_that_was_undone_is_cancelled();
  an_error_after_undoing_comes_from_clean_up();
  a_failure_cancels_work();
  a_cancel_may_come_after_the_end();
  a_timeout_waits_for_work();
  an_interrupt_asks_nobody();
  a_kill_forgets_work();
  a_kill_may_have_to_wait();
  a_kill_asks_again();
  loops_do_not_end_before_their_work();
  a_loser_that_is_given_back_ends_at_once();
  a_loser_under_way_is_joined();
  a_loser_may_be_undone();
  a_loser_may_just_have_begun();
  a_select_joins_its_losers();
  an_instrument_hears_when_the_wait_ends();
  return 0;
}
