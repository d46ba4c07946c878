/* stats.h - the figures of --stats; see stats.c */
#ifndef HOST_STATS_H
#define HOST_STATS_H

#include <lua.h>

/* Begin to count in the state's own engine, in protected mode, before anything
 * runs. Without this call the functions below do nothing, and no one counts. */
void host_stats_begin(lua_State *L);

/* Note what lua_close() will end. */
void host_stats_close(lua_State *L);

/* Print the figures on stderr, once.
 *
 *   status  of the exit
 *   signal  that will end the process; 0: none
 */
void host_stats_print(int status, int signal);

#endif
