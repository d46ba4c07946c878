/* mistake.h - warnings of mistakes; see mistake.c */
#ifndef AWL_MISTAKE_H
#define AWL_MISTAKE_H

#include "base/state.h"

/* Warn of a mistake at `where`, a place of awl_where(), once for each place and
 * kind. The text of the warning is on top (popped). `kind` is a word of this
 * mistake alone. Raises. */
void awl_mistake(lua_State *L, const char *where, const char *kind);
/* Call f(light `data`), which gives a warning, from code that must not raise: a
 * finalizer, or the driver. An error of `f` is dropped. */
void awl_try_telling(lua_State *L, lua_CFunction f, const void *data);

#endif
