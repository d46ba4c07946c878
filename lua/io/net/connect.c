/* connect.c - making connections */
#include "io.h"

void awio_open_connect(lua_State *L) {
  (void)L;
}
