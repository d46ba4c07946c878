/* parts.h - parts of the library that are written in Lua; see parts.c */
#ifndef AWL_PARTS_H
#define AWL_PARTS_H

#include <lua.h>
#include <stddef.h>

/* Push what the part `name` returned; it runs when it is first asked for.
 * Raises. */
void awl_push_embedded(lua_State *L, const char *name);
/* [inner, module]: what each part is called with. Pops nothing. Raises. */
void awl_set_parts(lua_State *L);

/* ---- the sources, written into a C file by lua/embed.cmake ---- */

struct awl_embedded {
  const char *name;   /* as for require: "aiowire.test" for aiowire/test.lua */
  const char *source; /* Lua text; a zero follows its last byte */
  size_t size;        /* bytes of `source`, that zero not counted */
};

/* In byte order of the names; ends with {NULL, NULL, 0}. */
extern const struct awl_embedded awl_embedded[];

#endif
