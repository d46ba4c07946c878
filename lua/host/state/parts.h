/* parts.h - parts of the program that are written in Lua; see parts.c */
#ifndef HOST_PARTS_H
#define HOST_PARTS_H

#include <lua.h>
#include <stddef.h>

/* Push what the chunk of part `name` returned. "host.check.names" is the part
 * in lua/host/check/names.lua. The first call in a state runs the chunk.
 * Raises. */
void host_push_part(lua_State *L, const char *name);

/* ---- the sources, written into a C file by lua/embed.cmake ---- */

struct host_embedded {
  const char *name;
  const char *source; /* Lua text; a zero follows its last byte */
  size_t size;        /* bytes of `source`, without that zero */
};

/* In byte order of the names; ends with {NULL, NULL, 0}. */
extern const struct host_embedded host_embedded[];

#endif
