/* check.h - the option --check; see check.c */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

#include "options/options.h"

#include <lua.h>

/* Look at the text of each -e and at the script without running them. Print
 * syntax errors and unknown globals on stderr, a line for each.
 *
 *   L  a state in which the program has been set up and nothing has run
 *
 * Returns the exit status: 0; 1 if a text cannot be read or compiled; 2 if
 * there is nothing to check, since standard input is a terminal. Raises if
 * there is no memory.
 */
int host_check(lua_State *L, const host_options *options);

#endif
