/* step.c - THE INTERPRETER: runs the wires of a task
 *
 *      begin (descend)                        end (ascend)
 *   wire ──────────────► leaf: a step or a wait ──────────────► outcome
 *     │ pushes frames                            pops frames      │
 *     └── next element, next iteration, next wire of a chain ◄────┘
 *
 * The interpreter does what `go` of a task says, and then what the new `go`
 * says, until the host must run a step (HOST), or the task is queued, parked or
 * has ended (OFF). Nothing recurses, so a deep wire needs no deep C stack.
 *
 * An outcome is a value, a next wire, an error, or Cancelled. Each kind of
 * frame decides what becomes of an outcome. Other tasks get their turn, and a
 * cancel is delivered, at the boundaries inside >> and * [N4]. When a chain
 * goes on to its next wire, other tasks get their turn, but no cancel is
 * delivered [N3].
 *
 * Neighbours: the composites that run most often have their cases here. Groups
 * and the other kinds ("cold" ones) have files of their own; their functions
 * are found by kind_functions.h.
 *
 * More than 500 lines: its functions call each other both ways, down
 * into a wire and back up with its outcome.
 */
#include "run/step.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/ready.h"
#include "run/again.h"
#include "run/cancel.h"
#include "run/cancelled.h"
#include "run/end.h"
#include "run/frame.h"
#include "run/home.h"
#include "run/instrument.h"
#include "run/kind_functions.h"
#include "run/start.h"
#include "run/task.h"
#include "run/wait.h"
#include "wire/kinds.h"
#include "wire/view.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum move {
  ON,   /* go on with `task->go` */
  HOST, /* `*out` is a step for the host */
  OFF   /* the task is queued, parked or ended */
} move;

/* If other tasks are ready, queue `task` behind them and return false [F3].
 * Else return true: the caller goes on at once. */
static bool yield_turn(aw_task *task) {
  if (!aw__ready_must_queue(task->engine))
    return true;
  aw__task_queue(task);
  return false;
}

/* ---- leaves ---- */

static move end_value(aw_task *task, aw_value value) {
  aw__task_end_value(task, value);
  return ON;
}

static move end_code(aw_task *task, int code) {
  aw__task_end_code(task, code);
  return ON;
}

static int arm_sleep(aw_task *task, uint64_t ns) {
  if (ns == 0 && task->contender) { /* an event, ready at once [H2] */
    task->result = 0;
    return 1;
  }
  return aw__wait_span(task, ns);
}

/* Arm the wait of a leaf other than DONE. Returns as aw__wait_begin(). */
static int arm_leaf(aw_task *task, const aw_wire *wire) {
  if (wire->kind == AW_KIND_SLEEP)
    return arm_sleep(task, wire->u.ns);
  if (wire->kind == AW_KIND_UNTIL)
    return aw__wait_until(task, wire->u.ns);
  return aw__wait_begin(task, wire->u.wait.operation, wire->u.wait.data);
}

/* The wait of a leaf has ended with a negative code, or could not begin. */
static move fail_wait(aw_task *task, const aw_wire *wire, int code) {
  end_code(task, code);
  if (wire->kind == AW_KIND_WAIT && task->outcome == AW_OUT_ERROR) {
    const aw_operation *operation = wire->u.wait.operation;
    int fd = operation->fd ? operation->fd(wire->u.wait.data) : -1;
    aw_error_set_about(task->out.error, operation->label, fd);
    aw__frame_set_wire(task, task->at, 0);
  }
  return ON;
}

static move begin_wait(aw_task *task, aw_wire *wire) {
  int rc = 0;
  task->at = wire;
  aw__task_drop_outcome(task);
  if (wire->kind == AW_KIND_DONE)
    rc = aw__wait_for_task(task, wire->u.task, AW_GO_LEAF);
  else if (!aw__wait_refused(task, AW_GO_LEAF))
    rc = arm_leaf(task, wire);
  if (rc < 0)
    return fail_wait(task, wire, rc);
  return rc > 0 ? ON : OFF; /* complete at once: do not wait [F3] */
}

/* The task `other` has ended: end the wait with its outcome [T5]. */
static move end_as(aw_task *task, const aw_task *other) {
  if (other->state == AW_TASK_DONE)
    return end_value(task, aw__keep_value(task->engine, other->out.value));
  if (other->state != AW_TASK_FAILED)
    return end_code(task, AW_ETASKCANCELLED);
  aw__task_raise(task, aw_error_keep(other->out.error));
  return ON;
}

static move end_wait(aw_task *task) {
  const aw_wire *wire = task->at;
  if (task->result < 0)
    return fail_wait(task, wire, task->result);
  if (wire->kind == AW_KIND_DONE)
    return end_as(task, wire->u.task);
  aw__task_outcome(task, AW_OUT_VALUE); /* `out` has the value [C6] */
  return ON;
}

/* The step has raised the error that `out` has. */
static move raise_set(aw_task *task) {
  aw__task_raise(task, aw_task_take_error(task));
  return ON;
}

/* Begin the wire that an AW_INTO step has set. That wire lives as long as the
 * wire of the step, which a frame keeps. */
static move go_into(aw_task *task) {
  task->at = task->out.next;
  aw__task_drop_outcome(task);
  task->go = AW_GO_DESCEND;
  return ON;
}

static void leave_repeat(aw_task *task) {
  while (task->depth > 0) {
    uint8_t kind = task->frames[task->depth - 1].kind;
    if (kind != AW_FRAME_SEQUENCE && kind != AW_FRAME_REPEAT)
      return;
    aw__task_pop(task);
    if (kind == AW_FRAME_REPEAT)
      return;
  }
}

#if !defined(NDEBUG) && defined(__GNUC__) && defined(__EXCEPTIONS)

static void check_return(const bool *returned) {
  if (*returned)
    return;
  fputs("aiowire: an exception has left a C step, see aw_step_fn\n", stderr);
  abort();
}

/* A build with asserts stops where an exception of C++ leaves a step. */
static aw_turn call_function(aw_task *task, const aw_wire *wire) {
  __attribute__((cleanup(check_return))) bool returned = false;
  aw_turn turn = wire->u.call.fn(task, wire->u.call.data);
  /* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): check_return() reads */
  returned = true;
  return turn;
}

#else

static aw_turn call_function(aw_task *task, const aw_wire *wire) {
  return wire->u.call.fn(task, wire->u.call.data);
}

#endif

/* The step has input that it may take, or an instrument hears of it. */
static aw_turn call_noting(aw_task *task, const aw_wire *wire) {
  if (!task->input)
    aw__task_drop_outcome(task);
  if (task->told)
    aw__tell_step(task);
  aw_turn turn = call_function(task, wire);
  aw__tell_step_over(task->engine);
  if (task->input) /* the step did not take its input */
    aw__task_drop_outcome(task);
  return turn;
}

static aw_turn call_once(aw_task *task, const aw_wire *wire) {
  if (task->input || task->told)
    return call_noting(task, wire);
  aw__task_drop_outcome(task);
  return call_function(task, wire);
}

/* Another turn of the repeat around the step was counted. Go over the boundary
 * before that turn [N4]. */
static move next_turn(aw_task *task) {
  aw__task_drop_outcome(task);
  task->go = AW_GO_BOUNDARY;
  return yield_turn(task) ? ON : OFF;
}

/* The step has ended with `turn`, and has set `out`. What does not go together
 * is AW_EINVAL. */
AW_APART static move end_step(aw_task *task, aw_turn turn) {
  aw_outcome set = (aw_outcome)task->outcome;
  switch (turn) {
  case AW_DONE:
  case AW_BREAK:
    if (set != AW_OUT_VALUE)
      break;
    if (turn == AW_BREAK)
      leave_repeat(task);
    task->go = AW_GO_ASCEND;
    return ON;
  case AW_NEXT:
  case AW_INTO:
    if (set == AW_OUT_ERROR) /* there was no memory for the wire */
      return raise_set(task);
    if (set != AW_OUT_NEXT)
      break;
    task->go = AW_GO_ASCEND;
    return turn == AW_INTO ? go_into(task) : ON;
  case AW_FAIL:
    return set == AW_OUT_ERROR ? raise_set(task) : end_code(task, AW_ECANCELED);
  case AW_WAIT: break; /* nothing is armed */
  }
  return end_code(task, AW_EINVAL);
}

/* The step has armed a wait, but has not returned AW_WAIT. Abort the wait, and
 * fail. Returns false if the wait cannot be aborted: then the task waits. */
AW_APART static bool end_armed(aw_task *task, aw_turn turn) {
  if (task->wait && !aw_wait_interrupt(task, AW_EINVAL))
    return false;
  aw_error *error = turn == AW_FAIL ? aw_task_take_error(task) : NULL;
  if (error)
    aw__task_raise(task, error);
  else
    aw__task_end_code(task, AW_EINVAL);
  return true; /* the task is queued, and goes on from there */
}

static move call_step(aw_task *task) {
  const aw_wire *wire = task->at;
  task->go = AW_GO_STEP;
  task->steps++;
  task->engine->steps++;
  aw_turn turn = call_once(task, wire);
  while (turn == AW_DONE && task->outcome == AW_OUT_VALUE &&
         aw__task_in_step(task) && aw__again_turn(task) > 0) {
    if (!aw__again_free(task))
      return next_turn(task);
    aw__again_count(task);
    task->came_back = false;
    turn = call_once(task, wire);
  }
  if (aw__task_in_step(task)) {
    if (turn != AW_DONE || task->outcome != AW_OUT_VALUE)
      return end_step(task, turn);
    task->go = AW_GO_ASCEND; /* most steps end so */
    return ON;
  }
  if (turn != AW_WAIT && end_armed(task, turn))
    return OFF;
  if (task->go == AW_GO_RESUME) /* `go` is no join and no kill */
    task->go = AW_GO_CALL;
  return OFF;
}

static move call_again(aw_task *task) {
  task->input = true; /* the step may take the value of its wait */
  task->came_back = true;
  move next = call_step(task);
  task->came_back = false;
  return next;
}

static move call_host(aw_task *task, aw_wire *wire, aw_step *out) {
  task->at = wire;
  task->go = AW_GO_STEP;
  task->steps++;
  task->engine->steps++;
  out->what = AW_STEP_CALL;
  out->task = task;
  out->data = wire->u.host.data;
  return HOST;
}

static move resume_host(aw_task *task, aw_step *out, int result) {
  task->go = AW_GO_STEP;
  out->what = AW_STEP_RESUME;
  out->result = result;
  out->task = task;
  out->data = task->host;
  return HOST;
}

/* ---- beginning a wire ---- */

static int push_counted(aw_task *task, aw_frame_kind kind, aw_wire *wire,
                        uint64_t n) {
  int rc = aw__task_push(task, kind, wire);
  if (rc == 0)
    task->frames[task->depth - 1].u.n = n;
  return rc;
}

static move descend(aw_task *task, aw_step *out);

/* Begin a new operand of a race that is an event, without queueing it first.
 * Thus all events of a race are armed when the race has begun, unless one was
 * ready and has decided it [H2, H3]. */
static void begin_event(aw_task *task) {
  aw_step none;
  task->state = AW_TASK_RUNNING;
  task->contender = true;
  bool leaf = task->root->kind == AW_KIND_SLEEP; /* most often */
  move next = leaf ? begin_wait(task, task->root) : descend(task, &none);
  if (next == OFF) {
    aw__group_armed(task);
    return;
  }
  aw__task_queue(task); /* to go on with the result of the wait */
  if (task->contender)
    aw__group_commit(task);
}

/* Begin the operands of a group, and wait until all have ended. */
static move begin_group(aw_task *task, aw_wire *wire) {
  aw_group *group;
  int rc = aw__group_open(task, wire, aw__group_kind(wire), &group);
  if (rc < 0)
    return end_code(task, rc);
  group->wants_value = aw_step_wants_value;
  while (aw__group_has_room(group)) {
    aw_task *operand = aw__group_next(group);
    if (!operand)
      break;
    if (aw__group_competes(group, operand))
      begin_event(operand);
    else
      aw__loop_schedule(operand);
  }
  task->go = AW_GO_GROUP;
  return ON;
}

/* These push the frame of `*wire`, and set `*wire` to the part that begins. */

static int enter_sequence(aw_task *task, aw_wire **wire) {
  int rc = push_counted(task, AW_FRAME_SEQUENCE, *wire, 0);
  *wire = (*wire)->u.list.items[0];
  return rc;
}

static int enter_repeat(aw_task *task, aw_wire **wire) {
  uint64_t times = (*wire)->u.one.number;
  int rc = push_counted(task, AW_FRAME_REPEAT, *wire, times);
  *wire = (*wire)->u.first;
  return rc;
}

static int enter_whole(aw_task *task, aw_wire **wire) {
  *wire = (*wire)->u.first;
  return aw__frame_chain(task, *wire);
}

static int enter_cold(aw_task *task, aw_wire **wire) {
  int rc = aw__cold_kinds[(*wire)->kind]->enter(task, *wire);
  *wire = task->at;
  return rc;
}

static move descend(aw_task *task, aw_step *out) {
  aw_wire *wire = task->at;
  int rc = 0;
  while (rc == 0) {
    aw__home_check(task->engine, wire);
    switch ((aw_kind)wire->kind) {
    case AW_KIND_HOST: return call_host(task, wire, out);
    case AW_KIND_CALL: task->at = wire; return call_step(task);
    case AW_KIND_SLEEP:
    case AW_KIND_UNTIL:
    case AW_KIND_DONE:
    case AW_KIND_WAIT:
      return begin_wait(task, wire);

      AW_GROUP_KINDS(AW_KIND_CASE) /* case AW_KIND_ALL: … */
      return wire->count == 0 ? end_value(task, 0) : begin_group(task, wire);
    case AW_KIND_SEQUENCE:
      if (wire->count == 0)
        return end_value(task, 0);
      rc = enter_sequence(task, &wire);
      break;
    case AW_KIND_REPEAT:
      if (wire->u.one.number == 0)
        return end_value(task, 0);
      rc = enter_repeat(task, &wire);
      break;
    case AW_KIND_WHOLE: rc = enter_whole(task, &wire); break;
    case AW_KIND_HOLD:
    case AW_KIND_NAMED:
      wire = aw__wire_inside(wire);
      break;

      AW_COLD_KINDS(AW_KIND_CASE) /* case AW_KIND_SHIELD: … */
      rc = enter_cold(task, &wire);
      break;
    }
  }
  return end_code(task, rc);
}

/* ---- ending a wire ---- */

/* An element that is not the last one has ended. Drop its value; a next wire
 * becomes a child task [O1, O2, N5]. */
static int drop_element(aw_task *task) {
  if (task->outcome != AW_OUT_NEXT) {
    aw__task_drop_outcome(task);
    return 0;
  }
  int rc = aw__frame_cover(task);
  return rc < 0 ? rc : aw__loop_spin_off(task);
}

static move next_element(aw_task *task, aw_step *out) {
  if (task->inner->eff != AW_LEVEL_NONE)
    return end_code(task, AW_ECANCELED);
  const aw_frame *frame = &task->frames[task->depth - 1];
  task->at = frame->kind == AW_FRAME_SEQUENCE
                 ? frame->wire->u.list.items[frame->u.n]
                 : frame->wire->u.first;
  return descend(task, out);
}

/* Go over the boundary between two elements of the top frame [N4]. */
static move boundary(aw_task *task, aw_step *out) {
  int rc = drop_element(task);
  if (rc < 0)
    return end_code(task, rc);
  task->go = AW_GO_BOUNDARY;
  return yield_turn(task) ? next_element(task, out) : OFF;
}

/* Go on with the next wire of a chain, whose wire was `*wire` [N2, N3]. */
static move transit(aw_task *task, aw_wire **wire, aw_step *out) {
  aw_wire *next = task->out.next;
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
  aw__task_remember(task, *wire);
  aw_wire_release(*wire);
  *wire = next;
  if (task->inner->eff != AW_LEVEL_NONE) {
    if (task->hopped)
      return end_code(task, AW_ECANCELED);
    task->hopped = true;
  }
  task->at = next;
  task->go = AW_GO_DESCEND;
  return yield_turn(task) ? descend(task, out) : OFF;
}

static bool went_well(const aw_task *task) {
  return task->outcome == AW_OUT_VALUE || task->outcome == AW_OUT_NEXT;
}

/* Count an element of >> or * that has ended. Returns true if another
 * element follows. */
static bool has_more(aw_frame *frame) {
  if (frame->kind == AW_FRAME_SEQUENCE)
    return ++frame->u.n < frame->wire->count;
  return frame->u.n == AW_FOREVER || --frame->u.n > 0;
}

/* The wire that host code awaits has ended: resume or close that code. */
static move end_await(aw_task *task, const aw_frame *frame, aw_step *out) {
  task->host = frame->u.host;
  aw__task_pop(task);
  if (task->killed) {
    task->go = AW_GO_KILL;
    return ON;
  }
  int result = 0;
  if (task->outcome == AW_OUT_ERROR)
    result = task->out.error->code;
  else if (task->outcome == AW_OUT_CANCEL)
    result = AW_ECANCELED;
  return resume_host(task, out, result);
}

/* The outcome has reached a COLD frame. If the outcome passes, free the state
 * of the frame; the caller pops the frame. */
static aw_after end_cold(aw_task *task, aw_frame *frame) {
  const aw_cold_kind *kind = aw__cold_kind(frame);
  aw_after after = kind->after(task, frame);
  if (after == AW_AFTER_PASS && kind->size > 0) {
    if (kind->clear)
      kind->clear(task->engine, frame->u.state);
    aw__free(task->engine, frame->u.state, kind->size);
  }
  return after;
}

/* Returns true if the outcome goes on to the frame below `frame`. Else `*next`
 * is what the task does. */
static bool passes(aw_task *task, aw_frame *frame, aw_step *out, move *next) {
  aw_after after;
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_CHAIN:
    if (task->outcome != AW_OUT_NEXT)
      return true;
    *next = transit(task, &frame->wire, out);
    return false;
  case AW_FRAME_SCOPE:
    if (aw__frame_pass(task))
      return true;
    aw__frame_leave(task);
    *next = ON;
    return false;
  case AW_FRAME_AWAIT: *next = end_await(task, frame, out); return false;
  case AW_FRAME_COLD:
    after = end_cold(task, frame);
    *next = after == AW_AFTER_OFF ? OFF : ON;
    return after == AW_AFTER_PASS;
  case AW_FRAME_STEP:
  case AW_FRAME_SEQUENCE: /* the last part */
  case AW_FRAME_REPEAT:   /* the last iteration */
  case AW_FRAME_GROUP: break;
  }
  return true;
}

static move ascend(aw_task *task, aw_step *out) {
  move next = ON;
  while (task->depth > 0) {
    aw_frame *frame = &task->frames[task->depth - 1];
    bool counted =
        frame->kind == AW_FRAME_REPEAT || frame->kind == AW_FRAME_SEQUENCE;
    if (counted && went_well(task) && has_more(frame))
      return boundary(task, out);
    if (!passes(task, frame, out, &next))
      return next;
    aw__task_pop(task);
  }
  if (task->outcome == AW_OUT_NEXT)
    return transit(task, &task->root, out);
  aw__task_finish(task);
  return ON;
}

/* ---- leaving scopes ---- */

/* Wait until `scope` has no children, then close `scope`, which is that of the
 * top frame or the task's own. The last child wakes the task. Before the turn
 * of the woken task, other tasks may start new children in the scope, so the
 * join counts the children again at that turn. */
static move join(aw_task *task, const aw_scope *scope,
                 void (*close)(aw_task *task), move after) {
  if (aw__wait_for_children(task, scope))
    return OFF;
  close(task);
  return after;
}

/* Wait until the innermost scope has no children. Then the step that is leaving
 * the scope goes on; the step closes the scope. */
static move join_step(aw_task *task, aw_step *out) {
  if (aw__wait_for_children(task, task->inner))
    return OFF;
  task->inner->closed = true;
  return task->host ? resume_host(task, out, 0) : call_again(task);
}

/* ---- running ---- */

/* The top frame, a COLD one, waited between two parts of its wire. The wait has
 * ended. */
static void resume_cold(aw_task *task) {
  aw_frame *frame = aw__task_top(task);
  bool cancelled =
      task->result == AW_ECANCELED || task->inner->eff != AW_LEVEL_NONE;
  int rc = cancelled ? AW_ECANCELED : aw__cold_kind(frame)->resume(task, frame);
  if (rc < 0)
    aw__task_end_code(task, rc);
}

static move go(aw_task *task, aw_step *out) {
  if (task->closed)
    aw__task_tell_closed(task);
  switch ((aw_go)task->go) {
  case AW_GO_DESCEND: return descend(task, out);
  case AW_GO_BOUNDARY: return next_element(task, out);
  case AW_GO_LEAF: return end_wait(task);
  case AW_GO_CALL: return call_again(task);
  case AW_GO_RESUME: return resume_host(task, out, task->result);
  case AW_GO_JOINED: return join_step(task, out);
  case AW_GO_LEFT: return join(task, task->inner, aw__frame_close, ON);
  case AW_GO_GROUP: return join(task, task->inner, aw__group_close, ON);
  case AW_GO_COLD: resume_cold(task); return ON;
  case AW_GO_CONCLUDE: return join(task, &task->scope, aw__task_conclude, OFF);
  case AW_GO_KILL: return aw__task_kill(task, out) ? HOST : ON;
  case AW_GO_ASCEND:
  case AW_GO_STEP: break;
  }
  assert(false && "the host has not reported");
  return OFF;
}

bool aw__step_run(aw_task *task, aw_step *out) {
  move next = ON;
  while (next == ON)
    next = task->go == AW_GO_ASCEND ? ascend(task, out) : go(task, out);
  return next == HOST;
}
