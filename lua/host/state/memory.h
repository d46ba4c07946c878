/* memory.h - the allocator of the program's Lua state */
#ifndef HOST_MEMORY_H
#define HOST_MEMORY_H

#include <lua.h>

typedef struct host_memory host_memory;

/* Let `L` use this allocator from now on. Blocks that `L` has already stay
 * where they are. Gives the memory. Returns NULL, with the allocator unchanged,
 * if there are no addresses for the memory, or in a build with the address
 * sanitizer. */
host_memory *host_memory_use(lua_State *L);
/* Free the memory; takes. NULL is fine. Call this after lua_close(). */
void host_memory_free(host_memory *memory);

#endif
