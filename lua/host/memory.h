/* memory.h - the allocator of the program's Lua state */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <lua.h>

typedef struct host_memory host_memory;

/* Make this the allocator of `L`. Blocks that `L` has already stay where they
 * are. Gives the memory; NULL, with the allocator unchanged, if there is no
 * room for it. */
host_memory *host_memory_use(lua_State *L);
/* Takes; NULL is fine. Call it after lua_close(). */
void host_memory_free(host_memory *memory);

#endif
