/* core_error.h - errors of Lua and of the core; see core_error.c */
#ifndef AWL_CORE_ERROR_H
#define AWL_CORE_ERROR_H

#include "base/state.h"

/* ---- from Lua to the core ---- */

/* Make a core error of the Lua error on top, raised in `worker`; pops. Raises.
 */
aw_error *awl_make_error(lua_State *L, awl_state *s, awl_worker *worker);
/* Make one of the error on top, of a task that is not running; pops. Raises. */
aw_error *awl_make_plain_error(lua_State *L, awl_state *s, aw_task *task);
/* Make one of the error on top, which came of another: with the info at `info`
 * (0: none) but for `err`; pops. Raises. */
aw_error *awl_make_derived_error(lua_State *L, awl_loop *loop, int info);
/* `error` (takes), raised in a handler that `worker` runs because of `handled`
 * (borrows): gives one whose info has that as its cause, and, unless the core
 * sees to that, sets it aside [E3]. Out of memory gives `error`. */
aw_error *awl_add_handled(lua_State *L, awl_worker *worker, aw_error *error,
                          aw_error *handled);
/* The same for a handler of start(), which no worker runs: `handled` has its
 * info at `info`; the one that the handler raised is on top, popped, with `err`
 * and `traceback`. Raises. */
aw_error *awl_make_handler_error(lua_State *L, awl_loop *loop, int info,
                                 aw_error *handled);

/* ---- from the core to Lua ---- */

/* Push the Lua value of a core error, and its info. Raises. */
void awl_push_error(lua_State *L, awl_state *s, awl_loop *loop,
                    aw_error *error);
/* `task` stands in where nobody has a handle of the task that raised it. */
void awl_push_info(lua_State *L, awl_state *s, aw_error *error, aw_task *task);
/* Raise `error` (taken) in `worker`, whose await it ended. */
int awl_raise(lua_State *L, awl_worker *worker, aw_error *error);

#endif
