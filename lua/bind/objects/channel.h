/* channel.h - channels for Lua; see channel.c */
#ifndef AWL_CHANNEL_H
#define AWL_CHANNEL_H

#include "base/state.h"

/* Push the value that a wire sends; false: it is no wire that sends. */
bool awl_push_sent(lua_State *L, awl_state *s, const aw_wire_view *view);

#endif
