/* sleeps.h - Wires that only sleep; see sleeps.c */
#ifndef AWL_SLEEPS_H
#define AWL_SLEEPS_H

#include "base/state.h"

/* Push a Wire that sleeps `ns`, or until the time `ns`. Returns 1. Raises. */
int awl_push_sleep(lua_State *L, awl_state *s, uint64_t ns, bool until);
/* A wire of the core for the Wire at `index`, of class AWL_SLEEP. Gives; NULL:
 * out of memory. */
aw_wire *awl_sleep_wire(lua_State *L, awl_state *s, int index);
void awl_free_sleeps(awl_state *s); /* the state ends */

#endif
