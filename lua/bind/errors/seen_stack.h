/* seen_stack.h - finds the text of a stack that was seen before; see
 * seen_stack.c */
#ifndef AWL_SEEN_STACK_H
#define AWL_SEEN_STACK_H

#include "base/state.h"

/* Find the stack of L, from `level` on, among those that were seen before.
 * Return the userdata with its text, which AWL_TRACES may have replaced since;
 * or NULL. Raises nothing. */
const void *awl_find_seen(lua_State *L, awl_state *s, int level);
/* Call this before a text is made that will be remembered. Raises. */
void awl_prepare_seen(lua_State *L, awl_state *s);
/* The text in the userdata `kept` is that of the stack of L from `level` on.
 * Bit n of `named` says that the text has the name of level n. Remember that
 * until a cycle of the collector has ended. Raises nothing. */
void awl_remember_seen(lua_State *L, awl_state *s, int level, uint32_t named,
                       const void *kept);

#endif
