/* kept.h - aw.keep: failures that stay with their tasks; see kept.c */
#ifndef AWL_KEPT_H
#define AWL_KEPT_H

#include "base/state.h"

/* `task` has failed, with the info on top (popped), and aw.keep is its handler:
 * remember the info until somebody waits for the task. Raises. */
void awl_keep_failure(lua_State *L, awl_state *s, aw_task *task);
/* Somebody has asked the Task at 1 for its failure: give no warning. Raises. */
void awl_kept_asked(lua_State *L, awl_state *s);
/* The Task at 1, of `task`, is garbage: warn if it has failed and nobody has
 * waited for it. */
void awl_kept_task_goes(lua_State *L, awl_state *s, const aw_task *task);

#endif
