/* ltask.h - handles of tasks, and start(); see ltask.c */
#ifndef AWL_LTASK_H
#define AWL_LTASK_H

#include "bridge.h"

/* The task of the Task at `arg`. Raises. */
aw_task *awl_check_task(lua_State *L, awl_state *s, int arg);
void awl_push_task(lua_State *L, awl_state *s, aw_task *task); /* raises */
lua_Integer awl_task_key(awl_state *s, const aw_task *task); /* in AWL_TASKS */
/* start(w [, handler [, opts]]), arguments from `arg`; pushes the Task. It was
 * started by the function at `level`, 1 being the caller. */
int awl_start(lua_State *L, awl_state *s, awl_loop *loop,
              const awl_scope *scope, int arg, int level);

/* Raise that the loop has ended, and how [S7]; that the scope has been left. */
int awl_ended(lua_State *L, const awl_loop *loop);
int awl_scope_left(lua_State *L);

#endif
