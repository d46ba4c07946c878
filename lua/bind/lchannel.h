/* lchannel.h - channels for Lua; see lchannel.c */
#ifndef AWL_LCHANNEL_H
#define AWL_LCHANNEL_H

#include "bridge.h"

/* Push the value that a wire sends; false: it is no wire that sends. */
bool awl_push_sent(lua_State *L, awl_state *s, const aw_wire_view *view);

#endif
