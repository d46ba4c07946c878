/* resources.h - what objects of Lua own of C; see resources.c */
#ifndef AWL_RESOURCES_H
#define AWL_RESOURCES_H

#include "base/state.h"

/* How a thing of that kind is released when the state ends. */
static inline void awl_set_release(awl_state *s, awl_resource_kind kind,
                                   void (*release)(void *thing)) {
  s->resources[kind].release = release;
}

void awl_grow_resources(lua_State *L, awl_resources *r); /* raises */

/* Enter a new object of Lua, which owns nothing yet; gives its number. Raises.
 */
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

/* The object with that number owns `thing` from now on. */
static inline void awl_set_resource(awl_state *s, awl_resource_kind kind,
                                    uint32_t number, void *thing) {
  s->resources[kind].entries[number].thing = thing;
}

/* The object with that number is finalized, and has released what it owned. */
static inline void awl_strike_object(awl_state *s, awl_resource_kind kind,
                                     uint32_t number) {
  awl_resources *r = &s->resources[kind];
  r->entries[number].next = r->first_free;
  r->first_free = number;
  r->live--;
}

/* The state ends: release what is still owned. */
void awl_free_resources(awl_state *s);

#endif
