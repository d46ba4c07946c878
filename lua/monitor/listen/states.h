/* states.h - how often tasks went from state to state; see states.c */
#ifndef AWM_STATES_H
#define AWM_STATES_H

#include "base/state.h"

/* Count from now on; each call needs one of awm_states_leave(). Without memory,
 * or if the host program has an instrument of its own, nothing is counted.
 * Raises nothing. */
void awm_states_use(awl_state *s);
/* End one use. The last one ends the counting, and forgets the counts. */
void awm_states_leave(awl_state *s);

/* Add `transitions` to the inner functions. */
void awm_open_states(lua_State *L, awl_state *s);

#endif
