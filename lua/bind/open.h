/* open.h - what lua/module.c calls of each file
 *
 * A file that has something for Lua adds it to the module's table, which is on
 * top, and what parts in Lua call to the table below it, `inner`. Raises.
 */
#ifndef AWL_OPEN_H
#define AWL_OPEN_H

#include "base/state.h"

/* ---- wire ---- */
void awl_open_constructors(lua_State *L, awl_state *s);
void awl_open_combine(lua_State *L, awl_state *s);
void awl_open_look(lua_State *L, awl_state *s);

/* ---- errors ---- */
void awl_open_errors(lua_State *L, awl_state *s);
void awl_open_info(lua_State *L, awl_state *s);
void awl_open_raised(lua_State *L, awl_state *s);
void awl_open_kept(lua_State *L, awl_state *s);

/* ---- run ---- */
void awl_open_driver(lua_State *L, awl_state *s);
void awl_open_coroutine(lua_State *L, awl_state *s);
void awl_open_first_await(lua_State *L, awl_state *s);
void awl_open_debug_hooks(lua_State *L, awl_state *s);
void awl_open_limits(lua_State *L, awl_state *s);
/* Put functions of ours in the place of those of coroutine.*; twice is fine. */
void awl_install(lua_State *L, awl_state *s);

/* ---- objects ---- */
void awl_open_functions(lua_State *L, awl_state *s);
void awl_open_task(lua_State *L, awl_state *s);
void awl_open_loop(lua_State *L, awl_state *s);
void awl_open_tree(lua_State *L, awl_state *s);
void awl_open_scope(lua_State *L, awl_state *s);
void awl_open_channel(lua_State *L, awl_state *s);
void awl_open_sync(lua_State *L, awl_state *s);
void awl_open_background(lua_State *L, awl_state *s);
void awl_open_rate(lua_State *L, awl_state *s);
void awl_open_ready(lua_State *L, awl_state *s);
void awl_open_locals(lua_State *L, awl_state *s);
void awl_open_source(lua_State *L, awl_state *s);
void awl_free_scopes(awl_state *s); /* the state ends */

#endif
