/* traceback.h - of a stack; see traceback.c */
#ifndef AWL_TRACEBACK_H
#define AWL_TRACEBACK_H

#include "bridge.h"

/* Push a traceback of `co`, from `level`, without our own frames. Raises. */
void awl_push_traceback(lua_State *L, awl_state *s, lua_State *co, int level);

#endif
