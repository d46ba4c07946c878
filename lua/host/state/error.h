/* error.h - the program's `error`; see error.c */
#ifndef HOST_ERROR_H
#define HOST_ERROR_H

#include <lua.h>

/* error(message [, level]) */
int host_error(lua_State *L);

#endif
