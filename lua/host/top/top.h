/* top.h - the option --top: the tasks of another program; see top.c */
#ifndef HOST_TOP_H
#define HOST_TOP_H

#include <lua.h>

/* Push the function of a main chunk that runs --top, and its arguments.
 *
 *   pid  borrowed, of decimal digits; NULL: list the programs
 *
 * Returns the number of arguments. Raises. */
int host_top_push(lua_State *L, const char *pid);

#endif
