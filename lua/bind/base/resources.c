/* resources.c - things of C that objects of Lua own: freed at the latest with
 * the state
 *
 * An object of Lua releases its thing of C in its finalizer. But some
 * finalizers never run. Lua takes an object off its list before it calls the
 * finalizer, and the call fails if there is no room for it: 199 C calls deep,
 * at the end of Lua's stack, or out of memory. And Lua never finalizes objects
 * that are made while lua_close runs.
 *
 * So each object gets an entry here: a number among the things of one kind. Its
 * finalizer strikes the entry out. When the state ends, the function that the
 * class has set releases the things that are left. Such a release must not
 * touch the userdata, which Lua may have freed.
 *
 * An entry takes 8 bytes. Free entries form a chain: each has the number of the
 * next free entry, and the last one has `count`. Objects of embedders form a
 * list instead, see aw_lua_hold().
 */
#include "base/resources.h"

void awl_grow_resources(lua_State *L, awl_resources *r) {
  enum { FEWEST = 64 };
  uint32_t count = r->count ? r->count * 2 : FEWEST;
  awl_resource *entries = aw_reallocate(r->entries, count * sizeof *entries);
  if (!entries)
    luaL_error(L, "not enough memory");
  for (uint32_t i = r->count; i < count; i++)
    entries[i].next = i + 1;
  r->entries = entries;
  r->count = count;
}

/* Release all things of a kind that are left. */
static void free_kind(awl_state *s, awl_resource_kind kind) {
  awl_resources *r = &s->resources[kind];
  uint32_t next;
  for (uint32_t i = r->first_free; i < r->count; i = next) {
    next = r->entries[i].next;
    r->entries[i].thing = NULL;
  }
  for (uint32_t i = 0; r->live > 0 && i < r->count; i++)
    if (r->entries[i].thing)
      r->release(r->entries[i].thing);
  aw_free(r->entries);
}

/* ---- objects of embedders ---- */

void aw_lua_hold(lua_State *L, aw_lua_held *held) {
  awl_state *s = awl_open(L);
  held->next = s->held;
  held->place = &s->held;
  if (held->next)
    held->next->place = &held->next;
  s->held = held;
}

void aw_lua_let_go(aw_lua_held *held) {
  if (!held->place)
    return;
  *held->place = held->next;
  if (held->next)
    held->next->place = held->place;
  held->next = NULL;
  held->place = NULL;
}

/* ---- the end ---- */

void awl_free_resources(awl_state *s) {
  while (s->held) {
    aw_lua_held *held = s->held;
    aw_lua_let_go(held);
    held->release(held);
  }
  for (int kind = 0; kind < AWL_RESOURCE_KINDS; kind++)
    free_kind(s, (awl_resource_kind)kind);
}
