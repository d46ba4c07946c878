/* deadline.c - the deadlines of an engine: a 4-ary heap by (at, seq) [K1]
 *
 * The times stand in the heap itself, so only a comparison of equal times reads
 * the alarms. An alarm knows its place in the heap, so an alarm can be removed
 * at once: a cancelled sleep leaves nothing behind [H2]. One libuv timer serves
 * all deadlines.
 *
 * A node has four children: the heap is half as deep as with two, and the
 * children of a node share a cache line.
 *
 * Neighbours: expire.c takes expired alarms. wait.c and rate.c set the alarms
 * of tasks; cancel.c, frame.c, loop.c and kinds/finally.c set those of scopes.
 */
#include "base/deadline.h"

#include "base/memory.h"

#include <assert.h>

enum { ARITY = 4, SMALLEST = 64 };
/* seq wraps: a difference with the top bit set means "earlier". */
enum { SEQ_TOP_BIT = 1 << 30 };

static bool before(const aw_due *a, const aw_due *b) {
  if (a->at != b->at)
    return a->at < b->at;
  return ((a->alarm->seq - b->alarm->seq) & SEQ_TOP_BIT) != 0;
}

static void put(aw_deadlines *d, uint32_t place, aw_due due) {
  d->heap[place] = due;
  due.alarm->place = place + 1;
}

static void sift_up(aw_deadlines *d, uint32_t place, aw_due due) {
  while (place > 0) {
    uint32_t above = (place - 1) / ARITY;
    if (!before(&due, &d->heap[above]))
      break;
    put(d, place, d->heap[above]);
    place = above;
  }
  put(d, place, due);
}

/* The earliest child of `place`; `place` itself if it has no children. */
static uint32_t first_child(const aw_deadlines *d, uint32_t place) {
  uint64_t start = (uint64_t)place * ARITY + 1;
  if (start >= d->count)
    return place;
  uint32_t best = (uint32_t)start;
  uint32_t end = d->count - best > ARITY ? best + ARITY : d->count;
  for (uint32_t i = best + 1; i < end; i++)
    if (before(&d->heap[i], &d->heap[best]))
      best = i;
  return best;
}

/* Put `due` at `place` or below. It is not before the alarm above `place`. Most
 * often `due` is one of the latest alarms: so the hole goes down to a leaf
 * without a comparison with `due`, which then rises a little. */
static void sift_down(aw_deadlines *d, uint32_t place, aw_due due) {
  uint32_t child;
  while ((child = first_child(d, place)) != place) {
    put(d, place, d->heap[child]);
    place = child;
  }
  sift_up(d, place, due);
}

static int resize(aw_engine *engine, uint32_t capacity) {
  aw_deadlines *d = &engine->deadlines;
  aw_due *heap = aw__resize(engine, d->heap, d->capacity * sizeof *heap,
                            capacity * sizeof *heap);
  if (!heap)
    return AW_ENOMEM;
  d->heap = heap;
  d->capacity = capacity;
  return 0;
}

int aw__alarm_set(aw_engine *engine, aw_alarm *alarm, uint64_t at) {
  aw_deadlines *d = &engine->deadlines;
  assert(alarm->place == 0);
  if (d->count == d->capacity) {
    uint32_t more = d->capacity / 4;
    uint32_t grown = d->capacity + (more < SMALLEST ? SMALLEST : more);
    if (resize(engine, grown) < 0)
      return AW_ENOMEM;
  }
  alarm->seq = d->seq++ & INT32_MAX;
  aw_due due = {at, alarm};
  sift_up(d, d->count++, due);
  return 0;
}

void aw__alarm_clear(aw_engine *engine, aw_alarm *alarm) {
  if (alarm->place == 0)
    return;
  aw_deadlines *d = &engine->deadlines;
  uint32_t place = alarm->place - 1;
  alarm->place = 0;
  aw_due last = d->heap[--d->count];
  if (place < d->count) {
    if (place > 0 && before(&last, &d->heap[(place - 1) / ARITY]))
      sift_up(d, place, last);
    else
      sift_down(d, place, last);
  }
  /* Halve a large heap that is mostly empty: the next few alarms need not grow
   * the heap again. If that fails, the heap stays large. */
  if (d->capacity > 16 * SMALLEST && d->count < d->capacity / 4)
    (void)resize(engine, d->capacity / 2);
}

uint64_t aw__alarm_at(const aw_engine *engine, const aw_alarm *alarm) {
  return alarm->place ? engine->deadlines.heap[alarm->place - 1].at : AW_NEVER;
}

uint64_t aw__alarm_next(const aw_engine *engine) {
  return engine->deadlines.count ? engine->deadlines.heap[0].at : AW_NEVER;
}

/* With very many sleeping tasks, the next alarms are not in the processor's
 * caches. Prefetch those alarms while the task of the due one is woken. */
static void fetch_next(const aw_deadlines *d) {
  enum { VERY_MANY = 1024, NEXT = ARITY + 1 };
  if (d->count < VERY_MANY)
    return;
  for (int i = 0; i < NEXT; i++) {
    const char *alarm = (const char *)d->heap[i].alarm;
    aw__prefetch(alarm - AW_CACHE_LINE);
    aw__prefetch(alarm);
    aw__prefetch(alarm + AW_CACHE_LINE);
  }
}

aw_alarm *aw__alarm_due(aw_engine *engine, uint64_t now) {
  if (aw__alarm_next(engine) > now || engine->deadlines.count == 0)
    return NULL;
  aw_alarm *alarm = engine->deadlines.heap[0].alarm;
  aw__alarm_clear(engine, alarm);
  fetch_next(&engine->deadlines);
  return alarm;
}
