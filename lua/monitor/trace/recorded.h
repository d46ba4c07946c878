/* recorded.h - aw.record() and aw.recorded(): the last events as text */
#ifndef AWM_RECORDED_H
#define AWM_RECORDED_H

#include "base/state.h"

enum {
  AWM_SHOWN = 100
}; /* events behind a report, unless more are asked for */

/* Push the last `most` events as a text, a line for each; "" if there are none.
 * Raises. */
void awm_push_recorded(lua_State *L, awm_recorder *r, size_t most);
/* Turn the recorder on if AIOWIRE_RECORD=1, and let reports have its events.
 * Raises. */
void awm_open_recorded(lua_State *L, awl_state *s);

#endif
