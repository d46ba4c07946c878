/* engine.h - engines of a Lua state; see engine.c */
#ifndef AWL_ENGINE_H
#define AWL_ENGINE_H

#include "base/state.h"

/* The engine of the state; it is made when first asked for. Raises. */
awl_engine *awl_own_engine(lua_State *L, awl_state *s);
/* The engine that runs, or else the state's own. Raises. */
awl_engine *awl_current_engine(lua_State *L, awl_state *s);
/* One more engine. Raises. */
awl_engine *awl_new_engine(lua_State *L, awl_state *s, aw_clock clock,
                           uint64_t seed);
/* AW_EBUSY, and nothing done, while a loop is left on it. */
int awl_free_engine(awl_engine *engine);
void awl_free_engines(awl_state *s); /* the state ends */

#endif
