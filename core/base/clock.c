/* clock.c - the engine's clock, and how often it is read
 *
 * Real time is monotonic. Virtual time is the field `now`, which next.c
 * moves to the next deadline when nothing else can happen [K6].
 *
 * Reading the real clock costs as much as a short step, so the engine looks at
 * the clock only now and then. `credit` is the number of steps until the next
 * look. It grows to about CREDIT_MOST, and shrinks when steps are slow, so that
 * one look follows another after about AW_SLICE [F2]. aw_engine_now() always
 * reads the clock: a sleep must not be shortened by the steps that ran since
 * the last look [K3]. A look in a long round sets `looked` alone: `now` is the
 * time of the last look that fired deadlines.
 *
 * The credit tells how long the last steps took. Those of the next round may
 * take much longer: a crowd that slept is cancelled, and cleans up. So no more
 * than IN_ROUND steps of a round run between two looks.
 *
 * Neighbours: ready.c and report.c spend the credit; next.c looks, and fires
 * the deadlines that are due.
 */
#include "base/clock.h"

enum { CREDIT_MOST = 64, IN_ROUND = 16 };

bool aw_engine_virtual(const aw_engine *engine) {
  return engine->config.clock == AW_CLOCK_VIRTUAL;
}

uint64_t aw_engine_now(aw_engine *engine) {
  if (engine->config.clock == AW_CLOCK_VIRTUAL)
    return engine->now;
  return uv_hrtime();
}

uint64_t aw__later(uint64_t from, uint64_t ns) {
  return ns >= AW_DEFAULT - from ? AW_NEVER : from + ns;
}

/* At most `credit_size` steps have run since the last look. */
static void note_look(aw_engine *engine, uint64_t now) {
  uint64_t took = now - engine->looked;
  engine->looked = now;
  if (took > AW_SLICE / 2)
    engine->credit_size = engine->credit_size / 4 + 1;
  else if (engine->credit_size < CREDIT_MOST)
    engine->credit_size *= 2;
}

void aw__clock_look(aw_engine *engine) {
  engine->look_at = 0;
  if (engine->config.clock == AW_CLOCK_VIRTUAL) {
    engine->credit = CREDIT_MOST;
    return;
  }
  uint64_t now = uv_hrtime();
  uint64_t took = now - engine->now;
  engine->now = now;
  if (took >= AW_SLOW) {
    engine->slow = (aw_notice){.ns = took, .id = engine->last_id, .due = true};
    engine->news = true;
  }
  note_look(engine, now);
  engine->credit = engine->credit_size;
}

static int32_t steps_in_round(int32_t credit) {
  return credit < IN_ROUND ? credit : IN_ROUND;
}

void aw__clock_begin_round(aw_engine *engine) {
  engine->look_at = engine->credit - steps_in_round(engine->credit);
}

/* The credit is that of the last turn, or of idle turns, and the steps of this
 * one may be slow. So a turn looks after its first step; the credit grows from
 * there. */
void aw__clock_begin_turn(aw_engine *engine) {
  engine->credit = engine->look_at = 0;
  engine->credit_size = 1;
  engine->looked = 0;
}

/* The steps of a long round may be slow: when memory is scarce, each step may
 * run a full collection in the host. Deadlines are served early, and so are the
 * handles of others in libuv's loop. The tasks that become ready by that wait
 * for the end of the round [F2]. */
bool aw__clock_look_in_round(aw_engine *engine) {
  bool real = engine->config.clock == AW_CLOCK_REAL;
  uint64_t now = real ? uv_hrtime() : engine->now;
  if (now - engine->now < AW_SLOW) {
    if (real)
      note_look(engine, now);
    engine->look_at = engine->credit - steps_in_round(engine->credit_size);
    return false;
  }
  aw__clock_look(engine);
  engine->credit = 0;
  engine->look_at = -steps_in_round(engine->credit_size);
  return true;
}

/* ---- waking the host, in real time whatever the engine's clock ---- */

/* The host must also be woken while tasks keep the engine busy, and in virtual
 * time, which may advance for ever without a pause. */
void aw__clock_wake_host(aw_engine *engine) {
  if (engine->wake_at == AW_NEVER || uv_hrtime() < engine->wake_at)
    return;
  engine->wake_at = AW_NEVER;
  engine->woken = 1;
}
