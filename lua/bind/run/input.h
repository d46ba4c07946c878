/* input.h - what a body is called with; see input.c */
#ifndef AWL_INPUT_H
#define AWL_INPUT_H

#include "base/state.h"

/* Push what the leaf of `worker` is called with, besides its bound arguments:
 * what its first part left; returns how many. `loop` is the index of its
 * EventLoop. Raises. */
int awl_push_input(lua_State *L, awl_worker *worker, int loop);

#endif
