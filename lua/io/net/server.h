/* server.h - the class of servers, for those that make or use them */
#ifndef AWIO_SERVER_H
#define AWIO_SERVER_H

#include "net/listener.h"

#include <lua.h>

/* Push a Server without a listener, and return its userdata, for
 * awio_fill_server(). May raise. */
awio_listener **awio_push_server(lua_State *L);
/* Put `listener` into the userdata `box`, which is on top. Takes `listener`;
 * NULL is fine. May raise. */
void awio_fill_server(lua_State *L, awio_listener **box,
                      awio_listener *listener);
/* Does an open Server of this state have the descriptor? */
bool awio_is_listening(lua_State *L, int fd);

#endif
