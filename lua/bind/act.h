/* act.h - functions of lact.c and ltask.c that others register or compare */
#ifndef AWL_ACT_H
#define AWL_ACT_H

#include "bridge.h"

/* aw.sleep(s), aw.sleep_until(t): what Call() lowers [V7]. */
int awl_act_sleep(lua_State *L);
int awl_act_sleep_until(lua_State *L);
/* w(ev): one step of a wire, inline [N6]. */
int awl_act_step(lua_State *L);
/* The task of the Task at `arg`. Raises. */
aw_task *awl_check_task(lua_State *L, awl_state *s, int arg);

#endif
