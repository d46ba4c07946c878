/* failure.h - codes as errors of Lua, for objects other than sockets */
#ifndef AWZ_FAILURE_H
#define AWZ_FAILURE_H

#include "zmq.h"

/* Raise "not enough memory" for AW_ENOMEM, else as aw_lua_system_error(). */
int awz_raise(lua_State *L, int code, const char *verb, const char *about);

/* Raise "not enough memory" for AW_ENOMEM; other codes are the caller's. */
void awz_check_memory(lua_State *L, int code);

#endif
