/* resources.h - things of C that objects of Lua own; see resources.c */
#ifndef AWL_RESOURCES_H
#define AWL_RESOURCES_H

#include "base/state.h"

/* Set the function that releases things of `kind` when the state ends. */
static inline void awl_set_release(awl_state *s, awl_resource_kind kind,
                                   void (*release)(void *thing)) {
  s->resources[kind].release = release;
}

void awl_grow_resources(lua_State *L, awl_resources *r); /* raises */

/* Make an entry for a new object of Lua, which owns nothing yet. Returns the
 * number of the entry. Raises. */
static inline uint32_t awl_enter_object(lua_State *L, awl_state *s,
                                        awl_resource_kind kind) {
  awl_resources *r = &s->resources[kind];
  if (r->first_free == r->count)
    awl_grow_resources(L, r);
  uint32_t number = r->first_free;
  r->first_free = r->entries[number].next;
  r->entries[number].thing = NULL;
  r->live++;
  return number;
}

/* Note that the object with this number owns `thing` from now on. */
static inline void awl_set_resource(awl_state *s, awl_resource_kind kind,
                                    uint32_t number, void *thing) {
  s->resources[kind].entries[number].thing = thing;
}

/* Strike the entry out: the object is finalized, and has released its thing. */
static inline void awl_strike_object(awl_state *s, awl_resource_kind kind,
                                     uint32_t number) {
  awl_resources *r = &s->resources[kind];
  r->entries[number].next = r->first_free;
  r->first_free = number;
  r->live--;
}

/* The state ends: release all things that are still owned. */
void awl_free_resources(awl_state *s);

#endif
