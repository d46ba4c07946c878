/* resources.c - what objects of Lua own of C, so that it ends with the state
 *
 * An object of Lua releases in its finalizer what it owns. But some finalizers
 * never run. Lua takes an object off its list before it calls the finalizer,
 * and the call fails where there is no room for one: 199 C calls deep, at the
 * end of Lua's stack, or out of memory. And objects that are made while
 * lua_close runs are not finalized at all.
 *
 * So each object is entered here, under a number and by the kind of what it
 * owns, and struck out by its finalizer. What is left when the state ends is
 * released then, by the function that the class set when it was opened. Nothing
 * of C refers to the memory of such an object itself.
 *
 * An entry takes 8 bytes. Free entries are a chain: each has the number of the
 * next one, the last one `count`. Objects of embedders are in a list instead,
 * see aw_lua_hold().
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

/* Release what is left of a kind. */
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
