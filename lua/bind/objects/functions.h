/* functions.h - functions that await, which others register or compare */
#ifndef AWL_FUNCTIONS_H
#define AWL_FUNCTIONS_H

#include "base/state.h"

/* aw.sleep(s), aw.sleep_until(t): what Call() lowers [V7]. */
int awl_act_sleep(lua_State *L);
int awl_act_sleep_until(lua_State *L);
/* w(ev): one step of a wire, inline [N6]. */
int awl_act_step(lua_State *L);

#endif
