/* meeting.h - what channels, events and semaphores have in common
 *
 * A place in an engine where tasks wait for one another, first come, first
 * served [F5]: the tasks hang in queues by their `link`, so to wait takes no
 * memory. It belongs to the engine whose task waits there first [S6], for as
 * long as that lives. It is kept by each task that waits.
 */
#ifndef AW_MEETING_H
#define AW_MEETING_H

#include "state.h"

typedef struct aw_meeting {
  uint32_t refs;
  aw_engine *engine; /* kept; NULL: nobody has waited yet */
  char *name;        /* or NULL */
} aw_meeting;

/* `name` is copied, or NULL. Returns 0 or AW_ENOMEM. */
int aw__meeting_init(aw_meeting *meeting, const char *name);
/* True: that was the last reference, and what is the meeting's own is gone. */
bool aw__meeting_release(aw_meeting *meeting);
/* May tasks of `engine` wait there? */
bool aw__meeting_open_to(const aw_meeting *meeting, const aw_engine *engine);
/* `task` begins to wait in `queue`; it is of the right engine. */
void aw__meeting_wait(aw_meeting *meeting, aw_link *queue, aw_task *task);
/* `task` leaves its queue. The caller has a reference besides the task's. */
void aw__meeting_leave(aw_meeting *meeting, aw_task *task);
size_t aw__meeting_count(const aw_link *queue);
/* "kind name" for people, or "kind". */
void aw__meeting_describe(const aw_meeting *meeting, const char *kind,
                          char *out, size_t size);

#endif
