/* options.h - tables of options; see options.c, and aiowire_lua.h */
#ifndef AWL_OPTIONS_H
#define AWL_OPTIONS_H

#include "base/state.h"

/* As aw_lua_check_options(), of the table at `index`, called argument `arg`. */
void awl_check_names(lua_State *L, int index, int arg, const char *const *known,
                     bool is_list);
/* What the parts in Lua need of it. */
extern const luaL_Reg awl_options_inner[];

#endif
