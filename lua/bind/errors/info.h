/* info.h - Info: facts beside an error; see info.c */
#ifndef AWL_INFO_H
#define AWL_INFO_H

#include "errors/record.h"

/* Push an Info: it inherits all fields of the info at `info`, and may have more
 * of its own. Raises. */
void awl_push_info_over(lua_State *L, awl_state *s, int info);
/* Would the value at `index` see argument `number` if it were called? Many
 * handlers take no info, and need not get one. */
bool awl_sees_argument(lua_State *L, int index, int number);
/* Let the info on top describe `task`, which has failed: the task may be gone
 * when somebody reads the info. Raises. */
void awl_describe_failed(lua_State *L, awl_state *s, aw_task *task);
/* Does the info at `info` describe a task? `out` gets the engine and id of that
 * task; engine 0: they are not known. Raises. */
bool awl_failed_task(lua_State *L, int info, awl_record *out);
/* Push an Info about a task that has not failed. Raises. */
void awl_push_task_info(lua_State *L, awl_state *s, aw_task *task);

#endif
