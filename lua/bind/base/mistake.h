/* mistake.h - warnings of mistakes; see mistake.c */
#ifndef AWL_MISTAKE_H
#define AWL_MISTAKE_H

#include "base/state.h"

/* Warn once for each place and kind that the text on top, popped, is the case
 * at `where`, a place of awl_where(). `kind` is a word that no other mistake
 * has. Raises. */
void awl_mistake(lua_State *L, const char *where, const char *kind);
/* Call f(light `data`), which tells something, where nothing may raise: in a
 * finalizer, or in the driver. An error of it is dropped. */
void awl_try_telling(lua_State *L, lua_CFunction f, const void *data);

#endif
