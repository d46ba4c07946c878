/* location.h - places in the source, and names of functions */
#ifndef AWL_LOCATION_H
#define AWL_LOCATION_H

#include "base/state.h"

/* Does the function at `ar` belong to a part of the library written in Lua? */
bool awl_is_ours(const lua_Debug *ar);
/* Raise a formatted error at the user's line. */
#define awl_error aw_lua_error

/* The article before `word`: "a" or "an". */
const char *awl_article(const char *word);

/* Is the function at `ar` the user's: written in Lua, and no part of the
 * library? Fills "Sl" of `ar`. */
bool awl_is_users(lua_State *L, lua_Debug *ar);
/* "file:line" of the function at `level`; "?" for a C function, or if there are
 * too many places. Borrowed; the text lives as long as the state. Raises. */
const char *awl_where(lua_State *L, awl_state *s, int level);
/* As awl_where(), for the stack of `co`, which is only read. */
const char *awl_where_in(lua_State *L, awl_state *s, lua_State *co, int level);
/* Find the names of all functions of loaded modules, for awl_library_name().
 * Raises. */
void awl_name_libraries(lua_State *L, awl_state *s);
/* The name of the function at `index` in a loaded module, as "table.insert";
 * NULL if it has none. Borrowed; the name lives as long as the module.
 * Raises. */
const char *awl_library_name(lua_State *L, awl_state *s, int index);
/* "function@file:line", or the name of a library's function. Raises. */
const char *awl_function_name(lua_State *L, awl_state *s, int index);
/* The same for the function at this address, which is alive; NULL: not known.
 * Does not raise. */
const char *awl_known_name(awl_state *s, const void *identity);
void awl_free_locations(awl_state *s);

#endif
