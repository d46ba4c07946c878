/* deadline.c - the deadlines of an engine, by (at, seq) [K1]
 *
 *     dues  [ near ....... | free | later ................. ]
 *           0              near   later                     end
 *           a 4-ary heap          after `horizon`, no order
 *
 * The first alarm of the heap is the first of all. When a new one arrives in a
 * heap of MANY alarms, `horizon` becomes the time of that first one: most new
 * alarms are later and only appended. When the first alarm is after `horizon`,
 * `horizon` moves on, past a small part of the later alarms, which go into the
 * heap. So a crowd of sleeping tasks has a small heap, whose alarms are in the
 * processor's caches. A heap of all alarms would write `place` in eight tasks
 * for each deadline, each in another page.
 *
 * The times stand in the array itself, so only a comparison of equal times
 * reads the alarms. An alarm knows its place in the array, so an alarm can be
 * removed at once: a cancelled sleep leaves nothing behind [H2]. One libuv
 * timer serves all deadlines.
 *
 * A node of the heap has four children: the heap is half as deep as with two,
 * and the children of a node share a cache line.
 *
 * Neighbours: expire.c takes expired alarms. wait.c and rate.c set the alarms
 * of tasks; cancel.c, frame.c, loop.c and kinds/finally.c set those of scopes.
 */
#include "base/deadline.h"

#include "base/memory.h"

#include <assert.h>

enum { ARITY = 4, SMALLEST = 64, MANY = 512 };
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
  if (start >= d->near)
    return place;
  uint32_t best = (uint32_t)start;
  uint32_t end = d->near - best > ARITY ? best + ARITY : d->near;
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

/* Make room for another alarm behind the heap, by a move of the first later
 * one to `free`, a free place among them. */
static void extend_heap(aw_deadlines *d, uint32_t free) {
  if (free > d->later)
    put(d, free, d->heap[d->later]);
  d->later++;
}

static void leave_later(aw_deadlines *d, uint32_t place) {
  if (place < --d->end)
    put(d, place, d->heap[d->end]);
}

/* A time before which a small part of the later alarms is: the first of SAMPLES
 * times, from places that no order of the alarms agrees with. */
static uint64_t next_horizon(const aw_deadlines *d) {
  enum { SAMPLES = 16 };
  static const uint32_t SPREAD = 0x9e3779b1u;
  uint64_t first = AW_NEVER;
  for (uint32_t i = 0; i < SAMPLES; i++) {
    uint32_t place = d->later + (d->seq + i) * SPREAD % (d->end - d->later);
    if (d->heap[place].at < first)
      first = d->heap[place].at;
  }
  return first;
}

/* The first later alarm from `place` on that is not after `horizon`. */
static uint32_t find_near(const aw_deadlines *d, uint32_t place) {
  const aw_due *due = &d->heap[place], *end = &d->heap[d->end];
  const uint64_t horizon = d->horizon;
  while (due < end && due->at > horizon)
    due++;
  return (uint32_t)(due - d->heap);
}

/* If `horizon` is before the first alarm, move it on. */
static void look_further(aw_deadlines *d) {
  if (d->later == d->end || (d->near > 0 && d->heap[0].at <= d->horizon))
    return;
  d->horizon = next_horizon(d);
  uint32_t i = d->later;
  while ((i = find_near(d, i)) < d->end) {
    aw_due due = d->heap[i];
    if (d->near < d->later)
      leave_later(d, i);
    else
      extend_heap(d, i++);
    sift_up(d, d->near++, due);
  }
  assert(d->near > 0 && d->heap[0].at <= d->horizon);
}

int aw__alarm_set(aw_engine *engine, aw_alarm *alarm, uint64_t at) {
  aw_deadlines *d = &engine->deadlines;
  assert(alarm->place == 0);
  if (d->later == d->end) {
    d->later = d->end = d->near;
    d->horizon = d->near < MANY ? AW_NEVER : d->heap[0].at;
  }
  if (d->end == d->capacity) {
    uint32_t more = d->capacity / 4;
    uint32_t grown = d->capacity + (more < SMALLEST ? SMALLEST : more);
    if (resize(engine, grown) < 0)
      return AW_ENOMEM;
  }
  alarm->seq = d->seq++ & INT32_MAX;
  aw_due due = {at, alarm};
  if (at > d->horizon) {
    put(d, d->end++, due);
    return 0;
  }
  if (d->near == d->later)
    extend_heap(d, d->end++);
  sift_up(d, d->near++, due);
  return 0;
}

static void leave_heap(aw_deadlines *d, uint32_t place) {
  aw_due last = d->heap[--d->near];
  if (place == d->near)
    return;
  if (place > 0 && before(&last, &d->heap[(place - 1) / ARITY]))
    sift_up(d, place, last);
  else
    sift_down(d, place, last);
}

void aw__alarm_clear(aw_engine *engine, aw_alarm *alarm) {
  if (alarm->place == 0)
    return;
  aw_deadlines *d = &engine->deadlines;
  uint32_t place = alarm->place - 1;
  alarm->place = 0;
  if (place < d->near)
    leave_heap(d, place);
  else
    leave_later(d, place);
  look_further(d);
  if (d->later == d->end)
    d->later = d->end = d->near;
  /* Halve a large array that is mostly empty: the next few alarms need not grow
   * the array again. If that fails, the array stays large. */
  if (d->capacity > 16 * SMALLEST && d->end < d->capacity / 4)
    (void)resize(engine, d->capacity / 2);
}

uint64_t aw__alarm_at(const aw_engine *engine, const aw_alarm *alarm) {
  return alarm->place ? engine->deadlines.heap[alarm->place - 1].at : AW_NEVER;
}

uint64_t aw__alarm_next(const aw_engine *engine) {
  return engine->deadlines.near ? engine->deadlines.heap[0].at : AW_NEVER;
}

/* With very many sleeping tasks, the next alarms are not in the processor's
 * caches. Prefetch those alarms while the task of the due one is woken. */
static void fetch_next(const aw_deadlines *d) {
  enum { VERY_MANY = 1024, NEXT = ARITY + 1 };
  if (d->end < VERY_MANY)
    return;
  for (uint32_t i = 0; i < NEXT && i < d->near; i++) {
    const char *alarm = (const char *)d->heap[i].alarm;
    aw__prefetch(alarm - AW_CACHE_LINE);
    aw__prefetch(alarm);
    aw__prefetch(alarm + AW_CACHE_LINE);
  }
}

aw_alarm *aw__alarm_due(aw_engine *engine, uint64_t now) {
  if (aw__alarm_next(engine) > now || engine->deadlines.near == 0)
    return NULL;
  aw_alarm *alarm = engine->deadlines.heap[0].alarm;
  aw__alarm_clear(engine, alarm);
  fetch_next(&engine->deadlines);
  return alarm;
}
