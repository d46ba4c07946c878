/* deadline_test.c - the heap of deadlines against a plain reference [K1] */
#include "check.h"

#include "base/deadline.h"

enum { ALARMS = 2000 };

typedef struct reference {
  aw_alarm alarm;
  uint64_t at;
  uint64_t order; /* counts alarms in the order of arming */
  bool armed;
} reference;

static reference all[ALARMS];
static size_t armed;
static uint64_t orders;
static uint64_t state = 88172645463325252u;

static uint64_t random_below(uint64_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % limit;
}

static reference *first_of_all(void) {
  reference *first = NULL;
  for (int i = 0; i < ALARMS; i++) {
    reference *r = &all[i];
    if (r->armed && (!first || r->at < first->at ||
                     (r->at == first->at && r->order < first->order)))
      first = r;
  }
  return first;
}

static void arm(aw_engine *engine, reference *r, uint64_t at) {
  CHECK(aw__alarm_set(engine, &r->alarm, at) == 0);
  r->at = at;
  r->order = orders++;
  r->armed = true;
  armed++;
}

static void disarm(aw_engine *engine, reference *r) {
  CHECK(aw__alarm_at(engine, &r->alarm) == r->at);
  aw__alarm_clear(engine, &r->alarm);
  aw__alarm_clear(engine, &r->alarm); /* clearing again does nothing */
  CHECK(aw__alarm_at(engine, &r->alarm) == AW_NEVER);
  r->armed = false;
  armed--;
}

static void take_first(aw_engine *engine) {
  reference *first = first_of_all();
  CHECK(aw__alarm_next(engine) == (first ? first->at : AW_NEVER));
  if (!first)
    return;
  CHECK(first->at == 0 || aw__alarm_due(engine, first->at - 1) == NULL);
  CHECK(aw__alarm_due(engine, first->at) == &first->alarm);
  first->armed = false;
  armed--;
}

static size_t count_of(const aw_engine *engine) {
  const aw_deadlines *d = &engine->deadlines;
  return d->near + d->end - d->later;
}

static void check_places(const aw_engine *engine) {
  const aw_deadlines *d = &engine->deadlines;
  CHECK(count_of(engine) == armed);
  for (uint32_t i = 0; i < d->end; i++)
    if (i < d->near || i >= d->later)
      CHECK(d->heap[i].alarm->place == i + 1);
}

/* With few `times`, many alarms share one, so the order of arming matters. */
static void random_operations(aw_engine *engine, uint64_t times) {
  for (int i = 0; i < 100000; i++) {
    reference *r = &all[random_below(ALARMS)];
    if (random_below(50) == 0)
      take_first(engine);
    else if (r->armed)
      disarm(engine, r);
    else
      arm(engine, r, random_below(times));
    if (i % 1000 == 0)
      check_places(engine);
  }
  while (armed > 0)
    take_first(engine);
  check_places(engine);
}

static void equal_times_keep_their_order(aw_engine *engine) {
  engine->deadlines.seq = UINT32_MAX - 5; /* across the wrap-around */
  for (int i = 0; i < 20; i++)
    arm(engine, &all[i], 7);
  disarm(engine, &all[10]);
  for (int i = 0; i < 20; i++)
    if (i != 10)
      CHECK(aw__alarm_due(engine, 7) == &all[i].alarm);
  for (int i = 0; i < 20; i++)
    all[i].armed = false;
  armed = 0;
}

static void a_crowd_gives_its_memory_back(aw_engine *engine) {
  enum { CROWD = 50000 };
  aw_alarm *crowd = calloc(CROWD, sizeof *crowd);
  for (uint64_t i = 0; i < CROWD; i++)
    CHECK(aw__alarm_set(engine, &crowd[i], random_below(1000)) == 0);
  CHECK(engine->deadlines.capacity >= CROWD);
  size_t most = engine->bytes;
  uint64_t last = 0;
  while (count_of(engine) > 10) {
    uint64_t next = aw__alarm_next(engine);
    CHECK(next >= last);
    last = next;
    CHECK(aw__alarm_due(engine, next) != NULL);
  }
  CHECK(engine->deadlines.capacity <= 2048);
  CHECK(engine->bytes < most / 10);
  while (aw__alarm_due(engine, 1000))
    continue;
  free(crowd);
}

int main(void) {
  aw_engine *engine = virtual_engine();
  random_operations(engine, 300);
  random_operations(engine, UINT64_C(1) << 40);
  equal_times_keep_their_order(engine);
  a_crowd_gives_its_memory_back(engine);
  CHECK(aw__alarm_due(engine, AW_NEVER) == NULL);
  empty(engine, NULL);
  return 0;
}
