/* input.h - pushes the arguments of a body; see input.c */
#ifndef AWL_INPUT_H
#define AWL_INPUT_H

#include "base/state.h"

/* Push the arguments that the leaf of `worker` gets before its own: the loop,
 * or the results or the error of the first part. Returns how many. `loop` is
 * the index of the EventLoop. Raises. */
int awl_push_input(lua_State *L, awl_worker *worker, int loop);

#endif
