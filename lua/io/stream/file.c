/* file.c - opens files and FIFOs as streams */
#include "io.h"

void awio_open_file(lua_State *L) {
  (void)L;
}
