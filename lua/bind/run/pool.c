/* pool.c - the workers of a state: making, keeping and ending them
 *
 * A worker whose body has ended stays in the pool, idle, for the next body. Its
 * struct stays until the state ends, and the next worker with its number uses
 * the struct again: if the user resumes a coroutine that was parked in a worker
 * that has died, the continuation reads the struct.
 *
 * Neighbours: worker.c runs the workers; coroutine_owner.c finds them by their
 * coroutines.
 */
#include "run/pool.h"

#include "base/location.h"
#include "base/memory_pressure.h"
#include "base/numbers.h"
#include "run/await.h"
#include "run/coroutine_owner.h"
#include "run/debug_hooks.h"
#include "run/report.h"
#include "signals/interrupt.h"

#include <string.h>

enum { FEWEST = AWL_FEWEST_WORKERS };

static void put(awl_state *s, awl_worker *w) {
  w->next_idle = s->idle;
  s->idle = w;
  s->idle_count++;
}

void awl_pool_put(awl_worker *w) {
  put(w->state, w);
  w->state->busy--;
}

/* ---- ending workers ---- */

/* (error) → its text */
static int lost_error_text(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Nobody gets the error on top of a killed coroutine: its task has ended. */
static void warn_of_lost_error(lua_State *co) {
  lua_pushcfunction(co, lost_error_text);
  lua_insert(co, -2);
  bool made =
      lua_pcall(co, 1, 1, 0) == LUA_OK && lua_type(co, -1) == LUA_TSTRING;
  lua_warning(co, "aiowire: the clean-up of a killed task failed: ", 1);
  lua_warning(co, made ? lua_tostring(co, -1) : "(no text)", 0);
}

/* The order matters: AWL_THREADS alone keeps the coroutine alive while its
 * `<close>` handlers run. */
void awl_worker_end(awl_worker *w) {
  awl_state *s = w->state;
  uint32_t number = w->number;
  lua_State *running = atomic_load(&s->interruption.co);
  s->closing_worker = true;
  awl_interrupt_watch(s, w->co);
  bool suspended = lua_status(w->co) == LUA_YIELD;
  if (lua_resetthread(w->co) != LUA_OK && suspended)
    warn_of_lost_error(w->co);
  awl_interrupt_watch(s, running);
  s->closing_worker = false;
  if (s->loads)
    s->upcalls.end_loads(s, NULL, w);
  lua_settop(w->co, 0);
  awl_release_wait(w);
  awl_clear_body(w);
  awl_hooks_forget(w);
  awl_owned_remove(s, w);
  awl_unset(s, AWL_THREADS, (lua_Integer)number + 1);
  memset(w, 0, sizeof *w);
  w->state = s;
  s->worker_chain[number] = s->first_worker;
  s->first_worker = number;
  s->busy--;
}

void awl_free_workers(awl_state *s) {
  for (uint32_t i = 0; i < s->worker_count; i = i ? i * 2 : FEWEST)
    aw_free(s->workers[i]); /* the first of each block */
  aw_free(s->workers);
  aw_free(s->worker_chain);
  aw_free(s->owned.cells);
}

/* Free an idle worker. Its coroutine becomes garbage and need not be closed: it
 * rests in after_idle() or has not started, and has no `<close>` handlers. */
static void drop_idle(awl_worker *w) {
  awl_state *s = w->state;
  uint32_t number = w->number;
  awl_hooks_forget(w);
  awl_unset(s, AWL_THREADS, (lua_Integer)number + 1);
  memset(w, 0, sizeof *w);
  w->state = s;
  s->worker_chain[number] = s->first_worker;
  s->first_worker = number;
}

/* POOL idle workers are enough. */
void awl_workers_trim(awl_state *s) {
  enum { POOL = 1024 };
  if (s->idle_count <= POOL)
    return;
  awl_worker *last = s->idle;
  for (int i = 1; i < POOL; i++)
    last = last->next_idle;
  awl_worker *w = last->next_idle;
  last->next_idle = NULL;
  s->idle_count = POOL;
  while (w) {
    awl_worker *next = w->next_idle;
    drop_idle(w);
    w = next;
  }
  awl_owned_rebuild(s);
}

/* ---- taking and making workers ---- */

awl_worker *awl_pool_take(awl_state *s) {
  while (s->idle) {
    awl_worker *w = s->idle;
    s->idle = w->next_idle;
    s->idle_count--;
    s->busy++;
    if (!w->started || lua_status(w->co) == LUA_YIELD)
      return w;
    awl_worker_end(w); /* the user has closed its coroutine */
  }
  return NULL;
}

/* Allocate one block of structs, up to `count` in all. */
static bool add_structs(awl_state *s, uint32_t count) {
  awl_worker *block = aw_allocate((count - s->worker_count) * sizeof *block);
  if (!block)
    return false;
  for (uint32_t i = s->worker_count; i < count; i++)
    s->workers[i] = &block[i - s->worker_count];
  return true;
}

/* Make sure that there are a free number and a struct for a new worker. */
static bool reserve_worker(awl_state *s) {
  if (!awl_owned_reserve(s))
    return false;
  if (s->first_worker < s->worker_count)
    return true;
  uint32_t count = s->worker_count ? s->worker_count * 2 : FEWEST;
  awl_worker **workers =
      aw_reallocate(s->workers, count * sizeof(awl_worker *));
  if (!workers)
    return false;
  s->workers = workers;
  if (!add_structs(s, count))
    return false;
  if (awl_grow_chain(&s->worker_chain, &s->worker_count, FEWEST))
    return true;
  aw_free(s->workers[s->worker_count]);
  return false;
}

/* Add a new worker to the pool. */
static void make_worker(lua_State *L, awl_state *s) {
  /* lua_newthread() comes first: it may collect, and a finalizer may make
   * workers, too */
  lua_State *co = lua_newthread(L);
  /* lua_newthread() copied the hook of L, but not the hook's Lua function */
  lua_sethook(co, NULL, 0, 0);
  if (!reserve_worker(s))
    awl_error(L, "not enough memory");
  uint32_t number = s->first_worker;
  awl_set(L, s, AWL_THREADS, (lua_Integer)number + 1);
  awl_worker *w = s->workers[number];
  w->state = s;
  w->co = co;
  w->number = number;
  awl_owned_add(s, w);
  s->first_worker = s->worker_chain[number];
  lua_pushcfunction(co, s->upcalls.worker);
  lua_pushlightuserdata(co, w);
  put(s, w);
}

/* (state): add a new worker to the pool; several if very many are busy, since a
 * protected call for each would cost a quarter more. Called by pcall. */
static int make_workers(lua_State *L) {
  enum { VERY_MANY = 64, SEVERAL = 8 };
  awl_state *s = lua_touserdata(L, 1);
  int count = s->busy < VERY_MANY ? 1 : SEVERAL;
  for (int i = 0; i < count; i++)
    make_worker(L, s);
  return 0;
}

awl_worker *awl_pool_make(lua_State *L, awl_state *s) {
  lua_pushcfunction(L, make_workers);
  lua_pushlightuserdata(L, s);
  if (awl_hooks_pcall(L, 1, 0) != LUA_OK)
    lua_pop(L, 1);
  awl_worker *w = awl_pool_take(s); /* one of several is enough */
  if (w)
    s->starved = false;
  else
    awl_starve(s);
  return w;
}
