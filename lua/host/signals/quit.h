/* quit.h - SIGQUIT prints the tasks; two at once end the program; see quit.c */
#ifndef HOST_QUIT_H
#define HOST_QUIT_H

#include <lua.h>

/* Handle SIGQUIT from now on, unless it is ignored. Call from: the main thread,
 * first of all. */
void host_quit_watch(void);

/* Print the notices of L: dumps, and where a signal met a busy body. Raises. */
void host_quit_open(lua_State *L);

#endif
