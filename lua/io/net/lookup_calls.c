/* lookup_calls.c - names of hosts, for Lua */
#include "io.h"

void awio_open_lookup(lua_State *L) {
  (void)L;
}
