/* coroutine.h - coroutines of the user; see coroutine.c */
#ifndef AWL_COROUTINE_H
#define AWL_COROUTINE_H

#include "base/state.h"

/* Put ours in the place of the functions in coroutine.*; twice is fine. Raises.
 */
void awl_install(lua_State *L, awl_state *s);

#endif
