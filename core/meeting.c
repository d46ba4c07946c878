/* meeting.c - where tasks of an engine wait for one another; see meeting.h
 */
#include "meeting.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int aw__meeting_init(aw_meeting *meeting, const char *name) {
  meeting->refs = 1;
  if (!name)
    return 0;
  size_t size = strlen(name) + 1;
  meeting->name = aw_allocate(size);
  if (!meeting->name)
    return AW_ENOMEM;
  memcpy(meeting->name, name, size);
  return 0;
}

bool aw__meeting_release(aw_meeting *meeting) {
  if (--meeting->refs > 0)
    return false;
  if (meeting->engine)
    aw__engine_release(meeting->engine);
  aw_free(meeting->name);
  return true;
}

bool aw__meeting_open_to(const aw_meeting *meeting, const aw_engine *engine) {
  const aw_engine *own = meeting->engine;
  return !own || own == engine || own->freed;
}

void aw__meeting_wait(aw_meeting *meeting, aw_link *queue, aw_task *task) {
  assert(aw__meeting_open_to(meeting, task->engine));
  if (meeting->engine != task->engine) {
    if (meeting->engine)
      aw__engine_release(meeting->engine);
    meeting->engine = task->engine;
    aw__engine_keep(meeting->engine);
  }
  meeting->refs++;
  aw__list_append(queue, &task->link);
}

void aw__meeting_leave(aw_meeting *meeting, aw_task *task) {
  aw__link_remove(&task->link);
  meeting->refs--;
  assert(meeting->refs > 0);
}

size_t aw__meeting_count(const aw_link *queue) {
  size_t count = 0;
  for (const aw_link *l = queue->next; l != queue; l = l->next)
    count++;
  return count;
}

void aw__meeting_describe(const aw_meeting *meeting, const char *kind,
                          char *out, size_t size) {
  if (meeting->name)
    snprintf(out, size, "%s %s", kind, meeting->name);
  else
    snprintf(out, size, "%s", kind);
}
