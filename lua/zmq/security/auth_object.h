/* auth_object.h - zmq.auth{...} for Lua; see auth_object.c */
#ifndef AWZ_AUTH_OBJECT_H
#define AWZ_AUTH_OBJECT_H

#include "zmq.h"

/* Adds to the table on top. Raises. */
void awz_open_auth(lua_State *L);

#endif
