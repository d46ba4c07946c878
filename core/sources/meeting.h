/* meeting.h - the common part of channels, events, semaphores and rates
 *
 * A meeting is a place where the tasks of one engine wait for one another,
 * first come, first served [F5]. Tasks are linked into its queues by their own
 * `link`, so a wait allocates nothing. A meeting belongs to the engine of its
 * first waiter [S6] until that engine is freed. Each waiting task keeps a
 * reference to the meeting.
 *
 * The struct of each kind begins with its aw_meeting, so a pointer to the
 * object is a pointer to its meeting. Functions that take a `void *` accept
 * both.
 */
#ifndef AW_MEETING_H
#define AW_MEETING_H

#include "state.h"

typedef struct aw_meeting {
  uint32_t refs;
  const char *kind;  /* for people */
  char *name;        /* or NULL */
  aw_engine *engine; /* kept; NULL: nobody has waited yet */
  /* release a reference to the object; NULL if nobody calls
   * aw__meeting_disarm() */
  void (*release)(void *object);
} aw_meeting;

/* A new object of `size` bytes, zeroed but for its meeting; NULL when out of
 * memory. `kind` is borrowed for ever, `name` is copied, or NULL. */
void *aw__meeting_new(size_t size, const char *kind, const char *name,
                      void (*release)(void *object));
void *aw__meeting_keep(void *object); /* gives `object` */
/* Returns true if that was the last reference: then the caller frees the
 * object, by aw_free(), and what else the object owns. NULL is fine. */
bool aw__meeting_release(void *object);
/* May tasks of `engine` wait in `meeting`? */
bool aw__meeting_open_to(const aw_meeting *meeting, const aw_engine *engine);
/* From now on `meeting`, which is open to `engine`, belongs to it. */
void aw__meeting_adopt(aw_meeting *meeting, aw_engine *engine);
/* `task` begins to wait in `queue`. The meeting is open to its engine. */
static inline void aw__meeting_wait(aw_meeting *meeting, aw_link *queue,
                                    aw_task *task) {
  if (meeting->engine != task->engine)
    aw__meeting_adopt(meeting, task->engine);
  meeting->refs++;
  aw__list_append(queue, &task->link);
}
/* `task` leaves its queue. The caller has a reference to the meeting, too. */
void aw__meeting_leave(aw_meeting *meeting, aw_task *task);
/* The task that has waited longest in `queue`, or NULL. */
static inline aw_task *aw__meeting_first(const aw_link *queue) {
  if (aw__list_empty(queue))
    return NULL;
  return AW_CONTAINER(aw_task, link, queue->next);
}
size_t aw__meeting_count(const aw_link *queue);
/* For operations whose data is the object. The first makes `task` leave its
 * queue; it may have had the last reference to the object. The second writes
 * "kind name" for people, or "kind" if the object has no name. */
void aw__meeting_disarm(aw_task *task, void *object);
void aw__meeting_describe(const void *object, char *out, size_t size);

#endif
