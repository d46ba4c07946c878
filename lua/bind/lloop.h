/* lloop.h - EventLoops, and their numbers; see lloop.c */
#ifndef AWL_LLOOP_H
#define AWL_LLOOP_H

#include "bridge.h"

/* The EventLoop at 1. Raises. */
awl_loop *awl_check_loop(lua_State *L, awl_state *s);
/* That of a loop of the core; NULL for NULL. */
awl_loop *awl_loop_of(awl_state *s, const aw_loop *core);
void awl_push_loop(lua_State *L, awl_state *s, const awl_loop *loop);
/* The number of a loop is its place in awl_state.loops (and AWL_LOOPS), and in
 * the high half how often that place was used. NULL: it is no more. */
#define AWL_PLACE_OF(number) ((number)&0xffff)
awl_loop *awl_loop_number(const awl_state *s, uint32_t number);

#endif
