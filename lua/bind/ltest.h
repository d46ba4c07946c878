/* ltest.h - limits in real time, for tests; see ltest.c */
#ifndef AWL_LTEST_H
#define AWL_LTEST_H

#include "bridge.h"

uint64_t awl_real_time(void);                   /* ns, monotonic */
void awl_limit_hit(lua_State *L, awl_state *s); /* note the dump, stop all */

#endif
