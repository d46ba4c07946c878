/* info.h - Info: what is known beside an error; see info.c */
#ifndef AWL_INFO_H
#define AWL_INFO_H

#include "base/state.h"

/* Push a new info for the error at `error`. Raises. */
void awl_new_info(lua_State *L, int error);
/* Push an Info: it has all of the info at `info`, and room for more of its own.
 * Raises. */
void awl_push_info_over(lua_State *L, awl_state *s, int info);
/* Is the info at `info` that of the error at `error`? */
bool awl_is_info_of(lua_State *L, int info, int error);
/* Let the info on top describe `task`, which has failed: the task may be gone
 * when somebody reads it. Raises. */
void awl_describe_failed(lua_State *L, awl_state *s, aw_task *task);
/* Push an info about a task that has not failed. Raises. */
void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task);

#endif
