/* show.h - values, tasks and waits for people; see show.c */
#ifndef AWL_SHOW_H
#define AWL_SHOW_H

#include "base/state.h"

enum { AWL_LONGEST_WAIT = 64 };
/* What an operation waits for, as "5"; "" if it does not say. */
void awl_describe(const aw_operation *operation, const void *data, char *out,
                  size_t size);
void awl_show_value(lua_State *L, awl_state *s, int index); /* short */
/* Push the text of the wire that a task is at, of `most` bytes or so; false, and
 * nothing is pushed, if it has ended. */
bool awl_push_state(lua_State *L, awl_state *s, const aw_task *task,
                    size_t most);
/* Keys and names that people read in messages: as they are, but cut. */
void awl_show_key(lua_State *L, awl_state *s, int index);
void awl_push_cut(lua_State *L, const char *text, size_t size);
void awl_push_cut_name(lua_State *L, const char *name);
void awl_cut_name(lua_State *L); /* the text on top */
void awl_push_plain_name(lua_State *L, awl_state *s, const aw_task *task);
const char *awl_push_task_name(lua_State *L, awl_state *s, const aw_task *task);
/* Push what a task waits for, or nil [D1]. */
void awl_push_label(lua_State *L, awl_state *s, const aw_task *task);

#endif
