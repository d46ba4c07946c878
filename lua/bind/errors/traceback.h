/* traceback.h - the text of a stack; see traceback.c */
#ifndef AWL_TRACEBACK_H
#define AWL_TRACEBACK_H

#include "base/state.h"

/* Push a traceback of L, from `level` on, as awl_push_traceback() makes it: an
 * origin that errors share (record.c), or the text itself if that is not kept.
 * Raises. */
bool awl_push_stack(lua_State *L, awl_state *s, int level);
/* Push a traceback of `co`, from `level` on, without the binding's own levels.
 * Return whether it has a line of a file, not only of C functions. Raises. */
bool awl_push_traceback(lua_State *L, awl_state *s, lua_State *co, int level);
/* Append the traceback of `co` to the traceback on top. Return whether it has a
 * line of a file. Raises. */
bool awl_join_traceback(lua_State *L, awl_state *s, lua_State *co);
/* Does the traceback have a line of a file, not only of C functions? */
bool awl_has_lines(const char *traceback);
/* Add "file:line: in function" of a level. `ar` has the fields that
 * lua_getinfo() fills for "Sln"; `library_name` is the name of the function in
 * a library, or NULL. Raises. */
void awl_add_level(luaL_Buffer *b, const lua_Debug *ar,
                   const char *library_name);

#endif
