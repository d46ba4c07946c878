/* arguments.h - errors about arguments; most are declared in aiowire_lua.h */
#ifndef AWL_ARGUMENTS_H
#define AWL_ARGUMENTS_H

#include "base/state.h"

/* Raise that a method was called on a wrong object, most often with '.' instead
 * of ':'. */
int awl_bad_self(lua_State *L, const char *class);

#endif
