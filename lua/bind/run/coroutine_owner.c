/* coroutine_owner.c - finds out whether a coroutine belongs to the engine; a
 * user must not resume such a coroutine
 *
 * The coroutine of a worker belongs to the engine as long as the worker lives.
 * There may be very many workers, so `owned` of the state finds the number of a
 * worker by the address of its coroutine (numbers.c). A coroutine of a user
 * belongs to the engine while a worker is parked in it (coroutine.c): AWL_OWNED
 * has these coroutines as weak keys.
 */
#include "run/coroutine_owner.h"

#include "base/numbers.h"

/* ---- workers ---- */

static uint64_t address_of(const lua_State *co) {
  return (uint64_t)(uintptr_t)co;
}

static uint64_t key_of(const awl_state *s, uint32_t number) {
  return address_of(s->workers[number]->co);
}

/* The worker whose coroutine `co` is, or NULL. */
static awl_worker *worker_of(const awl_state *s, const lua_State *co) {
  uint32_t number;
  for (uint32_t cell = awl_numbers_first(&s->owned, address_of(co));
       awl_numbers_at(&s->owned, cell, &number);
       cell = awl_numbers_next(&s->owned, cell))
    if (s->workers[number]->co == co)
      return s->workers[number];
  return NULL;
}

bool awl_owned_reserve(awl_state *s) {
  return awl_numbers_reserve(s, &s->owned, key_of);
}

void awl_owned_rebuild(awl_state *s) {
  awl_numbers_clear(&s->owned);
  for (uint32_t i = 0; i < s->worker_count; i++)
    if (s->workers[i]->co)
      awl_owned_add(s, s->workers[i]);
}

void awl_owned_add(awl_state *s, const awl_worker *worker) {
  awl_numbers_add(&s->owned, address_of(worker->co), worker->number);
}

void awl_owned_remove(awl_state *s, const awl_worker *worker) {
  awl_numbers_remove(s, &s->owned, worker->number, key_of);
}

/* ---- coroutines of users ---- */

void awl_own(lua_State *L, awl_state *s, lua_State *co, awl_worker *worker) {
  awl_push_slot(L, s, AWL_OWNED);
  lua_pushthread(co);
  lua_xmove(co, L, 1);
  if (worker)
    lua_pushlightuserdata(L, worker);
  else
    /* false keeps the key: a later set cannot raise */
    lua_pushboolean(L, false);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

awl_worker *awl_owner(awl_state *s, lua_State *co) {
  awl_worker *worker = worker_of(s, co);
  if (worker)
    return worker;
  if (!lua_checkstack(co, 1))
    return NULL;
  lua_pushthread(co);
  lua_xmove(co, s->util, 1);
  lua_rawget(s->util, AWL_OWNED);
  worker = lua_touserdata(s->util, -1);
  lua_pop(s->util, 1);
  return worker;
}
