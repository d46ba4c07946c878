/* polled.c - sources that the engine looks after in each pass
 *
 * Most sources need no help: libuv calls them back, and they wake their tasks.
 * Some must be asked, as libzmq, whose descriptors report a change only once.
 * The first wait for such an object registers a polled source with the engine:
 *
 *     look ──► tasks ──► look ──► nothing to do ──► settle ──► dirty? ──► block
 *     └───── pass ─────┘                                        └► look again
 *
 *   look     once a pass: look at the objects that changed, wake their waiters
 *   settle   the engine is about to block: stop watching objects that nobody
 *            waits for
 *   dirty    an object has changed since look(): the engine must not block
 *
 * An engine without such sources pays one test at each of these places.
 *
 * The interface is private. A host that wants one can use a libuv handle of its
 * own (aw_engine_uv()); what may wake tasks in look(), and what settle() may do
 * with handles, is bound to the order of the engine's pass, which may change.
 *
 * Neighbours: drive/ calls this; zmq_sockets.c is a polled source.
 */
#include "sources/polled.h"

void aw__polled_add(aw_engine *engine, aw_polled *polled) {
  polled->next = engine->polled;
  engine->polled = polled;
}

void aw__polled_remove(aw_engine *engine, aw_polled *polled) {
  aw_polled **place = &engine->polled;
  while (*place != polled)
    place = &(*place)->next;
  *place = polled->next;
}

void aw__polled_look(aw_engine *engine) {
  for (aw_polled *polled = engine->polled; polled; polled = polled->next)
    polled->look(polled);
}

void aw__polled_settle(aw_engine *engine) {
  for (aw_polled *polled = engine->polled; polled; polled = polled->next)
    polled->settle(polled);
}

bool aw__polled_is_dirty(const aw_engine *engine) {
  const aw_polled *polled = engine->polled;
  while (polled && !polled->dirty(polled))
    polled = polled->next;
  return polled != NULL;
}
