/* options.h - tables of options; see options.c, and aiowire_lua.h */
#ifndef AWL_OPTIONS_H
#define AWL_OPTIONS_H

#include "base/state.h"

/* Functions for parts in Lua. */
extern const luaL_Reg awl_options_inner[];

#endif
