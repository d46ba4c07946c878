/* parts.h - parts of the library that are written in Lua; see parts.c */
#ifndef AWL_PARTS_H
#define AWL_PARTS_H

#include <lua.h>
#include <stddef.h>

/* Push the result of the part `name`. The first call runs the part. Raises. */
void awl_push_embedded(lua_State *L, const char *name);
/* [inner, module]: set the arguments of parts. Pops nothing. Raises. */
void awl_set_parts(lua_State *L);

/* Push the same two again: [inner, module], to open more of the module. */
void awl_push_opening(lua_State *L);

/* ---- the sources, written into a C file by lua/embed.cmake ---- */

struct awl_embedded {
  /* the name for require: "aiowire.test" for aiowire/test.lua */
  const char *name;
  const char *source; /* Lua text; a zero follows its last byte */
  size_t size;        /* bytes of `source`, without that zero */
};

/* In byte order of the names; ends with {NULL, NULL, 0}. */
extern const struct awl_embedded awl_embedded[];

#endif
