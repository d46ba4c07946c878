/* text.h - the program loads bytecode only if the mode "b" asks for it
 *
 * One changed byte in bytecode can crash Lua, and no review reads bytecode.
 */

#ifndef HOST_TEXT_H
#define HOST_TEXT_H

#include <lua.h>

/* Give `load`, `loadfile`, `dofile` and the searcher of Lua modules the mode
 * "t" where the caller names none. Call after luaL_openlibs. [-]
 */
void host_text_only(lua_State *L);

#endif
