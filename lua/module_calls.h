/* module_calls.h - what module_calls.c offers to module.c */
#ifndef AWL_MODULE_CALLS_H
#define AWL_MODULE_CALLS_H

#include <lua.h>

/* Put the table of functions for C modules into the registry. Raises. */
void awl_offer_calls(lua_State *L);

#endif
