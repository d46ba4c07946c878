/* Text only: the program loads no bytecode that was not asked for by name.
 * A changed byte in bytecode can crash Lua, and nobody reads it in a review.
 */

#ifndef HOST_TEXT_H
#define HOST_TEXT_H

#include <lua.h>

/* Give `load`, `loadfile`, `dofile` and the searcher of Lua modules the mode
 * "t" where the caller names none. Call after luaL_openlibs. [-]
 */
void host_text_only(lua_State *L);

#endif
