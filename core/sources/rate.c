/* rate.c - rates: at most so many units in any span of time
 *
 *     oldest                                        newest
 *     {at, units} {at, units} … ring of grants … {at, units}
 *     └──── `used` units that count until at + per ────┘
 *
 * A sliding window: units that were granted at `at` count until at + per, so no
 * span of `per` has more than `most`, wherever the span begins. Tasks wait in a
 * queue, first come, first served [F5]. The alarm of the first waiter is set to
 * the time when the units that this task wants are free; the others have no
 * alarm. The number of units that a waiting task wants is in its `out`.
 *
 * Invariants: the alarm of the first waiter is set, and no other alarm; the
 * ring has room for one more grant of each waiter, so that a grant cannot fail.
 *
 * A cancel may make another waiter the first. The new first one is woken by its
 * alarm, even if its units are free now: the cancelled task may be the loser of
 * a race, and no wait may be completed while a race is being decided [H3].
 */
#include "base/clock.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "run/task.h"
#include "run/wait.h"
#include "sources/meeting.h"

#include <assert.h>

typedef struct aw_grant {
  uint64_t at, units;
} aw_grant;

struct aw_rate {
  aw_meeting meeting; /* the clock of its engine gives `at` */
  aw_link waiting;
  size_t waiters;
  uint64_t most, per;
  aw_grant *ring; /* grows as needed */
  size_t size, first, count;
  uint64_t used; /* the units in the ring */
};

/* ---- the window ---- */

static aw_grant *grant_at(const aw_rate *rate, size_t index) {
  return &rate->ring[(rate->first + index) % rate->size];
}

/* Make room for `more` grants besides one for each waiter. */
static int reserve(aw_rate *rate, size_t more) {
  enum { SMALLEST = 4 };
  size_t needed = rate->count + rate->waiters + more;
  if (needed <= rate->size)
    return 0;
  size_t size = rate->size ? rate->size * 2 : SMALLEST;
  aw_grant *ring = aw_allocate((size < needed ? needed : size) * sizeof *ring);
  if (!ring)
    return AW_ENOMEM;
  assert(rate->count <= rate->size);
  for (size_t i = 0; i < rate->count; i++)
    ring[i] = *grant_at(rate, i);
  aw_free(rate->ring);
  rate->ring = ring;
  rate->size = size < needed ? needed : size;
  rate->first = 0;
  return 0;
}

/* Remove the grants that count no more. */
static void expire(aw_rate *rate, uint64_t now) {
  while (rate->count > 0) {
    const aw_grant *oldest = grant_at(rate, 0);
    if (aw__later(oldest->at, rate->per) > now)
      return;
    rate->used -= oldest->units;
    rate->first = (rate->first + 1) % rate->size;
    rate->count--;
  }
}

static bool is_free(const aw_rate *rate, uint64_t units) {
  return units <= rate->most - rate->used;
}

/* Note that `units`, which are free, are granted now. */
static void grant(aw_rate *rate, uint64_t units, uint64_t now) {
  rate->used += units;
  aw_grant *newest = rate->count ? grant_at(rate, rate->count - 1) : NULL;
  if (newest && newest->at == now) {
    newest->units += units;
    return;
  }
  assert(rate->count < rate->size);
  *grant_at(rate, rate->count++) = (aw_grant){now, units};
}

/* The time when `units` units are free; `now` at the earliest. */
static uint64_t free_at(const aw_rate *rate, uint64_t units, uint64_t now) {
  uint64_t free = rate->most - rate->used, at = now;
  for (size_t i = 0; free < units; i++) {
    assert(i < rate->count);
    free += grant_at(rate, i)->units;
    at = aw__later(grant_at(rate, i)->at, rate->per);
  }
  return at;
}

/* ---- waiters ---- */

static int set_alarm(const aw_rate *rate, aw_task *task, uint64_t units) {
  aw_engine *engine = task->engine;
  uint64_t at = free_at(rate, units, aw_engine_now(engine));
  return aw__alarm_set(engine, &task->alarm, at);
}

/* The first waiter has left: set the alarm of the next one. The heap
 * has room for that alarm, since the alarm of the first waiter was cleared. */
static void next_waits(const aw_rate *rate) {
  aw_task *next = aw__meeting_first(&rate->waiting);
  if (!next)
    return;
  int rc = set_alarm(rate, next, next->out.value);
  assert(rc == 0);
  (void)rc;
}

static uint64_t leave(aw_rate *rate, aw_task *task) {
  uint64_t units = task->out.value;
  task->out.value = 0;
  rate->waiters--;
  aw__alarm_clear(task->engine, &task->alarm);
  aw__meeting_leave(&rate->meeting, task);
  return units;
}

/* Let the rate belong to `engine`, so that its clock gives the times of the
 * rate. Returns false if the rate belongs to another engine and tasks wait, or
 * a loop of that engine runs. */
static bool adopt(aw_rate *rate, aw_engine *engine) {
  aw_engine *own = rate->meeting.engine;
  if (own == engine)
    return true;
  if (rate->waiters > 0 ||
      (own && !own->freed && !aw__list_empty(&own->running)))
    return false;
  if (own)
    aw__engine_release(own);
  aw__engine_keep(engine);
  rate->meeting.engine = engine;
  rate->count = 0;
  rate->used = 0;
  return true;
}

/* Returns 0 if granted, AW_EAGAIN if not yet, or another negative code. */
static int take(aw_rate *rate, aw_engine *engine, uint64_t units) {
  if (units > rate->most || !adopt(rate, engine))
    return AW_EINVAL;
  uint64_t now = aw_engine_now(engine);
  expire(rate, now);
  int rc = reserve(rate, 1);
  if (rc < 0)
    return rc;
  if (rate->waiters > 0 || !is_free(rate, units))
    return AW_EAGAIN;
  grant(rate, units, now);
  return 0;
}

static int arm(aw_task *task, aw_rate *rate, uint64_t units) {
  int rc = take(rate, task->engine, units);
  if (rc != AW_EAGAIN)
    return rc < 0 ? rc : 1;
  rc = rate->waiters == 0 ? set_alarm(rate, task, units) : 0;
  if (rc < 0)
    return rc;
  rate->waiters++;
  task->out.value = units;
  aw__meeting_wait(&rate->meeting, &rate->waiting, task);
  return 0;
}

static void disarm(aw_task *task, void *data) {
  assert(task);
  aw_rate *rate = aw_rate_keep(data);
  bool was_first = task == aw__meeting_first(&rate->waiting);
  leave(rate, task);
  if (was_first)
    next_waits(rate);
  aw_rate_release(rate);
}

/* The alarm of the first waiter went off: its units are free. */
static void due(aw_task *task, void *data) {
  aw_rate *rate = aw_rate_keep(data);
  uint64_t now = aw_engine_now(task->engine), units = leave(rate, task);
  expire(rate, now);
  assert(is_free(rate, units));
  grant(rate, units, now);
  next_waits(rate);
  aw_wait_complete(task, 0);
  aw_rate_release(rate);
}

static const aw_operation acquiring = {.label = "acquire",
                                       .disarm = disarm,
                                       .due = due,
                                       .describe = aw__meeting_describe};

/* ---- what others may do ---- */

int aw_rate_new(uint64_t most, uint64_t per, const char *name, aw_rate **out) {
  if (most == 0 || per == 0 || per == AW_NEVER || !out)
    return AW_EINVAL;
  aw_rate *rate = aw__meeting_new(sizeof *rate, "rate", name, NULL);
  if (!rate)
    return AW_ENOMEM;
  aw__list_init(&rate->waiting);
  rate->most = most;
  rate->per = per;
  *out = rate;
  return 0;
}

aw_rate *aw_rate_keep(aw_rate *rate) {
  return aw__meeting_keep(rate);
}

void aw_rate_release(aw_rate *rate) {
  if (!aw__meeting_release(rate))
    return;
  aw_free(rate->ring);
  aw_free(rate);
}

int aw_rate_try_acquire(aw_rate *rate, aw_engine *engine, uint64_t units) {
  if (!rate || !engine)
    return AW_EINVAL;
  return take(rate, engine, units);
}

void aw_rate_look(const aw_rate *rate, aw_rate_view *out) {
  out->name = rate->meeting.name;
  out->most = rate->most;
  out->per = rate->per;
  out->used = 0;
  out->waiting = rate->waiters;
  if (!rate->meeting.engine)
    return;
  uint64_t now = aw_engine_now(rate->meeting.engine);
  for (size_t i = 0; i < rate->count; i++)
    if (aw__later(grant_at(rate, i)->at, rate->per) > now)
      out->used += grant_at(rate, i)->units;
}

int aw_await_rate(aw_task *task, aw_rate *rate, uint64_t units) {
  if (!aw__task_may_wait(task) || !rate)
    return AW_EINVAL;
  if (aw__wait_refused(task, AW_GO_RESUME))
    return 0;
  aw__task_drop_outcome(task);
  return aw__wait_armed(task, arm(task, rate, units), &acquiring, rate);
}

/* ---- wires ---- */

typedef struct aw_asked { /* what a wire asks for */
  aw_rate *rate;
  uint64_t units;
} aw_asked;

static void release_asked(void *data) {
  aw_rate_release(((aw_asked *)data)->rate);
  aw_free(data);
}

static int arm_asked(aw_task *task, void *data) {
  const aw_asked *asked = data;
  return arm(task, asked->rate, asked->units);
}

static void disarm_asked(aw_task *task, void *data) {
  disarm(task, ((aw_asked *)data)->rate);
}

static void due_asked(aw_task *task, void *data) {
  due(task, ((aw_asked *)data)->rate);
}

static void describe_asked(const void *data, char *out, size_t size) {
  aw__meeting_describe(((const aw_asked *)data)->rate, out, size);
}

static const aw_operation acquiring_asked = {.label = "acquire",
                                             .arm = arm_asked,
                                             .disarm = disarm_asked,
                                             .due = due_asked,
                                             .describe = describe_asked};

aw_wire *aw_acquire_rate(aw_rate *rate, uint64_t units) {
  if (!rate)
    return NULL;
  aw_asked *asked = aw_allocate(sizeof *asked);
  if (!asked)
    return NULL;
  asked->rate = aw_rate_keep(rate);
  asked->units = units;
  return aw_hold(aw_wait_for(&acquiring_asked, asked), asked, release_asked);
}
