/* start_ready.h - start_ready() and aw.ready; see start_ready.c */
#ifndef AWL_START_READY_H
#define AWL_START_READY_H

#include "base/state.h"

/* start_ready(w [, handler [, opts]]), a method of the object at 1: starts in
 * `scope`, or if NULL at the root of `loop`. `what` names the method in
 * messages. Use it as `return awl_start_ready(...)`. */
int awl_start_ready(lua_State *L, awl_state *s, awl_loop *loop,
                    const awl_scope *scope, const char *what);

#endif
