/* loop.h - EventLoops, for other files; see loop.c */
#ifndef AWL_OBJECTS_LOOP_H
#define AWL_OBJECTS_LOOP_H

#include "base/state.h"

/* Push a new EventLoop without options. Raises. */
awl_loop *awl_push_new_loop(lua_State *L, awl_state *s);
/* [options] → [EventLoop]. Raises. */
awl_loop *awl_push_loop_with(lua_State *L, awl_state *s);

#endif
