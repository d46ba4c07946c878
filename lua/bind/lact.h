/* lact.h - functions that await, that others register or compare; see lact.c */
#ifndef AWL_LACT_H
#define AWL_LACT_H

#include "bridge.h"

/* aw.sleep(s), aw.sleep_until(t): what Call() lowers [V7]. */
int awl_act_sleep(lua_State *L);
int awl_act_sleep_until(lua_State *L);
/* w(ev): one step of a wire, inline [N6]. */
int awl_act_step(lua_State *L);

#endif
