/* traceback.h - of a stack; see traceback.c */
#ifndef AWL_TRACEBACK_H
#define AWL_TRACEBACK_H

#include "base/state.h"

/* Push a traceback of `co`, from `level`, without our own frames. Raises. */
void awl_push_traceback(lua_State *L, awl_state *s, lua_State *co, int level);
/* The same, joined to the traceback that is on top. Raises. */
void awl_join_traceback(lua_State *L, awl_state *s, lua_State *co);
/* Has the traceback a line of a file, not only of functions in C? */
bool awl_has_lines(const char *traceback);
/* Add "file:line: in function", of a level with the fields that lua_getinfo()
 * gives for "Sln"; `library_name` is that of the function, or NULL. Raises. */
void awl_add_level(luaL_Buffer *b, const lua_Debug *ar,
                   const char *library_name);

#endif
