/* inspect.h - aw.inspect(), and what a Lua state answers; see inspect.c */
#ifndef AWM_INSPECT_H
#define AWM_INSPECT_H

#include "base/state.h"

/* Let others look into the state if AIOWIRE_INSPECT=1, or if another state of
 * the process has asked for it. A failure is a warning. Adds the inner function
 * `name_inspected`; [inner, module]. Raises. */
void awm_open_inspect(lua_State *L, awl_state *s);

/* [… module]: add aw.inspect. Raises. */
void awm_open_inspect_function(lua_State *L);

/* The state ends. */
void awm_end_inspect(awl_state *s);

#endif
