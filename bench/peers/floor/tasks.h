/* tasks.h - the least that a body of Lua needs to wait: a coroutine, its
 * reference, and a timer of libuv
 *
 * Bodies call sleep(ms). It yields, and the callback of the timer resumes.
 */
#ifndef BENCH_TASKS_H
#define BENCH_TASKS_H

#include "floor.h"

#include <uv.h>

typedef struct task {
  uv_timer_t timer;
  lua_State *L, *co;
  int reference; /* keeps the coroutine from the collector */
} task;

static inline void task_closed(uv_handle_t *handle) {
  free(handle->data);
}

static inline void task_end(task *t) {
  luaL_unref(t->L, LUA_REGISTRYINDEX, t->reference);
  uv_close((uv_handle_t *)&t->timer, task_closed);
}

static inline void task_resume(task *t, int arguments) {
  int results;
  int status = lua_resume(t->co, t->L, arguments, &results);
  if (status == LUA_YIELD)
    return;
  floor_need(status == LUA_OK, t->co);
  task_end(t);
}

static inline void task_woken(uv_timer_t *timer) {
  task_resume(timer->data, 0);
}

/* The function sleep(ms) of Lua. */
static inline int task_sleep(lua_State *co) {
  task *t = *(task **)lua_getextraspace(co);
  uv_timer_start(&t->timer, task_woken, (uint64_t)luaL_checkinteger(co, 1), 0);
  return lua_yield(co, 0);
}

/* Start the function on top of L, and pop it. */
static inline task *task_start(lua_State *L) {
  task *t = malloc(sizeof *t);
  if (!t)
    abort();
  t->L = L;
  t->co = lua_newthread(L);
  t->reference = luaL_ref(L, LUA_REGISTRYINDEX);
  *(task **)lua_getextraspace(t->co) = t;
  uv_timer_init(uv_default_loop(), &t->timer);
  t->timer.data = t;
  lua_xmove(L, t->co, 1);
  task_resume(t, 0);
  return t;
}

static inline lua_State *task_open(void) {
  lua_State *L = floor_open();
  lua_register(L, "sleep", task_sleep);
  return L;
}

static inline void task_loop(lua_State *L) {
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  lua_close(L);
}

#endif
