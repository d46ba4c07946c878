/* tasks.c - Tasks: the handles that Lua has of tasks
 *
 * While somebody refers to the Task of a task, there is no second Task for it,
 * so Tasks can be compared and be keys. The user value of a Task is its
 * EventLoop, whose table has the results of the task.
 *
 * AWL_TASKS has each Task by the number of its resource; its values are weak.
 * `tasks` of the state finds that number by the id of the task (numbers.c).
 * Numbers are reused, so AWL_TASKS stays a dense array: with ids as keys, Lua
 * would rehash the table again and again. Tasks of several engines may have the
 * same id.
 *
 * Neighbours: objects/task.c has the class, and starts tasks.
 */
#include "base/tasks.h"

#include "base/arguments.h"
#include "base/loops.h"
#include "base/numbers.h"
#include "base/resources.h"

/* ---- numbers by ids ---- */

/* The task of the Task with this number. */
static const aw_task *task_of(const awl_state *s, uint32_t number) {
  return s->resources[AWL_RESOURCE_TASK].entries[number].thing;
}

static uint64_t id_of(const awl_state *s, uint32_t number) {
  return aw_task_id(task_of(s, number));
}

void awl_forget_task(awl_state *s, const awl_task_handle *ud) {
  awl_numbers_remove(s, &s->tasks, ud->resource, id_of);
}

void awl_free_tasks(awl_state *s) {
  aw_free(s->tasks.cells);
}

/* ---- Tasks ---- */

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
  if (!awl_numbers_reserve(s, &s->tasks, id_of))
    luaL_error(L, "not enough memory");
  ud->resource = awl_enter_object(L, s, AWL_RESOURCE_TASK);
  awl_push_class(L, s, AWL_TASK);
  lua_setmetatable(L, -2);
  return ud;
}

/* Push the Task of `task`. False: there is none, and nil is pushed. A Task that
 * is garbage may still have its cell, until it is finalized. */
static bool find_task(lua_State *L, awl_state *s, const aw_task *task) {
  uint32_t number;
  for (uint32_t cell = awl_numbers_first(&s->tasks, aw_task_id(task));
       awl_numbers_at(&s->tasks, cell, &number);
       cell = awl_numbers_next(&s->tasks, cell)) {
    if (task_of(s, number) != task)
      continue;
    awl_get(L, s, AWL_TASKS, (lua_Integer)number + 1);
    if (lua_isuserdata(L, -1))
      return true;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
  return false;
}

void awl_fill_task(lua_State *L, awl_loop *loop, awl_task_handle *ud,
                   aw_task *task) {
  awl_state *s = loop->state;
  ud->task = task;
  awl_set_resource(s, AWL_RESOURCE_TASK, ud->resource, task);
  awl_numbers_add(&s->tasks, aw_task_id(task), ud->resource);
  ud->engine = loop->engine->serial;
  if (lua_touserdata(L, 1) == loop->object)
    lua_pushvalue(L, 1); /* a call of ev:start() */
  else
    awl_push_loop(L, s, loop);
  lua_setiuservalue(L, -2, 1);
  awl_push_slot(L, s, AWL_TASKS);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)ud->resource + 1);
  lua_pop(L, 1);
}

void awl_push_task(lua_State *L, awl_state *s, aw_task *task) {
  awl_push_task_of(L, s, awl_loop_of(s, aw_task_loop(task)), task);
}

void awl_push_task_of(lua_State *L, awl_state *s, awl_loop *loop,
                      aw_task *task) {
  if (find_task(L, s, task))
    return;
  lua_pop(L, 1);
  awl_task_handle *ud = awl_push_empty_task(L, s);
  /* a finalizer has made the Task meanwhile */
  if (find_task(L, s, task)) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  awl_fill_task(L, loop, ud, aw_task_keep(task));
}

void awl_push_known_task(lua_State *L, awl_state *s, uint64_t serial,
                         uint64_t id) {
  uint32_t number;
  for (uint32_t cell = awl_numbers_first(&s->tasks, id);
       awl_numbers_at(&s->tasks, cell, &number);
       cell = awl_numbers_next(&s->tasks, cell)) {
    if (id_of(s, number) != id)
      continue;
    awl_get(L, s, AWL_TASKS, (lua_Integer)number + 1);
    const awl_task_handle *ud = lua_touserdata(L, -1);
    if (ud && ud->engine == serial)
      return;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
}

/* ---- the workers of a task ---- */

bool awl_is_worker(const awl_state *s, const void *host) {
  uintptr_t at = (uintptr_t)host;
  for (uint32_t i = 0; i < s->worker_count;
       i = i ? i * 2 : AWL_FEWEST_WORKERS) {
    uint32_t count =
        i ? i : AWL_FEWEST_WORKERS; /* of the block, see run/pool.c */
    if (at >= (uintptr_t)s->workers[i] &&
        at < (uintptr_t)(s->workers[i] + count))
      return true;
  }
  return false;
}

awl_worker *awl_parked_at(const awl_state *s, const aw_task *task,
                          size_t *index) {
  void *host;
  while ((host = aw_task_host_at(task, (*index)++)) != NULL)
    if (!s->hosted || awl_is_worker(s, host))
      return host;
  return NULL;
}
