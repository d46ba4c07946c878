/* engine.h - engines of a Lua state; see engine.c */
#ifndef AWL_ENGINE_H
#define AWL_ENGINE_H

#include "base/state.h"

/* The state's own engine; the first call makes it. Raises. */
awl_engine *awl_own_engine(lua_State *L, awl_state *s);
/* The engine of the current run, or else the state's own engine. Raises. */
awl_engine *awl_current_engine(lua_State *L, awl_state *s);
/* One more engine. Raises. */
awl_engine *awl_new_engine(lua_State *L, awl_state *s, aw_clock clock,
                           uint64_t seed);
/* Free the engine. Returns AW_EBUSY and does nothing while the engine has a
 * loop. */
int awl_free_engine(awl_engine *engine);
void awl_free_engines(awl_state *s); /* the state ends */
/* A struct for the engine `core` of a host program, or NULL when out of memory.
 * awl_free_engine() frees the struct only. */
awl_engine *awl_hosted_engine(awl_state *s, aw_engine *core);
/* A loop of `s` has ended its run. */
void awl_note_loop_end(awl_state *s, aw_loop *loop);

#endif
