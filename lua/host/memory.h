/* memory.h - the allocator of the program's Lua state */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <lua.h>

typedef struct host_memory host_memory;

/* Let `L` take its memory from here from now on; what it has stays where it
 * is. Gives what host_memory_free() takes when `L` is closed; NULL when there
 * is no room for it: then nothing has changed. */
host_memory *host_memory_use(lua_State *L);
void host_memory_free(host_memory *memory); /* NULL is fine */

#endif
