/* block.c - waiting in libuv, and polling it
 *
 * Only the engine's own libuv loop is run here. The host's one is run by the
 * host; there, hosted.c calls aw__settle() right before libuv polls.
 *
 * libuv's callbacks wake tasks; they run none.
 *
 * Neighbours: next.c blocks and polls; turn.c polls before and after a turn.
 */
#include "drive/block.h"

#include "base/clock.h"
#include "base/libuv.h"
#include "run/instrument.h"
#include "run/task.h"
#include "sources/polled.h"
#include "sources/poller.h"

/* Make uv_run() return, so that the deadline takes effect. */
static void time_is_up(uv_timer_t *timer) {
  uv_stop(timer->loop);
}

static bool has_dirty_polled(const aw_engine *engine) {
  return engine->polled && aw__polled_is_dirty(engine);
}

bool aw__has_news(const aw_engine *engine) {
  return engine->ready.count > 0 || engine->woken ||
         aw__task_has_closed(engine) || !aw__list_empty(&engine->reports) ||
         has_dirty_polled(engine);
}

/* libuv runs expired timers before it polls, ours and those of other users of
 * the loop. If their callbacks have made work, uv_run() must not block. */
static void before_poll(uv_prepare_t *prepare) {
  const aw_handles *handles = AW_CONTAINER(aw_handles, prepare, prepare);
  if (aw__has_news(handles->engine))
    uv_stop(prepare->loop);
}

void aw__settle(aw_engine *engine) {
  aw__poller_close_idle(engine);
  aw__poller_settle(engine);
  if (engine->polled)
    aw__polled_settle(engine);
}

static void run_uv(aw_engine *engine, uv_run_mode mode) {
  engine->polling = true;
  uv_run(engine->uv, mode);
  engine->polling = false;
}

/* Poll the engine's own loop between tasks, at the time `now`. */
static void poll_busy(aw_engine *engine, uint64_t now) {
  engine->polled_at = now;
  aw__poller_settle(engine);
  run_uv(engine, UV_RUN_NOWAIT);
}

/* libuv has something to do that needs no event, such as closing handles. */
static void run_pending(aw_engine *engine) {
  if (uv_backend_timeout(engine->uv) == 0)
    run_uv(engine, UV_RUN_NOWAIT);
}

/* libuv's timer counts in ms, so the time is rounded up. */
int aw__block(aw_engine *engine, uint64_t until) {
  if (engine->wake_at < until)
    until = engine->wake_at;
  int rc = aw__libuv_open(engine);
  if (rc < 0)
    return rc;
  aw_handles *handles = engine->handles;
  uv_prepare_start(&handles->prepare, before_poll); /* again is fine */
  uint64_t now = uv_hrtime();
  aw__settle(engine);
  uv_run_mode mode = UV_RUN_ONCE;
  /* Settling has woken the tasks whose descriptors were closed. Then libuv only
   * polls the other descriptors, and does not block. */
  if (engine->ready.count > 0 || has_dirty_polled(engine) || until <= now) {
    mode = UV_RUN_NOWAIT;
  } else if (until != AW_NEVER) {
    uv_update_time(engine->uv);
    uv_timer_start(&handles->timer, time_is_up,
                   (until - now + AW_MS - 1) / AW_MS, 0);
  }
  bool blocks = engine->instrumented && mode == UV_RUN_ONCE;
  if (blocks)
    aw__tell_blocking(engine, until);
  run_uv(engine, mode);
  uv_timer_stop(&handles->timer);
  if (engine->config.clock == AW_CLOCK_REAL)
    engine->now = engine->looked = uv_hrtime();
  engine->polled_at = engine->now;
  if (blocks)
    aw__tell_unblocked(engine);
  return 0;
}

/* A source may make tasks ready in pass after pass, so that the engine never
 * blocks; libuv is polled nevertheless, at least every AW_SLICE. The same holds
 * for handles of others in libuv's loop while no task of ours waits for I/O. */
void aw__poll_in_pass(aw_engine *engine) {
  bool busy = engine->ready.count > 0;
  if (engine->polled)
    aw__polled_look(engine);
  bool external = engine->external > 0;
  if (!(external || engine->shared_uv) || !engine->uv || engine->config.uv ||
      engine->ready.count == 0)
    return;
  if (!(busy && external) && engine->config.clock == AW_CLOCK_REAL &&
      engine->now - engine->polled_at < AW_SLICE)
    return;
  poll_busy(engine, engine->now);
}

/* A task that this makes ready has its turn in the next round. */
void aw__poll_in_round(aw_engine *engine) {
  if (!engine->shared_uv || engine->config.uv)
    return;
  if (engine->config.clock == AW_CLOCK_REAL &&
      engine->looked - engine->polled_at < AW_SLICE)
    return;
  poll_busy(engine, engine->looked);
}

void aw__flush(aw_engine *engine) {
  aw__settle(engine);
  run_pending(engine);
}

void aw__tidy(aw_engine *engine) {
  if (!engine->uv || !aw__list_empty(&engine->running))
    return;
  aw__poller_close_idle(engine);
  run_pending(engine);
}
