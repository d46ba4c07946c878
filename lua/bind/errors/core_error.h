/* core_error.h - errors of Lua and of the core; see core_error.c */
#ifndef AWL_CORE_ERROR_H
#define AWL_CORE_ERROR_H

#include "base/state.h"

/* ---- from Lua to the core ---- */

/* Make a core error of the Lua error on top (popped), raised in `worker`.
 * Raises. */
aw_error *awl_make_error(lua_State *L, awl_state *s, awl_worker *worker);
/* Make a core error of the Lua error on top (popped), for a task that is not
 * running. Raises. */
aw_error *awl_make_plain_error(lua_State *L, awl_state *s, aw_task *task);
/* Make a core error of the Lua error on top (popped), which another error has
 * caused. It takes over the info of the other error at `info` (0: none), except
 * `err`. Raises. */
aw_error *awl_make_derived_error(lua_State *L, awl_loop *loop, int info);
/* A handler that `worker` runs because of `handled` (borrowed) has raised
 * `error` (taken). Return an error whose info has `handled` as its `cause`. The
 * function also suppresses `handled` [E3], unless the core does. Out of memory,
 * return `error` itself. Gives. */
aw_error *awl_add_handled(lua_State *L, awl_worker *worker, aw_error *error,
                          aw_error *handled);
/* As awl_add_handled(), for a handler of start(), which no worker runs. The
 * info of `handled` is at `info`. The table on top (popped) has `err` and
 * `traceback` of the error that the handler raised. Raises. */
aw_error *awl_make_handler_error(lua_State *L, awl_loop *loop, int info,
                                 aw_error *handled);

/* ---- from the core to Lua ---- */

/* Push the Lua value of a core error; awl_push_info() pushes its Info.
 * Raises. */
void awl_push_error(lua_State *L, awl_state *s, awl_loop *loop,
                    aw_error *error);
/* `task` (or NULL) is the task of info.task if the failed task has no Task. */
void awl_push_info(lua_State *L, awl_state *s, aw_error *error, aw_task *task);
/* Raise `error` (taken) from the await of `worker` that ended with it. */
int awl_raise(lua_State *L, awl_worker *worker, aw_error *error);

#endif
