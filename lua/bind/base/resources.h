/* resources.h - what objects of Lua hold of C; see resources.c */
#ifndef AWL_RESOURCES_H
#define AWL_RESOURCES_H

#include "base/state.h"

/* How a thing of that kind is released when the state ends. */
static inline void awl_set_release(awl_state *s, awl_holding kind,
                                   void (*release)(void *thing)) {
  s->holdings[kind].release = release;
}

void awl_more_holders(lua_State *L, awl_holdings *h); /* raises */

/* Enter a new object of Lua, which holds nothing yet, under a number. Raises. */
static inline uint32_t awl_enter_holder(lua_State *L, awl_state *s,
                                        awl_holding kind) {
  awl_holdings *h = &s->holdings[kind];
  if (h->first_free == h->count)
    awl_more_holders(L, h);
  uint32_t number = h->first_free;
  h->first_free = h->entries[number].next;
  h->entries[number].thing = NULL;
  h->live++;
  return number;
}

/* The object with that number holds `thing`. */
static inline void awl_enter_thing(awl_state *s, awl_holding kind,
                                   uint32_t number, void *thing) {
  s->holdings[kind].entries[number].thing = thing;
}

/* The object with that number is finalized, and has freed what it held. */
static inline void awl_strike_holder(awl_state *s, awl_holding kind,
                                     uint32_t number) {
  awl_holdings *h = &s->holdings[kind];
  h->entries[number].next = h->first_free;
  h->first_free = number;
  h->live--;
}

/* The state ends: free what is still held. */
void awl_free_holdings(awl_state *s);

#endif
