/* task.h - handles of tasks, and start(); see task.c */
#ifndef AWL_TASK_H
#define AWL_TASK_H

#include "base/state.h"

/* start(w [, handler [, opts]]) with its arguments from `arg` on; pushes the
 * Task. The function at `level` is noted as the one that started the task; 1 is
 * the caller. */
int awl_start(lua_State *L, awl_state *s, awl_loop *loop,
              const awl_scope *scope, int arg, int level);

/* Start the wire at `arg`; the value behind it is the handler, or nil. The rest
 * is in `config`. Pushes the Task. */
int awl_start_as(lua_State *L, awl_loop *loop, const awl_scope *scope, int arg,
                 aw_task_config *config);

/* `task` has ended; its Task is at 1. Push its results, or raise its error or
 * TaskCancelled [T5]. */
int awl_end_as(lua_State *L, awl_state *s, aw_task *task);
/* Wait in a shield until `task` has ended. Use it as `return awl_join(...)`.
 * `after` must begin with awl_joined(), which closes the shield and raises if
 * the core refused the wait. */
int awl_join(lua_State *L, awl_worker *worker, aw_task *task, awl_after after);
void awl_joined(lua_State *L, awl_worker *worker);

/* Raise unless the argument is nothing or a handler. */
void awl_check_handler(lua_State *L, int arg);
/* Raise that the scope has been left. */
int awl_scope_left(lua_State *L);

#endif
