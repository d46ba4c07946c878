/* turn.c - a turn of an engine that a host drives
 *
 *     host's event loop ─► turn ─┬ deadlines that have passed
 *                                ├ pull: aw_next(engine, NULL, …) until 0
 *                                └ ended: for each loop that has ended
 *
 * There are two kinds of such engines. One has its handles in the libuv loop of
 * the host (hosted.c), whose callback takes the turn. The other is asked by its
 * host what to poll, and when its turn is due (foreign.c).
 *
 * A turn never blocks. aw_next() returns 0 when nothing is ready, or when 1 ms
 * is over: then the rest is due at once, but the host comes first. At least one
 * pass is made in each turn.
 *
 * Between turns the host may call the library as it likes. A task that becomes
 * ready calls `rouse` of the ready queue, by which hosted.c or foreign.c keeps
 * the host from blocking.
 *
 * A turn has nothing to open, so the engine itself cannot fail in one: all
 * descriptors are opened when the engine becomes driven.
 *
 * Neighbours: next.c looks at `until`; loop.c puts loops into `ended`.
 */
#include "drive/turn.h"

#include "base/clock.h"
#include "base/deadline.h"
#include "base/memory.h"
#include "drive/expire.h"
#include "drive/next.h"

static void pull(aw_engine *engine) {
  const aw_engine_config *config = &engine->config;
  aw_step step;
  if (config->pull)
    config->pull(config->host, engine);
  else
    while (aw_next(engine, NULL, &step) == 1)
      aw_step_answer(engine, &step);
}

/* Loops that `ended` begins, and that end at once, wait for the next turn. */
static void tell_ended(aw_engine *engine) {
  aw_link ended, *link;
  aw__list_init(&ended);
  while ((link = aw__list_shift(&engine->drive.ended)) != NULL)
    aw__list_append(&ended, link);
  while ((link = aw__list_shift(&ended)) != NULL) {
    aw_loop *loop = AW_CONTAINER(aw_loop, running, link);
    if (engine->config.ended)
      engine->config.ended(engine->config.host, loop);
  }
}

/* The time since the last turn belongs to the host: no step of ours was slow
 * then. */
static void catch_up(aw_engine *engine) {
  if (engine->config.clock == AW_CLOCK_REAL)
    engine->now = uv_hrtime();
  aw__clock_begin_turn(engine);
  aw__expire(engine);
}

int aw__turn(aw_engine *engine, bool *freed) {
  aw_drive *drive = &engine->drive;
  if (aw__with_host(engine))
    return AW_EBUSY;
  engine->ready.rouse = NULL;
  drive->turning = drive->pulling = true;
  drive->unfinished = false;
  catch_up(engine);
  drive->until = uv_hrtime() + AW_MS;
  pull(engine);
  drive->until = AW_NEVER;
  drive->pulling = false;
  if (!engine->freed)
    tell_ended(engine);
  drive->turning = false;
  *freed = engine->freed;
  return 0;
}

/* On a virtual clock a deadline is due when nothing else can happen. */
static uint64_t next_deadline(aw_engine *engine) {
  uint64_t at = aw__alarm_next(engine);
  if (engine->config.clock == AW_CLOCK_REAL)
    return at;
  return at == AW_NEVER || engine->external > 0 ? AW_NEVER : 0;
}

uint64_t aw__turn_due(aw_engine *engine) {
  if (aw__with_host(engine))
    return AW_NEVER;
  if (aw__has_work(engine))
    return 0;
  uint64_t at = next_deadline(engine);
  return engine->wake_at < at ? engine->wake_at : at;
}

/* How long the handles of others in the engine's own libuv loop let it sleep,
 * in ns. */
static uint64_t uv_wait(aw_engine *engine) {
  uv_update_time(engine->uv);
  int ms = uv_backend_timeout(engine->uv);
  return ms < 0 ? AW_NEVER : (uint64_t)ms * AW_MS;
}

bool aw_engine_driven(const aw_engine *engine) {
  return engine->gate & AW_DRIVEN;
}

uint64_t aw_engine_timeout(aw_engine *engine) {
  if (engine->drive.turning)
    return 0;
  uint64_t due = aw__turn_due(engine);
  uint64_t now = uv_hrtime();
  bool asks = engine->uv && !engine->config.uv && !engine->polling; /* UV17 */
  if (due != 0 && asks) {
    uint64_t at = aw__later(now, uv_wait(engine));
    due = at < due ? at : due;
  }
  if (due == AW_NEVER)
    return AW_NEVER;
  return due > now ? due - now : 0;
}
