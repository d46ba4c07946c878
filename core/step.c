/* step.c - THE INTERPRETER: what each kind of wire means
 *
 *      begin (descend)                        end (ascend)
 *   wire ──────────────► leaf: a step or a wait ──────────────► outcome
 *     │ pushes frames                            pops frames      │
 *     └── next element, next iteration, next wire of a chain ◄────┘
 *
 * A task is run from one `go` to the next until it needs its host (HOST), is
 * off the processor (OFF: queued, parked or ended), all without recursion.
 * An outcome is a value, the next wire, an error, or Cancelled; each kind of
 * frame says what it makes of it. Boundaries inside >> and * are scheduling
 * and cancellation points [N4], going on to a returned wire is a scheduling
 * point only [N3].
 */
#include "state.h"

#include <assert.h>

typedef enum move {
  ON,   /* go on with `task->go` */
  HOST, /* `*out` is a step for the host */
  OFF   /* the task is queued, parked or ended */
} move;

/* Off to the back of the queue if others are ready [F3]: false. If not, `go`
 * is done at once, without the way through aw__step_run(). */
static bool yield_turn(aw_task *task) {
  if (!aw__engine_must_queue(task->engine))
    return true;
  aw__task_queue(task);
  return false;
}

/* ---- leaves ---- */

static move end_value(aw_task *task, aw_value value) {
  task->out.value = value;
  aw__task_outcome(task, AW_OUT_VALUE);
  return ON;
}

static move end_code(aw_task *task, int code) {
  if (code == AW_ECANCELED) {
    aw__task_drop_outcome(task);
    aw__task_outcome(task, AW_OUT_CANCEL);
  } else {
    aw__task_fail_code(task, code);
  }
  return ON;
}

/* What a leaf that waits is armed with; the wait has not been refused. Returns
 * as aw__wait_begin(). */
static int arm_leaf(aw_task *task, aw_wire *wire) {
  switch ((int)wire->kind) {
  case AW_WIRE_SLEEP:
    return aw__wait_until(task,
                          aw__later(aw_engine_now(task->engine), wire->u.ns));
  case AW_WIRE_UNTIL: return aw__wait_until(task, wire->u.ns);
  default:
    return aw__wait_begin(task, wire->u.wait.operation, wire->u.wait.data);
  }
}

/* A wait ended with a negative code, or could not begin. */
static move fail_wait(aw_task *task, const aw_wire *wire, int code) {
  end_code(task, code);
  if (wire->kind == AW_WIRE_WAIT && task->outcome == AW_OUT_ERROR)
    aw_error_set_about(task->out.error, wire->u.wait.operation->label,
                       aw__poller_fd(wire));
  return ON;
}

static move begin_wait(aw_task *task, aw_wire *wire) {
  int rc = 0;
  if (wire->kind == AW_WIRE_DONE)
    rc = aw__wait_for_task(task, wire->u.task, AW_GO_LEAF);
  else if (!aw__wait_refused(task, AW_GO_LEAF))
    rc = arm_leaf(task, wire);
  if (rc < 0)
    return fail_wait(task, wire, rc);
  return rc > 0 ? ON : OFF; /* over already: no reason to wait [F3] */
}

/* The end of `other`, as the end of a wait for it [T5]. */
static move end_as(aw_task *task, const aw_task *other) {
  if (other->state == AW_TASK_DONE)
    return end_value(task, aw__keep_value(task->engine, other->out.value));
  if (other->state != AW_TASK_FAILED)
    return end_code(task, AW_ETASKCANCELLED);
  aw__task_drop_outcome(task);
  task->out.error = aw_error_keep(other->out.error);
  aw__task_outcome(task, AW_OUT_ERROR);
  return ON;
}

static move end_wait(aw_task *task) {
  const aw_wire *wire = task->at;
  if (task->result < 0)
    return fail_wait(task, wire, task->result);
  if (wire->kind == AW_WIRE_DONE)
    return end_as(task, wire->u.task);
  aw__task_outcome(task, AW_OUT_VALUE); /* its value, if any, is set [C6] */
  return ON;
}

/* The wire lives as long as that of the step, which a frame keeps. */
static move go_into(aw_task *task) {
  assert(task->outcome == AW_OUT_NEXT);
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

static move call_step(aw_task *task) {
  const aw_wire *wire = task->at;
  aw__task_drop_outcome(task);
  task->steps++;
  task->engine->steps++;
  switch (wire->u.call.fn(task, wire->u.call.data)) {
  case AW_WAIT:
    if (task->state == AW_TASK_RUNNING) /* nothing is armed */
      return end_code(task, AW_EINVAL);
    if (task->go != AW_GO_KILL)
      task->go = AW_GO_CALL;
    return OFF;
  case AW_FAIL:
    if (task->outcome != AW_OUT_ERROR)
      return end_code(task, AW_ECANCELED);
    break;
  case AW_INTO: return go_into(task);
  case AW_BREAK: leave_repeat(task); break;
  case AW_DONE:
  case AW_NEXT: break;
  }
  task->go = AW_GO_ASCEND;
  return ON;
}

static move call_host(aw_task *task, aw_wire *wire, aw_step *out) {
  task->at = wire;
  task->go = AW_GO_HOST;
  task->steps++;
  task->engine->steps++;
  out->what = AW_STEP_CALL;
  out->task = task;
  out->data = wire->u.host.data;
  return HOST;
}

static move resume_host(aw_task *task, aw_step *out, int result) {
  task->go = AW_GO_HOST;
  out->what = AW_STEP_RESUME;
  out->result = result;
  out->task = task;
  out->data = task->host;
  return HOST;
}

/* ---- scopes that wires open ---- */

static aw_scope *open_scope(aw_task *task, uint64_t grace) {
  aw_opened *opened = aw__alloc(task->engine, sizeof *opened);
  if (!opened)
    return NULL;
  if (aw__task_push(task, AW_FRAME_SCOPE, NULL) < 0) {
    aw__free(task->engine, opened, sizeof *opened);
    return NULL;
  }
  opened->grace = grace;
  task->frames[task->depth - 1].u.scope = &opened->scope;
  task->engine->scopes++;
  return &opened->scope;
}

int aw_scope_open(aw_task *task, const aw_scope_config *config,
                  aw_scope **out) {
  aw_scope *scope = open_scope(task, config->grace);
  if (!scope)
    return AW_ENOMEM;
  scope->shield = scope->hides = config->shield;
  aw__scope_init(scope, task->inner, task);
  task->inner = scope;
  if (config->deadline != AW_NEVER &&
      aw__alarm_set(task->engine, &scope->alarm, config->deadline) < 0) {
    aw_scope_end end;
    aw_scope_close(task, &end);
    return AW_ENOMEM;
  }
  *out = scope;
  return 0;
}

/* The scope of the topmost frame. */
static aw_scope *top_scope(const aw_task *task) {
  assert(task->depth > 0);
  const aw_frame *frame = &task->frames[task->depth - 1];
  assert(frame->kind == AW_FRAME_SCOPE && frame->u.scope == task->inner);
  return frame->u.scope;
}

int aw_scope_leave(aw_task *task, aw_error *error, bool cancelled) {
  aw_scope *scope = top_scope(task);
  if (error)
    aw__scope_fail(scope, error);
  else if (cancelled)
    aw__scope_cancel(scope, AW_BY_PARENT, 0, AW_DEFAULT);
  if (!aw__wait_for_children(task, scope))
    return 0;
  task->go = AW_GO_RESUME;
  return 1;
}

void aw_scope_close(aw_task *task, aw_scope_end *end) {
  aw_scope *scope = top_scope(task);
  aw_engine *engine = task->engine;
  aw__scope_end(scope, end);
  task->inner = scope->parent;
  if (task->inner->eff == AW_LEVEL_NONE)
    task->cancels = 0; /* that cancel is over: the task did end it [C9] */
  aw__scope_unlink(scope);
  aw__task_pop(task);
  aw__free(engine, AW_CONTAINER(aw_opened, scope, scope), sizeof(aw_opened));
  engine->scopes--;
}

/* An outcome reaches the frame of a scope: join its children first [S2]. */
static move leave_scope(aw_task *task) {
  aw_scope *scope = top_scope(task);
  if (task->outcome == AW_OUT_ERROR) {
    aw__scope_fail(scope, task->out.error);
    task->outcome = AW_OUT_VALUE;
    task->out.value = 0;
  } else if (task->outcome == AW_OUT_CANCEL) {
    aw__scope_cancel(scope, AW_BY_PARENT, 0, AW_DEFAULT);
  }
  task->go = AW_GO_LEFT;
  return aw__wait_for_children(task, scope) ? OFF : ON;
}

/* The scope is empty: what comes of its outcome [S3, C5]? */
static move close_scope(aw_task *task) {
  aw_scope_end end;
  aw_scope_close(task, &end);
  aw__drop(task->engine, end.reason);
  if (end.error) {
    aw__task_drop_outcome(task);
    task->out.error = end.error;
    aw__task_outcome(task, AW_OUT_ERROR);
  } else if (task->outcome == AW_OUT_CANCEL && end.cancelled && !end.outer &&
             !task->killed) {
    return end_value(task, 0);
  }
  task->go = AW_GO_ASCEND;
  return ON;
}

/* ---- beginning a wire ---- */

static move no_memory(aw_task *task) {
  return end_code(task, AW_ENOMEM);
}

/* A frame for the whole of `wire`, which is under `task->at` then. */
static bool push_chain(aw_task *task, aw_wire *wire) {
  if (aw__task_push(task, AW_FRAME_CHAIN, wire) < 0)
    return false;
  aw_wire_keep(wire);
  return true;
}

static bool push_shield(aw_task *task, const aw_wire *wire) {
  aw_scope *scope;
  uint64_t now = aw_engine_now(task->engine);
  aw_scope_config config = {aw__later(now, wire->u.unary.number), AW_DEFAULT,
                            true};
  return aw_scope_open(task, &config, &scope) == 0 &&
         push_chain(task, wire->u.unary.child);
}

static bool push_counted(aw_task *task, aw_frame_kind kind, aw_wire *wire,
                         uint64_t n) {
  if (aw__task_push(task, kind, wire) < 0)
    return false;
  task->frames[task->depth - 1].u.n = n;
  return true;
}

/* Push what a composite needs. True: its first part is in `*wire`. */
static bool enter(aw_task *task, aw_wire **wire) {
  aw_wire *w = *wire;
  bool pushed = true;
  switch ((int)w->kind) {
  case AW_WIRE_SEQUENCE:
    pushed = push_counted(task, AW_FRAME_SEQUENCE, w, 0);
    *wire = w->u.items[0];
    break;
  case AW_WIRE_REPEAT:
    pushed = push_counted(task, AW_FRAME_REPEAT, w, w->u.unary.number);
    *wire = w->u.unary.child;
    break;
  case AW_WIRE_WHOLE:
    pushed = push_chain(task, w->u.unary.child);
    *wire = w->u.unary.child;
    break;
  case AW_WIRE_SHIELD:
    pushed = push_shield(task, w);
    *wire = w->u.unary.child;
    break;
  default: /* HOLD, NAMED */ *wire = aw__wire_inside(w); break;
  }
  return pushed;
}

static bool is_empty(const aw_wire *wire) {
  return (wire->kind == AW_WIRE_SEQUENCE && wire->count == 0) ||
         (wire->kind == AW_WIRE_REPEAT && wire->u.unary.number == 0);
}

static move descend(aw_task *task, aw_step *out) {
  aw_wire *wire = task->at;
  for (;;) {
    if (wire->kind == AW_WIRE_HOST) /* by far the most frequent */
      return call_host(task, wire, out);
    switch ((int)wire->kind) {
    case AW_WIRE_CALL: task->at = wire; return call_step(task);
    case AW_WIRE_SLEEP:
    case AW_WIRE_UNTIL:
    case AW_WIRE_DONE:
    case AW_WIRE_WAIT: task->at = wire; return begin_wait(task, wire);
    default: /* a composite */
      if (is_empty(wire))
        return end_value(task, 0);
      if (!enter(task, &wire))
        return no_memory(task);
    }
  }
}

/* ---- ending one ---- */

/* An element that is not the last has ended: its value goes nowhere, and the
 * wire it became runs beside what follows [O1, O2, N5]. */
static int spin_off(aw_task *task) {
  if (task->outcome != AW_OUT_NEXT) {
    aw__task_drop_outcome(task);
    return 0;
  }
  aw_wire *next = task->out.next;
  task->outcome = AW_OUT_VALUE;
  task->out.value = 0;
  aw_task_config config = {.where = task->where};
  return aw_scope_start(task->inner, next, &config, NULL);
}

static move next_element(aw_task *task, aw_step *out) {
  if (task->inner->eff != AW_LEVEL_NONE)
    return end_code(task, AW_ECANCELED);
  const aw_frame *frame = &task->frames[task->depth - 1];
  task->at = frame->kind == AW_FRAME_SEQUENCE ? frame->wire->u.items[frame->u.n]
                                              : frame->wire->u.unary.child;
  return descend(task, out);
}

/* Between two elements of the top frame [N4]. */
static move boundary(aw_task *task, aw_step *out) {
  int rc = spin_off(task);
  if (rc < 0)
    return end_code(task, rc);
  task->go = AW_GO_BOUNDARY;
  return yield_turn(task) ? next_element(task, out) : OFF;
}

/* A chain, which is at `*wire`, goes on to the wire it became [N2, N3]. */
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

/* Has the frame of >> or * another element after this one? Counts it. */
static bool has_more(aw_frame *frame) {
  if (frame->kind == AW_FRAME_SEQUENCE)
    return ++frame->u.n < frame->wire->count;
  return frame->u.n == AW_FOREVER || --frame->u.n > 0;
}

/* The frames that wait with their host code: it goes on, or is closed. */
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

static move finish(aw_task *task);

/* Can the outcome go further down than `frame`? If not, `*next` is what
 * comes of it there. */
static bool passes(aw_task *task, aw_frame *frame, aw_step *out, move *next) {
  switch ((aw_frame_kind)frame->kind) {
  case AW_FRAME_CHAIN:
    if (task->outcome != AW_OUT_NEXT)
      return true;
    *next = transit(task, &frame->wire, out);
    return false;
  case AW_FRAME_SCOPE: *next = leave_scope(task); return false;
  case AW_FRAME_AWAIT: *next = end_await(task, frame, out); return false;
  default: return true; /* STEP, or the last of >> and * */
  }
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
  return task->outcome == AW_OUT_NEXT ? transit(task, &task->root, out)
                                      : finish(task);
}

/* ---- ending a task ---- */

/* The chain of the task has ended: join its children [T1]. */
static move finish(aw_task *task) {
  aw__task_end_root(task);
  task->host = NULL;
  if (task->outcome == AW_OUT_ERROR) {
    aw__scope_fail(&task->scope, task->out.error);
    task->outcome = AW_OUT_VALUE;
    task->out.value = 0;
  } else if (task->outcome == AW_OUT_CANCEL) {
    aw__scope_cancel(&task->scope, AW_BY_PARENT, 0, AW_DEFAULT);
  }
  task->go = AW_GO_CONCLUDE;
  return aw__wait_for_children(task, &task->scope) ? OFF : ON;
}

/* Was the task cut short by a cancel, and not by the one of finish() [E5]? */
static bool cut_short(const aw_task *task) {
  return task->killed || task->scope.by != AW_BY_PARENT ||
         aw__scope_level_outside(&task->scope) != AW_LEVEL_NONE;
}

static void set_final_state(aw_task *task, const aw_scope_end *end) {
  if (end->error) {
    aw__task_drop_outcome(task);
    task->outcome = AW_OUT_ERROR;
    task->out.error = end->error;
    task->state = AW_TASK_FAILED;
  } else if (task->outcome == AW_OUT_CANCEL) {
    bool cancelled = cut_short(task);
    task->state = cancelled ? AW_TASK_CANCELLED : AW_TASK_FAILED;
    aw__task_drop_outcome(task);
    if (!cancelled)
      aw__task_fail_code(task, AW_ESTRAY);
  } else {
    task->state = AW_TASK_DONE;
  }
}

/* All below it has ended: the task is terminal. A failure goes to its
 * handler, or, at a loop's root, to the host, before anybody else knows [T5].
 */
static move conclude(aw_task *task) {
  aw_scope_end end;
  aw__scope_end(&task->scope, &end);
  set_final_state(task, &end);
  aw__drop(task->engine, end.reason);
  bool at_root = task->scope.parent->task == NULL;
  if (task->state == AW_TASK_FAILED && (aw__task_handled(task) || at_root))
    aw__list_append(&task->engine->reports, &task->link);
  else
    aw__step_settle(task);
  return OFF;
}

static void wake_waiters(aw_task *task) {
  aw_link *link;
  while ((link = aw__list_shift(&task->waiters)) != NULL) {
    aw__task_wake(AW_CONTAINER(aw_task, link, link), 0);
    aw_task_release(task);
  }
}

void aw__step_settle(aw_task *task) {
  aw_scope *parent = task->scope.parent;
  aw_loop *loop = task->loop;
  aw_engine *engine = task->engine;
  aw__scope_unlink(&task->scope);
  parent->children--;
  if (task->state == AW_TASK_FAILED && !aw__task_handled(task) && parent->task)
    aw__scope_fail(parent, aw_error_keep(task->out.error));
  if (task->more) {
    aw__drop(engine, task->more->handler);
    task->more->handler = 0;
  }
  task->loop = NULL;
  task->inner = NULL;
  wake_waiters(task);
  if (task->watched)
    engine->woken = 1;
  aw_task *owner = parent->task;
  if (owner && parent->children == 0 && owner->wait == &aw__wait_children &&
      owner->on == parent)
    aw__task_wake(owner, 0);
  engine->tasks--;
  aw__loop_settled(loop, task);
  aw_task_release(task);
}

/* ---- killing [C9] ---- */

static move kill_host(aw_task *task, aw_step *out) {
  task->killed = true;
  if (!task->host) {
    aw__task_drop_outcome(task);
    aw__task_outcome(task, AW_OUT_CANCEL);
    return ON;
  }
  task->go = AW_GO_HOST;
  out->what = AW_STEP_KILL;
  out->task = task;
  out->data = task->host;
  return HOST;
}

void aw_step_killed(aw_task *task) {
  task->host = NULL;
  aw__task_drop_outcome(task);
  aw__task_outcome(task, AW_OUT_CANCEL);
}

/* Take a parked task off its wait, abortable or not. */
static void kill_parked(aw_task *task) {
  const aw_operation *operation = task->wait;
  if (operation->disarm)
    operation->disarm(task, task->on);
  else
    operation->abandon(task, task->on);
  task->go = AW_GO_KILL;
  aw__task_wake(task, AW_ECANCELED);
}

/* May `task` be killed now: hard cancelled, and parked on something else than
 * the end of other tasks, which come first? */
static bool can_kill(const aw_task *task) {
  return task->inner->eff == AW_LEVEL_HARD && task->wait &&
         (task->wait->disarm || task->wait->abandon);
}

static aw_task *find_to_kill(const aw_scope *root) {
  size_t depth = 0;
  for (const aw_scope *s = root; s; s = aw_scope_walk(root, s, &depth)) {
    aw_task *task = aw_scope_task(s);
    if (task && can_kill(task))
      return task;
  }
  return NULL;
}

bool aw__step_kill_one(aw_engine *engine) {
  if (engine->hardened == 0)
    return false;
  for (aw_link *l = engine->running.next; l != &engine->running; l = l->next) {
    aw_task *task = find_to_kill(&AW_CONTAINER(aw_loop, running, l)->root);
    if (task) {
      kill_parked(task);
      return true;
    }
  }
  return false;
}

/* ---- running ---- */

static move go(aw_task *task, aw_step *out) {
  switch ((aw_go)task->go) {
  case AW_GO_DESCEND: return descend(task, out);
  case AW_GO_BOUNDARY: return next_element(task, out);
  case AW_GO_ASCEND: return ascend(task, out);
  case AW_GO_LEAF: return end_wait(task);
  case AW_GO_CALL: return call_step(task);
  case AW_GO_RESUME: return resume_host(task, out, task->result);
  case AW_GO_LEFT: return close_scope(task);
  case AW_GO_CONCLUDE: return conclude(task);
  case AW_GO_KILL: return kill_host(task, out);
  case AW_GO_HOST: break;
  }
  assert(false && "the host has not reported");
  return OFF;
}

bool aw__step_run(aw_task *task, aw_step *out) {
  move next = ON;
  if (task->go == AW_GO_ASCEND) /* a host step has ended: the hot path */
    next = ascend(task, out);
  while (next == ON)
    next = go(task, out);
  return next == HOST;
}

/* ---- reports of the host ---- */

bool aw__step_with_host(const aw_task *task) {
  return task && task->state == AW_TASK_RUNNING && task->go == AW_GO_HOST;
}

static void host_ended(aw_task *task, aw_outcome outcome) {
  assert(task->go == AW_GO_HOST);
  task->host = NULL;
  aw__task_outcome(task, outcome);
}

void aw_step_done(aw_task *task, aw_value value) {
  aw__task_drop_outcome(task);
  task->out.value = value;
  host_ended(task, AW_OUT_VALUE);
}

void aw_step_next(aw_task *task, aw_wire *next) {
  aw__task_drop_outcome(task);
  if (!next) {
    aw_step_fail(task, aw_error_new(task->engine, AW_ENOMEM, 0));
    return;
  }
  task->out.next = next;
  host_ended(task, AW_OUT_NEXT);
}

void aw_step_fail(aw_task *task, aw_error *error) {
  aw__task_drop_outcome(task);
  task->out.error = error;
  host_ended(task, AW_OUT_ERROR);
}

void aw_step_cancelled(aw_task *task) {
  aw__task_drop_outcome(task);
  host_ended(task, AW_OUT_CANCEL);
}

void aw_step_handled(aw_task *task) {
  aw__step_settle(task);
}

bool aw_step_again(aw_task *task) {
  aw_engine *engine = task->engine;
  if (task->depth == 0 || engine->ready.count > 0 || engine->credit <= 1 ||
      engine->woken || task->inner->eff != AW_LEVEL_NONE)
    return false;
  aw_frame *frame = &task->frames[task->depth - 1];
  if (frame->kind != AW_FRAME_REPEAT || frame->u.n <= 1 ||
      frame->wire->u.unary.child != task->at)
    return false;
  if (frame->u.n != AW_FOREVER)
    frame->u.n--;
  engine->credit--;
  engine->steps++;
  task->steps++;
  return true;
}

bool aw_step_wants_value(const aw_task *task) {
  for (size_t i = task->depth; i-- > 0;) {
    const aw_frame *frame = &task->frames[i];
    switch ((aw_frame_kind)frame->kind) {
    case AW_FRAME_SEQUENCE:
      if (frame->u.n + 1 < frame->wire->count)
        return false;
      break;
    case AW_FRAME_REPEAT:
      if (frame->u.n != 1)
        return false;
      break;
    case AW_FRAME_CHAIN:
    case AW_FRAME_STEP:
    case AW_FRAME_SCOPE:
    case AW_FRAME_AWAIT: break;
    }
    if (frame->kind == AW_FRAME_AWAIT)
      return true;
  }
  return true;
}
