/* arguments.h - what functions say of their arguments; aiowire_lua.h has most
 */
#ifndef AWL_ARGUMENTS_H
#define AWL_ARGUMENTS_H

#include "base/state.h"

/* A method was called with something else as its object: most often with '.'
 * instead of ':'. Raises. */
int awl_bad_self(lua_State *L, const char *class);

#endif
