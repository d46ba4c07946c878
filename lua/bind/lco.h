/* lco.h - coroutines of the user; see lco.c */
#ifndef AWL_LCO_H
#define AWL_LCO_H

#include "bridge.h"

/* Put ours in the place of the functions in coroutine.*; twice is fine. Raises.
 */
void awl_install(lua_State *L, awl_state *s);

#endif
