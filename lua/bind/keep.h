/* keep.h - aw.keep: failures that stay with their tasks; see keep.c */
#ifndef AWL_KEEP_H
#define AWL_KEEP_H

#include "bridge.h"

/* Is the value at `index` aw.keep? */
bool awl_is_keep(lua_State *L, int index);
/* `task` has failed, with the info on top (popped), and aw.keep is its handler:
 * remember the info until somebody waits for the task. Raises. */
void awl_keep_failure(lua_State *L, awl_state *s, aw_task *task);
/* The Task at 1, of `task`, is garbage, or `loop` has ended: warn of failures
 * that nobody has waited for. */
void awl_kept_task_goes(lua_State *L, awl_state *s, const aw_task *task);
void awl_kept_loop_ends(lua_State *L, const awl_loop *loop);

void awl_open_keep(lua_State *L, awl_state *s);

#endif
