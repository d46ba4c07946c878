/* error.h - the program's `error`; see error.c */
#ifndef HOST_ERROR_H
#define HOST_ERROR_H

#include <lua.h>

/* Put our `error` in the place of Lua's. Call it after luaL_openlibs(). */
void host_set_error(lua_State *L);

#endif
