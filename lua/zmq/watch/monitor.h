/* monitor.h - s:monitor([events]): what happens to a socket, for Lua */
#ifndef AWZ_MONITOR_H
#define AWZ_MONITOR_H

#include "zmq.h"

/* [module] → [module], with monitor(socket, events) and monitor_methods, a
 * table to which aiowire/zmq.lua adds. Raises. */
void awz_open_monitor(lua_State *L);

#endif
