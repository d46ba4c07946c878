/* open.h - what the module is put together of; see module.c */
#ifndef AWL_OPEN_H
#define AWL_OPEN_H

#include "base/state.h"

/* Each adds what it has to the table of the module, on top; raises. */
void awl_open_wire(lua_State *L, awl_state *s);
void awl_open_info(lua_State *L, awl_state *s);
void awl_open_errors(lua_State *L, awl_state *s);
void awl_open_task(lua_State *L, awl_state *s);
void awl_open_loop(lua_State *L, awl_state *s);
void awl_open_act(lua_State *L, awl_state *s);
void awl_open_scope(lua_State *L, awl_state *s);
void awl_open_co(lua_State *L, awl_state *s);
void awl_open_channel(lua_State *L, awl_state *s);
void awl_open_rate(lua_State *L, awl_state *s);
void awl_open_sync(lua_State *L, awl_state *s);
void awl_open_source(lua_State *L, awl_state *s);
void awl_open_limit(lua_State *L, awl_state *s);

/* Push what the part `name` in Lua returned; it is run when it is first asked
 * for. Raises. */
void awl_push_embedded(lua_State *L, const char *name);

#endif
