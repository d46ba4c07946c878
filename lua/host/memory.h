/* memory.h - the allocator of the program's Lua state */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <lua.h>

typedef struct host_memory host_memory;

/* Make this the allocator of `L` from now on; memory that `L` has stays where
 * it is. Give the result to host_memory_free() when `L` is closed. NULL: there
 * is no room, and nothing has changed. */
host_memory *host_memory_use(lua_State *L);
void host_memory_free(host_memory *memory); /* NULL is fine */

#endif
