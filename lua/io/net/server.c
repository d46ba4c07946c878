/* server.c - listening sockets */
#include "io.h"

void awio_open_server(lua_State *L) {
  (void)L;
}
