/* sync.c - event objects and semaphores: tasks wait for a state
 *
 * Both are gates: a task that finds the gate open goes on, other tasks wait in
 * the queue of the gate; see meeting.h.
 *
 *     event      no task waits while the event is set
 *     semaphore  no task waits while a permit is free: a permit that is given
 *                back goes to the first waiter
 *
 * aw_wait_complete() may remove other tasks from the queue, the losers of a
 * race. So no pointer to the next link is held across that call.
 */
#include "sources/meeting.h"

typedef struct aw_gate {
  aw_meeting meeting;
  aw_link waiting;
} aw_gate;

struct aw_event {
  aw_gate gate;
  bool set;
};

struct aw_semaphore {
  aw_gate gate;
  uint64_t count, most;
};

/* ---- gates ---- */

static void release(void *object) {
  if (aw__meeting_release(object))
    aw_free(object);
}

static void *make(size_t size, const char *kind, const char *name) {
  aw_gate *made = aw__meeting_new(size, kind, name, release);
  if (made)
    aw__list_init(&made->waiting);
  return made;
}

/* Let the first waiter go on. Returns false if no task waits. */
static bool let_through(aw_gate *gate) {
  aw_task *task = aw__meeting_first(&gate->waiting);
  if (!task)
    return false;
  aw__meeting_leave(&gate->meeting, task);
  aw_wait_complete(task, 0);
  return true;
}

/* Arm the wait of `task`. `pass` returns true if the task may go on at once. */
static int arm(aw_task *task, aw_gate *gate, bool (*pass)(void *object)) {
  if (!aw__meeting_open_to(&gate->meeting, task->engine))
    return AW_EINVAL;
  if (pass(gate))
    return 1;
  aw__meeting_wait(&gate->meeting, &gate->waiting, task);
  return 0;
}

/* The wire that waits for an object by `operation`; NULL: no object. */
static aw_wire *wire_of(const aw_operation *operation, void *object) {
  if (!object)
    return NULL;
  aw_wire *wire = aw_wait_for(operation, object);
  return aw_hold(wire, aw__meeting_keep(object), release);
}

/* ---- events ---- */

int aw_event_new(const char *name, aw_event **out) {
  if (!out)
    return AW_EINVAL;
  aw_event *event = make(sizeof *event, "event", name);
  if (!event)
    return AW_ENOMEM;
  *out = event;
  return 0;
}

aw_event *aw_event_keep(aw_event *event) {
  return aw__meeting_keep(event);
}

void aw_event_release(aw_event *event) {
  release(event);
}

void aw_event_set(aw_event *event) {
  event->set = true;
  aw_event_keep(event);
  while (let_through(&event->gate))
    ;
  aw_event_release(event);
}

void aw_event_clear(aw_event *event) {
  event->set = false;
}

bool aw_event_is_set(const aw_event *event) {
  return event->set;
}

size_t aw_event_waiting(const aw_event *event) {
  return aw__meeting_count(&event->gate.waiting);
}

const char *aw_event_name(const aw_event *event) {
  return event->gate.meeting.name;
}

bool aw_event_open_to(const aw_event *event, const aw_engine *engine) {
  return aw__meeting_open_to(&event->gate.meeting, engine);
}

static bool pass_event(void *event) {
  return aw_event_is_set(event);
}

static int arm_event(aw_task *task, void *event) {
  return arm(task, event, pass_event);
}

static const aw_operation wait_for_event = {.label = "wait",
                                            .arm = arm_event,
                                            .disarm = aw__meeting_disarm,
                                            .describe = aw__meeting_describe};

int aw_await_event(aw_task *task, aw_event *event) {
  if (!event)
    return AW_EINVAL;
  return aw_await_operation(task, &wait_for_event, event);
}

aw_wire *aw_when_set(aw_event *event) {
  return wire_of(&wait_for_event, event);
}

/* ---- semaphores ---- */

int aw_semaphore_new(uint64_t count, uint64_t most, const char *name,
                     aw_semaphore **out) {
  if (count > most || !out)
    return AW_EINVAL;
  aw_semaphore *semaphore = make(sizeof *semaphore, "semaphore", name);
  if (!semaphore)
    return AW_ENOMEM;
  semaphore->count = count;
  semaphore->most = most;
  *out = semaphore;
  return 0;
}

aw_semaphore *aw_semaphore_keep(aw_semaphore *semaphore) {
  return aw__meeting_keep(semaphore);
}

void aw_semaphore_release(aw_semaphore *semaphore) {
  release(semaphore);
}

int aw_semaphore_try_acquire(aw_semaphore *semaphore) {
  if (!semaphore)
    return AW_EINVAL;
  if (semaphore->count == 0)
    return AW_EAGAIN;
  semaphore->count--;
  return 0;
}

int aw_semaphore_give_back(aw_semaphore *semaphore) {
  if (!semaphore)
    return AW_EINVAL;
  if (let_through(&semaphore->gate))
    return 0;
  if (semaphore->count == semaphore->most)
    return AW_EINVAL;
  semaphore->count++;
  return 0;
}

uint64_t aw_semaphore_count(const aw_semaphore *semaphore) {
  return semaphore->count;
}

size_t aw_semaphore_waiting(const aw_semaphore *semaphore) {
  return aw__meeting_count(&semaphore->gate.waiting);
}

const char *aw_semaphore_name(const aw_semaphore *semaphore) {
  return semaphore->gate.meeting.name;
}

bool aw_semaphore_open_to(const aw_semaphore *semaphore,
                          const aw_engine *engine) {
  return aw__meeting_open_to(&semaphore->gate.meeting, engine);
}

static bool pass_semaphore(void *semaphore) {
  return aw_semaphore_try_acquire(semaphore) == 0;
}

int aw_acquire_arm(aw_task *task, aw_semaphore *semaphore) {
  return arm(task, &semaphore->gate, pass_semaphore);
}

void aw_acquire_disarm(aw_task *task, aw_semaphore *semaphore) {
  aw__meeting_disarm(task, semaphore);
}

void aw_semaphore_describe(const aw_semaphore *semaphore, char *out,
                           size_t size) {
  aw__meeting_describe(semaphore, out, size);
}

static int arm_acquire(aw_task *task, void *semaphore) {
  return aw_acquire_arm(task, semaphore);
}

static const aw_operation acquiring = {.label = "acquire",
                                       .arm = arm_acquire,
                                       .disarm = aw__meeting_disarm,
                                       .describe = aw__meeting_describe};

int aw_await_acquire(aw_task *task, aw_semaphore *semaphore) {
  if (!semaphore)
    return AW_EINVAL;
  return aw_await_operation(task, &acquiring, semaphore);
}

aw_wire *aw_acquire(aw_semaphore *semaphore) {
  return wire_of(&acquiring, semaphore);
}
