/* meeting.c - where tasks of an engine wait for one another; see meeting.h
 */
#include "sources/meeting.h"

#include "base/memory.h"

#include <assert.h>
#include <string.h>

static char *copy(const char *name) {
  size_t size = strlen(name) + 1;
  char *copied = aw_allocate(size);
  return copied ? memcpy(copied, name, size) : NULL;
}

void *aw__meeting_new(size_t size, const char *kind, const char *name,
                      void (*release)(void *object)) {
  aw_meeting *meeting = aw_allocate(size);
  if (!meeting)
    return NULL;
  meeting->refs = 1;
  meeting->kind = kind;
  meeting->release = release;
  if (!name)
    return meeting;
  meeting->name = copy(name);
  if (meeting->name)
    return meeting;
  aw_free(meeting);
  return NULL;
}

void *aw__meeting_keep(void *object) {
  ((aw_meeting *)object)->refs++;
  return object;
}

bool aw__meeting_release(void *object) {
  aw_meeting *meeting = object;
  if (!meeting || --meeting->refs > 0)
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

void aw__meeting_adopt(aw_meeting *meeting, aw_engine *engine) {
  assert(aw__meeting_open_to(meeting, engine));
  if (meeting->engine)
    aw__engine_release(meeting->engine);
  meeting->engine = engine;
  aw__engine_keep(engine);
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

void aw__meeting_disarm(aw_task *task, void *object) {
  const aw_meeting *meeting = aw__meeting_keep(object);
  aw__meeting_leave(object, task);
  meeting->release(object);
}

/* Append `piece` to the `used` bytes of `out`, as far as there is room. Returns
 * the number of bytes that are used then. */
static size_t add(char *out, size_t size, size_t used, const char *piece) {
  size_t length = strlen(piece), room = size - used - 1;
  length = length < room ? length : room;
  memcpy(out + used, piece, length);
  out[used + length] = '\0';
  return used + length;
}

void aw__meeting_describe(const void *object, char *out, size_t size) {
  const aw_meeting *meeting = object;
  size_t used = add(out, size, 0, meeting->kind);
  if (meeting->name)
    add(out, size, add(out, size, used, " "), meeting->name);
}
