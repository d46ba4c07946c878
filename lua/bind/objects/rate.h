/* rate.h - rates for Lua; see rate.c */
#ifndef AWL_RATE_H
#define AWL_RATE_H

#include "base/state.h"

/* Acquire(rate [, k]); must run in the frame of the function that the user
 * called. */
int awl_acquire_rate(lua_State *L);

#endif
