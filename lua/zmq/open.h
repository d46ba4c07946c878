/* open.h - opens ZeroMQ for the module */
#ifndef AWZ_LZMQ_H
#define AWZ_LZMQ_H

#include <lua.h>

/* A lua_CFunction: returns a table of the functions from which aiowire/zmq.lua
 * builds the module `aw.zmq`. It does not load libzmq. */
int awz_open(lua_State *L);

#endif
