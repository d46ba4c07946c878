/* sync.c - events and semaphores: tasks wait for a state, not for a value
 *
 *     event      `waiting` is empty while it is set
 *     semaphore  `waiting` is empty while it has a permit: a permit that is
 *                given back goes to the first who waits, never past him
 *
 * Tasks wait in a queue, by their `link`; see meeting.h. As in channel.c no
 * `next` is held over aw_wait_complete().
 */
#include "meeting.h"

struct aw_event {
  aw_meeting meeting;
  aw_link waiting;
  bool set;
};

struct aw_semaphore {
  aw_meeting meeting;
  aw_link waiting;
  uint64_t count, most;
};

/* The first in `queue` has what it waits for; false: nobody waits. */
static bool complete_first(aw_meeting *meeting, const aw_link *queue) {
  if (aw__list_empty(queue))
    return false;
  aw_task *task = AW_CONTAINER(aw_task, link, queue->next);
  aw__meeting_leave(meeting, task);
  aw_wait_complete(task, 0);
  return true;
}

/* ---- events ---- */

int aw_event_new(const char *name, aw_event **out) {
  aw_event *event = aw_allocate(sizeof *event);
  if (!event || aw__meeting_init(&event->meeting, name) < 0) {
    aw_free(event);
    return AW_ENOMEM;
  }
  aw__list_init(&event->waiting);
  *out = event;
  return 0;
}

aw_event *aw_event_keep(aw_event *event) {
  event->meeting.refs++;
  return event;
}

void aw_event_release(aw_event *event) {
  if (event && aw__meeting_release(&event->meeting))
    aw_free(event);
}

void aw_event_set(aw_event *event) {
  event->set = true;
  aw_event_keep(event);
  while (complete_first(&event->meeting, &event->waiting))
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
  return aw__meeting_count(&event->waiting);
}

const char *aw_event_name(const aw_event *event) {
  return event->meeting.name;
}

bool aw_event_open_to(const aw_event *event, const aw_engine *engine) {
  return aw__meeting_open_to(&event->meeting, engine);
}

static int arm_event(aw_task *task, void *data) {
  aw_event *event = data;
  if (!aw_event_open_to(event, task->engine))
    return AW_EINVAL;
  if (!event->set)
    aw__meeting_wait(&event->meeting, &event->waiting, task);
  return event->set;
}

static void disarm_event(aw_task *task, void *data) {
  aw__meeting_leave(&((aw_event *)data)->meeting, task);
}

static void describe_event(const void *data, char *out, size_t size) {
  aw__meeting_describe(&((const aw_event *)data)->meeting, "event", out, size);
}

static const aw_operation wait_for_event = {.label = "wait",
                                            .arm = arm_event,
                                            .disarm = disarm_event,
                                            .describe = describe_event};

int aw_await_event(aw_task *task, aw_event *event) {
  return aw_await_operation(task, &wait_for_event, event);
}

static void release_event(void *event) {
  aw_event_release(event);
}

aw_wire *aw_when_set(aw_event *event) {
  aw_wire *wire = aw_wait_for(&wait_for_event, event);
  return aw_hold(wire, aw_event_keep(event), release_event);
}

/* ---- semaphores ---- */

int aw_semaphore_new(uint64_t count, uint64_t most, const char *name,
                     aw_semaphore **out) {
  if (count > most)
    return AW_EINVAL;
  aw_semaphore *semaphore = aw_allocate(sizeof *semaphore);
  if (!semaphore || aw__meeting_init(&semaphore->meeting, name) < 0) {
    aw_free(semaphore);
    return AW_ENOMEM;
  }
  aw__list_init(&semaphore->waiting);
  semaphore->count = count;
  semaphore->most = most;
  *out = semaphore;
  return 0;
}

aw_semaphore *aw_semaphore_keep(aw_semaphore *semaphore) {
  semaphore->meeting.refs++;
  return semaphore;
}

void aw_semaphore_release(aw_semaphore *semaphore) {
  if (semaphore && aw__meeting_release(&semaphore->meeting))
    aw_free(semaphore);
}

int aw_semaphore_try_acquire(aw_semaphore *semaphore) {
  if (semaphore->count == 0)
    return AW_EAGAIN;
  semaphore->count--;
  return 0;
}

int aw_semaphore_give_back(aw_semaphore *semaphore) {
  if (complete_first(&semaphore->meeting, &semaphore->waiting))
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
  return aw__meeting_count(&semaphore->waiting);
}

const char *aw_semaphore_name(const aw_semaphore *semaphore) {
  return semaphore->meeting.name;
}

bool aw_semaphore_open_to(const aw_semaphore *semaphore,
                          const aw_engine *engine) {
  return aw__meeting_open_to(&semaphore->meeting, engine);
}

static int arm_acquire(aw_task *task, void *data) {
  aw_semaphore *semaphore = data;
  if (!aw_semaphore_open_to(semaphore, task->engine))
    return AW_EINVAL;
  if (aw_semaphore_try_acquire(semaphore) == 0)
    return 1;
  aw__meeting_wait(&semaphore->meeting, &semaphore->waiting, task);
  return 0;
}

static void disarm_acquire(aw_task *task, void *data) {
  aw__meeting_leave(&((aw_semaphore *)data)->meeting, task);
}

static void describe_acquire(const void *data, char *out, size_t size) {
  aw__meeting_describe(&((const aw_semaphore *)data)->meeting, "semaphore", out,
                       size);
}

static const aw_operation acquiring = {.label = "acquire",
                                       .arm = arm_acquire,
                                       .disarm = disarm_acquire,
                                       .describe = describe_acquire};

int aw_await_acquire(aw_task *task, aw_semaphore *semaphore) {
  return aw_await_operation(task, &acquiring, semaphore);
}

static void release_semaphore(void *semaphore) {
  aw_semaphore_release(semaphore);
}

aw_wire *aw_acquire(aw_semaphore *semaphore) {
  aw_wire *wire = aw_wait_for(&acquiring, semaphore);
  return aw_hold(wire, aw_semaphore_keep(semaphore), release_semaphore);
}
