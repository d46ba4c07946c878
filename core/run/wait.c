/* wait.c - what the core itself can wait for, and how every wait begins
 *
 * A wait is an operation and its data in the task (`wait`, `on`). Only the
 * running task arms a wait. Either the owner of the operation ends the wait
 * (aw__task_wake), or a cancel does (aw__task_abort). The wait of a cancelled
 * task is refused: the task is queued with Cancelled instead. So a body that
 * catches Cancelled in a loop cannot keep other tasks from running [C2].
 *
 *     sleep     the task's alarm is in the deadlines
 *     task      `link` is among the waiters of the other task
 *     children  a scope of the task has children; never aborted [S2]
 *     idle      `link` is in engine.idle, for virtual time [K6]
 */
#include "run/wait.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "run/again.h"
#include "run/cancelled.h"
#include "run/instrument.h"
#include "run/task.h"
#include "wire/build.h"

#include <assert.h>
#include <stdio.h>

static void sleep_disarm(aw_task *task, void *on) {
  (void)on;
  aw__alarm_clear(task->engine, &task->alarm);
}

static void task_disarm(aw_task *task, void *on) {
  aw_task *other = on;
  aw__ring_remove(&other->waiters, &task->link);
  aw_task_release(other);
}

static void idle_disarm(aw_task *task, void *on) {
  (void)on;
  aw__link_remove(&task->link);
  aw__alarm_clear(task->engine, &task->alarm);
}

/* The data of a sleep is its span in ns; in ms where a pointer has 32 bits, in
 * which 4 s of ns have room. */
#if UINTPTR_MAX > UINT32_MAX

static void *span_data(uint64_t ns) {
  return (void *)(uintptr_t)ns;
}

static uint64_t span_of(const void *data) {
  return (uintptr_t)data;
}

#else

static void *span_data(uint64_t ns) {
  uint64_t ms = ns / AW_MS;
  return (void *)(uintptr_t)(ms < UINTPTR_MAX ? ms : UINTPTR_MAX);
}

static uint64_t span_of(const void *data) {
  uintptr_t ms = (uintptr_t)data;
  return ms == UINTPTR_MAX ? AW_NEVER : ms * AW_MS;
}

#endif

static void sleep_describe(const void *data, char *out, size_t size) {
  uint64_t ns = span_of(data);
  double seconds = (double)ns / (double)AW_SECOND;
  if (ns > AW_NEVER / 2)
    snprintf(out, size, "for ever");
  else
    snprintf(out, size, seconds < 100 ? "%.3g s" : "%.0f s", seconds);
}

static void task_describe(const void *data, char *out, size_t size) {
  unsigned long long id = ((const aw_task *)data)->id;
  snprintf(out, size, "%llu", id);
}

const aw_operation aw__wait_sleep = {.label = "sleep",
                                     .disarm = sleep_disarm,
                                     .describe = sleep_describe,
                                     .by_number = true};
const aw_operation aw__wait_task = {
    .label = "join task", .disarm = task_disarm, .describe = task_describe};
const aw_operation aw__wait_children = {.label = "children"};
const aw_operation aw__wait_idle = {.label = "idle", .disarm = idle_disarm};

/* ---- beginning a wait ---- */

bool aw__wait_refused(aw_task *task, aw_go go) {
  assert(task->state == AW_TASK_RUNNING);
  task->hopped = false;
  task->go = (uint8_t)go;
  if (task->inner->eff == AW_LEVEL_NONE)
    return false;
  aw__task_refuse(task);
  return true;
}

/* Nothing was armed: the step goes on. */
static int not_armed(aw_task *task, int rc) {
  task->go = AW_GO_STEP;
  return rc;
}

static int armed_or_not(aw_task *task, int rc) {
  return rc < 0 ? not_armed(task, rc) : 0;
}

/* Returns 0. */
static inline int park(aw_task *task, const aw_operation *operation, void *on) {
  task->wait = operation;
  task->on = on;
  task->state = AW_TASK_WAITING;
  if (operation->external || operation->closes) { /* seldom */
    task->engine->external += operation->external;
    task->engine->closing += operation->closes;
  }
  return task->told ? aw__tell_wait(task, operation->label) : 0;
}

/* Other threads can complete the wait, but the operation does not say so. */
static int refuse_ticket(aw_task *task, const aw_operation *operation,
                         void *data) {
  if (operation->disarm)
    operation->disarm(task, data);
  else
    operation->abandon(task, data);
  return AW_EINVAL;
}

int aw__wait_begin(aw_task *task, const aw_operation *operation, void *data) {
  if (!operation->disarm && !operation->abandon && !operation->external)
    return AW_EINVAL;
  aw__task_drop_outcome(task); /* the operation may set a value */
  task->result = 0;            /* a ticket may set its number */
  int rc = operation->arm ? operation->arm(task, data) : 0;
  if (rc == 0 && (operation->external || task->result == 0))
    return park(task, operation, data);
  if (rc == 0)
    rc = refuse_ticket(task, operation, data);
  task->result = rc < 0 ? rc : 0;
  return rc;
}

int aw__wait_armed(aw_task *task, int rc, const aw_operation *operation,
                   void *data) {
  if (rc == 0)
    return park(task, operation, data);
  if (rc > 0) {
    task->result = 0;
    aw__task_queue(task);
  }
  return armed_or_not(task, rc);
}

/* Park the task on a sleep. The data of the wait is `span`, for dumps. */
static int wait_until(aw_task *task, uint64_t at, uint64_t span) {
  if (task->contender &&
      at <= task->engine->now) { /* an event, ready at once [H2] */
    task->result = 0;
    return 1;
  }
  if (at != AW_NEVER) {
    int rc = aw__alarm_set(task->engine, &task->alarm, at);
    if (rc < 0)
      return rc;
  }
  return park(task, &aw__wait_sleep, span_data(span));
}

int aw__wait_until(aw_task *task, uint64_t at) {
  uint64_t now = task->engine->now;
  return wait_until(task, at, at > now ? at - now : 0);
}

int aw__wait_span(aw_task *task, uint64_t ns) {
  /* Read the clock: the time since the last look must not shorten the sleep
   * [K3]. */
  return wait_until(task, aw__later(aw_engine_now(task->engine), ns), ns);
}

int aw_await_until(aw_task *task, uint64_t at) {
  if (!aw__task_may_wait(task))
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  return armed_or_not(task, aw__wait_until(task, at));
}

int aw_await_sleep(aw_task *task, uint64_t ns) {
  if (!aw__task_may_wait(task))
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  return armed_or_not(task, aw__wait_span(task, ns));
}

int aw_await_yield(aw_task *task) {
  if (!aw__task_may_wait(task))
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  if (task->told)
    aw__tell_turn(task);
  task->result = 0;
  aw__task_queue(task);
  return 0;
}

int aw_begin_yield(aw_task *task) {
  if (!aw__again_free(task))
    return aw_await_yield(task); /* it checks the call; this is harmless */
  task->hopped = false;
  task->engine->credit--;
  return 1;
}

int aw_alarm_arm(aw_task *task, uint64_t at) {
  if (!task || task->alarm.place != 0) /* a task has one alarm */
    return AW_EINVAL;
  return aw__alarm_set(task->engine, &task->alarm, at);
}

void aw_alarm_disarm(aw_task *task) {
  aw__alarm_clear(task->engine, &task->alarm);
}

int aw_await_idle(aw_task *task, uint64_t at) {
  if (!aw__task_may_wait(task))
    return AW_EINVAL;
  if (task->engine->config.clock != AW_CLOCK_VIRTUAL)
    return aw_await_until(task, at);
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  int rc = aw__alarm_set(task->engine, &task->alarm, at);
  if (rc < 0)
    return not_armed(task, rc);
  aw__list_append(&task->engine->idle, &task->link);
  return park(task, &aw__wait_idle, NULL);
}

/* Returns true if `other` is `task` or one of its ancestors: those cannot end
 * before `task` [T5]. An ancestor has a child, and is older than its
 * descendants; that rules out most tasks without a walk. */
static bool contains(const aw_task *other, const aw_task *task) {
  if (other != task && !other->scope.first)
    return false;
  while (task && task->id > other->id)
    task = task->scope.parent->task;
  return task == other;
}

/* Park `task` until `other` has ended. Returns as aw__wait_begin(). */
static int wait_for_task(aw_task *task, aw_task *other) {
  if (other->loop == NULL) { /* `other` has settled */
    task->result = 0;
    return 1;
  }
  if (other->engine != task->engine)
    return AW_EINVAL;
  aw__ring_append(&other->waiters, &task->link);
  return park(task, &aw__wait_task, aw_task_keep(other));
}

int aw__wait_for_task(aw_task *task, aw_task *other, aw_go go) {
  if (contains(other, task))
    return AW_ESELF;
  other->waited = true;
  return aw__wait_refused(task, go) ? 0 : wait_for_task(task, other);
}

aw_wire *aw_when_done(aw_task *task) {
  if (!task)
    return NULL;
  return aw__build_done(aw_task_keep(task), aw_task_release);
}

/* A host step has armed a wait. If the wait is complete at once, queue the
 * task, so that other tasks get their turn. */
static int armed_or_over(aw_task *task, int rc) {
  if (rc > 0)
    aw__task_queue(task);
  return armed_or_not(task, rc);
}

int aw_await_task(aw_task *task, aw_task *other) {
  if (!aw__task_may_wait(task) || !other)
    return AW_EINVAL;
  return armed_or_over(task, aw__wait_for_task(task, other, AW_GO_RESUME));
}

int aw_begin_operation(aw_task *task, const aw_operation *operation,
                       void *data) {
  if (!aw__task_may_wait(task) || !operation)
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  int rc = aw__wait_begin(task, operation, data);
  return rc != 0 ? not_armed(task, rc) : 0;
}

int aw_await_operation(aw_task *task, const aw_operation *operation,
                       void *data) {
  if (!aw__task_may_wait(task) || !operation)
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  return armed_or_over(task, aw__wait_begin(task, operation, data));
}

int aw_await_wire(aw_task *task, aw_wire *wire, bool whole) {
  if (!wire)
    return AW_ENOMEM;
  bool in_host = aw__task_may_wait(task) && !(task->engine->gate & AW_INSIDE);
  if (!in_host) { /* a C step cannot be resumed */
    aw_wire_release(wire);
    return AW_EINVAL;
  }
  if (aw__wait_refused(task, AW_GO_RESUME)) {
    aw_wire_release(wire);
    return 0;
  }
  int rc = aw__task_push(task, AW_FRAME_AWAIT, NULL);
  if (rc < 0) {
    aw_wire_release(wire);
    return not_armed(task, rc);
  }
  task->frames[task->depth - 1].u.host = task->host;
  aw_frame_kind kind = whole ? AW_FRAME_CHAIN : AW_FRAME_STEP;
  rc = aw__task_push(task, kind, wire);
  if (rc < 0) {
    aw__task_pop(task);
    aw_wire_release(wire);
    return not_armed(task, rc);
  }
  task->host = NULL;
  task->at = wire;
  task->go = AW_GO_DESCEND;
  return 0;
}

/* ---- joining ---- */

bool aw__wait_for_children(aw_task *task, const aw_scope *scope) {
  if (scope->children == 0)
    return false;
  (void)park(task, &aw__wait_children, (void *)(uintptr_t)scope);
  return true;
}

bool aw_task_waiting(const aw_task *task, aw_waiting *out) {
  const aw_operation *wait = task->wait;
  if (!wait)
    return false;
  out->label = wait->label;
  out->until = AW_NEVER;
  out->span = wait == &aw__wait_sleep ? span_of(task->on) : 0;
  out->task = NULL;
  out->children = 0;
  out->data = task->on;
  out->operation = wait;
  if (wait == &aw__wait_sleep || wait == &aw__wait_idle || wait->due)
    out->until = aw__alarm_at(task->engine, &task->alarm);
  else if (wait == &aw__wait_task)
    out->task = task->on;
  else if (wait == &aw__wait_children)
    out->children = ((const aw_scope *)task->on)->children;
  return true;
}
