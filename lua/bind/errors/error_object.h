/* error_object.h - what all error objects have; see error_object.c */
#ifndef AWL_ERROR_OBJECT_H
#define AWL_ERROR_OBJECT_H

#include "base/state.h"

/* [text] → [object], with room for `fields` more. Raises. */
void awl_new_error(lua_State *L, awl_state *s, awl_class class, int fields);
void awl_push_simple_error(lua_State *L, awl_class class, const char *text);
/* Push the "file:line" that an error object made here has; or nil. Raises. */
void awl_push_place(lua_State *L, awl_state *s);
/* Give the error object on top a place, if it has none, having been made where
 * no code of the user's runs: where `task` was started that failed with it, or,
 * without a task, the line that raises it now. Raises. */
void awl_place_error(lua_State *L, awl_state *s, const aw_task *task);
/* __tostring of most classes: begins with the user's line that raised the
 * error, if that is known [E4]. */
int awl_error_tostring(lua_State *L);
int awl_message_tostring(lua_State *L); /* __tostring of Cancelled */

#endif
