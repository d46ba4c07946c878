/* site.h - where code stands, and what functions are called; see site.c */
#ifndef AWL_SITE_H
#define AWL_SITE_H

#include "bridge.h"

/* Is this function a part of the library in Lua? */
bool awl_is_ours(const lua_Debug *ar);
/* As luaL_error(), at the line of the innermost Lua function. Raises. */
int awl_error(lua_State *L, const char *format, ...);

/* "file:line" of the function at `level`; borrowed, lives with the state.
 * Raises. "?" in C. */
const char *awl_where(lua_State *L, awl_state *s, int level);
/* The name of the function at `index` in a loaded module, as "table.insert";
 * NULL if it has none. Borrowed, as long as the module is. Raises. */
const char *awl_library_name(lua_State *L, awl_state *s, int index);
/* "function@file:line", or the name of a library's function. Raises. */
const char *awl_function_name(lua_State *L, awl_state *s, int index);
/* An interned copy of a text. Raises. */
const char *awl_intern(lua_State *L, awl_state *s, const char *text);
void awl_free_sites(awl_state *s);

#endif
