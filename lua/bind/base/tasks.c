/* tasks.c - Tasks: the handles that Lua has of tasks
 *
 * While somebody refers to the Task of a task, there is no second Task for it,
 * so Tasks can be compared and be keys. AWL_TASKS finds the Task by engine and
 * id; its values are weak. The user value of a Task is its EventLoop, whose
 * table has the results of the task.
 *
 * Neighbours: objects/task.c has the class, and starts tasks.
 */
#include "base/tasks.h"

#include "base/arguments.h"
#include "base/loops.h"
#include "base/resources.h"

/* The key of a task in AWL_TASKS. A later engine reuses the number of a freed
 * engine; by then all tasks of the freed engine have ended, and nobody asks for
 * them. */
static lua_Integer key_of(const awl_engine *engine, uint64_t id) {
  enum { ID_BITS = 47 };
  return (lua_Integer)((uint64_t)engine->number << ID_BITS ^ id);
}

aw_task *awl_test_task(lua_State *L, awl_state *s, int index) {
  if (!awl_is(L, s, index, AWL_TASK))
    return NULL;
  return ((awl_task_handle *)lua_touserdata(L, index))->task;
}

aw_task *awl_check_task(lua_State *L, awl_state *s, int arg) {
  if (!awl_is(L, s, arg, AWL_TASK))
    arg == 1 ? awl_bad_self(L, "task") : aw_lua_type_error(L, arg, "task");
  aw_task *task = awl_test_task(L, s, arg);
  if (!task)
    aw_lua_arg_error(L, arg, "this task is garbage, and finalized");
  return task;
}

awl_task_handle *awl_push_empty_task(lua_State *L, awl_state *s) {
  awl_task_handle *ud = lua_newuserdatauv(L, sizeof *ud, 1);
  ud->task = NULL;
  ud->locals = 0;
  ud->resource = awl_enter_object(L, s, AWL_RESOURCE_TASK);
  awl_push_class(L, s, AWL_TASK);
  lua_setmetatable(L, -2);
  return ud;
}

/* Push the Task of `task`. False: there is none, and another value is
 * pushed. */
static bool find_task(lua_State *L, awl_state *s, const awl_engine *engine,
                      const aw_task *task) {
  awl_get(L, s, AWL_TASKS, key_of(engine, aw_task_id(task)));
  const awl_task_handle *ud = lua_touserdata(L, -1);
  return ud && ud->task == task;
}

void awl_fill_task(lua_State *L, awl_state *s, awl_loop *loop, aw_task *task) {
  awl_task_handle *ud = lua_touserdata(L, -1);
  ud->task = task;
  awl_set_resource(s, AWL_RESOURCE_TASK, ud->resource, task);
  ud->engine = loop->engine->serial;
  awl_push_loop(L, s, loop);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, -1);
  awl_set(L, s, AWL_TASKS, key_of(loop->engine, aw_task_id(task)));
}

void awl_push_task(lua_State *L, awl_state *s, aw_task *task) {
  awl_push_task_of(L, s, awl_loop_of(s, aw_task_loop(task)), task);
}

void awl_push_task_of(lua_State *L, awl_state *s, awl_loop *loop,
                      aw_task *task) {
  if (find_task(L, s, loop->engine, task))
    return;
  lua_pop(L, 1);
  awl_push_empty_task(L, s);
  /* a finalizer has made the Task meanwhile */
  if (find_task(L, s, loop->engine, task)) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  awl_fill_task(L, s, loop, aw_task_keep(task));
}

/* The engine with this serial; NULL: it has been freed. */
static const awl_engine *find_engine(const awl_state *s, uint64_t serial) {
  if (s->engine && s->engine->serial == serial)
    return s->engine;
  for (uint32_t i = 0; i < s->loop_count; i++)
    if (s->loops[i] && s->loops[i]->engine->serial == serial)
      return s->loops[i]->engine;
  return NULL;
}

void awl_push_known_task(lua_State *L, awl_state *s, uint64_t serial,
                         uint64_t id) {
  const awl_engine *engine = find_engine(s, serial);
  if (!engine) {
    lua_pushnil(L);
    return;
  }
  awl_get(L, s, AWL_TASKS, key_of(engine, id));
  const awl_task_handle *ud = lua_touserdata(L, -1);
  if (ud && ud->engine == serial && ud->task && aw_task_id(ud->task) == id)
    return;
  lua_pop(L, 1);
  lua_pushnil(L);
}
