/* pauses.h - what the collector of a Lua state does, for the recorder */
#ifndef AWM_PAUSES_H
#define AWM_PAUSES_H

#include "base/state.h"

/* Record the end of each cycle of the collector, as long as the state has a
 * recorder. Twice is fine. Raises. */
void awm_watch_cycles(lua_State *L, awl_state *s);

#endif
