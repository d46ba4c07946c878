/* bytecode.h - the program loads bytecode only if the mode asks for it
 *
 * A changed byte in bytecode can crash Lua, and nobody can review bytecode.
 */

#ifndef HOST_BYTECODE_H
#define HOST_BYTECODE_H

#include <lua.h>

/* Give `load`, `loadfile`, `dofile` and the searcher of Lua modules the mode
 * "t" if the caller names none. Call it after luaL_openlibs().
 */
void host_text_only(lua_State *L);

#endif
