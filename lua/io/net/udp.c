/* udp.c - datagrams */
#include "io.h"

void awio_open_udp(lua_State *L) {
  (void)L;
}
