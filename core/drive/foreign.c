/* foreign.c - an engine on an event loop that is not libuv's
 *
 * The host polls a descriptor, asks when the next turn is due, and gives the
 * turn. The engine has a libuv loop of its own, which is run without blocking:
 * before the tasks, for what has happened, and after them. libuv tells the
 * kernel only in uv_run() which descriptors it watches, and it closes handles
 * there; the host must not sleep before that.
 *
 * On Linux the descriptor for the host is an epoll set that contains that of
 * libuv. epoll.c replaces libuv's set now and then, and with it the file behind
 * libuv's descriptor; a set of the host would lose that file.
 *
 * A task that becomes ready between turns makes the descriptor readable, too.
 *
 * Neighbours: block.c polls; turn.c makes the turn; epoll.c keeps `outer` up to
 * date.
 */
#include "base/clock.h"
#include "base/libuv.h"
#include "base/memory.h"
#include "drive/block.h"
#include "drive/next.h"
#include "drive/turn.h"
#include "sources/epoll.h"

static void rouse(aw_engine *engine) {
  uv_async_send(&engine->handles->async);
}

/* From now on the host drives the engine. Its descriptor is readable at once:
 * what was begun before becomes known to the kernel in the first turn. libuv
 * hears of the async only after it has polled once. */
static int become_driven(aw_engine *engine) {
  if (engine->config.uv)
    return AW_EINVAL;
  if (engine->gate & AW_DRIVEN)
    return 0;
  if (engine->gate & AW_INSIDE || engine->current || engine->polling)
    return AW_EBUSY;
  int rc = aw__libuv_open(engine);
  if (rc < 0)
    return rc;
  engine->gate = AW_DRIVEN;
  aw__flush(engine);
  engine->drive.unfinished = true;
  rouse(engine);
  return 0;
}

int aw_engine_fd(aw_engine *engine) {
  if (!engine)
    return AW_EINVAL;
  int rc = become_driven(engine);
  return rc < 0 ? rc : aw__epoll_outer(engine);
}

static int take_turn(aw_engine *engine) {
  bool freed = false;
  if (aw__with_host(engine))
    return AW_EBUSY;
  engine->ready.rouse = NULL;
  int rc = aw__block(engine, 0);
  if (rc == 0)
    rc = aw__turn(engine, &freed);
  if (freed || rc < 0)
    return rc;
  if (aw__with_host(engine))
    return AW_EBUSY;
  if (aw__has_work(engine)) /* it may be gone before the next turn */
    engine->drive.unfinished = true;
  else
    aw__flush(engine);
  engine->ready.rouse = rouse;
  return aw__turn_due(engine) == 0;
}

int aw_engine_turn(aw_engine *engine) {
  if (!engine)
    return AW_EINVAL;
  if (engine->drive.turning || engine->polling)
    return AW_EBUSY;
  int rc = become_driven(engine);
  if (rc < 0)
    return rc;
  aw__engine_keep(engine);
  rc = take_turn(engine);
  aw__engine_release(engine);
  return rc;
}
