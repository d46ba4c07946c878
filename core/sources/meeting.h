/* meeting.h - what channels, events and semaphores have in common
 *
 * A place in an engine where tasks wait for one another, first come, first
 * served [F5]: the tasks hang in queues by their `link`, so to wait takes no
 * memory. It belongs to the engine whose task waits there first [S6], for as
 * long as that lives. It is kept by each task that waits.
 *
 * The struct of each kind begins with one, so that a pointer to the object is
 * one to its meeting: functions below that take a `void *` are given either.
 */
#ifndef AW_MEETING_H
#define AW_MEETING_H

#include "state.h"

typedef struct aw_meeting {
  uint32_t refs;
  const char *kind;  /* for people */
  char *name;        /* or NULL */
  aw_engine *engine; /* kept; NULL: nobody has waited yet */
} aw_meeting;

/* A new object of `size` bytes, zeroed but for its meeting; NULL when out of
 * memory. `kind` is borrowed for ever, `name` is copied, or NULL. */
void *aw__meeting_new(size_t size, const char *kind, const char *name);
void *aw__meeting_keep(void *object); /* gives it */
/* True: that was the last reference; only the object itself is still to be
 * freed, by aw_free(). NULL is fine. */
bool aw__meeting_release(void *object);
/* May tasks of `engine` wait there? */
bool aw__meeting_open_to(const aw_meeting *meeting, const aw_engine *engine);
/* `task` begins to wait in `queue`; it is of the right engine. */
void aw__meeting_wait(aw_meeting *meeting, aw_link *queue, aw_task *task);
/* `task` leaves its queue. The caller has a reference besides the task's. */
void aw__meeting_leave(aw_meeting *meeting, aw_task *task);
/* Who has waited longest in `queue`, or NULL. */
static inline aw_task *aw__meeting_first(const aw_link *queue) {
  if (aw__list_empty(queue))
    return NULL;
  return AW_CONTAINER(aw_task, link, queue->next);
}
size_t aw__meeting_count(const aw_link *queue);
/* Of operations, whose data is the object: to leave, and "kind name" for
 * people, or "kind". */
void aw__meeting_disarm(aw_task *task, void *object);
void aw__meeting_describe(const void *object, char *out, size_t size);

#endif
