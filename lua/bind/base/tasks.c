/* tasks.c - Tasks: the handles that Lua has of tasks
 *
 * While somebody refers to the Task of a task, there is no second Task for it,
 * so Tasks can be compared and be keys. The user value of a Task is its
 * EventLoop, whose table has the results of the task.
 *
 * AWL_TASKS has each Task by the number of its resource; its values are weak. A
 * hash table finds that number by the id of the task. Numbers are reused, so
 * AWL_TASKS stays a dense array: with ids as keys, Lua would rehash the table
 * again and again. A cell of the hash table holds a number plus 1; 0 means
 * free. On a collision the next cells are tried in turn; at least half of the
 * cells are free. Tasks of several engines may have the same id.
 *
 * Neighbours: objects/task.c has the class, and starts tasks.
 */
#include "base/tasks.h"

#include "base/arguments.h"
#include "base/loops.h"
#include "base/resources.h"

/* ---- numbers by ids ---- */

enum { FEWEST_BITS = 5 };

static uint32_t last_cell(const awl_state *s) {
  return (UINT32_C(1) << s->task_bits) - 1;
}

static uint32_t cell_of_id(const awl_state *s, uint64_t id) {
  uint64_t hash = id * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(hash >> (64 - s->task_bits));
}

static uint32_t next_cell(const awl_state *s, uint32_t cell) {
  return (cell + 1) & last_cell(s);
}

/* The task of the Task in a cell. */
static const aw_task *task_in(const awl_state *s, uint32_t cell) {
  uint32_t number = s->task_cells[cell] - 1;
  return s->resources[AWL_RESOURCE_TASK].entries[number].thing;
}

static void enter(awl_state *s, uint32_t number, uint64_t id) {
  uint32_t cell = cell_of_id(s, id);
  while (s->task_cells[cell])
    cell = next_cell(s, cell);
  s->task_cells[cell] = number + 1;
  s->task_count++;
}

/* Make sure that there is a free cell for one more Task. Raises. */
static void reserve_cell(lua_State *L, awl_state *s) {
  uint32_t *old = s->task_cells;
  uint32_t size = old ? last_cell(s) + 1 : 0;
  if (s->task_count < size / 2)
    return;
  uint32_t bits = old ? s->task_bits + 1 : FEWEST_BITS;
  uint32_t *cells = aw_allocate(sizeof *cells << bits);
  if (!cells)
    luaL_error(L, "not enough memory");
  s->task_cells = cells;
  s->task_bits = bits;
  s->task_count = 0;
  for (uint32_t i = 0; i < size; i++)
    if (old[i]) {
      uint32_t number = old[i] - 1;
      aw_task *task = s->resources[AWL_RESOURCE_TASK].entries[number].thing;
      enter(s, number, aw_task_id(task));
    }
  aw_free(old);
}

/* Free the cell, and move later entries up into the hole, unless their home
 * cell lies after the hole. */
void awl_forget_task(awl_state *s, const awl_task_handle *ud) {
  uint32_t mask = last_cell(s);
  uint32_t hole = cell_of_id(s, aw_task_id(ud->task));
  while (s->task_cells[hole] != ud->resource + 1)
    hole = next_cell(s, hole);
  for (uint32_t i = next_cell(s, hole); s->task_cells[i]; i = next_cell(s, i)) {
    uint32_t home = cell_of_id(s, aw_task_id(task_in(s, i)));
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      s->task_cells[hole] = s->task_cells[i];
      hole = i;
    }
  }
  s->task_cells[hole] = 0;
  s->task_count--;
}

void awl_free_tasks(awl_state *s) {
  aw_free(s->task_cells);
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
  reserve_cell(L, s);
  ud->resource = awl_enter_object(L, s, AWL_RESOURCE_TASK);
  awl_push_class(L, s, AWL_TASK);
  lua_setmetatable(L, -2);
  return ud;
}

/* Push the Task of `task`. False: there is none, and nil is pushed. A Task that
 * is garbage may still have its cell, until it is finalized. */
static bool find_task(lua_State *L, awl_state *s, const aw_task *task) {
  uint32_t cell = s->task_cells ? cell_of_id(s, aw_task_id(task)) : 0;
  for (; s->task_cells && s->task_cells[cell]; cell = next_cell(s, cell)) {
    if (task_in(s, cell) != task)
      continue;
    awl_get(L, s, AWL_TASKS, s->task_cells[cell]);
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
  enter(s, ud->resource, aw_task_id(task));
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
  uint32_t cell = s->task_cells ? cell_of_id(s, id) : 0;
  for (; s->task_cells && s->task_cells[cell]; cell = next_cell(s, cell)) {
    if (aw_task_id(task_in(s, cell)) != id)
      continue;
    awl_get(L, s, AWL_TASKS, s->task_cells[cell]);
    const awl_task_handle *ud = lua_touserdata(L, -1);
    if (ud && ud->engine == serial)
      return;
    lua_pop(L, 1);
  }
  lua_pushnil(L);
}
