/* workers.h - the Lua states of the program: its own, and those of workers */
#ifndef HOST_WORKERS_H
#define HOST_WORKERS_H

#include "report/warning.h"
#include "state/memory.h"

#include <lua.h>
#include <stdbool.h>

/* Make a state without libraries, whose warnings go to `warnings` (borrowed).
 * Returns NULL without memory. Call host_memory_free() after lua_close(). */
lua_State *host_new_state(host_warnings *warnings, host_memory **memory);

/* Open the libraries by the rules of the program, in protected mode. Workers
 * that the state starts get such states, too.
 *
 *   ignore_env  environment variables do not count
 */
void host_open(lua_State *L, bool ignore_env);

#endif
