/* info.h - Info: facts beside an error; see info.c */
#ifndef AWL_INFO_H
#define AWL_INFO_H

#include "base/state.h"

/* Push a new info for the error at `error`. Raises. */
void awl_new_info(lua_State *L, int error);
/* Push an Info: it inherits all fields of the info at `info`, and may have more
 * of its own. Raises. */
void awl_push_info_over(lua_State *L, awl_state *s, int info);
/* Does the info at `info` belong to the error at `error`? */
bool awl_is_info_of(lua_State *L, int info, int error);
/* Let the info on top describe `task`, which has failed: the task may be gone
 * when somebody reads the info. Raises. */
void awl_describe_failed(lua_State *L, awl_state *s, aw_task *task);
/* Push an Info about a task that has not failed. Raises. */
void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task);

#endif
