/* task_text.h - how tasks and their waits look to people; see task_text.c */
#ifndef AWL_TASK_TEXT_H
#define AWL_TASK_TEXT_H

#include "base/state.h"

/* Push the text of the wire that a task runs, of about `most` bytes. False, and
 * nothing is pushed: the task has ended. */
bool awl_push_state(lua_State *L, awl_state *s, const aw_task *task,
                    size_t most);
/* Push the name of a task, or else the text of its wire. */
void awl_push_plain_name(lua_State *L, awl_state *s, const aw_task *task);
/* Push and return a text such as "task 3 'name'". */
const char *awl_push_task_name(lua_State *L, awl_state *s, const aw_task *task);
/* Push a text that says what a task waits for, or nil [D1]. */
void awl_push_label(lua_State *L, awl_state *s, const aw_task *task);
/* Set the function by which base/show_value.c shows Tasks. */
void awl_set_task_show(awl_state *s);

#endif
