/* hosted.c - an engine in the libuv loop of its host
 *
 *     uv_run() of the host
 *       timers, idle      of the host; our timer just ends the poll
 *       prepare ────────► watch what tasks wait for; may the poll block, and
 *                         for how long?
 *       poll              callbacks of descriptors make tasks ready
 *       check ──────────► a turn
 *       close callbacks
 *
 * The poll does not block while our idle handle is active. Callbacks of the
 * host that run before the poll, but after our prepare, may make a task ready:
 * `rouse` starts the idle handle then.
 *
 * Neighbours: libuv.c has the handles; turn.c makes the turn.
 */
#include "drive/hosted.h"

#include "base/clock.h"
#include "base/libuv.h"
#include "base/memory.h"
#include "drive/block.h"
#include "drive/turn.h"
#include "sources/poller.h"

static void ignore_timer(uv_timer_t *timer) {
  (void)timer; /* the poll has ended: our check comes */
}

static void ignore_idle(uv_idle_t *idle) {
  (void)idle; /* the poll does not block */
}

static void rouse(aw_engine *engine) {
  uv_idle_start(&engine->handles->idle, ignore_idle);
}

/* The loop counts in whole ms since the start of uv_hrtime(), so the time is
 * rounded up. */
static void start_timer(aw_handles *handles, uint64_t due) {
  uint64_t at = due / AW_MS + (due % AW_MS > 0);
  uint64_t now = uv_now(handles->engine->uv);
  uv_timer_start(&handles->timer, ignore_timer, at > now ? at - now : 0, 0);
}

static void before_poll(uv_prepare_t *prepare) {
  aw_handles *handles = AW_CONTAINER(aw_handles, prepare, prepare);
  aw_engine *engine = handles->engine;
  if (engine->ready.count == 0)
    aw__settle(engine);
  else
    aw__poller_settle(engine);
  aw__libuv_hold(engine);
  uint64_t due = aw__turn_due(engine);
  uv_timer_stop(&handles->timer);
  if (due == 0 || due <= uv_hrtime()) {
    rouse(engine);
    return;
  }
  uv_idle_stop(&handles->idle);
  engine->ready.rouse = rouse; /* it may have been used since the last turn */
  if (due != AW_NEVER)
    start_timer(handles, due);
}

/* Watchers without waiters go at once: a handle of the host for the same
 * descriptor may be next. While tasks are ready, they may wait again. libuv
 * learns in our next prepare what tasks wait for since this turn: a host that
 * polls uv_backend_fd() by itself must not block before that. */
static void rest(aw_engine *engine) {
  if (engine->ready.count == 0)
    aw__poller_close_idle(engine);
  rouse(engine);
  engine->ready.rouse = rouse;
  aw__libuv_hold(engine);
}

static void after_poll(uv_check_t *check) {
  aw_engine *engine = AW_CONTAINER(aw_handles, check, check)->engine;
  bool freed = false;
  if (engine->drive.turning || aw_engine_timeout(engine) > 0)
    return;
  aw__engine_keep(engine);
  aw__turn(engine, &freed);
  if (!freed)
    rest(engine);
  aw__engine_release(engine);
}

int aw__hosted_open(aw_engine *engine) {
  int rc = aw__libuv_enter(engine);
  if (rc < 0)
    return rc;
  engine->gate = AW_DRIVEN;
  uv_prepare_start(&engine->handles->prepare, before_poll);
  uv_check_start(&engine->handles->check, after_poll);
  engine->ready.rouse = rouse;
  return 0;
}
