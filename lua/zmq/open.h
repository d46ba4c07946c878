/* open.h - what the module opens of ZeroMQ */
#ifndef AWZ_OPEN_H
#define AWZ_OPEN_H

#include <lua.h>

/* A lua_CFunction without arguments: the functions that aiowire/zmq.lua makes
 * the module `aw.zmq` of, in a table. libzmq is not opened yet. */
int awz_open(lua_State *L);

#endif
