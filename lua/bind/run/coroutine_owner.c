/* coroutine_owner.c - finds out whether a coroutine belongs to the engine; a
 * user must not resume such a coroutine
 *
 * The coroutine of a worker belongs to the engine as long as the worker lives.
 * There may be very many workers, so a hash table finds them by the address of
 * the coroutine. A cell holds the number of a worker plus 1; 0 means free. On a
 * collision the next cells are tried in turn; at least half of the cells are
 * free. A coroutine of a user belongs to the engine while a worker is parked in
 * it (coroutine.c): AWL_OWNED has these coroutines as weak keys.
 */
#include "run/coroutine_owner.h"

#include <string.h>

/* ---- workers ---- */

enum { FEWEST_BITS = 5 };

static uint32_t home_cell(const awl_state *s, const lua_State *co) {
  uint64_t hash = (uint64_t)(uintptr_t)co * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(hash >> (64 - s->owned_bits));
}

/* The cell of `co`, or the free cell where `co` belongs. */
static uint32_t *cell_of(const awl_state *s, const lua_State *co) {
  uint32_t mask = (UINT32_C(1) << s->owned_bits) - 1;
  uint32_t i = home_cell(s, co);
  while (s->owned[i] && s->workers[s->owned[i] - 1]->co != co)
    i = (i + 1) & mask;
  return &s->owned[i];
}

static void enter_all(awl_state *s) {
  s->owned_count = 0;
  for (uint32_t i = 0; i < s->worker_count; i++)
    if (s->workers[i]->co)
      awl_owned_add(s, s->workers[i]);
}

bool awl_owned_reserve(awl_state *s) {
  if (s->owned && s->owned_count < UINT32_C(1) << (s->owned_bits - 1))
    return true;
  uint32_t bits = s->owned ? s->owned_bits + 1 : FEWEST_BITS;
  uint32_t *cells = aw_allocate(sizeof *cells << bits);
  if (!cells)
    return false;
  aw_free(s->owned);
  s->owned = cells;
  s->owned_bits = bits;
  enter_all(s);
  return true;
}

void awl_owned_rebuild(awl_state *s) {
  memset(s->owned, 0, sizeof *s->owned << s->owned_bits);
  enter_all(s);
}

void awl_owned_add(awl_state *s, const awl_worker *worker) {
  *cell_of(s, worker->co) = worker->number + 1;
  s->owned_count++;
}

/* Free the cell, and move later entries up into the hole, unless their home
 * cell lies after the hole. */
void awl_owned_remove(awl_state *s, const awl_worker *worker) {
  uint32_t mask = (UINT32_C(1) << s->owned_bits) - 1;
  uint32_t hole = (uint32_t)(cell_of(s, worker->co) - s->owned);
  for (uint32_t i = (hole + 1) & mask; s->owned[i]; i = (i + 1) & mask) {
    uint32_t home = home_cell(s, s->workers[s->owned[i] - 1]->co);
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      s->owned[hole] = s->owned[i];
      hole = i;
    }
  }
  s->owned[hole] = 0;
  s->owned_count--;
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
  uint32_t number = s->owned ? *cell_of(s, co) : 0;
  if (number)
    return s->workers[number - 1];
  if (!lua_checkstack(co, 1))
    return NULL;
  lua_pushthread(co);
  lua_xmove(co, s->util, 1);
  lua_rawget(s->util, AWL_OWNED);
  awl_worker *worker = lua_touserdata(s->util, -1);
  lua_pop(s->util, 1);
  return worker;
}
