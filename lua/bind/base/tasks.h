/* tasks.h - Tasks: the handles that Lua has of tasks; see tasks.c */
#ifndef AWL_TASKS_H
#define AWL_TASKS_H

#include "base/state.h"

/* The userdata of a Task. */
typedef struct awl_task_handle {
  aw_task *task; /* kept; NULL: none yet, or finalized */
  union {
    uint64_t engine; /* its serial */
    aw_value locals; /* `task` is NULL: for one that is about to be started */
  };
  uint32_t resource; /* its own number, see resources.h */
} awl_task_handle;

/* The task of the value at `index`; NULL: that is none, or is finalized. */
aw_task *awl_test_task(lua_State *L, awl_state *s, int index);
/* The task of the Task at `arg`. Raises. */
aw_task *awl_check_task(lua_State *L, awl_state *s, int arg);
/* Push the Task of `task`, whose loop must be there. Raises. */
void awl_push_task(lua_State *L, awl_state *s, aw_task *task);
/* The same for a task of `loop` that may have been settled meanwhile. */
void awl_push_task_of(lua_State *L, awl_state *s, awl_loop *loop,
                      aw_task *task);
/* Push the Task of that id on the engine of that serial, if somebody has one;
 * or nil. */
void awl_push_known_task(lua_State *L, awl_state *s, uint64_t serial,
                         uint64_t id);
/* Push a Task without a task, for one that is about to be started. Raises. */
awl_task_handle *awl_push_empty_task(lua_State *L, awl_state *s);
/* The empty Task on top is that of `task` (takes), of `loop`. Raises. */
void awl_fill_task(lua_State *L, awl_state *s, awl_loop *loop, aw_task *task);

#endif
