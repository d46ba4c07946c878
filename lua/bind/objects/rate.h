/* rate.h - rates for Lua; see rate.c */
#ifndef AWL_RATE_H
#define AWL_RATE_H

#include "base/state.h"

/* Acquire(rate [, k]), called in its frame. */
int awl_acquire_rate(lua_State *L);

#endif
