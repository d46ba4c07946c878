/* instrument_test.c - what an instrument hears of tasks
 *
 * A tracer keeps a track for each task and checks that every event fits the one
 * before: a task starts once and ends once, steps and waits are paired and do
 * not overlap. First small programs, whose events are compared one by one; then
 * thousands of random wires, run by a host that parks, fails, swallows
 * Cancelled and is killed.
 */
#include "check.h"

#include <unistd.h>

/* ---- the tracer ---- */

typedef struct track {
  bool started, ended, stepping, waiting;
} track;

typedef struct tracer {
  track *tracks; /* by the id of the task */
  size_t size;
  size_t started, ended, steps, waits, cancels, blocks;
  int bell; /* a descriptor to write to before the engine blocks; or 0 */
  uint64_t stepping;  /* the id of the task whose step is under way, or 0 */
  const aw_task *met; /* its step was under way when the tracer came */
  bool blocked;
  bool logs; /* write each event to the log */
} tracer;

static track *track_of(tracer *to, const aw_task *task) {
  size_t id = (size_t)aw_task_id(task);
  if (id >= to->size) {
    size_t size = id * 2 + 16;
    to->tracks = aw_reallocate(to->tracks, size * sizeof *to->tracks);
    CHECK(to->tracks != NULL);
    memset(to->tracks + to->size, 0, (size - to->size) * sizeof *to->tracks);
    to->size = size;
  }
  return &to->tracks[id];
}

static track *live(tracer *to, const aw_task *task) {
  track *at = track_of(to, task);
  CHECK(at->started && !at->ended);
  return at;
}

static void say(const tracer *to, const char *what, const aw_task *task) {
  if (to->logs)
    log_add("%s%d ", what, (int)aw_task_id(task));
}

static void task_started(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = track_of(to, task);
  CHECK(!at->started);
  const aw_task *parent = aw_task_parent(task);
  CHECK(!parent || !track_of(to, parent)->started || live(to, parent));
  at = track_of(to, task);
  at->started = true;
  to->started++;
  say(to, "start", task);
}

static void task_ended(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = live(to, task);
  CHECK(!at->stepping && !at->waiting);
  CHECK(aw_task_state_of(task) >= AW_TASK_DONE);
  CHECK((aw_task_state_of(task) == AW_TASK_FAILED) == !!aw_task_error(task));
  at->ended = true;
  to->ended++;
  static const char *const how[] = {"done", "failed", "cancelled"};
  say(to, how[aw_task_state_of(task) - AW_TASK_DONE], task);
}

static void task_cancelled(void *data, const aw_task *task) {
  tracer *to = data;
  (void)live(to, task);
  aw_value reason;
  CHECK(aw_task_cancelled(task));
  CHECK(aw_task_cancelled_by(task, &reason) != AW_BY_NOTHING);
  to->cancels++;
  say(to, aw_task_overdue(task) ? "hard" : "cancel", task);
}

static void step_begins(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = live(to, task);
  CHECK(to->stepping == 0 && !at->stepping && !at->waiting && !to->blocked);
  CHECK(aw_task_state_of(task) == AW_TASK_RUNNING);
  at->stepping = true;
  to->stepping = aw_task_id(task);
  to->steps++;
  say(to, "(", task);
}

static void step_ends(void *data, const aw_task *task) {
  tracer *to = data;
  track *at = live(to, task);
  CHECK(at->stepping && to->stepping == aw_task_id(task));
  at->stepping = false;
  to->stepping = 0;
  if (to->logs)
    log_add(") ");
}

static void wait_begins(void *data, const aw_task *task, const char *label) {
  tracer *to = data;
  track *at = live(to, task);
  CHECK(!at->stepping && !at->waiting);
  aw_waiting wait;
  bool waits = aw_task_waiting(task, &wait);
  CHECK(waits == (strcmp(label, "yield") != 0));
  CHECK(!waits || strcmp(label, wait.label) == 0);
  at->waiting = true;
  to->waits++;
  if (to->logs)
    log_add("%d:%s ", (int)aw_task_id(task), label);
}

static void wait_ends(void *data, const aw_task *task, int result) {
  tracer *to = data;
  track *at = live(to, task);
  CHECK(at->waiting);
  at->waiting = false;
  if (to->logs)
    log_add("%d=%d ", (int)aw_task_id(task), result);
}

static void before_blocking(void *data, uint64_t until) {
  tracer *to = data;
  CHECK(!to->blocked && to->stepping == 0 && until > 0);
  to->blocked = true;
  to->blocks++;
  if (to->bell) /* a blocked engine is to be woken */
    CHECK(write(to->bell, "", 1) == 1);
}

static void after_blocking(void *data) {
  tracer *to = data;
  CHECK(to->blocked);
  to->blocked = false;
}

static aw_instrument instrument_of(tracer *to) {
  return (aw_instrument){.data = to,
                         .task_started = task_started,
                         .task_ended = task_ended,
                         .task_cancelled = task_cancelled,
                         .step_begins = step_begins,
                         .step_ends = step_ends,
                         .wait_begins = wait_begins,
                         .wait_ends = wait_ends,
                         .before_blocking = before_blocking,
                         .after_blocking = after_blocking,
                         .size = sizeof(aw_instrument)};
}

static void trace(aw_engine *engine, tracer *to) {
  aw_instrument instrument = instrument_of(to);
  CHECK(aw_engine_instrument(engine, &instrument) == 0);
}

static aw_engine *logging_engine(tracer *to) {
  aw_engine *engine = virtual_engine();
  to->logs = true;
  trace(engine, to);
  return engine;
}

static void check_balanced(tracer *to) {
  CHECK(to->started == to->ended);
  CHECK(to->stepping == 0 && !to->blocked);
  for (size_t i = 0; i < to->size; i++) {
    const track *at = &to->tracks[i];
    CHECK(at->started == at->ended && !at->stepping && !at->waiting);
  }
  aw_free(to->tracks);
}

static void finish(aw_engine *engine, aw_loop *loop, tracer *to) {
  empty(engine, loop);
  check_balanced(to);
}

/* ---- events, one by one ---- */

static aw_turn nothing(aw_task *task, void *data) {
  (void)task;
  (void)data;
  return AW_DONE;
}

static aw_turn naps(aw_task *task, void *data) {
  (void)data;
  if (aw_task_cancelled(task))
    return AW_FAIL;
  return aw_await_sleep(task, AW_SECOND) == 0 ? AW_WAIT : AW_FAIL;
}

/* A C step that waits once, by the function that `data` says. */
typedef struct once {
  int (*wait)(aw_task *task);
  bool waited;
} once;

static aw_turn wait_once(aw_task *task, void *data) {
  once *o = data;
  if (o->waited)
    return AW_DONE;
  o->waited = true;
  CHECK(o->wait(task) == 0);
  return AW_WAIT;
}

static int sleep_1s(aw_task *task) {
  return aw_await_sleep(task, AW_SECOND);
}

static int idle_1s(aw_task *task) {
  return aw_await_idle(task, AW_SECOND);
}

static void c_steps_and_their_waits(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  once waits[] = {{sleep_1s, false}, {aw_await_yield, false}, {idle_1s, false}};
  for (int i = 0; i < 3; i++) {
    start(loop, aw_call(wait_once, &waits[i]));
    CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  }
  CHECK_LOG("start1 (1 ) 1:sleep 1=0 (1 ) done1 "
            "start2 (2 ) 2:yield 2=0 (2 ) done2 "
            "start3 (3 ) 3:idle 3=0 (3 ) done3 ");
  finish(engine, loop, &to);
}

static void every_turn_of_a_repeat(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_repeat(aw_call(nothing, NULL), 4));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("start1 (1 ) (1 ) (1 ) (1 ) done1 ");
  finish(engine, loop, &to);
}

static void operands_of_a_race(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_either(aw_sleep(2 * AW_SECOND),
                        aw_either(aw_sleep(AW_SECOND), aw_call(naps, NULL))));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("start1 start2 2:sleep start3 3:sleep start4 1:children "
            "(4 ) 4:sleep 3=0 cancel2 2=-125 cancelled2 cancel4 4=-125 "
            "done3 (4 ) cancelled4 1=0 done1 ");
  finish(engine, loop, &to);
}

static void a_child_and_its_parent(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  aw_task *child = start_task(loop, aw_sleep(AW_SECOND));
  start(loop, aw_when_done(child));
  aw_task_release(child);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("start1 start2 1:sleep 2:join task 1=0 done1 2=0 done2 ");
  finish(engine, loop, &to);
}

static void a_time_out(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_or_else(aw_timeout(aw_sleep(AW_NEVER), AW_SECOND, AW_DEFAULT),
                         aw_call(nothing, NULL)));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("start1 1:sleep cancel1 1=-125 (1 ) done1 ");
  finish(engine, loop, &to);
}

static void tasks_that_never_ran(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_sleep(AW_SECOND));
  start(loop, aw_call(nothing, NULL));
  CHECK(aw_loop_free(loop) == 0);
  CHECK_LOG("start1 start2 hard1 cancelled1 hard2 cancelled2 ");
  finish(engine, NULL, &to);
}

static aw_step next(aw_engine *engine, aw_loop *loop, aw_step_kind kind) {
  aw_step step;
  memset(&step, 0, sizeof step);
  CHECK(aw_next(engine, loop, &step) == 1);
  CHECK(step.what == kind);
  return step;
}

static char code; /* parked code of the host; only its address is used */

static aw_wire *host(void) {
  return aw_host_call(&code, NULL, "host");
}

static void steps_of_the_host(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  aw_step step;
  start(loop, aw_repeat(host(), 2));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK_LOG("start1 (1 ");
  CHECK(aw_begin_yield(step.task) == 0); /* the short cuts are closed */
  CHECK_LOG(") 1:yield 1=0 ");
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK_LOG("(1 ");
  CHECK(aw_step_again(step.task) == 0);
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK_LOG(") (1 ");
  aw_task_park(step.task, &code);
  CHECK(aw_await_wire(step.task, aw_sleep(AW_SECOND), true) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK_LOG(") 1:sleep 1=0 (1 ");
  aw_step_fail(step.task, NULL);
  step = next(engine, loop, AW_STEP_FAILED);
  CHECK_LOG(") ");
  aw_step_handled(step.task);
  CHECK_LOG("failed1 ");
  CHECK(aw_next(engine, loop, &step) == 0);
  finish(engine, loop, &to);
}

static void a_loop_inside_and_a_kill(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  aw_loop *inner = new_loop(engine);
  start(inner, aw_sleep(AW_NEVER));
  start(loop, host());
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_task_park(step.task, &code);
  CHECK(aw_await_loop(step.task, inner, AW_SECOND) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK_LOG("start1 start2 (2 ) 2:loop 1:sleep cancel1 1=-125 cancelled1 "
            "2=0 (2 ");
  aw_task_park(step.task, &code);
  CHECK(aw_await_sleep(step.task, AW_NEVER) == 0);
  aw_task_cancel(step.task, 0, 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK_LOG(") 2:sleep hard2 2=-125 (2 ");
  for (int i = 0; i < 2; i++) { /* it swallows Cancelled again and again */
    aw_task_park(step.task, &code);
    CHECK(aw_await_sleep(step.task, AW_NEVER) == 0);
    CHECK(aw_next(engine, loop, &step) == 1);
    while (step.what == AW_STEP_SWALLOWED)
      CHECK(aw_next(engine, loop, &step) == 1);
  }
  while (step.what == AW_STEP_RESUME) {
    aw_task_park(step.task, &code);
    CHECK(aw_await_sleep(step.task, AW_NEVER) == 0);
    CHECK(aw_next(engine, loop, &step) == 1);
  }
  CHECK(step.what == AW_STEP_KILL);
  CHECK(to.stepping == 2);
  aw_step_killed(step.task);
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK(aw_loop_free(inner) == 0);
  finish(engine, loop, &to);
}

static void a_spin_off(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_then(host(), aw_sleep(0)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  aw_step_next(step.task, aw_call(nothing, NULL));
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK_LOG("start1 (1 ) start2 (2 ) done2 1:sleep 1=0 done1 ");
  finish(engine, loop, &to);
}

/* The loop ends only if the instrument is told. */
static void blocking(void) {
  tracer to = {0};
  int ends[2];
  CHECK(pipe(ends) == 0);
  to.bell = ends[1];
  aw_engine *engine;
  CHECK(aw_engine_new(NULL, &engine) == 0);
  trace(engine, &to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_readable(ends[0]));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(to.blocks > 0);
  finish(engine, loop, &to);
  close(ends[0]);
  close(ends[1]);
}

/* ---- setting and taking away ---- */

static void only_tasks_that_start_later(void) {
  tracer to = {.logs = true};
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_both(aw_sleep(AW_SECOND), aw_call(nothing, NULL)));
  trace(engine, &to);
  start(loop, aw_call(nothing, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("start2 (2 ) done2 ");
  finish(engine, loop, &to);
}

static aw_turn take_away(aw_task *task, void *data) {
  aw_engine *engine = data;
  if (aw_task_cancelled(task))
    return AW_FAIL;
  tracer other = {0};
  aw_instrument instrument = instrument_of(&other);
  CHECK(aw_engine_instrument(engine, NULL) == 0);
  CHECK(aw_engine_instrument(engine, &instrument) == AW_EBUSY);
  return aw_await_sleep(task, AW_SECOND) == 0 ? AW_WAIT : AW_FAIL;
}

static void taken_away_inside_a_step(void) {
  tracer to = {0}, again = {.logs = true};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, aw_timeout(aw_call(take_away, engine), AW_SECOND / 2, 0));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  CHECK_LOG("start1 (1 ");
  CHECK(aw_loop_free(loop) == 0);
  loop = new_loop(engine);
  trace(engine, &again);
  trace(engine, &again); /* no task is alive */
  start(loop, aw_call(nothing, NULL));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("start2 (2 ) done2 ");
  finish(engine, loop, &again);
  aw_free(to.tracks);
}

/* Tell of each task of `loop`, as a monitor does that comes late. */
static void tell_all(aw_loop *loop) {
  aw_scope *root = aw_loop_scope(loop);
  size_t depth = 0;
  const aw_scope *s = root;
  while ((s = aw_scope_walk(root, s, &depth)) != NULL)
    if (aw_scope_task(s))
      (void)aw_task_tell(aw_scope_task(s));
}

static void older_tasks_that_wait_or_are_ready(void) {
  tracer to = {.logs = true};
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_step step;
  start(loop, aw_both(aw_sleep(AW_SECOND), aw_timeout(host(), AW_SECOND, 0)));
  start(loop, host());
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  step = next(engine, loop, AW_STEP_CALL);
  aw_step_done(step.task, 0);
  trace(engine, &to);
  tell_all(loop);
  CHECK_LOG("start1 1:children start3 start4 start2 (2 ");
  step = next(engine, loop, AW_STEP_CALL);
  CHECK_LOG(") done2 3:sleep (4 ");
  aw_step_done(step.task, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK_LOG(") done4 3=0 done3 1=0 done1 ");
  finish(engine, loop, &to);
}

static aw_turn come_late(aw_task *task, void *data) {
  tracer *to = data;
  aw_loop *loop = aw_task_loop(task);
  if (to->size > 0)
    return AW_DONE;
  trace(aw_loop_engine(loop), to);
  tell_all(loop);
  CHECK_LOG("start1 ");
  return aw_await_sleep(task, AW_SECOND) == 0 ? AW_WAIT : AW_FAIL;
}

static void inside_a_c_step(void) {
  tracer to = {.logs = true};
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  start(loop, aw_repeat(aw_call(come_late, &to), 2));
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK_LOG("1:sleep 1=0 (1 ) (1 ) done1 ");
  finish(engine, loop, &to);
}

static void again_with_the_same_data(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  aw_step step;
  aw_instrument starts = {.data = &to, .task_started = task_started};
  start(loop, aw_both(aw_sleep(AW_SECOND), aw_repeat(host(), 3)));
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK_LOG("start1 start2 start3 1:children 2:sleep (3 ");
  CHECK(aw_engine_instrument(engine, NULL) == 0);
  aw_task_park(step.task, &code);
  CHECK(aw_await_sleep(step.task, 1) == 0);
  step = next(engine, loop, AW_STEP_RESUME);
  CHECK(aw_step_again(step.task) > 0); /* the short cuts are open */
  CHECK(aw_engine_instrument(engine, &starts) == 0);
  CHECK(aw_step_again(step.task) == 0);
  start(loop, aw_sleep(4 * AW_SECOND));
  CHECK_LOG("start4 ");
  trace(engine, &to);
  live(&to, step.task)->stepping = false; /* its end was not told */
  to.stepping = 0;
  aw_step_done(step.task, 0);
  step = next(engine, loop, AW_STEP_CALL);
  CHECK_LOG("4:sleep (3 ");
  aw_step_next(step.task, aw_sleep(2 * AW_SECOND));
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK_LOG(") 3:sleep 2=0 done2 3=0 done3 1=0 done1 4=0 done4 ");
  finish(engine, loop, &to);
}

static void a_task_that_is_known(void) {
  tracer to = {0};
  aw_engine *engine = logging_engine(&to);
  aw_loop *loop = new_loop(engine);
  start(loop, host());
  CHECK(aw_loop_begin(loop, AW_NEVER) == 0);
  aw_step step = next(engine, loop, AW_STEP_CALL);
  CHECK_LOG("start1 (1 ");
  CHECK(!aw_task_tell(step.task)); /* nor its step again */
  CHECK(aw_engine_instrument(engine, NULL) == 0);
  trace(engine, &to);
  live(&to, step.task)->stepping = false; /* that step is forgotten */
  to.stepping = 0;
  CHECK(!aw_task_tell(step.task));
  CHECK_LOG("(1 ");
  aw_step_done(step.task, 0);
  CHECK(aw_next(engine, loop, &step) == 0);
  CHECK_LOG(") done1 ");
  finish(engine, loop, &to);
}

static void nothing_to_tell(void) {
  tracer to = {.logs = true};
  aw_engine *engine = virtual_engine();
  aw_loop *loop = new_loop(engine);
  aw_task *task = start_task(loop, aw_call(nothing, NULL));
  CHECK(!aw_task_tell(task)); /* there is no instrument */
  trace(engine, &to);
  CHECK(aw_loop_run(loop, AW_NEVER) == 0);
  CHECK(!aw_task_tell(task)); /* the task has ended */
  CHECK_LOG("");
  aw_task_release(task);
  finish(engine, loop, &to);
}

static void one_instrument_at_a_time(void) {
  tracer to = {0}, other = {0};
  aw_engine *engine = logging_engine(&to);
  aw_instrument second = instrument_of(&other);
  CHECK(aw_engine_instrument(engine, &second) == AW_EBUSY);
  CHECK(aw_engine_instrument(engine, NULL) == 0);
  CHECK(aw_engine_instrument(engine, &second) == 0);
  empty(engine, NULL);
}

static void wrong_arguments(void) {
  aw_engine *engine = virtual_engine();
  aw_instrument none = {.size = 0};
  CHECK(aw_engine_instrument(engine, &none) == 0);
  none.size = 8;
  CHECK(aw_engine_instrument(engine, &none) == AW_EINVAL);
  CHECK(aw_engine_instrument(NULL, NULL) == AW_EINVAL);
  aw_loop *loop = new_loop(engine); /* no function is set */
  start(loop, aw_timeout(aw_both(aw_call(naps, NULL), aw_call(nothing, NULL)),
                         AW_SECOND, 0));
  CHECK(aw_loop_run(loop, AW_NEVER) == AW_ETIMEOUT);
  empty(engine, loop);
}

/* ---- random wires, under a random host ---- */

enum { INNER = 64 };
typedef struct world {
  aw_engine *engine;
  aw_loop *loop;
  aw_loop *inner[INNER]; /* that tasks wait for */
  size_t inners;
  aw_channel *channel;
  aw_event *event;
  aw_task *other; /* somebody to wait for; kept */
  uint64_t random;
  int budget;    /* wires that may still be made */
  int absent;    /* steps until the tracer comes back; 0: it is there */
  tracer *comes; /* and goes now and then; or NULL */
} world;

static uint32_t draw(world *w, uint32_t below) {
  w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
  return (uint32_t)(w->random >> 33) % below;
}

static aw_wire *any_wire(world *w, int depth);

/* An operation that its alarm ends. */
static int slow_arm(aw_task *task, void *data) {
  world *w = data;
  if (draw(w, 8) == 0)
    return draw(w, 2) ? 1 : -5;
  return aw_alarm_arm(task, aw_engine_now(w->engine) + draw(w, 50) * AW_SECOND);
}

static void slow_due(aw_task *task, void *data) {
  static const int results[] = {0, 0, -5, AW_ECLOSED};
  aw_wait_complete(task, results[draw(data, 4)]);
}

static void slow_disarm(aw_task *task, void *data) {
  (void)data;
  aw_alarm_disarm(task);
}

static const aw_operation slow = {
    .label = "slow", .arm = slow_arm, .disarm = slow_disarm, .due = slow_due};
static const aw_operation stubborn = {.label = "stubborn",
                                      .arm = slow_arm,
                                      .abandon = slow_disarm,
                                      .due = slow_due};

/* Begin a random wait. Returns 0 if the task waits. */
static int any_wait(world *w, aw_task *task) {
  uint64_t ns = draw(w, 20) * AW_SECOND;
  switch (draw(w, 9)) {
  case 0: return aw_await_yield(task);
  case 1: return aw_await_idle(task, aw_engine_now(w->engine) + ns);
  case 2: return w->other ? aw_await_task(task, w->other) : -1;
  case 3: return aw_await_operation(task, &slow, w);
  case 4: return aw_await_operation(task, &stubborn, w);
  case 5: return aw_await_send(task, w->channel, 1);
  case 6: return aw_await_recv(task, w->channel);
  case 7: return aw_await_event(task, w->event);
  default: return aw_await_sleep(task, ns);
  }
}

static void meddle(world *w, aw_task *task) {
  switch (draw(w, 12)) {
  case 0:
    if (w->other)
      aw_task_cancel(w->other, 0, draw(w, 2) ? 0 : AW_DEFAULT);
    break;
  case 1: aw_task_cancel(task, 0, AW_DEFAULT); break;
  case 2: aw_event_set(w->event); break;
  case 3: aw_event_clear(w->event); break;
  case 4:
    if (draw(w, 20) == 0)
      aw_loop_stop(w->loop, draw(w, 2));
    break;
  case 5:
    aw_task_release(w->other);
    w->other = NULL;
    (void)aw_loop_start(w->loop, any_wire(w, 3), NULL, &w->other);
    break;
  default: break;
  }
}

static aw_turn any_step(aw_task *task, void *data) {
  world *w = data;
  meddle(w, task);
  if (aw_task_cancelled(task) && draw(w, 4) > 0)
    return AW_FAIL;
  switch (draw(w, 8)) {
  case 0:
    if (any_wait(w, task) == 0)
      return AW_WAIT;
    return AW_DONE;
  case 1:
    aw_task_set_error(task, aw_error_new(w->engine, -5, 0));
    return AW_FAIL;
  case 2: {
    aw_wire *next = any_wire(w, 2);
    aw_task_set_next(task, next);
    return next ? AW_NEXT : AW_DONE;
  }
  case 3: return AW_BREAK;
  default: return AW_DONE;
  }
}

static aw_wire *any_leaf(world *w) {
  switch (draw(w, 9)) {
  case 0: return aw_sleep(draw(w, 30) * AW_SECOND);
  case 1: return aw_wait_for(draw(w, 2) ? &slow : &stubborn, w);
  case 2: return aw_recv(w->channel);
  case 3: return aw_send(w->channel, 1);
  case 4: return w->other ? aw_when_done(w->other) : aw_when_set(w->event);
  case 5: return aw_named(aw_call(any_step, w), "step");
  case 6: return aw_call(any_step, w);
  default: return aw_host_call(w, NULL, "host");
  }
}

static aw_wire *any_wire(world *w, int depth) {
  if (depth == 0 || w->budget <= 0)
    return any_leaf(w);
  w->budget--;
  aw_wire *a = any_wire(w, depth - 1);
  aw_wire *both[3] = {NULL, NULL, NULL};
  uint32_t kind = draw(w, 17);
  if (kind < 9) {
    both[0] = a;
    for (int i = 1; i < 3; i++)
      both[i] = any_wire(w, depth - 1);
  }
  aw_retry_rule rule = {.times = 2 + draw(w, 3),
                        .delay = draw(w, 3) * AW_SECOND,
                        .factor = 1,
                        .most = AW_NEVER,
                        .within = draw(w, 2) ? AW_NEVER : 9 * AW_SECOND};
  switch (kind) {
  case 0:
  case 1: return aw_all(both, 3, draw(w, 3));
  case 2:
  case 3: return aw_race(both, 3);
  case 4: return aw_any(both, 3);
  case 5:
  case 6: return aw_sequence(both, 3);
  case 7: return aw_or_else(a, aw_bind(both[1], both[2]));
  case 8: return aw_catch(aw_finally(a, both[1], AW_DEFAULT), both[2]);
  case 9: return aw_repeat(a, draw(w, 6));
  case 10: return aw_timeout(a, draw(w, 20) * AW_SECOND, AW_DEFAULT);
  case 11: return aw_shielded(a, draw(w, 9) * AW_SECOND);
  case 12: return aw_retry(a, &rule, NULL);
  case 13:
    return aw_timeout(aw_every(AW_SECOND, a, AW_MISSED_SKIP), 4 * AW_SECOND, 0);
  case 14: return aw_whole(a);
  case 15: {
    aw_wire *events[2] = {aw_recv(w->channel), aw_sleep(AW_SECOND)};
    return aw_then(aw_select(events, 2), a);
  }
  default: return aw_then(a, aw_call(any_step, w));
  }
}

/* ---- the host: it acts for each step until it has reported or waits ---- */

static char leaving; /* parked code that closes a scope when it goes on */

/* Open a scope, start children in it, and leave it. Returns true if the code
 * waits for the children. */
static bool use_scope(world *w, aw_task *task) {
  aw_scope_config config = {.deadline =
                                aw_engine_now(w->engine) + 9 * AW_SECOND,
                            .grace = AW_DEFAULT};
  aw_scope *scope;
  aw_scope_end end;
  if (aw_scope_open(task, &config, &scope) < 0)
    return false;
  for (uint32_t i = draw(w, 3); i > 0; i--)
    (void)aw_scope_start(scope, any_wire(w, 2), NULL, NULL);
  if (draw(w, 3) == 0)
    aw_scope_cancel(scope, 0, AW_DEFAULT);
  aw_task_park(task, &leaving);
  if (aw_scope_leave(task, NULL, false) == 1)
    return true;
  if (draw(w, 2))
    return aw_await_join(task) == 0;
  aw_scope_close(task, &end);
  aw_error_release(end.error);
  return false;
}

static void free_inner(world *w, aw_loop *inner) {
  size_t at = 0;
  while (w->inner[at] != inner)
    at++;
  w->inner[at] = w->inner[--w->inners];
  CHECK(aw_loop_free(inner) == 0);
}

static bool await_loop(world *w, aw_task *task) {
  CHECK(w->inners < INNER);
  aw_loop *inner = w->inner[w->inners++] = new_loop(w->engine);
  (void)aw_loop_start(inner, any_wire(w, 2), NULL, NULL);
  aw_task_park(task, inner);
  if (aw_await_loop(task, inner, 5 * AW_SECOND) == 0)
    return true;
  free_inner(w, inner);
  return false;
}

/* Act once. Returns true if the step is over. */
static bool act(world *w, aw_task *task) {
  meddle(w, task);
  if (aw_task_cancelled(task) && draw(w, 4) > 0) {
    aw_step_cancelled(task);
    return true;
  }
  switch (draw(w, 12)) {
  case 0: aw_step_fail(task, aw_error_new(w->engine, -5, 0)); return true;
  case 1: aw_step_next(task, any_wire(w, 2)); return true;
  case 2: return use_scope(w, task);
  case 3:
  case 4: aw_task_park(task, &code); return any_wait(w, task) == 0;
  case 5:
    aw_task_park(task, &code);
    return aw_await_wire(task, any_wire(w, 2), draw(w, 2)) == 0;
  case 6: aw_task_park(task, &code); return aw_begin_yield(task) == 0;
  case 7: (void)aw_step_again(task); return false;
  case 8: (void)aw_step_itself(task); return false;
  case 9: return await_loop(w, task);
  default: aw_step_done(task, 0); return true;
  }
}

/* The wait of parked code has ended: clean up what it waited for. */
static void come_back(world *w, aw_task *task, void *data) {
  aw_scope_end end;
  if (data == &leaving) {
    aw_scope_close(task, &end);
    aw_error_release(end.error);
  } else if (data != &code) {
    free_inner(w, data);
  }
}

/* Tell of all tasks of `loop`, also of those that are known. */
static void meet_all(tracer *to, aw_loop *loop) {
  aw_scope *root = aw_loop_scope(loop);
  size_t depth = 0;
  for (const aw_scope *s = root; s; s = aw_scope_walk(root, s, &depth)) {
    aw_task *task = aw_scope_task(s);
    aw_waiting wait;
    if (!task || aw_task_tell(task))
      continue;
    task_started(to, task);
    if (aw_task_waiting(task, &wait))
      wait_begins(to, task, wait.label);
  }
}

static void remember_step(void *data, const aw_task *task) {
  tracer *to = data;
  CHECK(!to->met);
  to->met = task;
}

/* Forget all tasks. */
static void forget(tracer *to) {
  memset(to->tracks, 0, to->size * sizeof *to->tracks);
  to->stepping = 0;
  to->started = to->ended;
}

/* The tracer comes back: first it takes all tasks for new ones, and then hears
 * of the step that is under way. */
static void come(const world *w, tracer *to) {
  const aw_instrument meeting = {.data = to,
                                 .task_started = task_started,
                                 .step_begins = remember_step,
                                 .wait_begins = wait_begins};
  forget(to);
  CHECK(aw_engine_instrument(w->engine, &meeting) == 0);
  meet_all(to, w->loop);
  for (size_t i = 0; i < w->inners; i++)
    meet_all(to, w->inner[i]);
  trace(w->engine, to);
  if (to->met)
    step_begins(to, to->met);
  to->met = NULL;
}

/* The tracer leaves the program, or comes back. */
static void come_and_go(world *w) {
  tracer *to = w->comes;
  if (w->absent > 0 && --w->absent == 0) {
    come(w, to);
  } else if (w->absent == 0 && draw(w, 8) == 0) {
    CHECK(aw_engine_instrument(w->engine, NULL) == 0);
    w->absent = 1 + (int)draw(w, 8);
  }
}

static void answer(world *w, aw_step *step) {
  if (w->comes)
    come_and_go(w);
  switch (step->what) {
  case AW_STEP_RESUME:
    come_back(w, step->task, step->data);
    aw_error_release(aw_task_take_error(step->task));
    aw_wire_release(aw_task_take_next(step->task));
    while (!act(w, step->task))
      ;
    break;
  case AW_STEP_CALL:
    while (!act(w, step->task))
      ;
    break;
  case AW_STEP_KILL:
    if (step->data != &leaving && step->data != &code)
      free_inner(w, step->data);
    aw_step_killed(step->task);
    break;
  case AW_STEP_FAILED: aw_step_handled(step->task); break;
  case AW_STEP_DEADLOCK:
    aw_loop_fail(step->loop, aw_error_new(w->engine, AW_EDEADLOCK, 0));
    break;
  case AW_STEP_SLOW:
  case AW_STEP_LATE:
  case AW_STEP_SWALLOWED:
  case AW_STEP_WOKEN:
  case AW_STEP_HOLDING: break;
  }
}

static void pull(void *host, aw_engine *engine) {
  aw_step step;
  while (aw_next(engine, NULL, &step) == 1)
    answer(host, &step);
}

/* Run the loop, pulled as a whole or in turns of a host. */
static void run_loop(world *w, bool in_turns) {
  CHECK(aw_loop_begin(w->loop, 300 * AW_SECOND) == 0);
  if (in_turns) {
    while (aw_loop_state_of(w->loop) == AW_LOOP_RUNNING)
      CHECK(aw_engine_turn(w->engine) >= 0);
    return;
  }
  aw_step step;
  int rc;
  while ((rc = aw_next(w->engine, w->loop, &step)) == 1)
    answer(w, &step);
  CHECK(rc == 0);
}

static void release_world(world *w) {
  aw_task_release(w->other);
  aw_channel_release(w->channel);
  aw_event_release(w->event);
}

/* Run random wires. Adds up how many events of each kind there were.
 *
 *   comes  the tracer comes and goes
 */
static void run_random(uint64_t seed, bool comes, tracer *sum) {
  tracer to = {0};
  world w = {.random = seed * 977 + 1, .budget = 40};
  if (comes)
    w.comes = &to;
  aw_engine_config config = {.clock = AW_CLOCK_VIRTUAL,
                             .deadlocks = true,
                             .seed = seed % 3 ? seed : 0,
                             .host = &w,
                             .pull = pull};
  aw_channel_config channel = {.capacity = draw(&w, 2)};
  CHECK(aw_engine_new(&config, &w.engine) == 0);
  CHECK(aw_channel_new(&channel, &w.channel) == 0);
  CHECK(aw_event_new(NULL, &w.event) == 0);
  trace(w.engine, &to);
  w.loop = new_loop(w.engine);
  for (int i = 0; i < 4; i++)
    CHECK(aw_loop_start(w.loop, any_wire(&w, 4), NULL, NULL) == 0);
  if (seed % 16 != 0) /* else the loop is freed before it has run */
    run_loop(&w, seed % 4 == 1);
  CHECK(aw_loop_free(w.loop) == 0);
  release_world(&w);
  if (w.absent)
    forget(&to);
  sum->steps += to.steps;
  sum->waits += to.waits;
  sum->cancels += to.cancels;
  sum->ended += to.ended;
  finish(w.engine, NULL, &to);
}

static void random_wires(bool comes) {
  enum { PROGRAMS = 2000 };
  tracer sum = {0};
  for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
    run_random(seed, comes, &sum);
  CHECK(sum.ended > PROGRAMS * 4 && sum.steps > PROGRAMS * 4);
  CHECK(sum.waits > PROGRAMS * 4 && sum.cancels > PROGRAMS);
}

int main(void) {
  c_steps_and_their_waits();
  every_turn_of_a_repeat();
  operands_of_a_race();
  a_child_and_its_parent();
  a_time_out();
  tasks_that_never_ran();
  steps_of_the_host();
  a_loop_inside_and_a_kill();
  a_spin_off();
  blocking();
  only_tasks_that_start_later();
  taken_away_inside_a_step();
  older_tasks_that_wait_or_are_ready();
  inside_a_c_step();
  again_with_the_same_data();
  a_task_that_is_known();
  nothing_to_tell();
  one_instrument_at_a_time();
  wrong_arguments();
  random_wires(false);
  random_wires(true);
  return 0;
}
