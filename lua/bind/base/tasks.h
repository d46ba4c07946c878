/* tasks.h - Tasks: the handles that Lua has of tasks; see tasks.c */
#ifndef AWL_TASKS_H
#define AWL_TASKS_H

#include "base/state.h"

/* The userdata of a Task. */
typedef struct awl_task_handle {
  aw_task *task; /* kept; NULL: no task yet, or the Task is finalized */
  union {
    uint64_t engine; /* the serial of the task's engine */
    /* if `task` is NULL: the locals of a task that is about to start */
    aw_value locals;
  };
  uint32_t resource; /* number of its entry, see resources.h */
} awl_task_handle;

/* The task of the Task at `index`; NULL: the value is no Task, or is
 * finalized. */
aw_task *awl_test_task(lua_State *L, awl_state *s, int index);
/* The task of the Task at `arg`. Raises. */
aw_task *awl_check_task(lua_State *L, awl_state *s, int arg);
/* Is parked host code with this address a worker of the state? A host program
 * may park code of its own in tasks of Lua. */
bool awl_is_worker(const awl_state *s, const void *host);
/* The worker that is parked in `task` at level `*index` (0: the innermost) or
 * the next one further out, and move `*index` behind it; NULL: no more. */
awl_worker *awl_parked_at(const awl_state *s, const aw_task *task,
                          size_t *index);
/* Push the Task of `task`; the loop of the task must still exist. Raises. */
void awl_push_task(lua_State *L, awl_state *s, aw_task *task);
/* As awl_push_task(), for a task of `loop` that may be settled by now. */
void awl_push_task_of(lua_State *L, awl_state *s, awl_loop *loop,
                      aw_task *task);
/* Push the Task of the task `id` on the engine `serial` if such a Task exists,
 * else nil. */
void awl_push_known_task(lua_State *L, awl_state *s, uint64_t serial,
                         uint64_t id);
/* Push a Task without a task: the task is about to be started. Raises. */
awl_task_handle *awl_push_empty_task(lua_State *L, awl_state *s);
/* Give the empty Task on top, `ud`, its `task` (takes), a task of `loop`.
 * Raises. */
void awl_fill_task(lua_State *L, awl_loop *loop, awl_task_handle *ud,
                   aw_task *task);
/* The Task, which has a task, is finalized. */
void awl_forget_task(awl_state *s, const awl_task_handle *ud);
void awl_free_tasks(awl_state *s); /* the state ends */

#endif
