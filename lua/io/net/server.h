/* server.h - the class of servers, for those that make or use them */
#ifndef AWIO_SERVER_H
#define AWIO_SERVER_H

#include "net/listener.h"

#include <lua.h>

/* Push a Server without a listener, and return its userdata, for
 * awio_fill_server(). May raise. */
awio_listener **awio_push_server(lua_State *L);
/* Put `listener` into the userdata `box`. Takes `listener`; NULL is fine. */
void awio_fill_server(lua_State *L, awio_listener **box,
                      awio_listener *listener);

#endif
