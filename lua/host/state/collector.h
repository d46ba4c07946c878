/* collector.h - the pauses of Lua's collector; see collector.c */
#ifndef HOST_COLLECTOR_H
#define HOST_COLLECTOR_H

#include <lua.h>

/* What the linker puts in the place of two functions of Lua (--wrap), and what
 * these functions are called then. */
void __wrap_luaC_step(lua_State *L);
void __wrap_luaC_fullgc(lua_State *L, int is_emergency);
void __real_luaC_step(lua_State *L);
void __real_luaC_fullgc(lua_State *L, int is_emergency);

#endif
