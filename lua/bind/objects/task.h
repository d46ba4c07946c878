/* task.h - handles of tasks, and start(); see task.c */
#ifndef AWL_TASK_H
#define AWL_TASK_H

#include "base/state.h"

/* The task of the Task at `arg`. Raises. */
/* The task of the value at `index`; NULL: that is none, or is finalized. */
aw_task *awl_test_task(lua_State *L, awl_state *s, int index);
aw_task *awl_check_task(lua_State *L, awl_state *s, int arg);
void awl_push_task(lua_State *L, awl_state *s, aw_task *task); /* raises */
/* The same for one of `loop` that may have been settled meanwhile. */
void awl_push_task_of(lua_State *L, awl_state *s, awl_loop *loop,
                      aw_task *task);
/* Push the Task of that id on the engine of that serial, if somebody has one;
 * or nil. */
void awl_push_known_task(lua_State *L, awl_state *s, uint64_t serial,
                         uint64_t id);
/* start(w [, handler [, opts]]), arguments from `arg`; pushes the Task. It was
 * started by the function at `level`, 1 being the caller. */
int awl_start(lua_State *L, awl_state *s, awl_loop *loop,
              const awl_scope *scope, int arg, int level);

/* The end of `task`, whose Task is at 1: its results; or raise its error, or
 * TaskCancelled [T5]. */
int awl_end_as(lua_State *L, awl_state *s, aw_task *task);
/* Wait in a shield until `task` has ended; `return` this. `after` is to begin
 * with awl_joined(). */
int awl_join(lua_State *L, awl_worker *worker, aw_task *task, awl_after after);
void awl_joined(awl_worker *worker);

/* Raise that the loop has ended, and how [S7]; that the scope has been left. */
int awl_ended(lua_State *L, const awl_loop *loop);
int awl_scope_left(lua_State *L);

#endif
