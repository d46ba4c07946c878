/* classes.h - classes of objects of this part, but for sockets */
#ifndef AWZ_CLASSES_H
#define AWZ_CLASSES_H

#include <lauxlib.h>
#include <lua.h>

/* Push a new metatable, locked, which the registry has under `name`.
 *
 *   meta     its functions, such as "__gc"
 *   methods  functions of its __index; NULL: the caller sets that
 *
 * Raises. */
void awz_push_class(lua_State *L, const char *name, const luaL_Reg *meta,
                    const luaL_Reg *methods);

#endif
