/* recorded.h - aw.record() and aw.recorded(): the last events as text */
#ifndef AWM_RECORDED_H
#define AWM_RECORDED_H

#include "base/state.h"

/* Turn the recorder on if AIOWIRE_RECORD=1, and let reports have its events.
 * Raises. */
void awm_open_recorded(lua_State *L, awl_state *s);

#endif
