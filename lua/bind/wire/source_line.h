/* source_line.h - a line of a source; see source_line.c */
#ifndef AWL_SOURCE_LINE_H
#define AWL_SOURCE_LINE_H

#include <lua.h>

/* Push line `line` of the source of a chunk, as lua_Debug has it, cut after
 * some bytes; "" if it is not to be had. Raises. */
void awl_push_source_line(lua_State *L, const char *source, int line);

#endif
