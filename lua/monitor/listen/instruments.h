/* instruments.h - several instruments on the engines of a Lua state
 *
 * See instruments.c, and aw_lua_instrument_add() for what every listener hears.
 */
#ifndef AWM_INSTRUMENTS_H
#define AWM_INSTRUMENTS_H

#include "base/state.h"

typedef struct awm_listener {
  aw_instrument to; /* its functions, and their `data` */
  /* The listener hears of one more engine. Return the `data` for the events of
   * that engine; NULL: out of memory. `engine` may be read in this call only.
   * If this member is NULL, all engines get `to.data`. */
  void *(*engine_begins)(void *data, const awl_engine *engine);
  /* No event of that engine follows: it is freed, or the listener goes. NULL:
   * not needed. */
  void (*engine_ends)(void *engine_data);
} awm_listener;

/* Listen to all engines of the state, also to those that it makes later. Events
 * of living tasks come before this function returns.
 *
 *   is   copied
 *   out  gives; see aw_lua_instrument_remove()
 *
 * Raises nothing. Returns 0; AW_EBUSY if the host program has an instrument of
 * its own; or AW_ENOMEM. Then the listener may have heard events, but hears no
 * more. Call from: outside of events. */
int awm_listen(awl_state *s, const awm_listener *is, aw_lua_instrument **out);

/* The state ends: remove what is left. */
void awm_end_instruments(awl_state *s);

#endif
