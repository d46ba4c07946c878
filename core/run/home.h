/* home.h - debug builds assert that no wire runs in two threads
 *
 * Wires are counted without locks, and their parts may be shared, so all wires
 * that have parts in common belong to one thread. An engine and each wire that
 * has run in it have the same `home`: a number that stands for the thread that
 * pulled the engine first. A host may move an engine to another thread, with
 * all that belongs to it.
 */
#ifndef AW_HOME_H
#define AW_HOME_H

#include "state.h"

#ifdef NDEBUG

static inline void aw__home_check(aw_engine *engine, aw_wire *wire) {
  (void)engine;
  (void)wire;
}

#else

#include <assert.h>
#include <pthread.h>

/* Two threads seldom have the same number; 0 stands for none. */
static inline uint16_t aw__home_here(void) {
  const uint64_t spread = UINT64_C(0x9e3779b97f4a7c15);
  uint64_t self = (uint64_t)(uintptr_t)pthread_self();
  return (uint16_t)(self * spread >> 48 | 1);
}

/* `wire` begins to run in `engine`. */
static inline void aw__home_check(aw_engine *engine, aw_wire *wire) {
  if (engine->home == 0)
    engine->home = aw__home_here();
  if (wire->home == 0)
    wire->home = engine->home;
  assert(wire->home == engine->home && "a wire runs in engines of two threads");
}

#endif
#endif
