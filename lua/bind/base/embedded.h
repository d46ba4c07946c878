/* The library's Lua sources, carried inside the module.
 *
 * The table is made at build time by lua/embed.cmake from lua/aiowire/, in
 * byte order of the names; meta.lua, which is for editors, is left out.
 */

#ifndef AWL_EMBEDDED_H
#define AWL_EMBEDDED_H

#include <stddef.h>

struct awl_embedded {
  const char *name;   /* as for require: "aiowire.test" for aiowire/test.lua */
  const char *source; /* Lua text; a zero follows its last byte */
  size_t size;        /* bytes of `source`, that zero not counted */
};

/* Ends with {NULL, NULL, 0}. */
extern const struct awl_embedded awl_embedded[];

#endif
