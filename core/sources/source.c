/* source.c - kinds of objects that the engine looks after in each pass
 *
 * Most sources need no help: libuv calls them back, and they wake their tasks.
 * Some must be asked, as libzmq, whose descriptors report a change only once.
 * The first wait for such an object registers a source with the engine:
 *
 *     look ──► tasks ──► look ──► nothing to do ──► settle ──► dirty? ──► block
 *     └───── pass ─────┘                                        └► look again
 *
 *   look     once a pass: look at the objects that changed, wake their waiters
 *   settle   the engine is about to block: stop watching objects that nobody
 *            waits for
 *   dirty    an object has changed since look(): the engine must not block
 *
 * An engine without sources pays one test at each of these places.
 *
 * The interface is private. A host that wants one can use a libuv handle of its
 * own (aw_engine_uv()); what may wake tasks in look(), and what settle() may do
 * with handles, is bound to the order of the engine's pass, which may change.
 *
 * Neighbours: engine.c calls this; zmq_sockets.c is a source.
 */
#include "sources/source.h"

void aw__source_add(aw_engine *engine, aw_source *source) {
  source->next = engine->sources;
  engine->sources = source;
}

void aw__source_remove(aw_engine *engine, aw_source *source) {
  aw_source **place = &engine->sources;
  while (*place != source)
    place = &(*place)->next;
  *place = source->next;
}

void aw__sources_look(aw_engine *engine) {
  for (aw_source *source = engine->sources; source; source = source->next)
    source->look(source);
}

void aw__sources_settle(aw_engine *engine) {
  for (aw_source *source = engine->sources; source; source = source->next)
    source->settle(source);
}

bool aw__sources_are_dirty(const aw_engine *engine) {
  const aw_source *source = engine->sources;
  while (source && !source->dirty(source))
    source = source->next;
  return source != NULL;
}
