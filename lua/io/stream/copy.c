/* copy.c - aw.copy */
#include "io.h"

void awio_open_copy(lua_State *L) {
  (void)L;
}
