/* location.h - where code stands, and what functions are called */
#ifndef AWL_LOCATION_H
#define AWL_LOCATION_H

#include "base/state.h"

/* Is this function a part of the library in Lua? */
bool awl_is_ours(const lua_Debug *ar);
/* Raises. */
#define awl_error aw_lua_error

/* "a" or "an", before that word. */
const char *awl_article(const char *word);

/* Is the running function at `ar` the user's: of Lua, and no part of the
 * library? Fills "Sl". */
bool awl_is_users(lua_State *L, lua_Debug *ar);
/* "file:line" of the function at `level`; borrowed, lives with the state.
 * Raises. "?" in C, and where there are too many places. */
const char *awl_where(lua_State *L, awl_state *s, int level);
/* The same of `co`, whose stack is only looked at. */
const char *awl_where_in(lua_State *L, awl_state *s, lua_State *co, int level);
/* Find the names of all functions of loaded modules, for the next. Raises. */
void awl_name_libraries(lua_State *L, awl_state *s);
/* The name of the function at `index` in a loaded module, as "table.insert";
 * NULL if it has none. Borrowed, as long as the module is. Raises. */
const char *awl_library_name(lua_State *L, awl_state *s, int index);
/* "function@file:line", or the name of a library's function. Raises. */
const char *awl_function_name(lua_State *L, awl_state *s, int index);
void awl_free_locations(awl_state *s);

#endif
